import Conversations
import Foundation

/// The bot: answers a conversation with its modules, and minds what goes in and what comes out.
///
/// One turn: the person's last message is checked; where the plan has them, a search and a memory are decided on, and
/// what they bring becomes knowledge; a reply is drawn, cut to one turn of the bot and checked. A reply that is empty,
/// unsafe, or faulty (`ReplyFault`) is drawn once more with another seed; then the bot says a canned reply, marked as such,
/// rather than something bad. The names of failures are those of the BB3x release. `ReplyTurn` has the order; this runs it.
public struct DialogueAgent: Sendable {
    /// A reply with what is known of its making.
    public struct Answer: Sendable {
        /// The reply, not yet part of the conversation.
        public var message: Message
        /// `stop` at an end of turn, `length` at the cap.
        public var finishReason: String
        /// Number of tokens drawn for the reply; 0 for a canned one.
        public var tokenCount: Int
        /// What the safety layers said of the person's message: it belongs to that message.
        public var personDecisions: [SafetyDecision]
        /// Tokens that the model read for the reply, and those of them that it had read before; 0 for a canned one.
        public var promptTokenCount: Int
        public var cachedTokenCount: Int
        /// The tokens that the model drew, where `Sampling.topLogProbabilities` asks for them; `nil` for a canned reply. They
        /// may begin before the message's text and go on after it, where that was trimmed or cut.
        public var tokens: [ReplyToken]?

        public init(
            message: Message, finishReason: String, tokenCount: Int, personDecisions: [SafetyDecision] = [],
            promptTokenCount: Int = 0, cachedTokenCount: Int = 0, tokens: [ReplyToken]? = nil
        ) {
            self.message = message
            self.finishReason = finishReason
            self.tokenCount = tokenCount
            self.personDecisions = personDecisions
            self.promptTokenCount = promptTokenCount
            self.cachedTokenCount = cachedTokenCount
            self.tokens = tokens
        }
    }

    /// What was remembered of a turn.
    public struct Remembered: Sendable {
        /// What became of each fact that was found and allowed.
        public var changes: [(change: MemoryChange, memory: Memory?)] = []
        /// Every call of the memory writer, with why its output was not kept.
        public var modules: [ModuleRecord] = []
    }

    public let plan: TurnPlan
    private let writers: ModuleWriters
    private let safety: (any SafetyCheck)?
    private let privacy: (any PrivacyCheck)?
    /// What the bot knows of people; `nil` where it has no memory.
    public let memories: MemoryBank?
    private let search: PassageSearch?
    private let knows: @Sendable (Conversation) -> Bool
    private let makeID: @Sendable () -> String
    private let now: @Sendable () -> ContinuousClock.Instant

    /// A plain chat: one model, no module but the reply.
    /// - Parameters:
    ///   - generator: the model that writes replies.
    ///   - safety: looks at both sides of a turn; `nil` lets everything through.
    ///   - canned: what is said where no reply can be sent.
    ///   - makeID: makes the ids of replies.
    public init(
        generator: any TextGenerator, safety: (any SafetyCheck)? = nil, canned: CannedReplies = CannedReplies(),
        makeID: @escaping @Sendable () -> String = { UUID().uuidString }
    ) {
        var plan = TurnPlan.plain
        plan.canned = canned
        self.init(writers: ModuleWriters(ChatWriter(generator)), plan: plan, safety: safety, makeID: makeID)
    }

    /// - Parameters:
    ///   - writers: the models.
    ///   - privacy: finds what may not be remembered or searched for; `nil` lets everything through.
    ///   - memories: where facts about people are kept; without it the plan's memory is never used.
    ///   - search: without it the plan's search fails, and says so in the record.
    ///   - knows: whether the bot knows who it talks to. Behind an API's client may be anybody, and its history is its own:
    ///     nothing is recalled or remembered there, and nothing asked back.
    public init(
        writers: ModuleWriters, plan: TurnPlan, safety: (any SafetyCheck)? = nil, privacy: (any PrivacyCheck)? = nil,
        memories: MemoryBank? = nil, search: PassageSearch? = nil,
        knows: @escaping @Sendable (Conversation) -> Bool = { $0.source != "api" },
        makeID: @escaping @Sendable () -> String = { UUID().uuidString },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        var plan = plan
        if memories == nil {
            plan.memory = .never
            plan.memoryWriter = .never
        }
        self.plan = plan
        self.writers = writers
        self.safety = safety
        self.privacy = privacy
        self.memories = memories
        self.search = search
        self.knows = knows
        self.makeID = makeID
        self.now = now
    }

    /// Registry id of the model that answers.
    public var modelID: String { writers[.plainReply].modelID }

    /// The reply to the last turn of a conversation, or its opening where nobody has said anything yet and the plan can
    /// open. Feedback turns are not part of what the model sees; one that was just given gets thanks,
    /// or help where the person speaks of hurting themselves.
    /// - Parameters:
    ///   - sampling: how it is drawn where the plan says nothing else. A second attempt uses another seed; greedy drawing
    ///     (temperature 0) has none, since it would say the same again.
    ///   - onPiece: called with each new piece of the reply; joined they are its text. With a safety check or memories they
    ///     come only once they passed: with the whole reply, or by sentences where that takes long (`TurnPlan.Showing`). A canned
    ///     reply has no pieces: it is in the answer only.
    /// - Throws: what the writers or the safety check throw, and `CancellationError`.
    public func reply(
        to conversation: Conversation, sampling: Sampling, onPiece: (@Sendable (String) -> Void)? = nil
    ) async throws -> Answer {
        var plan = plan
        if !knows(conversation) {
            plan.memory = .never
            plan.recovers = false
        }
        let history = conversation.turns(before: conversation.messages.count)
        let isFeedback = conversation.messages.last.map { $0.isDislikeFeedback && $0.sender == .human } ?? false
        let isHeld = safety != nil || plan.memory != .never || plan.conditioning != .combined
        var turn = ReplyTurn(
            plan: plan, occasion: isFeedback ? .feedback : history.isEmpty ? .opening : .turn, turns: history,
            lastReplyID: conversation.messages.last { $0.sender == .bot && $0.asksAbout == nil }?.id,
            feedback: isFeedback ? conversation.messages.last?.text ?? "" : "", sampling: sampling,
            isShownAtOnce: onPiece != nil && !isHeld)
        let earlier = history.filter { $0.sender == .bot }.map { ReplyText.key(of: $0.text) }
        let runner = runner(for: conversation.userID)

        var patience: Duration?
        if case .sentences(let after) = plan.showing, !history.isEmpty { patience = after }
        var gates = ReplyGates(patience: patience, isHeld: isHeld, earlier: earlier, now: now, onPiece: onPiece)
        var step = turn.start()
        while true {
            switch step {
            case .calls(let calls):
                let (feeds, sentences) = gates.open(for: calls)
                let looking = sentences.map { [turn] gate in
                    Task { await gate.run { await passes($0, as: turn, with: runner) } }
                }
                defer { looking?.cancel() }
                let answers = try await runner.answers(to: calls) { place in
                    guard let gate = feeds[place] else { return nil }
                    return { gate.feed($0) }
                }
                sentences?.end()
                await looking?.value
                step = turn.resume(answers, shown: sentences?.shown ?? "")
            case .finished(let result):
                gates.finish(result)
                if let used = result.usedMemoryID {
                    // A note of no weight beside the reply.
                    try? await memories?.markUsed(used, of: conversation.userID)
                }
                return Answer(
                    message: result.message(id: makeID()), finishReason: result.finishReason,
                    tokenCount: result.tokenCount, personDecisions: result.personDecisions,
                    promptTokenCount: result.promptTokenCount, cachedTokenCount: result.cachedTokenCount,
                    tokens: result.tokens)
            }
        }
    }

    /// Whether the beginning of a reply may be read before the rest is there. Where it cannot be looked at, it may not.
    private func passes(_ beginning: String, as turn: ReplyTurn, with runner: TurnRunner) async -> Bool {
        guard turn.fault(in: beginning) == nil else { return false }
        let verdict = try? await runner.verdict(on: .reply(beginning, context: turn.turns))
        return verdict.map { !$0.isUnsafe } ?? false
    }

    /// Remembers the facts of the last turn, of both sides. To be called once the reply was sent: nobody waits for it.
    /// - Parameter conversation: as it is kept, the reply being its last message.
    public func remember(after conversation: Conversation, sampling: Sampling = Sampling()) async throws -> Remembered {
        var remembered = Remembered()
        guard let memories, plan.memoryWriter != .never, conversation.consent != .none, knows(conversation) else {
            return remembered
        }
        var turn = MemoryTurn(plan: plan, conversation: conversation, sampling: sampling)
        let runner = runner(for: conversation.userID)
        var step = turn.start()
        while true {
            switch step {
            case .calls(let calls): step = turn.resume(try await runner.answers(to: calls) { _ in nil })
            case .finished(let facts, let records):
                remembered.modules = records
                for fact in facts {
                    remembered.changes.append(
                        try await memories.take(
                            fact.text, owner: fact.owner, from: conversation, messageID: fact.messageID))
                }
                return remembered
            }
        }
    }

    /// Changes the words of a memory at its person's wish.
    /// - Returns: why not, `nil` when it was done. What safety or privacy would not let in is refused here too.
    public func edit(memory id: String, of userID: String, to text: String) async throws -> String? {
        guard let memories else { return "nothing is remembered here" }
        let outcome = try await runner(for: userID).verdict(on: .memory(text))
        if outcome.isUnsafe { return "not kept: " + outcome.reason }
        return try await memories.edit(id, of: userID, to: text) ? nil : "there is no such memory"
    }

    private func runner(for userID: String) -> TurnRunner {
        TurnRunner(
            writers: writers, safety: safety, privacy: privacy, memories: memories, search: search, userID: userID)
    }
}
