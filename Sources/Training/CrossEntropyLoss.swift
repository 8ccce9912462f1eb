import Torch

/// Cross-entropy of wanted tokens, `−log softmax(x)_y`: pre-training, and SFT on good replies. Bad tokens carry nothing.
public struct CrossEntropyLoss: TokenLoss {
    public init() {}

    public var summary: String { "cross_entropy" }
    public var takesShortLogits: Bool { true }
    public var normalisation: LossNormalisation { .separate }
    public var positiveLabels: Set<TokenLabel> { [.good, .unlabelled] }
    public var negativeLabels: Set<TokenLabel> { [] }

    public func terms(_ chunk: TokenChunk) throws -> TokenTerms {
        let loss = try chunk.crossEntropy()
        let positive = chunk.labels.contains(.bad) ? try loss * chunk.mask(positiveLabels) : loss
        return TokenTerms(positive: positive, negative: nil, crossEntropy: try loss.detach())
    }
}
