import Conversations

/// The writing of memories after a reply was sent, as a state machine: for both sides at once, then everything that came
/// out is checked. What a model invents is not kept (`MemoryGround`); what the message states by its shape takes its place. Facts that pass come out; keeping them is the bank's work.
public struct MemoryTurn: Sendable {
    /// A fact that may be remembered.
    public struct Fact: Sendable, Hashable {
        public var owner: Memory.Owner
        public var text: String
        /// The message that states it.
        public var messageID: String
    }

    /// What happens next.
    public enum Step: Sendable, Hashable {
        case calls([TurnCall])
        /// The facts, and a record of every call.
        case finished([Fact], [ModuleRecord])
    }

    private let plan: TurnPlan
    private let sources: [(owner: Memory.Owner, message: Message, turns: [Turn])]
    private let sampling: Sampling
    private var pending: [TurnCall] = []
    private var waiting: [Fact] = []
    private var isChecking = false
    private var records: [ModuleRecord] = []

    /// - Parameter conversation: with the reply as its last message.
    public init(plan: TurnPlan, conversation: Conversation, sampling: Sampling) {
        self.plan = plan
        self.sampling = sampling
        var sources: [(Memory.Owner, Message, [Turn])] = []
        let messages = conversation.messages
        // What was judged unsafe, on either side, is not even read for facts; neither is a canned reply.
        if let place = messages.lastIndex(where: { $0.sender == .human }), !messages[place].isDislikeFeedback,
            !messages[place].safety.contains(where: \.isUnsafe)
        {
            sources.append(
                (.person, messages[place], conversation.turns(before: place) + [Turn(.human, messages[place].text)]))
        }
        if let last = messages.indices.last, messages[last].sender == .bot, !messages[last].isCanned,
            !messages[last].safety.contains(where: \.isUnsafe)
        {
            sources.append((.bot, messages[last], conversation.turns(before: last) + [Turn(.bot, messages[last].text)]))
        }
        self.sources = sources
    }

    public mutating func start() -> Step {
        switch plan.memoryWriter {
        case .never: return .finished([], [])
        case .rule:
            for source in sources { writeByRule(of: source.message, by: source.owner) }
            return check()
        case .model:
            pending = sources.compactMap { source in
                plan.call(
                    ModuleInput(.memoryWriting, turns: source.turns), replySampling: sampling, seed: sampling.seed
                ).map(TurnCall.write)
            }
            // A style without the module: nothing is written.
            return pending.count == sources.count && !pending.isEmpty ? .calls(pending) : .finished([], [])
        }
    }

    /// - Parameter answers: one for each call of the last step, in order.
    public mutating func resume(_ answers: [TurnAnswer]) -> Step {
        precondition(answers.count == pending.count, "one answer for each call")
        return isChecking ? checked(answers) : written(answers)
    }

    private mutating func written(_ answers: [TurnAnswer]) -> Step {
        for (source, answer) in zip(sources, answers) {
            switch answer {
            case .output(let said):
                let text = plan.style(of: .memoryWriting).answer(said.reply.text, of: .memoryWriting)
                var record = ModuleRecord(.memoryWriting, said)
                if text.isEmpty {
                    record.failure = "nothing to remember"
                } else if !MemoryGround.holds(
                    text, in: source.message.text, after: source.turns.dropLast().last?.text ?? "")
                {
                    record.failure = "not kept: the message does not say so"
                    records.append(record)
                    writeByRule(of: source.message, by: source.owner)
                    continue
                } else {
                    waiting.append(Fact(owner: source.owner, text: text, messageID: source.message.id))
                }
                records.append(record)
            case .failure(let reason):
                records.append(ModuleRecord(module: "mgm", model: "", output: "", failure: reason))
            default: break
            }
        }
        return check()
    }

    /// What the message states by the shape of its sentences.
    private mutating func writeByRule(of message: Message, by owner: Memory.Owner) {
        for fact in StatedFacts.facts(in: message.text) {
            waiting.append(Fact(owner: owner, text: fact, messageID: message.id))
            records.append(ModuleRecord(module: "mgm", model: "rule", output: fact))
        }
    }

    private mutating func check() -> Step {
        isChecking = true
        pending = waiting.map { .check(.memory($0.text)) }
        return pending.isEmpty ? .finished([], records) : .calls(pending)
    }

    private mutating func checked(_ answers: [TurnAnswer]) -> Step {
        var kept: [Fact] = []
        for (fact, answer) in zip(waiting, answers) {
            // Whoever cannot be asked has not agreed.
            if case .verdict(let outcome) = answer, !outcome.isUnsafe {
                kept.append(fact)
            } else if let place = records.lastIndex(where: { $0.failure == nil && $0.output.contains(fact.text) }) {
                if case .verdict(let outcome) = answer {
                    records[place].failure = "not kept: " + outcome.reason
                } else {
                    records[place].failure = "not kept: it could not be checked"
                }
                // Not even in the record.
                records[place].output = ""
            }
        }
        return .finished(kept, records)
    }
}
