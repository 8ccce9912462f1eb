import Foundation
import LanguageModels
import Statistics
import Torch

/// Pairwise CRINGE (Xu et al. 2023, "Some things are more CRINGE than others", arXiv 2312.16682): CRINGE on pairs, each
/// weighted by a gate that closes as the model comes to prefer the chosen reply.
///
/// With `M = log π(y_w | x) − log π(y_l | x)`, sums over tokens: `σ((b − M) / τ) · CRINGE(y_w good, y_l bad)`. No gradient
/// passes through the gate. The divisor is the one of CRINGE without the gate, so that closed gates make smaller steps. The
/// paper's constants were not to be had: b = 0 and τ = 1 are ours.
public struct PairwiseCRINGELoss: TrainingLoss {
    public var cringe: CRINGELoss
    /// b, nats of margin at which the gate is half open.
    public var margin: Double
    /// τ, nats over which the gate closes.
    public var temperature: Double

    /// - Throws: `TrainingError` when a number is outside its range.
    public init(cringe: CRINGELoss, margin: Double = 0, temperature: Double = 1) throws {
        guard margin.isFinite else { throw TrainingError(.options, "margin \(margin) must be a number") }
        guard temperature > 0, temperature.isFinite else {
            throw TrainingError(.options, "temperature \(temperature) must be above 0")
        }
        self.cringe = cringe
        self.margin = margin
        self.temperature = temperature
    }

    public var summary: String { "pairwise_\(cringe.summary), margin=\(margin), temperature=\(temperature)" }

    /// How much a pair counts, 0 to 1.
    public func gate(chosen: Double, rejected: Double) -> Double {
        1 / (1 + exp(-(margin - (chosen - rejected)) / temperature))
    }

    public func begin(_ context: LossContext) throws -> any LossStep { Step(self, context) }

    private struct Step: LossStep {
        let batches: [Batch]
        let supervised: Int
        let loss: PairwiseCRINGELoss
        let model: any LanguageModels.Decoder
        let chunkLength: Int
        let divisors: (positive: Double, negative: Double)
        var draws: SeededGenerator

        init(_ loss: PairwiseCRINGELoss, _ context: LossContext) {
            self.loss = loss
            batches = context.batches
            model = context.model
            chunkLength = context.chunkLength
            let labels = batches.flatMap(\.labels)
            divisors = loss.cringe.divisors(labels: labels, weights: batches.flatMap(\.weights))
            supervised = labels.count
            draws = context.draws
        }

        mutating func skip(_ batch: Batch) {
            if loss.cringe.needsDraws { for _ in batch.targets { _ = draws.uniform() } }
        }

        mutating func backward(hidden: Tensor, batch: Batch) throws -> LossSums {
            var totals = [Double](repeating: 0, count: batch.numbers.count)
            try withoutGradients {
                let detached = try hidden.detach()
                for start in stride(from: 0, to: batch.targets.count, by: chunkLength) {
                    let range = start..<min(start + chunkLength, batch.targets.count)
                    let raw = try model.logits(detached.narrow(dim: 0, start: start, length: range.count))
                    let logits = raw.dtype == .float64 ? raw : try raw.to(.float32)
                    let targets = try Tensor(Array(batch.targets[range]), device: logits.device)
                    for (place, value) in zip(range, try logits.crossEntropy(targets: targets).doubles()) {
                        totals[batch.owners[place]] -= value
                    }
                }
            }
            var gates = totals
            var margins: [Double] = []
            for place in try PairSource.chosenPlaces(batch.numbers) {
                let gate = loss.gate(chosen: totals[place], rejected: totals[place + 1])
                (gates[place], gates[place + 1]) = (gate, gate)
                margins.append(totals[place] - totals[place + 1])
            }
            let uniforms = loss.cringe.needsDraws ? batch.targets.map { _ in draws.uniform() } : nil
            var sums = try ChunkedLoss(loss: loss.cringe, chunkLength: chunkLength).backward(
                model: model, hidden: hidden, batch: batch, divisors: divisors, uniforms: uniforms,
                factors: batch.owners.map { gates[$0] })
            sums.marginSum += margins.reduce(0, +)
            sums.marginCount += margins.count
            return sums
        }
    }
}
