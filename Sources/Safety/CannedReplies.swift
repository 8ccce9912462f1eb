/// What the bot says instead of a model's reply. Several of each kind, so that it does not repeat itself; which one comes is
/// drawn from a seed.
public struct CannedReplies: Sendable, Hashable {
    /// Why no reply of the model is given.
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// The person's message is unsafe (`unsafe_Human`).
        case unsafePerson
        /// The model's reply is unsafe (`unsafe_BlenderBot3`).
        case unsafeReply
        /// The model failed (`unsafe_model_crash`).
        case failure
        /// The person speaks of harming themselves: help, not a change of topic.
        case selfHarm

        /// The name in the BB3x release (`previous_interaction_failure`).
        public var interactionFailure: String {
            switch self {
            case .unsafePerson, .selfHarm: "unsafe_Human"
            case .unsafeReply: "unsafe_BlenderBot3"
            case .failure: "unsafe_model_crash"
            }
        }
    }

    private var texts: [Kind: [String]]

    /// - Parameter texts: An operator's own; a kind without texts keeps the ones that come with Loam. The help text should
    ///   name what is there to call in the operator's country.
    public init(_ texts: [Kind: [String]] = [:]) {
        self.texts = Self.standard.merging(texts.filter { !$0.value.isEmpty }) { $1 }
    }

    /// One text of a kind, the same for the same seed.
    public func text(_ kind: Kind, seed: UInt64) -> String {
        let all = texts[kind] ?? []
        guard !all.isEmpty else { return "" }
        // Neighbouring seeds must not walk through the list in order.
        let mixed = (seed &+ 0x9e37_79b9_7f4a_7c15) &* 0xbf58_476d_1ce4_e5b9
        return all[Int((mixed >> 33) % UInt64(all.count))]
    }

    /// All texts of a kind.
    public func all(_ kind: Kind) -> [String] { texts[kind] ?? [] }

    private static let standard: [Kind: [String]] = [
        .unsafePerson: [
            "I would rather not talk about that. What else is on your mind?",
            "Let's talk about something else. What did you do today?",
            "I'd like to change the topic. Is there a film you enjoyed lately?",
            "That is not something I want to go into. What do you like to do on a free day?",
            "Let's leave that there. Have you eaten anything good this week?",
        ],
        .unsafeReply: [
            "I was about to say something I'd rather not. What would you like to talk about?",
            "I have no good answer to that. Shall we talk about something else?",
            "Let me think about that some other time. What music do you like?",
            "I'm not sure how to put that well. Tell me about your day?",
        ],
        .failure: [
            "Sorry, I lost my thread. Could you say that again?",
            "Sorry, something went wrong on my side. Please try again.",
        ],
        .selfHarm: [
            "I'm really sorry that you feel this way. I'm only a program and cannot help as a person can, but you don't have to "
                + "be alone with this: please call your local emergency number or a crisis line now (in the US and Canada 988), or talk to someone you trust.",
            "That sounds very painful, and I'm glad you told me. I'm only a program; please reach out to a person who can help "
                + "now: your local emergency number, a crisis line (in the US and Canada 988), or someone close to you.",
        ],
    ]
}
