import ArgumentParser
import LanguageModels
import Training

/// Settings of the methods of `loam train`.
struct MethodOptions: ParsableArguments {
    @Option(name: .long, help: "Weight of the term that pushes bad replies down (default: 1; masked-cringe 0.3).")
    var alpha: Double?

    @Option(name: .long, help: "Candidates of CRINGE's contrast.")
    var k = 1

    @Option(
        name: .long,
        help: "Tokens that a bad reply shares with a better one (not for pairwise-cringe)."
    )
    var overlap: Overlap = .pushedDown

    @Option(
        name: .long,
        help: "Share of the steps that push down the model's own repetitions (not for dpo, kto, pairwise-cringe).")
    var repetition = 0.0

    @Flag(name: .long, help: "sft learns the whole dialogue, not the reply only.")
    var wholeDialogue = false

    @Option(
        name: .long,
        help: "Plain dialogue per step beside good and bad replies (not for sft, dpo, kto, pairwise-cringe).")
    var unlabelled = 0

    @Option(name: .long, help: "How closely dpo and kto follow the model that they start from.")
    var beta = 0.1

    @Option(name: .long, help: "dpo: \(DPOLoss.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
    var preference: DPOLoss.Kind = .sigmoid

    @Option(name: .long, help: "dpo: share of the pairs that are the wrong way round.")
    var labelSmoothing = 0.0

    @Flag(name: .long, help: "dpo: log-ratios per token.")
    var lengthNormalised = false

    @Option(name: .long, help: "dpo: weight of the chosen replies' cross-entropy.")
    var nll = 0.0

    @Option(name: .long, help: "kto: weight of good replies.")
    var desirableWeight = 1.0

    @Option(name: .long, help: "kto: weight of bad replies.")
    var undesirableWeight = 1.0

    @Option(name: .long, help: "director: weight of the classifier's loss.")
    var gamma = 0.5

    @Option(name: .long, help: "director: weight of the classifier when the model talks.")
    var guidance = 1.0

    @Option(name: .long, help: "director: separate or shared head.")
    var head: DirectorHead.Kind = .separate

    @Option(name: .long, help: "director: weight of the explicit norm (default: off).")
    var norm: Double?

    @Flag(name: .long, help: "director: labels teach the head only.")
    var freeze = false

    /// With dashes, as flags have it.
    enum Overlap: String, ExpressibleByArgument, CaseIterable {
        case pushedDown = "pushed-down"
        case leftAlone = "left-alone"
        case learned

        var setting: ExampleTokenizer.Overlap {
            switch self {
            case .pushedDown: .pushedDown
            case .leftAlone: .leftAlone
            case .learned: .learned
            }
        }
    }

    func settings(perStep: Int) -> MethodSettings {
        var settings = MethodSettings()
        settings.perStep = perStep
        settings.alpha = alpha
        settings.k = k
        settings.overlap = overlap.setting
        settings.repetition = repetition
        settings.learnsContext = wholeDialogue
        settings.unlabelledPerStep = unlabelled
        settings.beta = beta
        settings.preference = preference
        settings.labelSmoothing = labelSmoothing
        settings.normalisesLength = lengthNormalised
        settings.nll = nll
        settings.desirableWeight = desirableWeight
        settings.undesirableWeight = undesirableWeight
        settings.gamma = gamma
        settings.guidance = guidance
        settings.head = head
        settings.norm = norm
        settings.freezesModel = freeze
        return settings
    }
}

extension DPOLoss.Kind: ExpressibleByArgument {}
extension DirectorHead.Kind: ExpressibleByArgument {}
