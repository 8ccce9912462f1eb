import Conversations

/// What a data set holds, in numbers.
struct DataFigures: Sendable {
    /// One part of a split.
    struct Part: Sendable {
        var lines = 0
        var conversations = 0
        var messages = 0
        var people: Set<String> = []

        mutating func add(lines: Int, userID: String, figures: DataFigures) {
            self.lines += lines
            conversations += 1
            messages += figures.botMessages + figures.humanMessages
            people.insert(userID)
        }
    }

    var conversations = 0
    var botMessages = 0
    var humanMessages = 0
    var likes = 0
    var dislikes = 0
    var corrections = 0
    var feedbackTexts = 0
    var cannedReplies = 0
    var unsafeHumanMessages = 0
    var unsafeBotMessages = 0
    var annotatedMessages = 0
    /// Conversations in which a message of the person is unsafe by some layer: the release's "adversarial".
    var adversarial = 0
    /// Regenerated replies beside the way that the conversation took.
    var droppedReplies = 0
    /// Votes of others than the conversation's person.
    var othersVotes = 0
    var distrustedVotes = 0
    var withoutConsent = 0
    var reasons: [String: Int] = [:]
    var replaced: [String: Int] = [:]
    var cleaned: [String: Int] = [:]

    mutating func count(_ conversation: Conversation, findings: [String]) {
        conversations += 1
        for entity in findings { replaced[entity, default: 0] += 1 }
        droppedReplies += conversation.messages.count - conversation.mainPath.count
        var isAdversarial = false
        for message in conversation.messages {
            let isUnsafe = message.safety.contains(where: \.isUnsafe)
            if message.sender == .bot {
                botMessages += 1
                if isUnsafe { unsafeBotMessages += 1 }
                if message.isCanned { cannedReplies += 1 }
            } else {
                humanMessages += 1
                if isUnsafe { unsafeHumanMessages += 1 }
                isAdversarial = isAdversarial || isUnsafe
                if message.isDislikeFeedback { feedbackTexts += 1 }
            }
            if !message.annotations.isEmpty { annotatedMessages += 1 }
            for feedback in message.feedback {
                if feedback.rating == .like { likes += 1 }
                if feedback.rating == .dislike { dislikes += 1 }
                if feedback.correction != nil { corrections += 1 }
                if feedback.userID != conversation.userID { othersVotes += 1 }
                for reason in feedback.reasons {
                    // Reasons that a log made up may say anything: counted together.
                    if case .unknown = reason {
                        reasons["other spellings", default: 0] += 1
                    } else {
                        reasons[reason.rawValue, default: 0] += 1
                    }
                }
            }
        }
        if isAdversarial { adversarial += 1 }
    }

    mutating func add(_ other: DataFigures) {
        conversations += other.conversations
        botMessages += other.botMessages
        humanMessages += other.humanMessages
        likes += other.likes
        dislikes += other.dislikes
        corrections += other.corrections
        feedbackTexts += other.feedbackTexts
        cannedReplies += other.cannedReplies
        unsafeHumanMessages += other.unsafeHumanMessages
        unsafeBotMessages += other.unsafeBotMessages
        annotatedMessages += other.annotatedMessages
        adversarial += other.adversarial
        droppedReplies += other.droppedReplies
        othersVotes += other.othersVotes
        distrustedVotes += other.distrustedVotes
        reasons.merge(other.reasons, uniquingKeysWith: +)
        replaced.merge(other.replaced, uniquingKeysWith: +)
    }
}
