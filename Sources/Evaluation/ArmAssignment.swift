import Conversations
import Statistics

/// Which model a person talks to while several are tried: by the person, never by the message, the same on every replica and
/// after every restart, with nothing to store.
public struct ArmAssignment: Sendable, Hashable, Codable {
    /// A model with its share of the people.
    public struct Arm: Sendable, Hashable, Codable {
        /// The model's id in the registry.
        public var model: String
        /// 0 … 1; all shares together make 1.
        public var share: Double

        public init(model: String, share: Double) {
            self.model = model
            self.share = share
        }
    }

    /// Names the experiment: another name assigns people anew.
    public let experiment: String
    /// The first arm is what serves today. Raising the share of a later arm moves people to it and nobody away from it.
    public let arms: [Arm]

    /// - Throws: `EvaluationError` when the shares do not add up to 1, `UserSplit.Invalid` when one is not above 0 or a model is
    ///   named twice.
    public init(experiment: String, arms: [Arm]) throws {
        self.experiment = experiment
        self.arms = arms
        let sum = arms.reduce(0) { $0 + $1.share }
        guard abs(sum - 1) < 1e-9 else {
            throw EvaluationError(.arm, "the shares of the arms add up to \(sum), not to 1")
        }
        _ = try split()
    }

    /// The model for a person.
    public func model(for userID: String) -> String {
        (try? split().part(of: userID)) ?? arms[0].model
    }

    /// The shares of the first two arms as small whole numbers, 9 and 1 for a tenth: what a sequential test takes in a block.
    public var block: SequentialRateTest.Block {
        let (base, trial) = (arms[0].share, arms.count > 1 ? arms[1].share : 1)
        return trial <= base
            ? .init(first: max(1, Int((base / trial).rounded())), second: 1)
            : .init(first: 1, second: max(1, Int((trial / base).rounded())))
    }

    private func split() throws -> UserSplit {
        try UserSplit(arms.map { ($0.model, $0.share) }, salt: "arm-\(experiment)")
    }
}
