import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Storage

/// The web page and the API, made of parts that are passed in.
///
/// `application()` is a Hummingbird application: `runService()` serves it and drains on SIGTERM and SIGINT, in-flight
/// replies first.
public struct WebServer: Sendable {
    let chat: ChatService
    let host: ModelHost
    let completions: CompletionService
    let limits: ServerLimits
    let randomness: Randomness
    let now: @Sendable () -> Date
    let files: PageFiles
    let office: Office?
    let logger: Logger

    /// - Parameters:
    ///   - host: the model; it may still be loading.
    ///   - store: where conversations and feedback are kept.
    ///   - sampling: how replies are drawn.
    ///   - compareShare: share of turns of the page (0 to 1) that are answered twice, for the person to choose the better reply.
    ///   - randomness: where ids, cookies and seeds come from.
    ///   - now: the clock.
    ///   - files: folder of the page; `nil` is the one that is built in.
    ///   - office: the operator's and the raters' pages; `nil` serves neither.
    /// - Throws: when the page's files cannot be read.
    public init(
        host: ModelHost, store: any ConversationStore, sampling: Sampling = Sampling(),
        compareShare: Double = 0, limits: ServerLimits = ServerLimits(),
        randomness: Randomness = .system, now: @escaping @Sendable () -> Date = { Date() }, files: URL? = nil,
        office: Office? = nil, logger: Logger
    ) throws {
        self.host = host
        self.limits = limits
        self.randomness = randomness
        self.now = now
        self.logger = logger
        self.office = office
        self.files = try PageFiles(folder: files ?? PageFiles.bundled)
        chat = ChatService(
            store: store, host: host, sampling: sampling, limits: limits, randomness: randomness,
            compareShare: compareShare, now: now)
        completions = CompletionService(
            store: store, host: host, sampling: sampling, randomness: randomness, now: now)
    }

    /// - Parameters:
    ///   - hostname: the address to listen on; the default is reachable from this machine only.
    ///   - port: 0 takes a free one.
    ///   - onRunning: called with the port once the server listens.
    public func application(
        hostname: String = "127.0.0.1", port: Int = 8080, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        Application(
            router: router(),
            configuration: ApplicationConfiguration(address: .hostname(hostname, port: port), serverName: "loam"),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: logger)
    }

    func router() -> Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestLog())
        router.add(middleware: SecurityHeaders())
        router.add(middleware: ErrorShape())
        router.add(
            middleware: AddressBound(
                bound: RequestBound(burst: limits.requestBurst, secondsPerToken: limits.secondsPerRequest), now: now))
        files.add(to: router)
        HealthRoutes(host: host).add(to: router)
        let messages = RequestBound(burst: limits.messageBurst, secondsPerToken: limits.secondsPerMessage)
        PersonRoutes(
            chat: chat, host: host, limits: limits, randomness: randomness, messages: messages, now: now
        ).add(to: router)
        OpenAIRoutes(completions: completions, host: host, limits: limits, startedAt: now()).add(to: router)
        office?.add(to: router)
        return router
    }
}
