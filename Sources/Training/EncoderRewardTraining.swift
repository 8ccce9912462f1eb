import Foundation
import LanguageModels
import Statistics
import Torch

/// Fine-tunes an encoder reward model on votes.
public struct EncoderRewardTraining: Sendable, Hashable, Codable {
    public var epochs = 4
    public var batch = 16
    /// Peak rate of the encoder's weights, and of the head's.
    public var learningRate = 5e-5
    public var headLearningRate = 2e-3
    public var weightDecay = 0.01
    /// Layers, counted from the embeddings, that stay as they are; the embeddings always do.
    public var frozenLayers = 0
    /// Share of the features that is dropped while training.
    public var dropout = 0.1
    /// Share of the people whose votes are kept back: they choose the pass that is kept and calibrate the probabilities.
    public var heldShare = 0.15
    public var compute = TrainingOptions.ComputeType.bfloat16
    public var seed: UInt64 = 0

    public init() {}

    /// What it came to.
    public struct Outcome: Sendable {
        public var model: EncoderRewardModel
        /// Log loss of the kept-back votes after each pass, in nats.
        public var losses: [Double]
        /// Passes that the kept model has seen.
        public var epochs: Int
    }

    /// - Parameters:
    ///   - encoder: Folder of the encoder to begin with.
    ///   - onStep: Called after each step with its number and the steps in all.
    /// - Throws: `TrainingError` when there are no votes, one class or one person only, or a weight is broken.
    public func train(
        _ examples: [RewardExample], encoder: URL, shape: EncoderRewardModel.Shape = .init(), device: Device = .cpu,
        onStep: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> Outcome {
        try Self.check(examples)
        let (learned, held) = try split(examples)
        var shape = shape
        (shape.factMeans, shape.factDeviations) = Self.moments(learned)
        let model = try EncoderRewardModel(encoder: encoder, shape: shape, device: device)
        let texts = learned.map { model.encode(.init($0)) }
        let steps = (learned.count + batch - 1) / batch
        let tuned = model.encoder.namedParameters.filter { Self.layer(of: $0.name).map { $0 >= frozenLayers } ?? false }
        let head = model.head.named("head")
        for (_, parameter) in tuned + head { parameter.value = try parameter.value.requireGradient(true) }
        let matrices = tuned.filter { $0.parameter.value.rank > 1 }
        let vectors = tuned.filter { $0.parameter.value.rank <= 1 }
        let body = try AdamW(
            groups: [(parameters: matrices, weightDecay: weightDecay), (parameters: vectors, weightDecay: 0)].filter {
                !$0.parameters.isEmpty
            }, betas: (0.9, 0.999))
        let top = try AdamW(groups: [(parameters: head, weightDecay: weightDecay)], betas: (0.9, 0.999))
        let total = steps * epochs
        let curve = Schedule(.linear, peak: 1, warmUp: max(1, total / 10), total: total)
        let mean = learned.reduce(0) { $0 + $1.weight } / Double(learned.count)
        let generator = SeededGenerator(seed: seed)
        var losses: [Double] = []
        var best: (loss: Double, epochs: Int, weights: [Tensor], margins: [Double])?
        for epoch in 0..<epochs {
            var draws = generator.fork("epoch", epoch)
            let order = draws.shuffled(Array(texts.indices))
            for step in 0..<steps {
                let part = order[(step * batch)..<min((step + 1) * batch, order.count)]
                let scale = part.map { learned[$0].weight / mean / Double(part.count) }
                let features = model.head.weight?.value.shape[1] ?? 0
                let keep = try (0..<part.count * features).map { _ in
                    dropout > 0 && draws.uniform() < dropout ? 0 : Float(1 / (1 - dropout))
                }.asTensor([part.count, features], device)
                try body.zeroGradients()
                try top.zeroGradients()
                let margins = try model.margins(part.map { texts[$0] }, compute: compute.dtype, keep: keep)
                let wanted = try Tensor(part.map { learned[$0].isGood ? Float(1) : 0 }, device: device)
                let loss = try (margins.bceWithLogits(targets: wanted) * Tensor(scale.map(Float.init), device: device))
                    .sum()
                try loss.backward()
                let norm = try clipGradients((tuned + head).map(\.parameter), maximumNorm: 1)
                guard norm.isFinite, try loss.item().isFinite else {
                    throw TrainingError(
                        .diverged, "step \(epoch * steps + step + 1): the loss is not a number any more")
                }
                let rate = curve.rate(at: epoch * steps + step)
                try body.step(learningRate: learningRate * rate)
                try top.step(learningRate: headLearningRate * rate)
                try onStep(epoch * steps + step + 1, total)
            }
            let margins = try model.margins(held.map { .init($0) }, compute: compute.dtype)
            let loss = Self.logLoss(margins, held)
            losses.append(loss)
            if loss < best?.loss ?? .infinity {
                let weights = try (tuned + head).map { try $0.parameter.value.detach().clone() }
                best = (loss, epoch + 1, weights, margins)
            }
        }
        guard let best else { throw TrainingError(.diverged, "no pass gave a finite loss on kept-back votes") }
        try withoutGradients {
            for ((_, parameter), value) in zip(tuned + head, best.weights) {
                try parameter.value.copy(from: value)
                parameter.value = try parameter.value.detach()
            }
        }
        (model.shape.slope, model.shape.offset) = try RewardModel.platt(
            margins: best.margins, labels: held.map(\.isGood), weights: held.map(\.weight))
        return Outcome(model: model, losses: losses, epochs: best.epochs)
    }

    // MARK: - Parts

    static func check(_ examples: [RewardExample]) throws {
        if let odd = examples.firstIndex(where: { !($0.weight >= 0 && $0.weight.isFinite) }) {
            throw TrainingError(.data, "the weight of vote \(odd) is not a finite number from 0 up")
        }
        let counted = examples.filter { $0.weight > 0 }
        guard let first = counted.first else {
            throw TrainingError(.data, "there are no votes to learn a reward model from")
        }
        guard counted.contains(where: { $0.isGood != first.isGood }) else {
            throw TrainingError(
                .data, "all \(counted.count) votes are \(first.isGood ? "good" : "bad"); a reward model needs both")
        }
        guard Set(counted.map(\.userID)).count > 3 else {
            throw TrainingError(.data, "a reward model needs votes of four people or more, to keep some back")
        }
    }

    /// People to learn from and people kept back, each with both classes.
    private func split(_ examples: [RewardExample]) throws -> (learned: [RewardExample], held: [RewardExample]) {
        let counted = examples.filter { $0.weight > 0 }
        let people = Set(counted.map(\.userID)).sorted()
        for attempt in 0..<20 {
            var generator = SeededGenerator(seed: seed).fork("held", attempt)
            let kept = Set(generator.shuffled(people).prefix(max(2, Int(Double(people.count) * heldShare))))
            let (held, learned) = (
                counted.filter { kept.contains($0.userID) }, counted.filter { !kept.contains($0.userID) }
            )
            if [held, learned].allSatisfy({ part in part.contains(where: \.isGood) && part.contains { !$0.isGood } }) {
                return (learned, held)
            }
        }
        throw TrainingError(.data, "too few people vote both ways to keep some back")
    }

    /// Number of a parameter's layer; `nil` for the embeddings.
    static func layer(of name: String) -> Int? {
        guard name.hasPrefix("encoder.layer.") else { return nil }
        return Int(name.dropFirst("encoder.layer.".count).prefix { $0 != "." })
    }

    private static func moments(_ examples: [RewardExample]) -> (means: [Float], deviations: [Float]) {
        let rows = examples.map { OverlapFeatures.values(context: $0.context, reply: $0.reply) }
        let count = Float(max(rows.count, 1))
        let means = OverlapFeatures.names.indices.map { column in rows.reduce(0) { $0 + $1[column] } / count }
        let deviations = OverlapFeatures.names.indices.map { column in
            let variance =
                rows.reduce(Float(0)) { $0 + ($1[column] - means[column]) * ($1[column] - means[column]) } / count
            return max(variance.squareRoot(), 1e-3)
        }
        return (means, deviations)
    }

    private static func logLoss(_ margins: [Double], _ examples: [RewardExample]) -> Double {
        let weights = examples.reduce(0) { $0 + $1.weight }
        return zip(margins, examples).reduce(0) { sum, one in
            let margin = one.1.isGood ? one.0 : -one.0
            return sum + one.1.weight * (max(0, -margin) + log1p(exp(-abs(margin))))
        } / weights
    }
}

extension [Float] {
    fileprivate func asTensor(_ shape: [Int], _ device: Device) throws -> Tensor {
        try Tensor(self, shape: shape, device: device)
    }
}
