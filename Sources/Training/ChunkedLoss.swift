import LanguageModels
import Torch

/// What a step's loss was made of, in plain numbers.
public struct LossSums: Sendable, Hashable {
    /// The scalar that was minimised, and its two parts.
    public var positive = 0.0
    public var negative = 0.0
    /// Weightless sums of `−log p` and numbers of tokens, by label.
    public var goodSum = 0.0
    public var goodCount = 0
    public var badSum = 0.0
    public var badCount = 0

    public init() {}

    public var loss: Double { positive + negative }

    static func += (a: inout LossSums, b: LossSums) {
        a.positive += b.positive
        a.negative += b.negative
        a.goodSum += b.goodSum
        a.goodCount += b.goodCount
        a.badSum += b.badSum
        a.badCount += b.badCount
    }

    /// Mean `−log p` of wanted tokens; `nil` without any.
    public var goodCrossEntropy: Double? { goodCount > 0 ? goodSum / Double(goodCount) : nil }
    /// Mean `−log p` of unwanted tokens; `nil` without any.
    public var badCrossEntropy: Double? { badCount > 0 ? badSum / Double(badCount) : nil }
}

/// The head and the loss over supervised tokens in chunks, so that peak memory is a chunk's logits, not the batch's.
///
/// Each chunk runs forward and backward to its own hidden states at once; the gradients that gather there then go down
/// through the model in one pass.
struct ChunkedLoss {
    let loss: any TokenLoss
    /// Most tokens of which the logits exist at once.
    let chunkLength: Int

    /// Forward and backward from hidden states to the parameters.
    /// - Parameters:
    ///   - hidden: `[n, H]`, the states that predict the batch's supervised tokens, part of the model's graph.
    ///   - divisors: Of the whole optimiser step.
    ///   - uniforms: One draw per supervised token, where the loss asks for them.
    func backward(
        model: any Decoder, hidden: Tensor, batch: Batch, divisors: (positive: Double, negative: Double),
        uniforms: [Double]?
    ) throws -> LossSums {
        let count = batch.targets.count
        var sums = LossSums()
        if count <= chunkLength {
            let part = try scalar(
                model: model, hidden: hidden, batch: batch, range: 0..<count, divisors, uniforms, &sums)
            try part.backward()
            return sums
        }
        let detached = try hidden.detach()
        var gradients: [Tensor] = []
        for start in stride(from: 0, to: count, by: chunkLength) {
            let range = start..<min(start + chunkLength, count)
            let piece = try detached.narrow(dim: 0, start: start, length: range.count).clone().requireGradient(true)
            try scalar(model: model, hidden: piece, batch: batch, range: range, divisors, uniforms, &sums).backward()
            guard let gradient = piece.gradient else {
                throw TrainingError(.data, "the loss \(loss.summary) does not depend on the model")
            }
            gradients.append(gradient)
        }
        // The gradient of Σ h·g with respect to h is g: this hands the gathered gradients down.
        try (hidden * Tensor.cat(gradients, dim: 0)).sum().backward()
        return sums
    }

    private func scalar(
        model: any Decoder, hidden: Tensor, batch: Batch, range: Range<Int>,
        _ divisors: (positive: Double, negative: Double), _ uniforms: [Double]?, _ sums: inout LossSums
    ) throws -> Tensor {
        let raw = try model.logits(hidden)
        let logits = raw.dtype == .float64 ? raw : try raw.to(.float32)
        let labels = Array(batch.labels[range])
        let chunk = TokenChunk(
            logits: logits, targets: try Tensor(Array(batch.targets[range]), device: logits.device), labels: labels,
            uniforms: try uniforms.map { try Tensor(Array($0[range]), dtype: logits.dtype, device: logits.device) })
        let terms = try loss.terms(chunk)
        let weights = batch.weights[range].map(Double.init)
        let scale = try Tensor(weights, dtype: logits.dtype, device: logits.device)
        let positive = try (terms.positive * scale).sum() * (1 / divisors.positive)
        sums.positive += try positive.item()
        for (label, value) in zip(labels, try terms.crossEntropy.doubles()) {
            if label == .bad {
                sums.badSum += value
                sums.badCount += 1
            } else {
                sums.goodSum += value
                sums.goodCount += 1
            }
        }
        guard let part = terms.negative else { return positive }
        let negative = try (part * scale).sum() * (1 / divisors.negative)
        sums.negative += try negative.item()
        return try positive + negative
    }
}
