import Torch

/// Unlikelihood by reward (Welleck et al. 2019, arXiv 1908.04319; used on dialogue by Li et al. 2020, arXiv 1911.03860).
///
/// Wanted tokens: mean of `−log p_y`. Unwanted tokens: `alpha` times the mean of `−log max(1 − p_y, floor)`.
public struct UnlikelihoodLoss: TokenLoss {
    /// Coefficient of the unwanted tokens; 1 in ParlAI.
    public var alpha: Double
    /// Smallest `1 − p` that is taken the logarithm of. Below it there is no gradient, as in the reference.
    public var floor: Double

    /// - Throws: `TrainingError` when a number is outside its range.
    public init(alpha: Double = 1, floor: Double = 1e-20) throws {
        guard alpha >= 0, alpha.isFinite else { throw TrainingError(.options, "alpha \(alpha) must be 0 or more") }
        guard floor > 0, floor < 1 else { throw TrainingError(.options, "floor \(floor) must be between 0 and 1") }
        self.alpha = alpha
        self.floor = floor
    }

    public var summary: String { "unlikelihood(alpha=\(alpha), floor=\(floor))" }
    public var takesShortLogits: Bool { true }
    public var normalisation: LossNormalisation { .separate }
    public var positiveLabels: Set<TokenLabel> { [.good, .unlabelled] }
    public var negativeLabels: Set<TokenLabel> { [.bad] }

    public func terms(_ chunk: TokenChunk) throws -> TokenTerms {
        let loss = try chunk.crossEntropy()
        let other = try (1 - (-loss).exp()).clamp(min: floor)
        return TokenTerms(
            positive: try loss * chunk.mask(positiveLabels),
            negative: try -other.log() * chunk.mask(negativeLabels) * alpha, crossEntropy: try loss.detach())
    }
}
