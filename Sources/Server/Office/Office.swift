import Deidentification
import Foundation
import HTTPTypes
import Hummingbird
import Storage

/// The pages of those who work with the system: `/admin` for operators, `/rate` for raters.
///
/// They are there only when the store has an account; `loam accounts add` makes the first one.
public struct Office: Sendable {
    /// What an operator of the server may set.
    public struct Settings: Sendable, Hashable {
        /// How long one stays signed in, in seconds.
        public var sessionSeconds: Double
        /// Whether people reach the server by TLS alone: the cookie then never travels in the clear.
        public var isSecure: Bool
        /// What checking a password costs.
        public var passwordCost: PasswordHash.Cost
        /// Raters that each item goes to.
        public var raters: Int

        public init(
            sessionSeconds: Double = 12 * 3600, isSecure: Bool = false, passwordCost: PasswordHash.Cost = .standard,
            raters: Int = 3
        ) {
            self.sessionSeconds = sessionSeconds
            self.isSecure = isSecure
            self.passwordCost = passwordCost
            self.raters = raters
        }
    }

    let store: any OfficeStore
    let accounts: OfficeAccounts
    let files: PageFiles
    private let reading: OfficeReading
    private let figures: FiguresDesk
    private let board: RatingBoard
    private let models: (any ModelShelf)?
    private let runner: (any ImprovementRunner)?
    let now: @Sendable () -> Date

    /// - Parameters:
    ///   - store: conversations, accounts and ratings.
    ///   - deidentifier: what stands between a conversation and whoever reads it.
    ///   - models: the registry; `nil` leaves promoting to others.
    ///   - runner: what runs the loop; `nil` leaves that to others.
    ///   - files: folder of the pages; `nil` is the one that is built in.
    /// - Throws: when the pages' files cannot be read.
    public init(
        store: any OfficeStore, deidentifier: Deidentifier, settings: Settings = Settings(),
        models: (any ModelShelf)? = nil, runner: (any ImprovementRunner)? = nil, randomness: Randomness = .system,
        now: @escaping @Sendable () -> Date = { Date() }, files: URL? = nil
    ) throws {
        self.store = store
        accounts = try OfficeAccounts(
            store: store, cost: settings.passwordCost, randomness: randomness, now: now,
            lifetime: settings.sessionSeconds, isSecure: settings.isSecure)
        reading = OfficeReading(store: store, deidentifier: deidentifier, now: now)
        figures = FiguresDesk(store: store, now: now)
        board = RatingBoard(store: store, deidentifier: deidentifier, raters: settings.raters, now: now)
        self.models = models
        self.runner = runner
        self.now = now
        self.files = try PageFiles(folder: files ?? PageFiles.bundled, Self.pages)
    }

    static let pages: [(path: String, name: String, type: String)] = [
        ("/admin", "admin.html", "text/html; charset=utf-8"), ("/rate", "rate.html", "text/html; charset=utf-8"),
        ("/admin.js", "admin.js", "text/javascript; charset=utf-8"),
        ("/rate.js", "rate.js", "text/javascript; charset=utf-8"),
        ("/office.js", "office.js", "text/javascript; charset=utf-8"),
        ("/office.css", "office.css", "text/css; charset=utf-8"),
    ]

    /// Every route that needs an account.
    var routes: [OfficeRoute] {
        SignInRoutes(accounts: accounts).routes
            + OperatorRoutes(store: store, reading: reading, figures: figures, now: now).routes
            + LoopRoutes(store: store, models: models, runner: runner, now: now).routes
            + RatingRoutes(store: store, board: board, now: now).routes
    }

    func add(to router: Router<ServerContext>) {
        let store = store
        files.add(to: router) { try await !store.accounts().isEmpty }
        SignInRoutes(accounts: accounts).addSignIn(to: router)
        for route in routes { route.add(to: router, accounts) }
    }
}
