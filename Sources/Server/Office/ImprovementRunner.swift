import Foundation

/// Runs of the loop as the operator's page needs them: starting one, seeing how far it is, reading what came out.
public protocol ImprovementRunner: Sendable {
    /// All runs, the latest first.
    func runs() async throws -> [ImprovementRun]
    func run(named name: String) async throws -> ImprovementRun?
    /// Begins a run, or goes on with one that was cut off.
    /// - Throws: `OfficeRefusal`.
    func start(_ request: ImprovementRequest) async throws
    /// Ends a run that this server began; starting it again goes on where it stopped.
    /// - Throws: `OfficeRefusal`.
    func stop(_ name: String) async throws
    /// The report of a run, an HTML page.
    func report(of name: String) async throws -> Data?
    /// What the newest run that weighed votes found of people.
    func people() async throws -> TrustedPeople?
}

/// What an operator may choose of a run.
public struct ImprovementRequest: Sendable, Hashable, Decodable {
    /// Name of the run's folder.
    public var name: String
    /// CRINGE rounds.
    public var iterations: Int
    /// Name of the loss; `nil` is the command's own choice.
    public var loss: String?
    public var seed: UInt64
    /// Optimizer steps per round; `nil` is the command's own choice.
    public var steps: Int?

    public init(name: String, iterations: Int = 3, loss: String? = nil, seed: UInt64 = 1, steps: Int? = nil) {
        self.name = name
        self.iterations = iterations
        self.loss = loss
        self.seed = seed
        self.steps = steps
    }

    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        name = try box.decode(String.self, forKey: .name)
        iterations = try box.decodeIfPresent(Int.self, forKey: .iterations) ?? 3
        loss = try box.decodeIfPresent(String.self, forKey: .loss)
        seed = try box.decodeIfPresent(UInt64.self, forKey: .seed) ?? 1
        steps = try box.decodeIfPresent(Int.self, forKey: .steps)
    }

    enum CodingKeys: String, CodingKey {
        case name, iterations, loss, seed, steps
    }

    /// Names that can be a folder and nothing else.
    static func isName(_ name: String) -> Bool { name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,59}/) != nil }

    /// - Throws: `ServerError` naming the field that cannot be.
    func checked() throws -> ImprovementRequest {
        guard Self.isName(name) else {
            throw ServerError.invalid("name", "'name' may have letters, digits and ._- , at most 60.")
        }
        guard (1...10).contains(iterations) else {
            throw ServerError.invalid("iterations", "'iterations' must be from 1 to 10.")
        }
        guard loss?.wholeMatch(of: /[a-z-]{1,40}/) != nil || loss == nil else {
            throw ServerError.invalid("loss", "'loss' is not the name of a loss.")
        }
        guard (1...100_000).contains(steps ?? 1) else {
            throw ServerError.invalid("steps", "'steps' must be from 1 to 100000.")
        }
        return self
    }
}

/// One run of the loop, as far as it is.
public struct ImprovementRun: Encodable, Sendable, Hashable {
    public enum State: String, Encodable, Sendable, Hashable {
        case running
        /// Cut off, stopped or failed: starting it again goes on.
        case stopped
        case finished
    }

    /// A stage that is done: what came in, what went out and why the rest did not.
    public struct Stage: Codable, Sendable, Hashable {
        public struct Figure: Codable, Sendable, Hashable {
            public var name: String
            public var value: String
        }

        public var number: Int
        public var name: String
        public var unit: String
        public var cameIn: Int
        public var wentOut: Int
        public var dropped: [String: Int]
        public var figures: [Figure]

        enum CodingKeys: String, CodingKey {
            case number, name, unit, dropped, figures
            case cameIn = "came_in"
            case wentOut = "went_out"
        }
    }

    public var name: String
    public var state: State
    /// When its folder was last written to.
    public var changedAt: Date
    public var stages: [Stage]
    /// How many stages there will be, once the run has said so.
    public var stageCount: Int?
    /// What the run says of itself, the last lines.
    public var log: [String]
    public var hasReport: Bool

    enum CodingKeys: String, CodingKey {
        case name, state, stages, log
        case changedAt = "changed_at"
        case stageCount = "stage_count"
        case hasReport = "has_report"
    }
}

/// Whom the votes of a run are believed.
public struct TrustedPeople: Sendable, Hashable {
    public struct Person: Decodable, Sendable, Hashable {
        public struct Flag: Decodable, Sendable, Hashable {
            public var kind: String
            public var reason: String
        }

        public var user: String
        /// From 0 to 1.
        public var trust: Double
        public var votes: Int
        /// Share of their votes that agree with what others say.
        public var agreement: Double?
        public var flags: [Flag]
    }

    /// The run that weighed them.
    public var run: String
    public var people: [Person]
}
