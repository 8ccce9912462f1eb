/// A question whose right answer is known: to begin with, and hidden among the others later.
///
/// All are made up for this purpose; none is anybody's conversation.
struct GoldQuestion: Sendable, Hashable {
    /// What is shown.
    enum Content: Sendable, Hashable {
        case reply(context: [RatedLine], reply: String, answers: Set<RatingLabel>)
        case pair(PairQuestion, good: [RatedLine], bad: [RatedLine])
    }

    /// Kept with a rater's answer; never changed once released.
    var id: String
    /// Asked before anything else, with an explanation after each; the others come unannounced.
    var isOnboarding: Bool
    var content: Content
    /// Why, for a rater who is learning.
    var why: String

    var task: RatingTask {
        switch content {
        case .reply: .category
        case .pair: .pair
        }
    }

    static func of(_ task: RatingTask, isOnboarding: Bool) -> [GoldQuestion] {
        all.filter { $0.task == task && $0.isOnboarding == isOnboarding }
    }

    static let all: [GoldQuestion] = replies + pairs

    private static func reply(
        _ id: String, onboarding: Bool, _ said: [String], _ reply: String, _ answers: Set<RatingLabel>, _ why: String
    ) -> GoldQuestion {
        // The last line is the person's; senders alternate from there.
        let context = said.enumerated().map { place, text in
            RatedLine(sender: (said.count - place) % 2 == 1 ? "human" : "bot", text: text)
        }
        return GoldQuestion(
            id: id, isOnboarding: onboarding, content: .reply(context: context, reply: reply, answers: answers),
            why: why)
    }

    private static let replies = [
        reply(
            "reply-1", onboarding: true, ["Hi! I just came back from a walk in the rain."],
            "Oh, did you get very wet? I like the smell of rain on warm streets.", [.good],
            "It takes up what was said, makes sense and is friendly: nothing is wrong with it."),
        reply(
            "reply-2", onboarding: true, ["What do you usually cook on a Sunday?"],
            "Sunday is a kind of soup that yesterday swims in, so the spoon is never late.", [.nonsensical],
            "The words do not make sense together."),
        reply(
            "reply-3", onboarding: true,
            ["I work in a bakery.", "That must be early mornings!", "It is. When do you get up?"],
            "That must be early mornings!", [.repeating], "It says again what it had said before."),
        reply(
            "reply-4", onboarding: true, ["My cat has been ill since Monday and I am worried."],
            "If you worry about a silly cat, you must be a silly person. Stop wasting my time.", [.inappropriate],
            "It is rude to somebody who is worried. That it also helps nobody comes second."),
        reply(
            "reply-5", onboarding: true,
            ["I play the violin.", "How lovely! For how long?", "Ten years. Do you play anything?"],
            "Ten years is long! Who taught you?", [.ignoring],
            "A question was asked in the last turn and the reply passes over it. It still fits the subject, so it is not off topic."
        ),
        reply(
            "reply-6", onboarding: true, ["We are planning a week of hiking in June."],
            "The price of copper has been rising since the spring.", [.offTopic],
            "It makes sense as a sentence and has nothing to do with what they talk about."),
        reply(
            "reply-7", onboarding: false, ["I could not sleep last night."],
            "That is tiring. Was it the heat, or something on your mind?", [.good], ""),
        reply(
            "reply-8", onboarding: false, ["Can you recommend a book for a train ride?"],
            "Book the train book for the train, it rides the book of trains by trained books.", [.nonsensical], ""),
        reply(
            "reply-9", onboarding: false,
            ["Our team won yesterday!", "Congratulations! What was the score?", "Three to one."],
            "Congratulations! What was the score?", [.repeating], ""),
        reply(
            "reply-10", onboarding: false, ["I started learning to draw at fifty."],
            "At your age you should not even try. You only embarrass yourself.", [.inappropriate], ""),
        reply(
            "reply-11", onboarding: false, ["My brother is getting married on Saturday."],
            "Penguins can hold their breath for twenty minutes.", [.offTopic], ""),
        reply(
            "reply-12", onboarding: false,
            ["I have two dogs.", "What are their names?", "Max and Otto. Do you like dogs?"],
            "Max and Otto are good names. How old are they?", [.ignoring], ""),
        reply(
            "reply-13", onboarding: false, ["Good evening! How was your day?"],
            "Good evening! Quiet, thank you. And yours?", [.good], ""),
    ]

    private static func talk(_ lines: [String]) -> [RatedLine] {
        lines.enumerated().map { RatedLine(sender: $0.offset % 2 == 0 ? "human" : "bot", text: $0.element) }
    }

    private static func pair(
        _ id: String, onboarding: Bool, _ question: PairQuestion, good: [String], bad: [String], _ why: String
    ) -> GoldQuestion {
        GoldQuestion(
            id: id, isOnboarding: onboarding, content: .pair(question, good: talk(good), bad: talk(bad)), why: why)
    }

    private static let pairs = [
        pair(
            "pair-1", onboarding: true, .talkLonger,
            good: [
                "Hello! I moved to a new town last week.", "How exciting! What is it like there?",
                "Small, and close to the sea.",
                "I would walk on the beach every morning. Have you met your neighbours?",
            ],
            bad: [
                "Hello! I moved to a new town last week.", "Town is town.", "Small, and close to the sea.",
                "Town is town. Town is town.",
            ], "One speaker takes part; the other repeats itself and asks nothing."),
        pair(
            "pair-2", onboarding: true, .betterReply,
            good: [
                "I am making soup. What should I put in?", "Carrots and leeks go well together. Do you like it spicy?",
            ],
            bad: ["I am making soup. What should I put in?", "The library closes at six."],
            "Only one of them answers the question."),
        pair(
            "pair-3", onboarding: true, .talkLonger,
            good: [
                "My grandmother turned ninety today.", "What a birthday! How did you celebrate?",
                "With a big cake, and the whole family came.",
                "Ninety candles would be a blaze. What does she wish for?",
            ],
            bad: [
                "My grandmother turned ninety today.", "Nobody wants to hear about that.",
                "With a big cake, and the whole family came.", "You are boring me.",
            ], "One speaker is kind and curious, the other is rude."),
        pair(
            "pair-4", onboarding: false, .betterReply,
            good: ["Which season do you like best?", "Autumn, for the colours. And you?"],
            bad: ["Which season do you like best?", "Season best like you which do."], ""),
        pair(
            "pair-5", onboarding: false, .talkLonger,
            good: [
                "I am nervous about my exam.", "That is normal. Which subject is it?", "History.",
                "Then think of the period you like best first; it calms the nerves.",
            ],
            bad: [
                "I am nervous about my exam.", "I like buses.", "It is in history.", "Some buses are red.",
            ], ""),
        pair(
            "pair-6", onboarding: false, .betterReply,
            good: ["I broke my arm skiing.", "Ouch! How long do you have to wear the cast?"],
            bad: ["I broke my arm skiing.", "Great, congratulations on your new car!"], ""),
    ]
}
