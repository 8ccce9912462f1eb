import Conversations
import Dialogue
import Foundation
import HTTPTypes

extension ChatService {
    // MARK: Several replies to one message

    /// Writes another reply to the message that was answered last; those that are there stay beside it.
    /// - Parameter messageID: the reply that the person sees there.
    /// - Returns: the events; letting go of the stream stops the reply.
    /// - Throws: `ServerError` 404 for an unknown reply; 409 for one that the talk has gone on from, that no other words would
    ///   come in the place of, or that has as many beside it as are allowed.
    public func regenerate(_ messageID: String, of userID: String) async throws -> AsyncThrowingStream<
        Event, any Error
    > {
        let (conversation, group) = try await lastGroup(messageID, of: userID)
        if group.comparison?.outcome == .open { throw ServerError.chooseFirst }
        guard group.replies.count < limits.repliesPerTurn else {
            throw ServerError(
                .conflict, "There are \(group.replies.count) replies to this already; that is as many as we write.",
                code: "too_many_replies")
        }
        guard Self.canChange(group, in: conversation) else {
            throw ServerError(.conflict, "There is no other reply to this.", code: "no_other_reply")
        }
        return try await answer(conversation.id, of: userID, after: nil, other: true)
    }

    /// Whether another reply may be asked for.
    static func canRegenerate(_ group: ReplyGroup, in conversation: Conversation, limits: ServerLimits) -> Bool {
        group.replies.contains { $0.id == conversation.messages.last?.id } && group.comparison?.outcome != .open
            && group.replies.count < limits.repliesPerTurn && canChange(group, in: conversation)
    }

    /// Not what the bot asks back, nor thanks for feedback, nor a safety reply to what the person said: those stay the same.
    private static func canChange(_ group: ReplyGroup, in conversation: Conversation) -> Bool {
        let reply = group.keptReply
        guard let line = conversation.line(to: reply.id)?.messages, line.count > 1 else { return false }
        let said = line[line.count - 2]
        return said.sender == .human && !said.isDislikeFeedback && reply.asksAbout == nil
            && reply.interactionFailure != "unsafe_Human"
    }

    /// Goes back to one of the replies to the message that was answered last: the talk goes on from there.
    func keep(_ messageID: String, of userID: String) async throws -> (Conversation, ReplyGroup) {
        let (conversation, group) = try await lastGroup(messageID, of: userID)
        if group.comparison?.outcome == .open { throw ServerError.chooseFirst }
        try await setAnnotations(group.labels(keeping: messageID), in: conversation.id)
        return try await lastGroup(messageID, of: userID)
    }

    /// Which of two replies that were shown side by side the person likes better; `nil`: both are bad.
    /// - Parameter messageID: one of the two; the better one where one is better.
    func choose(
        _ messageID: String, isBetter: Bool, of userID: String
    ) async throws -> (Conversation, ReplyGroup) {
        let (conversation, group) = try await lastGroup(messageID, of: userID)
        guard let comparison = group.comparison, comparison.order.contains(messageID) else {
            throw ServerError(.conflict, "There is nothing to choose from.", code: "nothing_to_choose")
        }
        let wasOpen = comparison.outcome == .open
        let labels = group.labels(choosing: isBetter ? .preferred(messageID) : .bothBad)
        try await setAnnotations(labels, in: conversation.id)
        if !isBetter {
            for reply in group.replies
            where comparison.order.contains(reply.id) && !reply.feedback.contains(where: { $0.userID == userID }) {
                _ = try await setFeedback(Opinion(rating: .dislike), on: reply.id, of: userID)
            }
        }
        let (changed, chosen) = try await lastGroup(messageID, of: userID)
        if wasOpen, case .ready(let answerer) = await host.state { remember(changed.mainLine, with: answerer) }
        return (changed, chosen)
    }

    private func lastGroup(_ messageID: String, of userID: String) async throws -> (Conversation, ReplyGroup) {
        let (conversation, message) = try await reply(messageID, of: userID)
        guard let group = conversation.replyGroup(of: message.id) else { throw ServerError.notFound("message") }
        guard let last = conversation.messages.last, group.replies.contains(where: { $0.id == last.id }) else {
            throw ServerError(.conflict, "The conversation has gone on from there.", code: "not_the_last_reply")
        }
        guard !isBusy(conversation.id) else {
            throw ServerError(
                .conflict, "The last reply is still being written.", code: "still_writing", retryAfter: 1)
        }
        return (conversation, group)
    }

    /// The person's message that the last replies answer.
    func saidLast(in conversation: Conversation) -> Message? {
        guard let last = conversation.messages.last, let line = conversation.line(to: last.id)?.messages else {
            return nil
        }
        return line.dropLast().last
    }

    // MARK: Drawing

    /// Draws the reply to a line's last message; two of them where the person is to choose.
    func answers(
        to line: Conversation, with answerer: any Answerer, isOther: Bool,
        onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> [Answer] {
        let (first, second) = (seeded(), seeded())
        // A second place among the replies being written; where there is none the turn is an ordinary one.
        guard !isOther, isCompared(line), (try? await host.take()) != nil else {
            return [try await answerer.answer(line, sampling: first, onPiece: onPiece)]
        }
        // Nothing is shown of either before both are there: the faster one would have an advantage.
        let result: Result<[Answer], any Error>
        do {
            async let one = answerer.answer(line, sampling: first) { _ in }
            async let two = answerer.answer(line, sampling: second) { _ in }
            let answer = try await one
            // One reply is as good as a turn has without a comparison.
            let other = try? await two
            result = .success(Self.pair(answer, other, isSwapped: isSwapped(line)))
        } catch {
            result = .failure(error)
        }
        await host.give()
        return try result.get()
    }

    private func seeded() -> Sampling {
        var seeded = sampling
        seeded.seed = randomness.seed()
        return seeded
    }

    /// Both replies where there is something to choose, else the one that says more.
    private static func pair(_ one: Answer, _ other: Answer?, isSwapped: Bool) -> [Answer] {
        guard let other, !other.message.isCanned else { return [one] }
        if one.message.isCanned { return [other] }
        guard one.message.text != other.message.text else { return [one] }
        var pair = [one, other]
        pair[0].message.annotations.append(ReplyGroup.shown(at: isSwapped ? 1 : 0))
        pair[1].message.annotations.append(ReplyGroup.shown(at: isSwapped ? 0 : 1))
        return pair
    }

    /// A share of the turns, by the id of what the person said: any replica finds the same.
    private func isCompared(_ line: Conversation) -> Bool {
        guard compareShare > 0, let said = line.messages.last, !said.isDislikeFeedback else { return false }
        return Self.chance(of: said.id, salt: "compare replies") < compareShare
    }

    /// The reply that was drawn first is shown on the right as often as on the left.
    private func isSwapped(_ line: Conversation) -> Bool {
        Self.chance(of: line.messages.last?.id ?? "", salt: "order of replies") < 0.5
    }

    /// A number from 0 to 1 that a text always has.
    static func chance(of text: String, salt: String) -> Double {
        var hash = StableHash(salt: salt)
        hash.add(text)
        return Double(hash.value >> 11) * 0x1p-53
    }
}
