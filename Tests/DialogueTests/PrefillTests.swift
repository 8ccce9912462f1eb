import Conversations
import Dialogue
import Testing

/// What a turn costs: tokens that have to be prefilled, with the history read once for all modules and turns, against a
/// pipeline that reads every prompt from its beginning. Tokens are counted by a fake tokenizer: words and marks.
@Suite("Dialogue: what a turn costs")
struct PrefillTests {
    /// A prefix cache of the simplest kind: knows every sequence it has seen, and reuses the longest common beginning.
    final class PrefixCounter {
        private var seen: [[Int]] = []
        private var ids: [Substring: Int] = [:]
        private(set) var naive = 0
        private(set) var prefilled = 0
        private(set) var calls = 0

        func read(_ prompt: ModulePrompt, drawn: String) {
            // Turns keep their borders: a turn that goes on is the same as far as it went.
            let tokens = Self.tokens(prompt).map(id)
            let shared = seen.map { zip($0, tokens).prefix { $0 == $1 }.count }.max() ?? 0
            naive += tokens.count
            prefilled += max(1, tokens.count - shared)
            calls += 1
            seen.append(tokens + Self.words(drawn).map(id))
            // A real cache forgets too.
            if seen.count > 16 { seen.removeFirst() }
        }

        private func id(_ word: Substring) -> Int {
            let id = ids[word] ?? ids.count
            ids[word] = id
            return id
        }

        func reset() { (naive, prefilled, calls) = (0, 0, 0) }

        static func words(_ text: String) -> [Substring] {
            text.split { $0 == " " || $0 == "\n" }
        }

        static func tokens(_ prompt: ModulePrompt) -> [Substring] {
            switch prompt {
            case .text(let text): words(text)
            case .turns(let turns):
                turns.flatMap { ["<\($0.sender.rawValue)>"] + words($0.text) } + ["<bot>"]
            }
        }
    }

    enum Kind: String, CaseIterable { case plain, topic, memory, search }

    /// Plays twenty turns of history, then measures one turn of the kind, memory writing for both sides included.
    private func cost(of kind: Kind, style: any PromptStyle, kept: Int) -> PrefixCounter {
        let counter = PrefixCounter()
        var turns: [Turn] = []
        let passage = (0..<100).map { "fact\($0)" }.joined(separator: " ")
        func play(_ kind: Kind) {
            var plan = TurnPlan.modular(style)
            plan.topic = kind == .topic ? .otherwise : .never
            let number = turns.count / 2
            turns.append(Turn(.human, "person says in turn \(number) that the weather by the sea is mild and asks why"))
            let near = [memory("I like the sea."), memory("I have a boat.")]
            var turn = ReplyTurn(plan: plan, turns: turns, sampling: Sampling())
            func answer(_ call: TurnCall) -> TurnAnswer {
                switch call {
                case .recall: return .recollection(Recollection(all: near, near: kind == .memory ? near : []))
                case .check: return .verdict(SafetyOutcome())
                case .search:
                    let documents = (0..<kept).map {
                        SearchDocument(title: "d\($0)", content: passage, url: "u\($0)")
                    }
                    return .found(SearchFindings(provider: "f", documents: documents))
                case .write(let call):
                    let text: String
                    switch call.module {
                    case .searchDecision: text = kind == .search ? "search" : "do not search"
                    case .memoryDecision: text = "access memory"
                    case .memoryKnowledge: text = "I like the sea."
                    case .searchQuery: text = "mild weather sea"
                    case .memoryWriting: text = "none"
                    case .topicKnowledge: text = "the weather by the sea"
                    default:
                        text = "sea\(number) and wind\(number) are what bot\(number) speaks\(number) of in its answer"
                    }
                    counter.read(call.prompt, drawn: text)
                    return .output(
                        ModuleOutput(
                            reply: Reply(text: text, finishReason: "stop", tokenCount: 9, meanLogProbability: -1),
                            model: "m"))
                }
            }
            var step = turn.start()
            while case .calls(let calls) = step { step = turn.resume(calls.map(answer)) }
            guard case .finished(let result) = step else { return }
            turns.append(Turn(.bot, result.text))
            let conversation = Conversation(
                id: "c", userID: "ann",
                messages: turns.enumerated().map { Message(id: "\($0)", sender: $1.sender, text: $1.text) })
            var writing = MemoryTurn(plan: plan, conversation: conversation, sampling: Sampling())
            var next = writing.start()
            while case .calls(let calls) = next { next = writing.resume(calls.map(answer)) }
        }
        for _ in 0..<20 { play(.plain) }
        counter.reset()
        play(kind)
        return counter
    }

    @Test("the history is prefilled once: four times fewer tokens at twenty turns of history", arguments: Kind.allCases)
    func instruction(kind: Kind) {
        // The naive pipeline reads five documents of a hundred words, as the reference does; here the three best passages.
        let naive = cost(of: kind, style: InstructionPrompt(), kept: 5)
        let own = cost(of: kind, style: InstructionPrompt(), kept: 3)
        let ratio = Double(naive.naive) / Double(own.prefilled)
        print(
            "turn \(kind.rawValue): \(own.calls) calls, \(own.prefilled) tokens prefilled, naive \(naive.naive): "
                + "\((ratio * 10).rounded() / 10) times fewer")
        #expect(own.calls == naive.calls && own.calls <= 7)
        #expect(ratio >= 4)
    }

    @Test("OPT's own prompts: what they share is shared", arguments: Kind.allCases)
    func opt(kind: Kind) {
        let own = cost(of: kind, style: OPTPrompt(), kept: 3)
        let naive = cost(of: kind, style: OPTPrompt(), kept: 5)
        let ratio = Double(naive.naive) / Double(own.prefilled)
        print(
            "OPT turn \(kind.rawValue): \(own.calls) calls, \(own.prefilled) tokens prefilled, naive \(naive.naive): "
                + "\((ratio * 10).rounded() / 10) times fewer")
        #expect(own.prefilled < own.naive)
        #expect(ratio > 1.2)
    }
}
