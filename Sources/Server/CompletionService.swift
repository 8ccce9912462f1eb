import Conversations
import Dialogue
import Foundation
import HTTPTypes
import Hashing
import Storage
import Synchronization

/// Answers API requests that bring their whole history along.
///
/// An exchange is kept only where the request says `"store": true`: as a conversation of its own under the completion's
/// id, so that `/v1/feedback` can speak of it.
struct CompletionService: Sendable {
    let store: any ConversationStore
    let host: ModelHost
    let sampling: Sampling
    let randomness: Randomness
    let now: @Sendable () -> Date

    /// One finished choice.
    struct Choice: Sendable {
        var text: String
        /// `stop`, `length` or `content_filter`.
        var finishReason: String
        var tokenCount: Int
        /// Tokens of the prompt, and those of them that had been read before.
        var promptTokenCount: Int
        var cachedTokenCount: Int
        /// The tokens of `text`, where the request asks for log-probabilities.
        var tokens: [ReplyToken]?
    }

    /// What happens while a completion is made.
    enum Event: Sendable {
        /// More of a choice's text, with its tokens where they are asked for.
        case piece(index: Int, text: String, tokens: [ReplyToken]?)
        case choice(index: Int, Choice)
    }

    /// Carries out a job that `host.take` has let in; its places are given back at the end.
    ///
    /// The choices are written side by side, so that the model reads their prompt once.
    /// - Parameter id: of the completion, and of the stored conversation and its reply.
    /// - Returns: the events; letting go of the stream stops the writing.
    func run(_ job: CompletionJob, id: String, with answerer: any Answerer) -> AsyncThrowingStream<Event, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let conversation = self.conversation(job, id: id)
                    let answers = try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
                        // Choices of one seeded request differ, and a repeated request repeats them.
                        let seed = job.seed ?? randomness.seed()
                        for index in 0..<job.count {
                            group.addTask {
                                let answer = try await write(
                                    job, conversation, index: index, seed: seed &+ UInt64(index), with: answerer
                                ) { continuation.yield(.piece(index: index, text: $0, tokens: $1)) }
                                return (index, answer)
                            }
                        }
                        var answers: [Int: Answer] = [:]
                        for try await (index, answer) in group { answers[index] = answer }
                        return answers.sorted { $0.key < $1.key }.map(\.value)
                    }
                    if job.isStored { try await keep(conversation, answers.map(\.message)) }
                    for (index, answer) in answers.enumerated() {
                        continuation.yield(.choice(index: index, choice(answer, job)))
                    }
                    await host.give(job.count)
                    continuation.finish()
                } catch {
                    await host.give(job.count)
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func conversation(_ job: CompletionJob, id: String) -> Conversation {
        var conversation = Conversation(
            id: id, userID: Self.userID(of: job.person), consent: job.isStored ? .improve : .none, startedAt: now(),
            source: "api")
        conversation.messages = job.turns.enumerated().map { number, turn in
            Message(id: "\(id).m\(number)", sender: turn.sender, text: turn.text)
        }
        return conversation
    }

    /// Writes one choice. Where log-probabilities are asked for, text comes out token by token once all is known: what a
    /// safety layer or a stop takes back must not be told of either.
    private func write(
        _ job: CompletionJob, _ conversation: Conversation, index: Int, seed: UInt64, with answerer: any Answerer,
        onPiece: @escaping @Sendable (String, [ReplyToken]?) -> Void
    ) async throws -> Answer {
        var sampling = job.sampling(over: sampling)
        sampling.seed = seed
        let isHeld = job.topLogProbabilities != nil
        let hasShown = Atomic(false)
        var answer = try await answerer.answer(conversation, sampling: sampling) { piece in
            guard !isHeld, !piece.isEmpty else { return }
            hasShown.store(true, ordering: .releasing)
            onPiece(piece, nil)
        }
        try Task.checkCancellation()
        if let tokens = answer.tokens, isHeld {
            let spelled = SpelledReply(answer.message.text, tokens: tokens)
            answer.tokens = spelled.parts.flatMap(\.tokens)
            for part in spelled.parts { onPiece(part.text, part.tokens) }
        } else if !hasShown.load(ordering: .acquiring), !answer.message.text.isEmpty {
            // A canned reply has no pieces.
            onPiece(answer.message.text, nil)
        }
        answer.message.id = index == 0 ? conversation.id : "\(conversation.id).\(index)"
        answer.message.sentAt = now()
        return answer
    }

    private func choice(_ answer: Answer, _ job: CompletionJob) -> Choice {
        Choice(
            text: answer.message.text,
            finishReason: answer.message.isSafetyControlled ? "content_filter" : answer.finishReason,
            tokenCount: answer.tokenCount, promptTokenCount: answer.promptTokenCount,
            cachedTokenCount: answer.cachedTokenCount,
            tokens: job.topLogProbabilities == nil ? nil : answer.tokens)
    }

    private func keep(_ conversation: Conversation, _ replies: [Message]) async throws {
        try await store.save(conversation)
        for var reply in replies {
            // Choices of one request are siblings: they answer the same message.
            reply.parentID = conversation.messages.last?.id
            try await store.append(reply, to: conversation.id)
        }
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
        host.metrics.feedback(opinion.rating, reasons: opinion.reasons)
        return feedback
    }
}
