/// The figures of one optimiser step: a line of `metrics.jsonl`. All but `wall` are the same in two runs of one seed.
public struct StepMetrics: Sendable, Hashable, Codable {
    /// Steps done, from 1.
    public var step: Int
    /// What was minimised.
    public var loss: Double
    /// Its part on wanted tokens.
    public var ce: Double
    /// Its part on unwanted tokens, coefficient included; 0 for losses without one.
    public var ct: Double
    /// Perplexity of good and unlabelled tokens before the step.
    public var pplGood: Double?
    /// Perplexity of bad tokens before the step.
    public var pplBad: Double?
    /// Mean log-probability of the step's good (chosen) and of its bad (rejected) replies, in nats.
    public var logpsChosen: Double?
    public var logpsRejected: Double?
    /// Mean reward of chosen over rejected replies, for losses with a reward; otherwise how much more probable a good token
    /// is than a bad one, in nats.
    public var margin: Double?
    /// Length of the gradient before clipping.
    public var gradientNorm: Double
    public var learningRate: Double
    /// Tokens of all documents, without padding.
    public var tokens: Int
    /// Tokens that the loss looked at.
    public var supervised: Int
    /// Passes over the data that are behind.
    public var epochs: Double
    /// What the evaluation after this step found, by name; `nil` after steps without one.
    public var evaluation: [String: Double]?
    public var wall: Wall

    /// Figures of the clock, which differ from run to run.
    public struct Wall: Sendable, Hashable, Codable {
        public var seconds: Double
        public var tokensPerSecond: Double
        /// Arithmetic that the step asks for, per second, as a share of the fastest matrix product that was measured on this
        /// device, from 0 to 1; `nil` where none was measured.
        public var shareOfPeak: Double?

        public init(seconds: Double, tokensPerSecond: Double, shareOfPeak: Double? = nil) {
            self.seconds = seconds
            self.tokensPerSecond = tokensPerSecond
            self.shareOfPeak = shareOfPeak
        }

        enum CodingKeys: String, CodingKey {
            case seconds
            case tokensPerSecond = "tokens_per_second"
            case shareOfPeak = "share_of_peak"
        }
    }

    enum CodingKeys: String, CodingKey {
        case step, loss, ce, ct, tokens, supervised, epochs, wall, margin
        case evaluation = "eval"
        case pplGood = "ppl_good"
        case pplBad = "ppl_bad"
        case logpsChosen = "logps/chosen"
        case logpsRejected = "logps/rejected"
        case gradientNorm = "grad_norm"
        case learningRate = "lr"
    }
}

extension StepMetrics {
    /// Every figure but the step by its name in `metrics.jsonl`: what a curve can be drawn of and early stopping can watch.
    public var figures: [(name: String, value: Double)] {
        let all: [(String, Double?)] = [
            ("loss", loss), ("ce", ce), ("ct", ct), ("ppl_good", pplGood), ("ppl_bad", pplBad),
            ("logps/chosen", logpsChosen), ("logps/rejected", logpsRejected), ("margin", margin),
            ("grad_norm", gradientNorm), ("lr", learningRate), ("tokens", Double(tokens)),
            ("supervised", Double(supervised)), ("epochs", epochs), ("tokens_per_second", wall.tokensPerSecond),
            ("share_of_peak", wall.shareOfPeak),
        ]
        let evaluated = (evaluation ?? [:]).sorted { $0.key < $1.key }.map { ("eval/" + $0.key, Optional($0.value)) }
        return (all + evaluated).compactMap { name, value in value.map { (name, $0) } }
    }
}
