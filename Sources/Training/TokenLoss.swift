import Torch

/// Some supervised tokens of a step as tensors: what a loss sees at once.
public struct TokenChunk {
    /// `[n, V]`, float32 or float64; in the compute type where the loss takes them so (`TokenLoss.takesShortLogits`).
    public let logits: Tensor
    /// `[n]` int64, the target ids.
    public let targets: Tensor
    /// Labels of the `n` tokens.
    public let labels: [TokenLabel]
    /// `[n]` uniform draws in [0, 1), where the loss asks for them. A token's draw does not depend on how the step is cut
    /// into chunks.
    public let uniforms: Tensor?
    /// `[n, H]`, the states that the logits were made of; `nil` where a test gives logits alone.
    public let hidden: Tensor?

    public init(
        logits: Tensor, targets: Tensor, labels: [TokenLabel], uniforms: Tensor? = nil, hidden: Tensor? = nil
    ) {
        self.logits = logits
        self.targets = targets
        self.labels = labels
        self.uniforms = uniforms
        self.hidden = hidden
    }

    /// The type of losses: float64 for logits in float64, float32 for all others.
    var dtype: DType { logits.dtype == .float64 ? .float64 : .float32 }

    /// `[n]` in the type of losses: 1 where the label is one of `wanted`, else 0.
    func mask(_ wanted: Set<TokenLabel>) throws -> Tensor {
        try Tensor(labels.map { wanted.contains($0) ? 1.0 : 0.0 }, dtype: dtype, device: logits.device)
    }

    /// `[n]`, `−log softmax(x)_y`.
    func crossEntropy() throws -> Tensor {
        try logits.crossEntropy(targets: targets)
    }
}

/// The losses of a chunk's tokens, `[n]` each, not weighted and not yet divided by anything.
public struct TokenTerms {
    /// What makes wanted tokens more likely; 0 elsewhere.
    public let positive: Tensor
    /// What makes unwanted tokens less likely, its coefficient included; 0 elsewhere. `nil` where a loss has no such part.
    public let negative: Tensor?
    /// `−log p` of each target, without gradient: for perplexities.
    public let crossEntropy: Tensor
}

/// By how many tokens the two parts of a loss are divided.
public enum LossNormalisation: String, Sendable, Hashable, Codable {
    /// Both by the number of tokens that carry either, as the reference implementation of CRINGE does.
    case joint
    /// Each by the number of tokens that carry it.
    case separate
    /// Each token by the number of supervised tokens of its example, examples summed, as the reference implementation of
    /// DIRECTOR does.
    case perExample = "per_example"
}

/// A training loss that is a sum over target tokens. One method per file.
///
/// The scalar is `Σ w·positive / P + Σ w·negative / N`, with `P` and `N` the weights of the tokens that carry a part (their
/// number when every weight is 1), counted over the whole optimiser step. So it does not matter how a step is cut into
/// micro-batches and chunks.
public protocol TokenLoss: TrainingLoss {
    var normalisation: LossNormalisation { get }
    /// Labels whose tokens carry the positive part.
    var positiveLabels: Set<TokenLabel> { get }
    /// Labels whose tokens carry the negative part.
    var negativeLabels: Set<TokenLabel> { get }
    /// Whether each token needs a uniform draw.
    var needsDraws: Bool { get }
    /// Whether logits may come in the compute type, bfloat16 say: for losses that look at them only through operations that
    /// widen what they read. Saves a copy of the widest matrix of all, there and back.
    var takesShortLogits: Bool { get }
    func terms(_ chunk: TokenChunk) throws -> TokenTerms
}

extension TokenLoss {
    public var needsDraws: Bool { false }
    public var takesShortLogits: Bool { false }

    public func begin(_ context: LossContext) throws -> any LossStep { TokenLossStep(self, context) }

    /// Divisors of the two parts for tokens with these labels and weights; 1 where there is nothing to divide.
    public func divisors(labels: [TokenLabel], weights: [Float]) -> (positive: Double, negative: Double) {
        var positive = 0.0
        var negative = 0.0
        var either = 0.0
        for (label, weight) in zip(labels, weights) {
            let isPositive = positiveLabels.contains(label)
            let isNegative = negativeLabels.contains(label)
            if isPositive { positive += Double(weight) }
            if isNegative { negative += Double(weight) }
            if isPositive || isNegative { either += Double(weight) }
        }
        if normalisation == .joint { (positive, negative) = (either, either) }
        if normalisation == .perExample { return (1, 1) }
        return (positive > 0 ? positive : 1, negative > 0 ? negative : 1)
    }

    /// The scalar over tokens that all stand in one chunk: `terms` weighted, divided and summed.
    public func total(_ chunk: TokenChunk, weights: [Float]? = nil) throws -> Tensor {
        let weights = weights ?? [Float](repeating: 1, count: chunk.labels.count)
        let divisors = divisors(labels: chunk.labels, weights: weights)
        let terms = try terms(chunk)
        let scale = try Tensor(weights.map(Double.init), dtype: chunk.dtype, device: chunk.logits.device)
        let positive = try (terms.positive * scale).sum() * (1 / divisors.positive)
        guard let negative = terms.negative else { return positive }
        return try positive + (negative * scale).sum() * (1 / divisors.negative)
    }
}
