import Conversations
import Foundation

/// Turns talks into tasks for the bot's modules.
///
/// What a conversation recorded (queries, passages, memories, decisions) is taken as it was. Where nothing is recorded the
/// labels are made as BlenderBot 3 made them, or by the rules that serve without a model: a memory was needed when the reply's
/// words overlap with one (F1 over .3; Shuster et al. 2022, `module_level_tasks`), a fact was stated when `StatedFacts` finds
/// one or the words are those of a known one, a search when the person asks for a fact of the world.
public struct ModuleTeacher: Sendable, Hashable {
    /// F1 of words from which a reply stands on a memory.
    public var memoryOverlap: Double
    /// Turns that a task sees at most.
    public var historyTurns: Int

    public init(memoryOverlap: Double = 0.3, historyTurns: Int = 12) {
        self.memoryOverlap = memoryOverlap
        self.historyTurns = historyTurns
    }

    /// The tasks of a talk of which nothing was recorded.
    /// - Parameters:
    ///   - turns: oldest first.
    ///   - facts: what is known about both sides.
    public func tasks(of turns: [Turn], facts: [Fact] = []) -> [ModuleTask] {
        var result: [ModuleTask] = []
        for (index, turn) in turns.enumerated() {
            if let task = memoryWriting(turns, index, facts) { result.append(task) }
            guard turn.sender == .bot, index > 0, turns[index - 1].sender == .human else { continue }
            let before = Array(turns[max(0, index - historyTurns)..<index])
            let used = remembered(turn.text, facts, tellsOf: .bot)
            result += memory(before, facts, used: used)
            result += search(before, query: FactQuestion.query(in: turns[index - 1].text))
            result += reply(turn.text, before, knowledge: used.map { Knowledge(.memory, $0.text, owner: $0.owner) })
        }
        return result
    }

    /// The tasks of a recorded conversation: replies that people disliked, that failed or were canned teach nothing.
    public func tasks(of conversation: Conversation) -> [ModuleTask] {
        var result: [ModuleTask] = []
        for (index, message) in conversation.messages.enumerated() {
            guard message.sender == .bot, !message.isCanned, !message.text.allSatisfy(\.isWhitespace),
                !message.feedback.contains(where: { $0.rating == .dislike })
            else { continue }
            let before = Array(conversation.turns(before: index).suffix(historyTurns))
            guard before.last?.sender == .human else { continue }
            let facts = message.memory.map { Self.facts($0.memories) } ?? []
            let used = message.memory?.knowledge.flatMap { text in
                facts.first { $0.text == Self.fact(text).text } ?? Self.fact(text)
            }
            result += memory(before, facts, used: used)
            var knowledge = used.map { Knowledge(.memory, $0.text, owner: $0.owner) }
            if let search = message.search {
                result += self.search(before, query: search.failure == nil ? search.query : nil)
                if let sentence = search.knowledge, !sentence.isEmpty {
                    if !search.documents.isEmpty {
                        result.append(
                            ModuleTask(
                                ModuleInput(.searchKnowledge, turns: before, documents: search.documents),
                                .text(sentence)))
                    }
                    knowledge = Knowledge(.search, sentence)
                }
            }
            result += reply(message.text, before, knowledge: knowledge)
            let stated = conversation.turns(before: index + 1)
            for place in [stated.count - 2, stated.count - 1] where place >= 0 {
                if let task = memoryWriting(stated, place, facts) { result.append(task) }
            }
        }
        return result
    }

    // MARK: Modules

    private func memoryWriting(_ turns: [Turn], _ index: Int, _ facts: [Fact]) -> ModuleTask? {
        let turn = turns[index]
        guard !turn.text.allSatisfy(\.isWhitespace) else { return nil }
        let owner: Memory.Owner = turn.sender == .bot ? .bot : .person
        let known = facts.filter { $0.owner == owner }.max {
            WordOverlap.f1($0.text, turn.text) < WordOverlap.f1($1.text, turn.text)
        }
        let input = ModuleInput(.memoryWriting, turns: Array(turns[max(0, index + 1 - historyTurns)...index]))
        if let known, WordOverlap.f1(known.text, turn.text) > 0.5 {
            return ModuleTask(input, .text(known.text), others: [.nothing])
        }
        guard let fact = StatedFacts.facts(in: turn.text).first else { return ModuleTask(input, .nothing) }
        return ModuleTask(input, .text(fact), others: [.nothing])
    }

    /// The fact that a text says again, if any; a side's own facts go first where two are as near.
    private func remembered(_ text: String, _ facts: [Fact], tellsOf owner: Memory.Owner) -> Fact? {
        let best = facts.map { (fact: $0, overlap: WordOverlap.f1($0.text, text)) }.max {
            ($0.overlap, $0.fact.owner == owner ? 1 : 0) < ($1.overlap, $1.fact.owner == owner ? 1 : 0)
        }
        guard let best, best.overlap > memoryOverlap else { return nil }
        return best.fact
    }

    private func memory(_ before: [Turn], _ facts: [Fact], used: Fact?) -> [ModuleTask] {
        guard !facts.isEmpty else { return [] }
        let decision = ModuleTask(
            ModuleInput(.memoryDecision, turns: before, memories: facts), .decision(used != nil),
            others: [.decision(used == nil)])
        guard let used else { return [decision] }
        let choice = ModuleTask(
            ModuleInput(.memoryKnowledge, turns: before, memories: facts), .text(used.text),
            others: facts.map(\.text).filter { $0 != used.text }.map { .text($0) })
        return [decision, choice]
    }

    private func search(_ before: [Turn], query: String?) -> [ModuleTask] {
        let decision = ModuleTask(
            ModuleInput(.searchDecision, turns: before), .decision(query != nil), others: [.decision(query == nil)])
        guard let query else { return [decision] }
        return [decision, ModuleTask(ModuleInput(.searchQuery, turns: before), .text(query))]
    }

    /// The reply on its knowledge; without any, on the topic that it takes up, or plain.
    private func reply(_ text: String, _ before: [Turn], knowledge: Knowledge?) -> [ModuleTask] {
        if let knowledge {
            return [
                ModuleTask(ModuleInput(knowledge.kind.reply, turns: before, knowledge: [knowledge]), .text(text))
            ]
        }
        let plain = ModuleTask(ModuleInput(.plainReply, turns: before), .text(text))
        guard let topic = TalkTopic.topic(of: text, after: before.map(\.text)) else { return [plain] }
        return [
            plain, ModuleTask(ModuleInput(.topicKnowledge, turns: before), .text(topic)),
            ModuleTask(
                ModuleInput(.topicReply, turns: before, knowledge: [Knowledge(.topic, topic)]), .text(text)),
        ]
    }

    // MARK: Recorded memories

    /// Recorded memories stand as `owner: memory`; the owner's name is the recording system's own.
    static func facts(_ recorded: [String]) -> [Fact] { recorded.map(fact) }

    static func fact(_ recorded: String) -> Fact {
        let parts = recorded.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let owner = owners[parts[0].lowercased().trimmingCharacters(in: .whitespaces)] else {
            return Fact(.person, recorded)
        }
        return Fact(owner, parts[1].trimmingCharacters(in: .whitespaces))
    }

    private static let owners: [String: Memory.Owner] = [
        "bot": .bot, "your persona": .bot, "person 2's persona": .bot, "you": .bot, "self": .bot,
        "person": .person, "human": .person, "partner's persona": .person, "person 1's persona": .person,
        "the person": .person, "partner": .person, "user": .person,
    ]
}

extension ModuleTeacher {
    /// How far what a model wrote is what a task asks for: 1 or 0 for decisions, F1 of words for texts, 1 where both say nothing.
    public static func agreement(of output: String, with task: ModuleTask, style: any PromptStyle) -> Double {
        switch task.answer {
        case .decision(let isYes): style.decision(output, of: task.module) == isYes ? 1 : 0
        case .nothing: style.answer(output, of: task.module).isEmpty ? 1 : 0
        case .text(let text): WordOverlap.f1(style.answer(output, of: task.module), text)
        }
    }
}
