import Conversations
import Dialogue
import Testing

@Suite("Dialogue: looking inside")
struct LookInsideTests {
    @Test("every decision, query, document, memory and verdict has its line; sources are cited once")
    func lines() {
        let document = SearchDocument(title: "Monk", content: "born in\n1917", url: "https://m.example")
        var message = Message(
            id: "r", sender: .bot, text: "In 1917.",
            search: SearchRecord(
                decision: "search", query: "monk", knowledge: "Monk was born in 1917.",
                documents: [document, document],
                provider: "fixture"),
            memory: MemoryRecord(
                memories: ["human: I like jazz."], decision: "access memory", knowledge: "human: I like jazz."),
            modules: [
                ModuleRecord(
                    module: "sdm", model: "m", output: "search", promptTokens: 40, cachedTokens: 30, tokens: 1),
                ModuleRecord(module: "srm", model: "m", output: "", failure: "unsafe: classifier"),
            ], safety: [SafetyDecision(layer: "classifier", isUnsafe: false, score: 0.12345)])
        let said = Message(
            id: "m", sender: .human, text: "?",
            safety: [SafetyDecision(layer: "topic_matcher", isUnsafe: true, category: "medical")])
        #expect(
            LookInside.lines(of: message, answering: said) == [
                "safety of what you said: topic_matcher UNSAFE (medical)", "search decision: search",
                "query: monk (fixture)", "document [1] Monk https://m.example: born in 1917",
                "document [2] Monk https://m.example: born in 1917", "search knowledge: Monk was born in 1917.",
                "memory decision: access memory (1 known)", "memory used: human: I like jazz.",
                "module sdm by m, prompt 40 (30 known): search", "module srm by m — unsafe: classifier",
                "safety of the reply: classifier ok 0.123",
            ])
        #expect(LookInside.citations(of: message) == ["[1] Monk, https://m.example"])
        message.isSafetyControlled = true
        #expect(LookInside.citations(of: message).isEmpty, "a canned reply stands on nothing that was found")
        message.isSafetyControlled = false
        message.search = SearchRecord(decision: "search", documents: [document], failure: "status 503")
        #expect(LookInside.lines(of: message).contains("no search: status 503"))
        #expect(LookInside.citations(of: message).isEmpty)
    }

    @Test("a plain chat model is shown a memory as a turn before the talk")
    func plainMemory() async throws {
        let store = NotebookStore([memory("I have a dog named Rex.")])
        let generator = ScriptedGenerator(["Give Rex a treat."])
        var plan = TurnPlan.plain
        plan.memory = .decide
        plan.memoryWriter = .rule
        let agent = DialogueAgent(
            writers: ModuleWriters(ChatWriter(generator)), plan: plan,
            memories: MemoryBank(store: store, encoder: StemEncoder()))
        let answer = try await agent.reply(to: talk("What about my dog?"), sampling: Sampling())
        #expect(
            generator.turns == [Turn(.human, "I have a dog named Rex."), Turn(.human, "What about my dog?")])
        #expect(answer.message.memory?.knowledge == "human: I have a dog named Rex.")
        #expect(answer.message.memory?.decision == "access memory")
    }
}
