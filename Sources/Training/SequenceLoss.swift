import LanguageModels
import Torch

/// Whole replies of a micro-batch: what a sequence loss sees at once.
public struct ReplyBatch {
    /// `[n]` float64, `log π(y | x)`: the sum over a reply's supervised tokens, its end included.
    public let logProbabilities: Tensor
    /// Supervised tokens of each reply.
    public let counts: [Int]
    /// Number of each document in the source.
    public let numbers: [Int]
    /// What each reply is: good (chosen) or bad (rejected).
    public let labels: [TokenLabel]
    /// How much each reply counts.
    public let weights: [Double]

    public init(
        logProbabilities: Tensor, counts: [Int], numbers: [Int], labels: [TokenLabel], weights: [Double]? = nil
    ) {
        self.logProbabilities = logProbabilities
        self.counts = counts
        self.numbers = numbers
        self.labels = labels
        self.weights = weights ?? [Double](repeating: 1, count: counts.count)
    }

    /// `[m]`, the log-probabilities of the replies at these places.
    func selected(_ places: [Int]) throws -> Tensor {
        try logProbabilities.indexSelect(dim: 0, index: Tensor(places, device: logProbabilities.device))
    }

    /// A number per reply as a tensor beside the log-probabilities.
    func tensor(_ values: [Double]) throws -> Tensor {
        try Tensor(values, dtype: logProbabilities.dtype, device: logProbabilities.device)
    }
}

/// What a sequence loss makes of a micro-batch.
public struct ReplyTerms {
    /// The micro-batch's share of the step's scalar; either part may be missing.
    public let positive: Tensor?
    public let negative: Tensor?
    /// Reward of the chosen over the rejected reply, one per pair.
    public let margins: [Double]

    public init(positive: Tensor?, negative: Tensor?, margins: [Double] = []) {
        self.positive = positive
        self.negative = negative
        self.margins = margins
    }
}

/// A training loss that is a function of the log-probabilities of whole replies: DPO, KTO.
///
/// Replies that belong together (a pair) stand in one row, so that one micro-batch holds all that a term needs. What
/// depends on the whole step is planned before its first micro-batch, so the result does not depend on how a step is cut
/// into micro-batches and chunks.
public protocol SequenceLoss: TrainingLoss {
    associatedtype Plan
    /// Divisors and other numbers of a whole step.
    func plan(_ context: LossContext) throws -> Plan
    func terms(_ replies: ReplyBatch, plan: Plan) throws -> ReplyTerms
}

extension SequenceLoss {
    public func begin(_ context: LossContext) throws -> any LossStep { try SequenceLossStep(self, context) }
}

/// A step of a sequence loss.
struct SequenceLossStep<Loss: SequenceLoss>: LossStep {
    let batches: [Batch]
    let supervised: Int
    private let loss: Loss
    private let plan: Loss.Plan
    private let model: any LanguageModels.Decoder
    private let chunkLength: Int

    init(_ loss: Loss, _ context: LossContext) throws {
        self.loss = loss
        plan = try loss.plan(context)
        batches = context.batches
        supervised = batches.reduce(0) { $0 + $1.targets.count }
        model = context.model
        chunkLength = context.chunkLength
    }

    mutating func backward(hidden: Tensor, batch: Batch) throws -> LossSums {
        let count = batch.targets.count
        guard count > chunkLength else { return try whole(hidden, batch) }
        // The head's logits of all tokens do not fit at once: a first pass works out the replies' log-probabilities and
        // with them the slope of the loss in each, a second one hands the slopes down chunk by chunk.
        let ranges = stride(from: 0, to: count, by: chunkLength).map { $0..<min($0 + chunkLength, count) }
        let detached = try hidden.detach()
        var sums = LossSums()
        var totals = [Double](repeating: 0, count: batch.numbers.count)
        try withoutGradients {
            for range in ranges {
                let piece = try detached.narrow(dim: 0, start: range.lowerBound, length: range.count)
                let values = try crossEntropy(piece, batch, range).doubles()
                sums.add(values, of: batch, range: range)
                for (place, value) in zip(range, values) { totals[batch.owners[place]] -= value }
            }
        }
        let leaf = try Tensor(totals, device: hidden.device).requireGradient(true)
        try descend(leaf, batch, &sums)
        let slopes = try leaf.gradient?.doubles() ?? [Double](repeating: 0, count: totals.count)
        var gradients: [Tensor] = []
        for range in ranges {
            let piece = try detached.narrow(dim: 0, start: range.lowerBound, length: range.count).clone()
                .requireGradient(true)
            let values = try crossEntropy(piece, batch, range)
            let slope = try Tensor(
                range.map { -slopes[batch.owners[$0]] }, dtype: values.dtype, device: values.device)
            try (values * slope).sum().backward()
            gradients.append(try piece.gradient ?? Tensor.zeros(piece.shape, dtype: piece.dtype, device: piece.device))
        }
        try (hidden * Tensor.cat(gradients, dim: 0)).sum().backward()
        return sums
    }

    private func whole(_ hidden: Tensor, _ batch: Batch) throws -> LossSums {
        var sums = LossSums()
        let range = 0..<batch.targets.count
        let values = try crossEntropy(hidden, batch, range)
        sums.add(try values.detach().doubles(), of: batch, range: range)
        let totals = try Tensor.zeros([batch.numbers.count], dtype: .float64, device: values.device).scatterAdd(
            dim: 0, index: Tensor(batch.owners, device: values.device), source: -values.to(.float64))
        try descend(totals, batch, &sums)
        return sums
    }

    /// The loss of replies with these log-probabilities, and its gradient down from there.
    private func descend(_ totals: Tensor, _ batch: Batch, _ sums: inout LossSums) throws {
        let documents = batch.numbers.count
        var counts = [Int](repeating: 0, count: documents)
        var labels = [TokenLabel](repeating: .ignored, count: documents)
        var weights = [Double](repeating: 0, count: documents)
        for (place, owner) in batch.owners.enumerated() {
            counts[owner] += 1
            // One bad token makes a reply bad, whatever its last one is.
            if labels[owner] != .bad { labels[owner] = batch.labels[place] }
            weights[owner] = Double(batch.weights[place])
        }
        let terms = try loss.terms(
            ReplyBatch(
                logProbabilities: totals, counts: counts, numbers: batch.numbers, labels: labels, weights: weights),
            plan: plan)
        sums.positive += try terms.positive?.item() ?? 0
        sums.negative += try terms.negative?.item() ?? 0
        sums.marginSum += terms.margins.reduce(0, +)
        sums.marginCount += terms.margins.count
        let parts = [terms.positive, terms.negative].compactMap(\.self)
        guard var total = parts.first else { return }
        for part in parts.dropFirst() { total = try total + part }
        try total.backward()
    }

    /// `[range.count]`, `−log p` of the supervised tokens in a range.
    private func crossEntropy(_ hidden: Tensor, _ batch: Batch, _ range: Range<Int>) throws -> Tensor {
        let raw = try model.logits(hidden)
        return try raw.crossEntropy(targets: Tensor(Array(batch.targets[range]), device: raw.device))
    }
}
