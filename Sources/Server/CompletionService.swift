import Conversations
import Crypto
import Foundation
import HTTPTypes
import Storage

/// Answers API requests that bring their whole history along.
///
/// An exchange is kept only where the request says `"store": true`: as a conversation of its own under the completion's
/// id, so that `/v1/feedback` can speak of it.
struct CompletionService: Sendable {
    let store: any ConversationStore
    let host: ModelHost
    let sampling: Sampling
    let countTokens: (@Sendable ([Turn]) -> Int)?
    let randomness: Randomness
    let now: @Sendable () -> Date

    /// One finished choice.
    struct Choice: Sendable {
        var text: String
        /// `stop`, `length` or `content_filter`.
        var finishReason: String
        var tokenCount: Int
    }

    /// What happens while a completion is made.
    enum Event: Sendable {
        case piece(index: Int, text: String)
        case choice(index: Int, Choice)
    }

    /// Tokens of a prompt, where they can be counted.
    func promptTokens(_ job: CompletionJob) -> Int? { countTokens.map { $0(job.turns) } }

    /// Carries out a job that `host.take()` has let in; the place is given back at the end.
    /// - Parameter id: of the completion, and of the stored conversation and its reply.
    /// - Returns: the events; letting go of the stream stops the writing.
    func run(_ job: CompletionJob, id: String, with answerer: any Answerer) -> AsyncThrowingStream<Event, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    for index in 0..<job.count {
                        let choice = try await write(job, id: id, index: index, with: answerer) {
                            continuation.yield(.piece(index: index, text: $0))
                        }
                        continuation.yield(.choice(index: index, choice))
                    }
                    await host.give()
                    continuation.finish()
                } catch {
                    await host.give()
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func write(
        _ job: CompletionJob, id: String, index: Int, with answerer: any Answerer,
        onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Choice {
        var sampling = sampling
        sampling.temperature = job.temperature ?? sampling.temperature
        sampling.topP = job.topP ?? sampling.topP
        sampling.maximumTokens = job.maximumTokens ?? sampling.maximumTokens
        // Choices of one seeded request differ, and a repeated request repeats them.
        sampling.seed = (job.seed ?? randomness.seed()) &+ UInt64(index)

        var conversation = Conversation(
            id: id, userID: Self.userID(of: job.person), consent: job.isStored ? .improve : .none, startedAt: now(),
            source: "api")
        conversation.messages = job.turns.enumerated().map { number, turn in
            Message(id: "\(id).m\(number)", sender: turn.sender, text: turn.text)
        }
        let matcher = StopGate(job.stops)
        var answer = try await answerer.answer(conversation, sampling: sampling) { piece in
            let shown = matcher.feed(piece)
            if !shown.isEmpty { onPiece(shown) }
        }
        try Task.checkCancellation()
        // A canned reply is not what was being drawn: what is held back of that must not come out any more.
        if !answer.message.isSafetyControlled {
            let rest = matcher.finish()
            if !rest.isEmpty { onPiece(rest) }
        }
        var cut = StopMatcher(job.stops)
        answer.message.text = cut.feed(answer.message.text) + cut.finish()
        if !matcher.hasShown, !answer.message.text.isEmpty { onPiece(answer.message.text) }
        answer.message.id = index == 0 ? id : "\(id).\(index)"
        answer.message.sentAt = now()
        if job.isStored { try await keep(conversation, answer.message, isFirst: index == 0) }
        let reason = answer.message.isSafetyControlled ? "content_filter" : cut.isStopped ? "stop" : answer.finishReason
        return Choice(text: answer.message.text, finishReason: reason, tokenCount: answer.tokenCount)
    }

    private func keep(_ conversation: Conversation, _ reply: Message, isFirst: Bool) async throws {
        if isFirst { try await store.save(conversation) }
        var reply = reply
        // Choices of one request are siblings: they answer the same message.
        reply.parentID = conversation.messages.last?.id
        try await store.append(reply, to: conversation.id)
    }

    /// The pseudonym of whoever an API client speaks for.
    static func userID(of person: String?) -> String {
        person.map { "api-" + SHA256.hex("loam client " + $0).prefix(32) } ?? "api-anonymous"
    }

    // MARK: Feedback

    /// Records feedback on a stored completion, in the place of what the same person said of it before.
    func setFeedback(_ opinion: ChatService.Opinion?, on id: String, by person: String?) async throws -> Feedback? {
        // "chatcmpl-….2" is the third choice of "chatcmpl-…".
        let conversationID = String(id.prefix { $0 != "." })
        guard id.hasPrefix("chatcmpl-"), let conversation = try await store.conversation(id: conversationID),
            conversation.messages.contains(where: { $0.id == id && $0.sender == .bot })
        else {
            throw ServerError(
                .notFound, "There is no such stored completion; send \"store\": true with the request.",
                param: "message_id", code: "message_not_found")
        }
        let userID = person == nil ? conversation.userID : Self.userID(of: person)
        guard let opinion else {
            try await store.retractFeedback(of: userID, on: id, in: conversationID)
            return nil
        }
        let feedback = Feedback(
            userID: userID, rating: opinion.rating, reasons: opinion.reasons, comment: opinion.comment,
            correction: opinion.correction, givenAt: now())
        try await store.setFeedback(feedback, on: id, in: conversationID)
        return feedback
    }
}
