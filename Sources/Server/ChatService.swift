import Conversations
import Dialogue
import Foundation
import HTTPTypes
import Storage

/// People's conversations with the bot: what is said, what they think of it, and what they allow.
///
/// What a person allows to be kept goes into the store at once, message by message. A conversation with consent `none`
/// lives only in memory and is gone with the process.
public actor ChatService {
    let store: any ConversationStore
    let host: ModelHost
    let sampling: Sampling
    let limits: ServerLimits
    let randomness: Randomness
    let now: @Sendable () -> Date
    /// Share of turns that are answered twice, for the person to choose.
    let compareShare: Double
    var unkept: UnkeptConversations
    /// Conversations in which a reply is being written.
    private var busy: Set<String> = []
    /// What goes on after a person's last reply, by person: their next turn waits for it.
    private var afterwork: [String: (number: Int, task: Task<Void, Never>)] = [:]
    private var afterworkCount = 0

    /// - Parameters:
    ///   - store: where conversations are kept.
    ///   - host: the model that answers.
    ///   - sampling: how replies are drawn; the seed is new for each.
    ///   - compareShare: share of turns (0 to 1) that are answered twice, for the person to choose the better reply.
    ///   - now: the clock.
    public init(
        store: any ConversationStore, host: ModelHost, sampling: Sampling, limits: ServerLimits,
        randomness: Randomness, compareShare: Double = 0, now: @escaping @Sendable () -> Date
    ) {
        self.store = store
        self.host = host
        self.sampling = sampling
        self.limits = limits
        self.randomness = randomness
        self.compareShare = compareShare
        self.now = now
        unkept = UnkeptConversations(limit: limits.unkeptConversations)
    }

    // MARK: Conversations

    /// Begins a conversation. Earlier ones that are not kept are forgotten: that is what starting again promises.
    public func open(for userID: String, consent: Consent) async throws -> Conversation {
        for earlier in unkept.of(userID) { unkept.remove(earlier.id) }
        let conversation = Conversation(
            id: randomness.id("c"), userID: userID, consent: consent, startedAt: now(), source: "web")
        if consent == .none { unkept.put(conversation) } else { try await keep(conversation) }
        return conversation
    }

    /// Puts a conversation into the store, and makes sure that it is there: nobody may be told that something is kept
    /// when it is not.
    func keep(_ conversation: Conversation) async throws {
        let summary = try await store.save(conversation)
        guard summary.added + summary.replaced == 1 else { throw ServerError.unexpected }
    }

    /// One conversation of a person.
    /// - Throws: `ServerError` 404 for an unknown id, and just so for somebody else's.
    public func conversation(_ id: String, of userID: String) async throws -> Conversation {
        let found = if let here = unkept[id] { here } else { try await store.conversation(id: id) }
        guard let found, found.userID == userID else { throw ServerError.notFound("conversation") }
        return found
    }

    /// Whether a conversation is there and the person's.
    func has(_ id: String, of userID: String) async throws -> Bool {
        let found = if let here = unkept[id] { here } else { try await store.conversation(id: id) }
        return found?.userID == userID
    }

    /// All conversations of a person, oldest first.
    public func conversations(of userID: String) async throws -> [Conversation] {
        (try await store.conversations(of: userID) + unkept.of(userID))
            .sorted { $0.isOlder(than: $1) }
    }

    /// The conversation that a person began last, kept or not: what the page opens with. The others are not read for it.
    func newestConversation(of userID: String) async throws -> Conversation? {
        let kept = try await store.newestConversation(of: userID)
        return (unkept.of(userID) + [kept].compactMap { $0 }).max { $0.isOlder(than: $1) }
    }

    // MARK: Talking

    /// What happens while a reply is made.
    public enum Event: Sendable {
        /// The person's message, now stored.
        case message(Message)
        /// The next piece of the reply's text.
        case piece(String)
        /// The whole reply, now stored, with those beside it. Its text is what counts: it differs from the pieces where a safety
        /// layer stepped in.
        case reply(ReplyGroup, in: Conversation)
    }

    /// Takes what a person says and answers it.
    /// - Returns: the events; letting go of the stream stops the reply.
    /// - Throws: `ServerError` when it cannot begin; then nothing was stored.
    public func say(_ text: String, in id: String, of userID: String) async throws -> AsyncThrowingStream<
        Event, any Error
    > {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw ServerError.invalid("text", "'text' is empty.") }
        guard limits.hold(text) else {
            throw ServerError(
                .contentTooLarge, "A message may have at most \(limits.messageCharacters) characters.", param: "text",
                code: "message_too_long")
        }
        let conversation = try await conversation(id, of: userID)
        guard conversation.messages.count < limits.messagesPerConversation else {
            throw ServerError(
                .conflict, "This conversation is very long. Please start again.", code: "conversation_full")
        }
        let line = conversation.mainLine
        var message = Message(id: messageID(in: id), sender: .human, text: text, sentAt: now())
        if let head = line.messages.last, head.id != conversation.messages.last?.id {
            // The person went back to an earlier reply: that is the one that this answers.
            message.parentID = head.id
        }
        if let head = line.messages.last, conversation.replyGroup(of: head.id)?.comparison?.outcome == .open {
            throw ServerError.chooseFirst
        }
        guard let target = FeedbackQuestion.target(of: text, in: line) else {
            return try await answer(id, of: userID, after: message)
        }
        // The bot asked what would have been better: this is feedback, and no turn.
        message.isDislikeFeedback = true
        let feedback = FeedbackQuestion.feedback(answer: text, on: target, in: line)
        let opinion = Opinion(
            rating: feedback.rating, reasons: feedback.reasons, comment: feedback.comment,
            correction: feedback.correction)
        return try await answer(id, of: userID, after: message, opinion: opinion, on: target)
    }

    /// Answers the last message of a conversation again, where it got no reply: the reader left, or the model failed.
    public func answer(_ id: String, of userID: String) async throws -> AsyncThrowingStream<Event, any Error> {
        let conversation = try await conversation(id, of: userID)
        guard conversation.messages.last?.sender == .human else {
            throw ServerError(.conflict, "There is nothing to answer.", code: "nothing_to_answer")
        }
        return try await answer(id, of: userID, after: nil)
    }

    /// - Parameter other: another reply to the message that was answered last, beside those that it has.
    func answer(
        _ id: String, of userID: String, after message: Message?, opinion: Opinion? = nil, on target: String = "",
        other: Bool = false
    ) async throws -> AsyncThrowingStream<Event, any Error> {
        guard busy.insert(id).inserted else {
            throw ServerError(
                .conflict, "The last reply is still being written.", code: "still_writing", retryAfter: 1)
        }
        do {
            let answerer = try await host.take()
            do {
                if let message { try await append(message, to: id) }
                if let opinion { _ = try await setFeedback(opinion, on: target, of: userID) }
                // The task ends with the stream: a reader who leaves, or never came, cancels it.
                return AsyncThrowingStream { continuation in
                    let task = Task {
                        do {
                            if let message { continuation.yield(.message(message)) }
                            let reply = try await self.write(with: answerer, in: id, of: userID, other: other) {
                                continuation.yield(.piece($0))
                            }
                            await self.release(id)
                            continuation.yield(.reply(reply.group, in: reply.conversation))
                            continuation.finish()
                        } catch {
                            await self.release(id)
                            continuation.finish(throwing: error)
                        }
                    }
                    continuation.onTermination = { _ in task.cancel() }
                }
            } catch {
                await host.give()
                throw error
            }
        } catch {
            busy.remove(id)
            throw error
        }
    }

    private func release(_ id: String) async {
        busy.remove(id)
        await host.give()
    }

    private func write(
        with answerer: any Answerer, in id: String, of userID: String, other: Bool,
        onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> (group: ReplyGroup, conversation: Conversation) {
        await settle(userID)
        let conversation = try await conversation(id, of: userID)
        guard let said = other ? saidLast(in: conversation) : conversation.messages.last,
            let line = conversation.line(to: said.id)
        else { throw ServerError.notFound("message") }
        var answers = try await answers(to: line, with: answerer, isOther: other, onPiece: onPiece)
        try Task.checkCancellation()
        // Deleted meanwhile? Then there is nothing to append to, and it must not come back.
        _ = try await self.conversation(id, of: userID)
        if let first = answers.first, !first.personDecisions.isEmpty {
            try await setSafety(first.personDecisions, on: said.id, in: id)
        }
        for place in answers.indices {
            answers[place].message.id = messageID(in: id)
            answers[place].message.sentAt = now()
            if other || answers.count > 1 { answers[place].message.parentID = said.id }
            // Who asks for another reply has gone on to that one.
            if other { answers[place].message.annotations.append(.kept) }
            try await append(answers[place].message, to: id)
        }
        let kept = try await self.conversation(id, of: userID)
        guard let last = answers.last?.message.id, let group = kept.replyGroup(of: last) else {
            throw ServerError.unexpected
        }
        // What stands in two replies is nothing that the bot has said yet.
        if group.comparison?.outcome != .open { remember(kept.mainLine, with: answerer) }
        return (group, kept)
    }

    /// Lets the bot remember the last turn; nobody waits for it but the person's own next turn.
    func remember(_ line: Conversation, with answerer: any Answerer) {
        afterworkCount += 1
        let (number, userID) = (afterworkCount, line.userID)
        // Two talks of one person may end at once: whoever waits for the last waits for all.
        let earlier = afterwork[userID]?.task
        let task = Task {
            await earlier?.value
            await answerer.replied(in: line)
            self.endAfterwork(of: userID, number: number)
        }
        afterwork[userID] = (number, task)
    }

    /// Waits for what goes on after a person's last reply.
    func settle(_ userID: String) async { await afterwork[userID]?.task.value }

    private func endAfterwork(of userID: String, number: Int) {
        if afterwork[userID]?.number == number { afterwork[userID] = nil }
    }

    // MARK: Keeping

    /// Puts labels on messages of a conversation, wherever it is.
    func setAnnotations(_ annotations: [String: [Annotation]], in id: String) async throws {
        if unkept[id] != nil {
            unkept.change(id) { conversation in
                for place in conversation.messages.indices {
                    if let labels = annotations[conversation.messages[place].id] {
                        conversation.messages[place].annotations = labels
                    }
                }
            }
        } else {
            try await store.setAnnotations(annotations, in: id)
        }
    }

    /// Whether a reply is being written in a conversation.
    func isBusy(_ id: String) -> Bool { busy.contains(id) }

    private func setSafety(_ decisions: [SafetyDecision], on messageID: String, in id: String) async throws {
        if unkept[id] != nil {
            unkept.change(id) { conversation in
                guard let place = conversation.messages.firstIndex(where: { $0.id == messageID }) else { return }
                conversation.messages[place].safety = decisions
            }
        } else {
            try await store.setSafety(decisions, on: messageID, in: id)
        }
    }

    private func append(_ message: Message, to id: String) async throws {
        if unkept[id] != nil {
            unkept.change(id) { $0.messages.append(message) }
        } else {
            try await store.append(message, to: id)
        }
    }

    /// A message's id begins with its conversation's, so that it leads there.
    private func messageID(in conversationID: String) -> String { randomness.id(conversationID + ".m") }

    static func conversationID(ofMessage id: String) -> String? {
        id.lastIndex(of: ".").map { String(id[..<$0]) }
    }
}
