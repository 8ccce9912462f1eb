import Foundation
import LanguageModels
import Torch

/// Kahneman–Tversky optimisation (Ethayarajh et al. 2024, arXiv 2402.01306): learns from single replies, each good or bad.
///
/// With `r = log π(y | x) − log π_ref(y | x)`: a good reply costs `w₊ (1 − σ(β (r − z)))`, a bad one `w₋ (1 − σ(β (z − r)))`;
/// the scalar is the mean over replies by their weights. The point `z` stands for how far the model has gone from the
/// reference: the step's mean of `r` over *mismatched* replies (each prompt with another example's reply), 0 at least, and
/// no gradient passes through it.
///
/// Which examples make a step is fixed when training begins (`GroupedSource`), and with it the mismatched replies, which
/// come from the same step: so their reference log-probabilities are worked out once like the others, as TRL does.
public struct KTOLoss: SequenceLoss {
    /// How closely the reference is followed; 0.1 as in TRL.
    public var beta: Double
    /// Weight of good replies (λ_D). The paper asks for `w₊ · good / (w₋ · bad)` between 1 and 4/3.
    public var desirableWeight: Double
    /// Weight of bad replies (λ_U).
    public var undesirableWeight: Double
    /// Log-probabilities under the reference model by document number.
    public let reference: ReferenceLogProbabilities
    /// By document number: the example's prompt with the reply of another.
    public let mismatched: [TokenizedExample]
    public let mismatchedReference: ReferenceLogProbabilities

    /// - Throws: `TrainingError` when a number is outside its range or the lists differ in length.
    public init(
        reference: ReferenceLogProbabilities, mismatched: [TokenizedExample],
        mismatchedReference: ReferenceLogProbabilities, beta: Double = 0.1, desirableWeight: Double = 1,
        undesirableWeight: Double = 1
    ) throws {
        guard beta > 0, beta.isFinite else { throw TrainingError(.options, "beta \(beta) must be above 0") }
        for (name, weight) in [("desirable_weight", desirableWeight), ("undesirable_weight", undesirableWeight)] {
            guard weight >= 0, weight.isFinite else {
                throw TrainingError(.options, "\(name) \(weight) must be 0 or more")
            }
        }
        guard mismatched.count == reference.values.count, mismatchedReference.values.count == mismatched.count else {
            throw TrainingError(
                .data,
                "KTO has \(reference.values.count) replies, \(mismatched.count) mismatched ones and "
                    + "\(mismatchedReference.values.count) numbers of those")
        }
        self.reference = reference
        self.mismatched = mismatched
        self.mismatchedReference = mismatchedReference
        self.beta = beta
        self.desirableWeight = desirableWeight
        self.undesirableWeight = undesirableWeight
    }

    public var summary: String {
        "kto(beta=\(beta), desirable_weight=\(desirableWeight), undesirable_weight=\(undesirableWeight))"
    }

    /// What a step's terms share.
    public struct Plan: Sendable, Hashable {
        /// The point z, in nats.
        public var divergence: Double
        /// Weights of the replies.
        public var replies: Double

        public init(divergence: Double, replies: Double) {
            self.divergence = divergence
            self.replies = replies
        }
    }

    public func plan(_ context: LossContext) throws -> Plan {
        let numbers = context.batches.flatMap(\.numbers)
        try reference.require(numbers)
        let scorer = ReplyScorer(
            model: context.model, rowsPerBatch: context.rowsPerMicroBatch, chunk: context.chunkLength,
            compute: context.compute)
        let now = try scorer.scores(numbers.map { mismatched[$0] }).map(\.logProbability)
        let before = numbers.map { mismatchedReference.values[$0] }
        var weights = 0.0
        for batch in context.batches {
            for place in batch.targets.indices where place == 0 || batch.owners[place - 1] != batch.owners[place] {
                weights += Double(batch.weights[place])
            }
        }
        return Plan(divergence: Self.divergence(now, before), replies: weights)
    }

    /// The mean log-ratio of mismatched replies, 0 at least.
    static func divergence(_ now: [Double], _ before: [Double]) -> Double {
        guard !now.isEmpty else { return 0 }
        return max(0, zip(now, before).reduce(0) { $0 + $1.0 - $1.1 } / Double(now.count))
    }

    public func terms(_ replies: ReplyBatch, plan: Plan) throws -> ReplyTerms {
        func part(_ label: TokenLabel, sign: Double, weight: Double) throws -> (loss: Tensor?, rewards: [Double]) {
            let places = replies.labels.indices.filter { replies.labels[$0] == label }
            guard !places.isEmpty else { return (nil, []) }
            let reference = try replies.tensor(places.map { self.reference.values[replies.numbers[$0]] })
            let ratio = try replies.selected(places) - reference
            let losses = try 1 - ((ratio - plan.divergence) * (sign * beta)).sigmoid()
            let weights = try replies.tensor(places.map { replies.weights[$0] * weight })
            let scale = 1 / max(plan.replies, .leastNormalMagnitude)
            return (try (losses * weights).sum() * scale, try (ratio * beta).detach().doubles())
        }
        let good = try part(.good, sign: 1, weight: desirableWeight)
        let bad = try part(.bad, sign: -1, weight: undesirableWeight)
        var margins: [Double] = []
        if !good.rewards.isEmpty, !bad.rewards.isEmpty {
            func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
            margins = [mean(good.rewards) - mean(bad.rewards)]
        }
        return ReplyTerms(positive: good.loss, negative: bad.loss, margins: margins)
    }

    /// For each example its prompt with the reply of the example before it in its group, as documents whose reply is
    /// supervised. A document that gets longer than `contextLength` loses the beginning of its prompt.
    /// - Parameter groups: Documents of a step each, two or more (`GroupedSource`).
    public static func mismatch(
        _ examples: [TokenizedExample], groups: [[Int]], contextLength: Int
    ) throws -> [TokenizedExample] {
        var donors = Array(examples.indices)
        for group in groups {
            guard group.count > 1 else {
                throw TrainingError(
                    .data, "KTO needs two examples or more a step: a reply is set against another prompt")
            }
            for (place, index) in group.enumerated() { donors[index] = group[place == 0 ? group.count - 1 : place - 1] }
        }
        return try zip(examples, donors).map { own, donor in
            let other = examples[donor]
            // The marker that begins the reply belongs to the prompt.
            let reply = other.replyStart
            let prompt = own.ids[..<own.replyStart].suffix(max(1, contextLength - (other.count - reply)))
            return try TokenizedExample(
                ids: Array(prompt) + other.ids[reply...],
                labels: [TokenLabel](repeating: .ignored, count: prompt.count) + Array(other.labels[reply...]))
        }
    }
}

extension TokenizedExample {
    /// Place of the first supervised token.
    var replyStart: Int { labels.firstIndex { $0 != .ignored } ?? count }
}
