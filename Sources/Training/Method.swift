import LanguageModels

/// The methods that tune a dialogue model on feedback, by name.
public enum Method: String, Sendable, Hashable, Codable, CaseIterable {
    /// Cross-entropy of good replies.
    case sft
    /// `CRINGELoss` as published.
    case cringe
    /// CRINGE with the mask that keeps small models coherent.
    case maskedCringe = "masked-cringe"
    /// `PairwiseCRINGELoss`.
    case pairwiseCringe = "pairwise-cringe"
    /// `UnlikelihoodLoss`.
    case unlikelihood
    /// `DirectorLoss`.
    case director
    /// `DPOLoss`.
    case dpo
    /// `KTOLoss`.
    case kto

    /// Whether it learns from pairs of replies to one context.
    public var needsPairs: Bool { self == .dpo || self == .pairwiseCringe }
    /// Whether it learns from bad replies at all.
    public var usesBad: Bool { self != .sft }
}

/// Settings of the methods; each looks at its own, and what is not said is the paper's.
public struct MethodSettings: Sendable, Hashable, Codable {
    // Every method
    /// Good replies per step (as many bad ones), or pairs.
    public var perStep = 16
    /// Unlabelled replies per step beside them, where the data has some (not for sft, dpo, kto, pairwise-cringe).
    public var unlabelledPerStep = 0
    /// What is done with tokens that a bad reply shares with better ones; for losses of tokens (DPO and KTO judge whole replies).
    public var overlap = ExampleTokenizer.Overlap.pushedDown
    /// SFT on the whole dialogue instead of on the reply only.
    public var learnsContext = false
    /// Share of the steps with repetition unlikelihood; 0 is off. For losses of tokens of single replies.
    public var repetition = 0.0

    // CRINGE and unlikelihood
    /// Coefficient of what pushes bad replies down; `nil` is 1, or 0.3 with the mask.
    public var alpha: Double?
    public var k = 1
    public var choice = CRINGELoss.Choice.draw
    public var detachesPositives = false
    public var contrastsPositives = false
    public var normalisation = LossNormalisation.joint
    /// The mask of masked CRINGE.
    public var probabilityMask = 0.5
    /// b and τ of pairwise CRINGE, in nats.
    public var gateMargin = 0.0
    public var gateTemperature = 1.0

    // DPO and KTO
    public var beta = 0.1
    public var preference = DPOLoss.Kind.sigmoid
    public var labelSmoothing = 0.0
    public var normalisesLength = false
    public var nll = 0.0
    public var desirableWeight = 1.0
    public var undesirableWeight = 1.0

    // DIRECTOR
    public var head = DirectorHead.Kind.separate
    /// γ of training and of generation.
    public var gamma = 0.5
    public var guidance = 1.0
    public var norm: Double?
    public var freezesModel = false

    public init() {}

    enum CodingKeys: String, CodingKey {
        case overlap, repetition, alpha, k, choice, normalisation, beta, preference, nll, head, gamma, guidance, norm
        case perStep = "per_step"
        case unlabelledPerStep = "unlabelled_per_step"
        case learnsContext = "learns_context"
        case detachesPositives = "detaches_positives"
        case contrastsPositives = "contrasts_positives"
        case probabilityMask = "probability_mask"
        case gateMargin = "gate_margin"
        case gateTemperature = "gate_temperature"
        case labelSmoothing = "label_smoothing"
        case normalisesLength = "normalises_length"
        case desirableWeight = "desirable_weight"
        case undesirableWeight = "undesirable_weight"
        case freezesModel = "freezes_model"
    }
}

extension MethodSettings {
    /// - Throws: `TrainingError` naming a setting that this method would pass over.
    func requireUse(in method: Method) throws {
        let unheard: [(name: String, isAsked: Bool, isHeard: Bool)] = [
            ("repetition", repetition != 0, !method.needsPairs && method != .kto),
            ("unlabelled_per_step", unlabelledPerStep != 0, !method.needsPairs && method != .kto && method != .sft),
            // DPO and KTO push the whole of a bad reply down, whatever is said here.
            ("overlap", overlap != .pushedDown, method != .pairwiseCringe),
        ]
        guard let first = unheard.first(where: { $0.isAsked && !$0.isHeard }) else { return }
        throw TrainingError(.options, "\(method.rawValue) has no use for \(first.name)")
    }
}
