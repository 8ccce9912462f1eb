import Conversations

/// A person's complaint about the reply before, told by its words: short lists that are meant to be sure where they speak,
/// since a false alarm interrupts a talk.
public struct Complaint: Sendable, Hashable {
    /// What the complaint is about, in the words of the feedback page.
    public var reason: DislikeReason

    /// `nil` when the words complain of nothing.
    public init?(_ text: String) {
        let words = ReplyFault.words(text)
        // Long messages tell of something else.
        guard !words.isEmpty, words.count <= 20 else { return nil }
        let line = " " + words.joined(separator: " ") + " "
        guard !Self.excuses.contains(where: line.contains) else { return nil }
        for (reason, phrases) in Self.phrases where phrases.contains(where: { line.contains(" \($0) ") }) {
            self.reason = reason
            return
        }
        return nil
    }

    /// Not about the bot's reply, or no complaint.
    private static let excuses = [
        " he said ", " she said ", " they said ", " my boss ", " my friend ", " my mother ", " my father ",
        " told me that ", " not wrong ", " nothing wrong ", " no problem ", " wasn't rude ", " not rude ",
    ]

    private static let phrases: [(DislikeReason, [String])] = [
        (
            .repeating,
            [
                "you already said that", "you said that already", "you just said that", "you already told me that",
                "stop repeating yourself", "you keep repeating", "you are repeating yourself",
                "you're repeating yourself", "you already asked me that", "you asked that already",
                "you just asked me that",
            ]
        ),
        (
            .inappropriate,
            [
                "that was rude", "that's rude", "that is rude", "you are rude", "you're rude", "you are being rude",
                "that was offensive", "that's offensive", "that is offensive", "that was mean", "that's mean of you",
                "that was inappropriate", "that's inappropriate", "that is inappropriate", "you shouldn't say that",
                "you should not say that", "don't say things like that", "that hurt", "that was hurtful",
                "that was insensitive", "that's insensitive", "you offended me",
            ]
        ),
        (
            .offTopic,
            [
                "that's not what i asked", "that is not what i asked", "that's not what i meant",
                "that is not what i meant", "you didn't answer my question", "you did not answer my question",
                "you are not listening", "you're not listening", "you ignored my question", "you are ignoring me",
                "you're ignoring me", "that has nothing to do with", "i didn't ask that", "i did not ask that",
                "that's off topic", "that is off topic", "answer my question",
            ]
        ),
        (
            .nonsensical,
            [
                "that makes no sense", "that doesn't make sense", "that does not make sense",
                "that doesn't make any sense", "you make no sense", "you are not making sense",
                "you're not making sense", "you are wrong", "you're wrong", "that's wrong", "that is wrong",
                "that's not true", "that is not true", "that's incorrect", "that is incorrect", "that's nonsense",
                "that is nonsense", "bad answer", "terrible answer", "wrong answer", "that was a bad answer",
            ]
        ),
    ]
}

/// The question that the bot asks after a complaint, and what answers it.
public enum FeedbackQuestion {
    /// The reply that a person's next words are feedback on, because the bot just asked about it; `nil` when it asked
    /// nothing, or the words are no answer but go on with the talk.
    public static func target(of text: String, in conversation: Conversation) -> String? {
        guard let last = conversation.messages.last, last.sender == .bot, let target = last.asksAbout,
            conversation.messages.contains(where: { $0.id == target && $0.sender == .bot })
        else { return nil }
        return isAnswer(text) ? target : nil
    }

    /// The feedback that an answer amounts to, with the reason that the complaint gave.
    public static func feedback(
        answer text: String, on target: String, in conversation: Conversation
    ) -> Feedback {
        let own = conversation.messages.first { $0.id == target }?.feedback.first {
            $0.userID == conversation.userID
        }
        var feedback = own ?? Feedback(userID: conversation.userID)
        feedback.rating = .dislike
        let complaint = conversation.messages.last { $0.sender == .human && !$0.isDislikeFeedback }
            .flatMap { Complaint($0.text) }
        if feedback.reasons.isEmpty, let complaint { feedback.reasons = [complaint.reason] }
        feedback.take(answer: text)
        return feedback
    }

    /// Whether words answer the question rather than change the subject.
    static func isAnswer(_ text: String) -> Bool {
        let words = ReplyFault.words(text)
        guard !words.isEmpty else { return false }
        let line = words.joined(separator: " ")
        let declines = [
            "never mind", "nevermind", "nothing", "skip", "forget it", "i don't know", "i dont know", "idk", "no idea",
            "it's ok", "it's okay", "it's fine", "let's talk about",
        ]
        if declines.contains(where: { line == $0 || line.hasPrefix($0 + " ") }) { return false }
        // A question asks for something new, unless it says that it quotes.
        let quotes = ["you should have", "you could have", "say", "just say", "something like", "like"]
        return !text.contains("?") || quotes.contains { line.hasPrefix($0) }
    }
}
