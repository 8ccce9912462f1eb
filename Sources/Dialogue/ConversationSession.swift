import Conversations
import Foundation

/// A chat as a state machine: what the person does goes in, what is to be done comes out.
///
/// It calls no model and no store, knows no clock and makes no ids, so that it is the same wherever a chat is shown.
/// After a thumb down it asks what the bot should have said; the next text is then an answer to that question, kept as
/// feedback on the reply and not as a turn of the conversation (as BB3's page did).
public struct ConversationSession: Sendable {
    /// What the session waits for.
    public enum State: Sendable, Hashable {
        /// Anything.
        case ready
        /// The reply to what was said.
        case awaitingReply
        /// What the reply with this id should have been.
        case awaitingCorrection(messageID: String)
        /// The same, asked within the talk after a complaint: the answer gets a reply.
        case awaitingAnswer(messageID: String)
    }

    /// What happened.
    public enum Event: Sendable, Hashable {
        /// The person said something; an empty text or `/skip` declines a question.
        case said(String)
        /// The person judged the last reply; it replaces what they thought of it before.
        case thumb(Rating, reasons: [DislikeReason], comment: String?)
        /// The person says, unasked, what the last reply should have been.
        case correction(String)
        /// Whether the person agrees with the safety verdict that the last reply was given for.
        case verdict(agrees: Bool)
        /// The person takes the feedback on the last reply back.
        case undo
        /// The reply that `generate` asked for.
        case replied(Message)
        /// There will be no such reply; what was said stays unanswered.
        case failed
    }

    /// What is to be done, in order.
    public enum Effect: Sendable, Hashable {
        /// Store this message at the conversation's end.
        case append(Message)
        /// Make a reply, then send `replied` or `failed`.
        case generate
        /// Store this feedback in place of the person's earlier one.
        case setFeedback(Feedback, messageID: String)
        /// Delete the person's feedback on a message.
        case retract(messageID: String)
        /// Ask the person.
        case ask(String)
        /// Tell the person.
        case tell(String)
    }

    /// The conversation so far; effects have happened in it already.
    public private(set) var conversation: Conversation
    public private(set) var state = State.ready

    public init(_ conversation: Conversation) { self.conversation = conversation }

    /// Takes an event.
    /// - Parameters:
    ///   - id: for the message that the event may make, unique in the conversation.
    ///   - now: the time of the event.
    public mutating func handle(_ event: Event, id: String, at now: Date) -> [Effect] {
        switch event {
        case .said(let text): return said(Self.trimmed(text), id: id, at: now)
        case .thumb(let rating, let reasons, let comment):
            return thumb(rating, reasons: reasons, comment: comment, at: now)
        case .correction(let text): return correct(Self.trimmed(text), at: now)
        case .verdict(let agrees): return verdict(agrees: agrees, at: now)
        case .undo: return undo()
        case .replied(var message):
            guard state == .awaitingReply else { return [] }
            state = .ready
            if message.id.isEmpty { message.id = id }
            if message.sentAt == nil { message.sentAt = now }
            // After a complaint the bot asks: the next words may be the answer.
            if let asked = message.asksAbout { state = .awaitingAnswer(messageID: asked) }
            return [append(message)]
        case .failed:
            if state == .awaitingReply { state = .ready }
            return []
        }
    }

    private mutating func said(_ text: String, id: String, at now: Date) -> [Effect] {
        let isNothing = text.isEmpty || text.lowercased() == "/skip"
        switch state {
        case .awaitingReply: return isNothing ? [] : [.tell("The last reply is still being written.")]
        case .awaitingCorrection(let messageID):
            state = .ready
            guard !isNothing, let place = conversation.messages.lastIndex(where: { $0.id == messageID }) else {
                return []
            }
            let answer = append(
                Message(id: id, sender: .human, text: text, sentAt: now, isDislikeFeedback: true))
            return [answer] + setCorrection(text, on: place, at: now)
        case .awaitingAnswer:
            state = .ready
            guard !isNothing else { return [] }
            guard let target = FeedbackQuestion.target(of: text, in: conversation),
                let place = conversation.messages.lastIndex(where: { $0.id == target })
            else { return said(text, id: id, at: now) }
            var feedback = FeedbackQuestion.feedback(answer: text, on: target, in: conversation)
            feedback.givenAt = now
            state = .awaitingReply
            return [
                append(Message(id: id, sender: .human, text: text, sentAt: now, isDislikeFeedback: true)),
                set(feedback, on: place), .generate,
            ]
        case .ready:
            guard !isNothing else { return [] }
            state = .awaitingReply
            return [append(Message(id: id, sender: .human, text: text, sentAt: now)), .generate]
        }
    }

    private mutating func thumb(
        _ rating: Rating, reasons: [DislikeReason], comment: String?, at now: Date
    ) -> [Effect] {
        guard let place = placeToJudge else { return [.tell(Self.nothingToJudge)] }
        let comment = comment.map(Self.trimmed).flatMap { $0.isEmpty ? nil : $0 }
        var feedback = Feedback(
            userID: conversation.userID, rating: rating, reasons: rating == .dislike ? reasons : [], comment: comment,
            givenAt: now)
        // A second thumb down adds a reason; what the reply should have been still holds.
        if rating == .dislike { feedback.correction = own(at: place)?.correction }
        var effects = [set(feedback, on: place)]
        if rating == .dislike, feedback.correction == nil {
            state = .awaitingCorrection(messageID: conversation.messages[place].id)
            effects.append(.ask("What should I have said? (an empty line or /skip declines)"))
        } else {
            state = .ready
        }
        return effects
    }

    private mutating func correct(_ text: String, at now: Date) -> [Effect] {
        guard let place = placeToJudge else { return [.tell(Self.nothingToJudge)] }
        guard !text.isEmpty else { return [] }
        state = .ready
        return setCorrection(text, on: place, at: now)
    }

    private mutating func verdict(agrees: Bool, at now: Date) -> [Effect] {
        guard let place = placeToJudge, conversation.messages[place].isSafetyControlled else {
            return [.tell("The last reply was not given for safety.")]
        }
        state = .ready
        let reason = agrees ? DislikeReason.agreesSensitive : .disagreesSensitive
        return [set(Feedback(userID: conversation.userID, reasons: [reason], givenAt: now), on: place)]
    }

    private mutating func undo() -> [Effect] {
        guard let place = placeToJudge, own(at: place) != nil else {
            return [.tell("There is no feedback to take back.")]
        }
        state = .ready
        let userID = conversation.userID
        conversation.messages[place].feedback.removeAll { $0.userID == userID }
        return [.retract(messageID: conversation.messages[place].id), .tell("Taken back.")]
    }

    // MARK: The conversation

    private static let nothingToJudge = "There is no reply to judge yet."

    private static func trimmed(_ text: String) -> String { text.trimmingCharacters(in: .whitespacesAndNewlines) }

    /// The last reply; none while the next is being written, since the person may mean that one.
    private var placeToJudge: Int? {
        state == .awaitingReply ? nil : conversation.messages.lastIndex { $0.sender == .bot }
    }

    private func own(at place: Int) -> Feedback? {
        conversation.messages[place].feedback.first { $0.userID == conversation.userID }
    }

    private mutating func append(_ message: Message) -> Effect {
        conversation.messages.append(message)
        return .append(message)
    }

    private mutating func setCorrection(_ text: String, on place: Int, at now: Date) -> [Effect] {
        var feedback = own(at: place) ?? Feedback(userID: conversation.userID, rating: .dislike)
        // Who says what it should have been does not like what it was.
        if feedback.rating == .like { feedback.rating = .dislike }
        feedback.correction = text
        feedback.givenAt = now
        return [set(feedback, on: place)]
    }

    private mutating func set(_ feedback: Feedback, on place: Int) -> Effect {
        let userID = conversation.userID
        conversation.messages[place].feedback.removeAll { $0.userID == userID }
        conversation.messages[place].feedback.append(feedback)
        return .setFeedback(feedback, messageID: conversation.messages[place].id)
    }
}
