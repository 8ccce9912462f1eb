import Foundation
import LanguageModels
import Statistics
import Torch

/// Fine-tunes an encoder reward model on votes.
public struct EncoderRewardTraining: Sendable, Hashable, Codable {
    public var epochs = 2
    public var batch = 16
    /// Peak rate of the encoder's weights, and of the head's.
    public var learningRate = 5e-5
    public var headLearningRate = 1e-3
    /// What the rate is multiplied by from each layer to the one below it: the lower a layer, the less it moves (Howard and
    /// Ruder 2018, arXiv 1801.06146).
    public var layerDecay = 0.8
    /// Begin from a probe of the encoder's frozen vectors and tune what it leaves over.
    public var usesPrior = true
    public var weightDecay = 0.01
    /// Layers, counted from the embeddings, that stay as they are; the embeddings always do.
    public var frozenLayers = 0
    /// Share of the features that is dropped while training.
    public var dropout = 0.1
    /// Weight of telling what a text was judged for (`RewardExample.judgedFor`), beside 1 for telling good from bad. Only training has the
    /// head that tells it.
    public var judgedForWeight = 0.3
    /// Share of the people whose votes are kept back: they choose the pass that is kept and calibrate the probabilities.
    public var heldShare = 0.15
    public var compute = TrainingOptions.ComputeType.fastest()
    public var seed: UInt64 = 0
    /// Seed that draws who is kept back; `nil` is `seed`. Trainings whose weights are averaged keep the same people back.
    public var heldSeed: UInt64?

    public init() {}

    /// What it came to.
    public struct Outcome: Sendable {
        public var model: EncoderRewardModel
        /// Log loss of the kept-back votes before the first pass and after each, in nats.
        public var losses: [Double]
        /// Passes that the kept model has seen; 0 where none made the probe better.
        public var epochs: Int
    }

    /// - Parameters:
    ///   - encoder: Folder of the encoder to begin with.
    ///   - onStep: Called after each step with its number and the steps in all.
    ///   - onPass: Called after each pass with its number and the log loss of the votes kept back, in nats.
    /// - Throws: `TrainingError` when there are no votes, one class or one person only, or a weight is broken.
    public func train(
        _ examples: [RewardExample], encoder: URL, shape: EncoderRewardModel.Shape = .init(), device: Device = .cpu,
        onStep: (Int, Int) throws -> Void = { _, _ in }, onPass: (Int, Double) throws -> Void = { _, _ in }
    ) throws -> Outcome {
        try Self.check(examples)
        let (learned, held) = try split(examples)
        let shape = Self.shape(shape, learned: learned)
        let model = try EncoderRewardModel(encoder: encoder, shape: shape, device: device)
        // What each vote's margin begins from, by a probe that did not see its person.
        var begun = [Double](repeating: 0, count: learned.count + held.count)
        if usesPrior {
            var prior = try EncoderPrior(encoder: encoder, shape: shape, device: device)
            begun = try prior.fit(learned + held, seed: seed)
            model.prior = prior
        }
        let heldBegun = Array(begun.suffix(held.count))
        let texts = learned.map { model.encode(.init($0)) }
        let steps = (learned.count + batch - 1) / batch
        var parts = try parts(of: model)
        let aspects = try Aspects(of: learned, features: model.head.weight?.value.shape[1] ?? 0, device: device)
        if let aspects { parts.append(try part(aspects.head.named("aspects"), headLearningRate)) }
        let tuned = parts.flatMap(\.parameters)
        for parameter in tuned { parameter.value = try parameter.value.requireGradient(true) }
        let total = steps * epochs
        let curve = Schedule(.linear, peak: 1, warmUp: max(1, total / 10), total: total)
        let mean = learned.reduce(0) { $0 + $1.weight } / Double(learned.count)
        let generator = SeededGenerator(seed: seed)
        func weights() throws -> [Tensor] { try tuned.map { try $0.value.detach().clone() } }
        // A model without a probe says nothing before its first pass.
        var losses = [Self.logLoss(heldBegun, held)]
        var best = (
            loss: usesPrior ? losses[0] : .infinity, epochs: 0, weights: try weights(), margins: heldBegun
        )
        for epoch in 0..<epochs {
            var draws = generator.fork("epoch", epoch)
            for (step, part) in Self.batches(texts.map(\.ids.count), batch, &draws).enumerated() {
                let scale = part.map { learned[$0].weight / mean / Double(part.count) }
                let features = model.head.weight?.value.shape[1] ?? 0
                let keep = try (0..<part.count * features).map { _ in
                    dropout > 0 && draws.uniform() < dropout ? 0 : Float(1 / (1 - dropout))
                }.asTensor([part.count, features], device)
                for one in parts { try one.optimizer.zeroGradients() }
                let seen = try model.features(part.map { texts[$0] }, compute: compute.dtype) * keep
                let margins = try model.head(seen).reshape([part.count])
                let wanted = try Tensor(part.map { learned[$0].isGood ? Float(1) : 0 }, device: device)
                let from = try Tensor(part.map { Float(begun[$0]) }, device: device)
                var loss = try
                    ((margins + from).bceWithLogits(targets: wanted)
                    * Tensor(scale.map(Float.init), device: device)).sum()
                if let aspects, let told = try aspects.loss(seen, of: part) {
                    loss = try loss + told * judgedForWeight
                }
                try loss.backward()
                let norm = try clipGradients(tuned, maximumNorm: 1)
                guard norm.isFinite, try loss.item().isFinite else {
                    throw TrainingError(
                        .diverged, "step \(epoch * steps + step + 1): the loss is not a number any more")
                }
                let rate = curve.rate(at: epoch * steps + step)
                for one in parts { try one.optimizer.step(learningRate: one.learningRate * rate) }
                try onStep(epoch * steps + step + 1, total)
            }
            let margins = zip(try model.tunedMargins(held.map { .init($0) }, compute: compute.dtype), heldBegun)
                .map { $0 + $1 }
            let loss = Self.logLoss(margins, held)
            losses.append(loss)
            try onPass(epoch + 1, loss)
            if loss < best.loss { best = (loss, epoch + 1, try weights(), margins) }
        }
        guard best.loss.isFinite else {
            throw TrainingError(.diverged, "no pass gave a finite loss on kept-back votes")
        }
        try withoutGradients {
            for (parameter, value) in zip(tuned, best.weights) {
                try parameter.value.copy(from: value)
                parameter.value = try parameter.value.detach()
            }
        }
        (model.shape.slope, model.shape.offset) = try RewardModel.platt(
            margins: best.margins, labels: held.map(\.isGood), weights: held.map(\.weight))
        return Outcome(model: model, losses: losses, epochs: best.epochs)
    }

    // MARK: - Parts

    /// What moves at one rate.
    private struct Part {
        var parameters: [Parameter]
        var learningRate: Double
        var optimizer: AdamW
    }

    private func part(_ parameters: [(name: String, parameter: Parameter)], _ rate: Double) throws -> Part {
        let groups: [AdamW.Group] = [
            (parameters: parameters.filter { $0.parameter.value.rank > 1 }, weightDecay: weightDecay),
            (parameters: parameters.filter { $0.parameter.value.rank <= 1 }, weightDecay: 0),
        ]
        return Part(
            parameters: parameters.map(\.parameter), learningRate: rate,
            optimizer: try AdamW(groups: groups.filter { !$0.parameters.isEmpty }, betas: (0.9, 0.999)))
    }

    /// The head, and each layer that is tuned: the lower, the slower. The embeddings stay as they are.
    private func parts(of model: EncoderRewardModel) throws -> [Part] {
        let layers = Dictionary(grouping: model.encoder.namedParameters) { Self.layer(of: $0.name) ?? -1 }
        let top = layers.keys.max() ?? 0
        return try [part(model.head.named("head"), headLearningRate)]
            + layers.filter { $0.key >= frozenLayers && $0.key >= 0 }.sorted { $0.key < $1.key }.map {
                try part($0.value, learningRate * pow(layerDecay, Double(top - $0.key)))
            }
    }

    /// All texts once, in a drawn order, texts of one batch about as long as each other: little padding.
    static func batches(_ lengths: [Int], _ size: Int, _ draws: inout SeededGenerator) -> [[Int]] {
        let order = draws.shuffled(Array(lengths.indices))
        let batches = stride(from: 0, to: order.count, by: 8 * size).flatMap { start in
            let group = order[start..<min(start + 8 * size, order.count)].sorted {
                (lengths[$0], $0) < (lengths[$1], $1)
            }
            return stride(from: 0, to: group.count, by: size).map {
                Array(group[$0..<min($0 + size, group.count)])
            }
        }
        return draws.shuffled(batches)
    }

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
    func split(_ examples: [RewardExample]) throws -> (learned: [RewardExample], held: [RewardExample]) {
        let counted = examples.filter { $0.weight > 0 }
        let people = Set(counted.map(\.userID)).sorted()
        for attempt in 0..<20 {
            var generator = SeededGenerator(seed: heldSeed ?? seed).fork("held", attempt)
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

    /// The shape with the facts of what is learned from.
    static func shape(_ shape: EncoderRewardModel.Shape, learned: [RewardExample]) -> EncoderRewardModel.Shape {
        var shape = shape
        (shape.factMeans, shape.factDeviations) = moments(learned)
        return shape
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
