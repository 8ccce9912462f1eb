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
    /// Documents with wanted and with unwanted tokens.
    public var goodDocuments = 0
    public var badDocuments = 0
    /// Sum over pairs of how much more the loss rewards the chosen reply than the rejected one, and number of pairs; both
    /// 0 for losses without a reward.
    public var marginSum = 0.0
    public var marginCount = 0

    public init() {}

    /// As plain numbers and back, to be summed over processes.
    var numbers: [Double] {
        get {
            [
                positive, negative, goodSum, Double(goodCount), badSum, Double(badCount), Double(goodDocuments),
                Double(badDocuments), marginSum, Double(marginCount),
            ]
        }
        set {
            (positive, negative, goodSum, goodCount) = (newValue[0], newValue[1], newValue[2], Int(newValue[3]))
            (badSum, badCount, goodDocuments) = (newValue[4], Int(newValue[5]), Int(newValue[6]))
            (badDocuments, marginSum, marginCount) = (Int(newValue[7]), newValue[8], Int(newValue[9]))
        }
    }

    public var loss: Double { positive + negative }

    static func += (a: inout LossSums, b: LossSums) {
        a.positive += b.positive
        a.negative += b.negative
        a.goodSum += b.goodSum
        a.goodCount += b.goodCount
        a.badSum += b.badSum
        a.badCount += b.badCount
        a.goodDocuments += b.goodDocuments
        a.badDocuments += b.badDocuments
        a.marginSum += b.marginSum
        a.marginCount += b.marginCount
    }

    /// Mean `−log p` of wanted tokens; `nil` without any.
    public var goodCrossEntropy: Double? { goodCount > 0 ? goodSum / Double(goodCount) : nil }
    /// Mean `−log p` of unwanted tokens; `nil` without any.
    public var badCrossEntropy: Double? { badCount > 0 ? badSum / Double(badCount) : nil }
    /// Mean log-probability of wanted documents' supervised tokens together; `nil` without any.
    public var chosenLogProbability: Double? { goodDocuments > 0 ? -goodSum / Double(goodDocuments) : nil }
    /// The same of unwanted documents.
    public var rejectedLogProbability: Double? { badDocuments > 0 ? -badSum / Double(badDocuments) : nil }
    /// Mean reward of chosen over rejected replies or, where the loss has no reward, how much more probable a wanted token
    /// is than an unwanted one, in nats; `nil` without both kinds.
    public var margin: Double? {
        if marginCount > 0 { return marginSum / Double(marginCount) }
        guard let good = goodCrossEntropy, let bad = badCrossEntropy else { return nil }
        return bad - good
    }

    /// Adds the weightless sums of a batch's tokens.
    /// - Parameter crossEntropies: `−log p` per supervised token of `batch`, from `range.lowerBound` on.
    mutating func add(_ crossEntropies: [Double], of batch: Batch, range: Range<Int>) {
        for (place, value) in zip(range, crossEntropies) {
            // A document is counted at its first supervised token.
            let isFirst = place == 0 || batch.owners[place - 1] != batch.owners[place]
            if batch.labels[place] == .bad {
                badSum += value
                badCount += 1
                if isFirst { badDocuments += 1 }
            } else {
                goodSum += value
                goodCount += 1
                if isFirst { goodDocuments += 1 }
            }
        }
    }
}

/// The head and the loss over supervised tokens in chunks, so that peak memory is a chunk's logits, not the batch's.
///
/// Each chunk runs forward and backward to its own hidden states at once; the gradients that gather there then go down
/// through the model in one pass.
struct ChunkedLoss {
    let loss: any TokenLoss
    /// Most tokens of which the logits exist at once.
    let chunkLength: Int
    /// Always hand the hidden states' gradient down in a pass of its own, so that each weight's gradient is added to as often
    /// in every step; `beforeLast` then comes before the last chunk's pass.
    var isUniform = false
    /// Called before the passes that complete a batch's gradients.
    var beforeLast: () throws -> Void = {}

    /// Forward and backward from hidden states to the parameters.
    /// - Parameters:
    ///   - hidden: `[n, H]`, the states that predict the batch's supervised tokens, part of the model's graph.
    ///   - divisors: Of the whole optimiser step.
    ///   - uniforms: One draw per supervised token, where the loss asks for them.
    ///   - factors: What each supervised token's weight is multiplied by, beside the divisors.
    func backward(
        model: any Decoder, hidden: Tensor, batch: Batch, divisors: (positive: Double, negative: Double),
        uniforms: [Double]?, factors: [Double]? = nil
    ) throws -> LossSums {
        let count = batch.targets.count
        var sums = LossSums()
        if count <= chunkLength, !isUniform {
            let part = try scalar(
                model: model, hidden: hidden, batch: batch, range: 0..<count, divisors, uniforms, factors, &sums)
            try beforeLast()
            try part.backward()
            return sums
        }
        let detached = try hidden.detach()
        var gradients: [Tensor] = []
        var reachesModel = false
        for start in stride(from: 0, to: count, by: chunkLength) {
            let range = start..<min(start + chunkLength, count)
            let piece = try detached.narrow(dim: 0, start: start, length: range.count).clone().requireGradient(true)
            let part = try scalar(
                model: model, hidden: piece, batch: batch, range: range, divisors, uniforms, factors, &sums)
            if range.upperBound == count { try beforeLast() }
            try part.backward()
            // A loss that learns a frozen model's head has no gradient here.
            reachesModel = reachesModel || piece.gradient != nil
            gradients.append(try piece.gradient ?? Tensor.zeros(piece.shape, dtype: piece.dtype, device: piece.device))
        }
        // The gradient of Σ h·g with respect to h is g: this hands the gathered gradients down.
        if reachesModel { try (hidden * Tensor.cat(gradients, dim: 0)).sum().backward() }
        return sums
    }

    private func scalar(
        model: any Decoder, hidden: Tensor, batch: Batch, range: Range<Int>,
        _ divisors: (positive: Double, negative: Double), _ uniforms: [Double]?, _ factors: [Double]?,
        _ sums: inout LossSums
    ) throws -> Tensor {
        let raw = try model.logits(hidden)
        let logits = raw.dtype == .float64 || loss.takesShortLogits ? raw : try raw.to(.float32)
        let wide: DType = raw.dtype == .float64 ? .float64 : .float32
        let labels = Array(batch.labels[range])
        let chunk = TokenChunk(
            logits: logits, targets: try Tensor(Array(batch.targets[range]), device: logits.device), labels: labels,
            uniforms: try uniforms.map { try Tensor(Array($0[range]), dtype: wide, device: logits.device) },
            hidden: hidden)
        let terms = try loss.terms(chunk)
        var weights = batch.weights[range].map(Double.init)
        if let factors {
            for (index, place) in range.enumerated() { weights[index] *= factors[place] }
        }
        if loss.normalisation == .perExample {
            let shares = batch.shares
            for (index, place) in range.enumerated() { weights[index] *= shares[batch.owners[place]] }
        }
        let scale = try Tensor(weights, dtype: wide, device: logits.device)
        let positive = try (terms.positive * scale).sum() * (1 / divisors.positive)
        sums.positive += try positive.item()
        sums.add(try terms.crossEntropy.doubles(), of: batch, range: range)
        guard let part = terms.negative else { return positive }
        let negative = try (part * scale).sum() * (1 / divisors.negative)
        sums.negative += try negative.item()
        return try positive + negative
    }
}
