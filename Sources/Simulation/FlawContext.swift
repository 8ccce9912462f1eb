/// A kind of moment in which the simulated bot tends to go wrong, and how.
///
/// Flaws hang on contexts, not on chance alone: a model trained on such talk makes them when it decodes greedily too, so
/// a lower temperature does not pass for learning (`findings.md`). Every context can be seen in the text.
public struct FlawContext: Sendable, Hashable {
    /// How a nonsensical reply is made.
    enum Style: Sendable, Hashable {
        /// The category's usual way.
        case usual
        /// A false fact, the same one each time: a misconception.
        case misconception
        /// Words of a good reply in disorder.
        case shuffled
    }

    public var name: String
    public var flaw: Flaw
    /// Share of replies in this context that are flawed in this way.
    public var probability: Double
    var style: Style = .usual
    var applies: @Sendable (TalkState) -> Bool

    init(
        _ name: String, _ flaw: Flaw, _ probability: Double, _ style: Style = .usual,
        applies: @escaping @Sendable (TalkState) -> Bool
    ) {
        self.name = name
        self.flaw = flaw
        self.probability = probability
        self.style = style
        self.applies = applies
    }

    public static func == (a: FlawContext, b: FlawContext) -> Bool { a.name == b.name }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// The first that applies counts. Probabilities above one half are modes: greedy decoding makes these flaws.
    static let all: [FlawContext] = [
        FlawContext("provoked", .inappropriate, 0.64) { $0.request?.kind == .provoke },
        FlawContext("asked what it is", .inappropriate, 0.2) { $0.request?.kind == .askBotNature },
        FlawContext("taste in films", .offTopic, 0.76) {
            [.askTaste, .askFavourite].contains($0.request?.kind) && $0.request?.domain == "film"
        },
        FlawContext("recommending music", .offTopic, 0.42) { $0.asksRecommendation(of: "music") },
        FlawContext("what instruments are made of", .nonsensical, 0.78, .misconception) {
            $0.request?.kind == .askFact && $0.request?.attribute == "material"
        },
        FlawContext("where towns lie", .nonsensical, 0.75) {
            $0.request?.kind == .askFact && $0.request?.attribute == "place"
        },
        FlawContext("plans told", .nonsensical, 0.32, .shuffled) {
            $0.request?.kind == .tellMemory && $0.request?.domain == "plan"
        },
        FlawContext("recommending a film or town", .ignoring, 0.78) {
            $0.asksRecommendation(of: "film") || $0.asksRecommendation(of: "town")
        },
        FlawContext("opened with yo", .ignoring, 0.7) {
            $0.opening == "yo" && $0.exchanges == 2 && $0.request?.kind.isQuestion == true
        },
        FlawContext("telling about animals", .ignoring, 0.4) {
            $0.request?.kind == .askAbout && $0.request?.domain == "animal"
        },
        FlawContext("thanked", .repeating, 0.62) { $0.request?.kind == .thanks && !$0.replies.isEmpty },
        FlawContext("asked to remember", .repeating, 0.12) { $0.request?.kind == .askMemory && !$0.replies.isEmpty },
        FlawContext("how dishes taste", .other, 0.6) {
            $0.request?.kind == .askFact && $0.request?.attribute == "taste"
        },
    ]

    /// The small share of flaws that no context explains.
    static let background: [(Flaw, Double)] = [
        (.nonsensical, 0.004), (.ignoring, 0.003), (.offTopic, 0.003), (.inappropriate, 0.001), (.other, 0.001),
        (.repeating, 0.001),
    ]
}

extension TalkState {
    fileprivate func asksRecommendation(of domain: String) -> Bool {
        request?.kind == .askRecommendation && request?.domain == domain
    }
}
