import LanguageModels
import Torch

/// DIRECTOR (Arora et al. 2022, arXiv 2206.07694): a language-model head and, beside it, a classifier of the next token, both
/// on one model. Exact to the authors' implementation.
///
/// A token of an unlabelled reply costs its cross-entropy. A token of a labelled one costs `γ` times the binary cross-entropy
/// of the classifier's logit of that token against the reply's label (1 good, 0 bad). Each reply's sum is divided by its
/// tokens, and the replies are summed. Generation then adds `γ' log σ(d)` to the log-probabilities (`Director` in
/// `Generation`); γ' is `DirectorHead.guidance` and need not be the γ of training.
public struct DirectorLoss: TokenLoss {
    /// Learned with the model's weights.
    public let head: DirectorHead
    /// γ of training; 0.5 in the authors' code, 3 in their recipe for safety.
    public var gamma: Double
    /// Coefficient of the explicit norm, the mean over the other tokens of `(σ(d) − ½)²`, which keeps what no label speaks of
    /// undecided; `nil` is off, 1 the authors' value.
    public var norm: Double?
    /// Whether good replies carry cross-entropy too, and not only the classifier's loss. Off in the authors' code; without
    /// unlabelled data the language-model head then learns nothing.
    public var learnsPositives: Bool
    /// Whether the classifier's loss stops at the hidden states, so that only its head learns from labels.
    public var freezesModel: Bool
    /// Weight of the classifier's loss on good replies' tokens.
    public var positiveWeight: Double
    public var normalisation: LossNormalisation

    /// Defaults are the authors'.
    /// - Throws: `TrainingError` when a number is outside its range.
    public init(
        head: DirectorHead, gamma: Double = 0.5, norm: Double? = nil, learnsPositives: Bool = false,
        freezesModel: Bool = false, positiveWeight: Double = 1, normalisation: LossNormalisation = .perExample
    ) throws {
        guard gamma >= 0, gamma.isFinite else { throw TrainingError(.options, "gamma \(gamma) must be 0 or more") }
        if let norm, !(norm >= 0 && norm.isFinite) {
            throw TrainingError(.options, "norm \(norm) must be 0 or more")
        }
        guard positiveWeight >= 0, positiveWeight.isFinite else {
            throw TrainingError(.options, "positive_weight \(positiveWeight) must be 0 or more")
        }
        self.head = head
        self.gamma = gamma
        self.norm = norm
        self.learnsPositives = learnsPositives
        self.freezesModel = freezesModel
        self.positiveWeight = positiveWeight
        self.normalisation = normalisation
    }

    public var summary: String {
        "director(head=\(head.kind.rawValue), gamma=\(gamma), norm=\(norm.map { "\($0)" } ?? "off"), "
            + "learns_positives=\(learnsPositives), freezes_model=\(freezesModel), positive_weight=\(positiveWeight), "
            + "normalisation=\(normalisation.rawValue))"
    }

    public var namedParameters: [(name: String, parameter: Parameter)] { head.namedParameters }
    public var positiveLabels: Set<TokenLabel> { learnsPositives ? [.unlabelled, .good] : [.unlabelled] }
    public var negativeLabels: Set<TokenLabel> { [.good, .bad] }

    public func terms(_ chunk: TokenChunk) throws -> TokenTerms {
        let loss = try chunk.crossEntropy()
        let nll = try loss.detach()
        // Without a token of its own this part must not even have a gradient of 0: weight decay would follow it.
        let hasPositives = chunk.labels.contains(where: positiveLabels.contains)
        let positive = try hasPositives ? loss * chunk.mask(positiveLabels) : nll * 0
        let places = chunk.labels.indices.filter { negativeLabels.contains(chunk.labels[$0]) }
        guard !places.isEmpty, gamma > 0 else {
            return TokenTerms(positive: positive, negative: nil, crossEntropy: nll)
        }
        guard let states = chunk.hidden else { throw TrainingError(.data, "DIRECTOR needs the model's hidden states") }
        let index = try Tensor(Array(places), device: chunk.logits.device)
        func rows(_ tensor: Tensor) throws -> Tensor {
            let selected = try tensor.indexSelect(dim: 0, index: index)
            return freezesModel ? try selected.detach() : selected
        }
        let targets = try chunk.targets.indexSelect(dim: 0, index: index)
        // All other tokens' logits are of no use but to the norm.
        let classes = try norm.map { _ in try head.classLogits(hidden: rows(states), logits: rows(chunk.logits)) }
        let own =
            try classes?.gather(dim: 1, index: targets.reshape([places.count, 1])).reshape([places.count])
            ?? head.classLogits(
                hidden: rows(states), logits: head.kind == .shared ? rows(chunk.logits) : chunk.logits, targets: targets
            )
        let isGood = places.map { chunk.labels[$0] == .good }
        let wanted = try Tensor(isGood.map { $0 ? 1.0 : 0.0 }, dtype: own.dtype, device: own.device)
        var classifier = try own.bceWithLogits(targets: wanted)
        if positiveWeight != 1 {
            classifier =
                try classifier
                * Tensor(isGood.map { $0 ? positiveWeight : 1 }, dtype: own.dtype, device: own.device)
        }
        if let norm, let classes, classes.shape[1] > 1 {
            let all = try (classes.sigmoid() - 0.5).square().sum(dim: 1)
            let others = try all - (own.sigmoid() - 0.5).square()
            classifier = try classifier + others * (norm / Double(classes.shape[1] - 1))
        }
        let zeros = try Tensor.zeros([chunk.labels.count], dtype: classifier.dtype, device: classifier.device)
        let negative = try zeros.scatter(dim: 0, index: index, source: classifier * gamma)
        return TokenTerms(positive: positive, negative: negative, crossEntropy: nll)
    }
}
