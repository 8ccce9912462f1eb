import Conversations
import Foundation

/// The bot: answers a conversation with a model, and minds what goes in and what comes out.
///
/// One turn: the person's last message is checked; a reply is drawn, cut to one turn of the bot and checked. A reply
/// that is empty, unsafe, or the same as an earlier one of the bot is drawn once more with another seed; then the bot
/// says a canned reply, marked as such, rather than something bad. The names of failures are those of the BB3x release.
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

        public init(
            message: Message, finishReason: String, tokenCount: Int, personDecisions: [SafetyDecision] = []
        ) {
            self.message = message
            self.finishReason = finishReason
            self.tokenCount = tokenCount
            self.personDecisions = personDecisions
        }
    }

    private let generator: any TextGenerator
    private let safety: (any SafetyCheck)?
    private let canned: CannedReplies
    private let makeID: @Sendable () -> String

    /// - Parameters:
    ///   - generator: the model that writes replies.
    ///   - safety: looks at both sides of a turn; `nil` lets everything through.
    ///   - canned: what is said where no reply can be sent.
    ///   - makeID: makes the ids of replies.
    public init(
        generator: any TextGenerator, safety: (any SafetyCheck)? = nil, canned: CannedReplies = CannedReplies(),
        makeID: @escaping @Sendable () -> String = { UUID().uuidString }
    ) {
        self.generator = generator
        self.safety = safety
        self.canned = canned
        self.makeID = makeID
    }

    /// Registry id of the model that answers.
    public var modelID: String { generator.modelID }

    /// The reply to the last turn of a conversation. Feedback turns are not part of what the model sees.
    /// - Parameters:
    ///   - sampling: how it is drawn. A second attempt uses another seed; greedy drawing (temperature 0) has none,
    ///     since it would say the same again.
    ///   - onPiece: called with each new piece of the reply; joined they are its text. With a safety check they come
    ///     only after the whole reply passed it. A canned reply has no pieces: it is in the answer only.
    /// - Throws: what the generator or the safety check throws, and `CancellationError`.
    public func reply(
        to conversation: Conversation, sampling: Sampling, onPiece: (@Sendable (String) -> Void)? = nil
    ) async throws -> Answer {
        let history = conversation.turns(before: conversation.messages.count)
        var personDecisions: [SafetyDecision] = []
        if let safety, let last = history.last, last.sender == .human {
            let outcome = try await safety.check(person: last.text, context: Array(history.dropLast()))
            personDecisions = outcome.decisions
            if outcome.isUnsafe {
                var message = cannedMessage(outcome.cannedReply ?? canned.toUnsafePerson, failure: "unsafe_Human")
                message.isSafetyControlled = true
                message.safety = outcome.decisions
                return Answer(message: message, finishReason: "stop", tokenCount: 0, personDecisions: personDecisions)
            }
        }

        let earlier = history.filter { $0.sender == .bot }.map { ReplyText.key(of: $0.text) }
        var repeated: (answer: Answer, gate: PieceGate?)?
        var unsafe: SafetyOutcome?
        for sampling in attempts(sampling) {
            let gate = onPiece.map { PieceGate(earlier: earlier, isHeld: safety != nil, send: $0) }
            let feed: (@Sendable (String) -> Void)? = gate.map { gate in { @Sendable piece in gate.feed(piece) } }
            let reply = try await generator.reply(to: history, sampling: sampling, onPiece: feed)
            try Task.checkCancellation()
            let text = ReplyText(reply.text)
            guard !text.text.isEmpty else { continue }
            let outcome = try await safety?.check(reply: text.text, context: history) ?? SafetyOutcome()
            if outcome.isUnsafe {
                unsafe = outcome
                continue
            }
            let message = Message(
                id: makeID(), sender: .bot, text: text.text,
                generation: GenerationRecord(
                    model: generator.modelID, temperature: sampling.temperature, topP: sampling.topP,
                    seed: sampling.seed, meanLogProbability: reply.meanLogProbability),
                safety: outcome.decisions)
            let answer = Answer(
                message: message, finishReason: text.isCut ? "stop" : reply.finishReason,
                tokenCount: reply.tokenCount, personDecisions: personDecisions)
            if !earlier.contains(ReplyText.key(of: text.text)) {
                gate?.finish(text.text)
                return answer
            }
            if repeated == nil { repeated = (answer, gate) }
        }

        // Saying the same again is dull; it is still better than no reply of the model.
        if let repeated {
            repeated.gate?.finish(repeated.answer.message.text)
            return repeated.answer
        }
        var message: Message
        if let unsafe {
            message = cannedMessage(unsafe.cannedReply ?? canned.forUnsafeReply, failure: "unsafe_BlenderBot3")
            message.isSafetyControlled = true
            message.safety = unsafe.decisions
        } else {
            message = cannedMessage(canned.forNoReply, failure: "unsafe_model_crash")
            message.extra["from_model_crash"] = .bool(true)
        }
        return Answer(message: message, finishReason: "stop", tokenCount: 0, personDecisions: personDecisions)
    }

    private func attempts(_ sampling: Sampling) -> [Sampling] {
        guard sampling.temperature > 0 else { return [sampling] }
        var again = sampling
        // Far from the seeds of batches and choices, which count up from the first.
        again.seed = sampling.seed &+ 0x9E37_79B9_7F4A_7C15
        return [sampling, again]
    }

    /// No generation record: no model wrote it, so no thumb on it may count for one.
    private func cannedMessage(_ text: String, failure: String) -> Message {
        Message(id: makeID(), sender: .bot, text: text, interactionFailure: failure)
    }
}
