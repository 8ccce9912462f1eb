import Foundation

/// The model registry as the operator's page needs it: what is there, what serves, and changing that.
public protocol ModelShelf: Sendable {
    func contents() async throws -> ShelfContents
    /// Puts a model in front of people.
    /// - Throws: `OfficeRefusal`, in words for the operator.
    func promote(_ id: String, evenIfGateFailed: Bool) async throws
    /// Back to the model that served before; gives its id.
    /// - Throws: `OfficeRefusal`.
    func rollBack() async throws -> String
}

/// What is in a model registry.
public struct ShelfContents: Encodable, Sendable, Hashable {
    /// A model with its origin.
    public struct Model: Encodable, Sendable, Hashable {
        public var id: String
        public var path: String
        public var madeAt: Date
        public var parent: String
        public var method: String
        /// People whose votes went in.
        public var people: Int
        public var passedGate: Bool
        /// What the gate said against it.
        public var reasons: [String]

        public init(
            id: String, path: String, madeAt: Date, parent: String, method: String, people: Int, passedGate: Bool,
            reasons: [String]
        ) {
            self.id = id
            self.path = path
            self.madeAt = madeAt
            self.parent = parent
            self.method = method
            self.people = people
            self.passedGate = passedGate
            self.reasons = reasons
        }

        enum CodingKeys: String, CodingKey {
            case id, path, parent, method, people, reasons
            case madeAt = "made_at"
            case passedGate = "passed_gate"
        }
    }

    /// A change of who serves.
    public struct Change: Encodable, Sendable, Hashable {
        public var id: String
        public var at: Date
        /// `promoted` or `rolled back`.
        public var why: String

        public init(id: String, at: Date, why: String) {
            self.id = id
            self.at = at
            self.why = why
        }
    }

    /// A model that is tried on a share of the people.
    public struct Trial: Encodable, Sendable, Hashable {
        public var model: String
        public var share: Double

        public init(model: String, share: Double) {
            self.model = model
            self.share = share
        }
    }

    public var serving: String?
    public var models: [Model]
    /// Oldest first.
    public var history: [Change]
    public var trial: Trial?

    public init(serving: String?, models: [Model], history: [Change], trial: Trial? = nil) {
        self.serving = serving
        self.models = models
        self.history = history
        self.trial = trial
    }
}
