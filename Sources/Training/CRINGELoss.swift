import Torch

/// CRINGE (Adolphs et al. 2022, "The CRINGE Loss", arXiv 2211.05826), exact to the authors' implementation.
///
/// Wanted tokens carry cross-entropy. An unwanted token `y` is set against a token `j` drawn from the `k` most probable
/// others by their soft-max: `alpha · softplus(x_y − x_j)`, which pushes `x_y` down and `x_j` up by `σ(x_y − x_j)`. Both
/// parts are divided by the number of tokens that carry either.
///
/// With `probabilityMask` it is *masked CRINGE*, an extension of ours: the contrastive part falls only on unwanted tokens
/// to which the current model gives less than that probability. The plain form also pushes down the grammar words that a
/// bad reply shares with good ones, which turns small models incoherent (nonsense share at toy size 14 % at alpha 0.1
/// without the mask, none seen with it at alpha 0.3).
public struct CRINGELoss: TokenLoss {
    /// How the contrasting token is chosen among the `k` candidates.
    public enum Choice: String, Sendable, Hashable, Codable {
        /// One draw by the candidates' soft-max: the reference.
        case draw
        /// The expectation over that draw, without its noise: an extension. The same for `k` = 1.
        case expectation
    }

    /// Coefficient of the contrastive part.
    public var alpha: Double
    /// Number of candidates. With equal logits the lower token id comes first.
    public var k: Int
    public var choice: Choice
    /// No gradient on the contrasting token, only on the unwanted one.
    public var detachesPositives: Bool
    /// Also contrast good tokens, which are then to win: `alpha · softplus(x_j − x_y)`. The authors' option of this name
    /// has no effect in their code (an index clash); this one has.
    public var contrastsPositives: Bool
    public var normalisation: LossNormalisation
    /// Contrast only unwanted tokens whose probability is below this; `nil` contrasts all, as in the paper.
    public var probabilityMask: Double?

    /// Defaults are the paper's.
    /// - Throws: `TrainingError` when a number is outside its range.
    public init(
        alpha: Double = 1, k: Int = 1, choice: Choice = .draw, detachesPositives: Bool = false,
        contrastsPositives: Bool = false, normalisation: LossNormalisation = .joint, probabilityMask: Double? = nil
    ) throws {
        guard alpha >= 0, alpha.isFinite else { throw TrainingError(.options, "alpha \(alpha) must be 0 or more") }
        guard k >= 1 else { throw TrainingError(.options, "k \(k) must be 1 or more") }
        if let mask = probabilityMask, !(mask > 0 && mask <= 1) {
            throw TrainingError(.options, "probability_mask \(mask) must be above 0 and at most 1")
        }
        self.alpha = alpha
        self.k = k
        self.choice = choice
        self.detachesPositives = detachesPositives
        self.contrastsPositives = contrastsPositives
        self.normalisation = normalisation
        self.probabilityMask = probabilityMask
    }

    /// The masked form for small models, with the values that worked at toy size.
    public static func masked(alpha: Double = 0.3, k: Int = 1, threshold: Double = 0.5) throws -> CRINGELoss {
        try CRINGELoss(alpha: alpha, k: k, probabilityMask: threshold)
    }

    /// `cringe`, or `masked_cringe` for the extension.
    public var name: String { probabilityMask == nil ? "cringe" : "masked_cringe" }

    public var summary: String {
        let mask = probabilityMask.map { ", probability_mask=\($0)" } ?? ""
        return "\(name)(alpha=\(alpha), k=\(k), choice=\(choice.rawValue), detaches_positives=\(detachesPositives), "
            + "contrasts_positives=\(contrastsPositives), normalisation=\(normalisation.rawValue)\(mask))"
    }

    public var positiveLabels: Set<TokenLabel> { [.good, .unlabelled] }
    public var negativeLabels: Set<TokenLabel> { contrastsPositives ? [.good, .bad] : [.bad] }
    public var needsDraws: Bool { k > 1 && choice == .draw }

    public var takesShortLogits: Bool { k == 1 }

    public func terms(_ chunk: TokenChunk) throws -> TokenTerms {
        if k == 1, alpha > 0, chunk.logits.shape[1] > 1 { return try singleRivalTerms(chunk) }
        let loss = try chunk.crossEntropy()
        let nll = try loss.detach()
        let positive = chunk.labels.allSatisfy(positiveLabels.contains) ? loss : try loss * chunk.mask(positiveLabels)
        let places = chunk.labels.indices.filter { negativeLabels.contains(chunk.labels[$0]) }
        guard !places.isEmpty, alpha > 0 else {
            return TokenTerms(positive: positive, negative: nil, crossEntropy: nll)
        }
        let index = try Tensor(Array(places), device: chunk.logits.device)
        var contrast = try contrast(
            logits: chunk.logits.indexSelect(dim: 0, index: index),
            targets: chunk.targets.indexSelect(dim: 0, index: index),
            isGood: places.map { chunk.labels[$0] == .good },
            uniforms: chunk.uniforms?.indexSelect(dim: 0, index: index))
        if let probabilityMask {
            // Good tokens, where they are contrasted, stay: the mask is about what is pushed down.
            let probability = try (-nll.indexSelect(dim: 0, index: index)).exp()
            let good = try Tensor(places.map { chunk.labels[$0] == .good }, device: chunk.logits.device)
            let kept = try probability.less(than: probabilityMask).logicalOr(good)
            contrast = try contrast * kept.to(contrast.dtype)
        }
        let zeros = try Tensor.zeros([chunk.labels.count], dtype: chunk.logits.dtype, device: chunk.logits.device)
        let negative = try zeros.scatter(dim: 0, index: index, source: contrast * alpha)
        return TokenTerms(positive: positive, negative: negative, crossEntropy: nll)
    }

    /// The same for one candidate, the largest other logit, without a copy of the logits: each token asks for its own logit,
    /// its rival's and the sum of all.
    private func singleRivalTerms(_ chunk: TokenChunk) throws -> TokenTerms {
        let count = chunk.labels.count
        let rivals = try chunk.logits.largestOther(than: chunk.targets)
        let (sums, values) = try chunk.logits.scores(at: Tensor.stack([chunk.targets, rivals], dim: 1))
        let own = try values.narrow(dim: 1, start: 0, length: 1).reshape([count])
        let loss = try sums - own
        let nll = try loss.detach()
        let positive = chunk.labels.allSatisfy(positiveLabels.contains) ? loss : try loss * chunk.mask(positiveLabels)
        guard chunk.labels.contains(where: negativeLabels.contains) else {
            return TokenTerms(positive: positive, negative: nil, crossEntropy: nll)
        }
        var rival = try values.narrow(dim: 1, start: 1, length: 1).reshape([count])
        if detachesPositives { rival = try rival.detach() }
        var margin = try own - rival
        if contrastsPositives {
            // Good tokens are to win, the others to lose.
            margin = try margin * (1 - chunk.mask([.good]) * 2)
        }
        var mask = try chunk.mask(negativeLabels)
        if let probabilityMask {
            let kept = try (-nll).exp().less(than: probabilityMask)
            let good = try chunk.mask([.good]).greater(than: 0)
            mask = try mask * kept.logicalOr(good).to(mask.dtype)
        }
        return TokenTerms(
            positive: positive, negative: try margin.softplus() * mask * alpha, crossEntropy: nll)
    }

    /// `[m]` contrastive losses without the coefficient.
    private func contrast(logits: Tensor, targets: Tensor, isGood: [Bool], uniforms: Tensor?) throws -> Tensor {
        let count = isGood.count
        let vocabulary = logits.shape[1]
        let column = try targets.reshape([count, 1])
        let target = try logits.gather(dim: 1, index: column)
        // The top k + 1 without the target (or without the last, if the target is not among them) are the top k of all
        // others. Minus infinity stays inside detached values: no gradient ever passes through it, in any dtype.
        let others = try logits.detach().scatter(
            dim: 1, index: column,
            source: Tensor.full([count, 1], -.infinity, dtype: logits.dtype, device: logits.device))
        let candidates: Tensor
        var probabilities: Tensor?
        if k == 1 || vocabulary <= 2 {
            candidates = try others.max(dim: 1).indices.reshape([count, 1])
        } else {
            let top = try others.topK(min(k, vocabulary - 1), dim: 1)
            let weights = try top.values.softmax(dim: 1)
            switch choice {
            case .expectation:
                candidates = top.indices
                probabilities = weights
            case .draw:
                guard let uniforms else { throw TrainingError(.options, "CRINGE with k \(k) needs a draw per token") }
                candidates = try top.indices.gather(dim: 1, index: Self.pick(weights, uniforms: uniforms))
            }
        }
        var rival = try logits.gather(dim: 1, index: candidates)
        if detachesPositives { rival = try rival.detach() }
        var margin = try target - rival
        if isGood.contains(true) {
            let sign = try Tensor(
                isGood.map { $0 ? -1.0 : 1.0 }, shape: [count, 1], dtype: logits.dtype, device: logits.device)
            margin = try margin * sign
        }
        let loss = try margin.softplus()
        guard let probabilities else { return try loss.reshape([count]) }
        return try (loss * probabilities).sum(dim: 1)
    }

    /// `[m, 1]`, the first column whose cumulative probability exceeds the draw.
    private static func pick(_ probabilities: Tensor, uniforms: Tensor) throws -> Tensor {
        let last = Double(probabilities.shape[1] - 1)
        let draw = try uniforms.to(probabilities.dtype).reshape([probabilities.shape[0], 1])
        let passed = try probabilities.cumsum(dim: 1).lessOrEqual(to: draw).to(.float32).sum(dim: 1, keepDim: true)
        // Rounding may leave the last cumulative sum below 1 and so below a draw.
        return try passed.clamp(min: 0, max: last).to(.int64)
    }
}
