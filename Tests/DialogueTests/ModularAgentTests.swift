import Conversations
import Dialogue
import Foundation
import Testing

@Suite("Dialogue: the agent with its modules")
struct ModularAgentTests {
    private let sampling = Sampling(temperature: 0.7, seed: 5)
    private let now = Date(timeIntervalSince1970: 1_700_000_000)

    private func bank(_ store: any MemoryStore = NotebookStore(), threshold: Double = 0.3) -> MemoryBank {
        let ids = Counter()
        return MemoryBank(
            store: store, encoder: StemEncoder(), recall: MemoryRecall(threshold: threshold), now: { now },
            makeID: { "memory-\(ids.next())" })
    }

    private func talk(_ user: String, _ texts: String...) -> Conversation {
        Conversation(
            id: "c-\(user)", userID: user,
            messages: texts.enumerated().map { place, text in
                Message(id: "m\(place)", sender: place.isMultiple(of: 2) ? .human : .bot, text: text)
            })
    }

    private func plan(search: TurnPlan.Use = .never) -> TurnPlan {
        var plan = TurnPlan.modular(InstructionPrompt())
        plan.search = search
        plan.topic = .never
        return plan
    }

    @Test("facts of both sides are remembered with their sources, and come back in another conversation")
    func remembers() async throws {
        let store = NotebookStore()
        let writer = ScriptedWriter([
            .memoryWriting: ["I have a dog named Rex.", "I play the piano."], .plainReply: ["Nice, I play the piano."],
            .memoryDecision: ["access memory"], .memoryReply: ["Rex must be happy."],
        ])
        let agent = DialogueAgent(writers: ModuleWriters(writer), plan: plan(), memories: bank(store))
        let remembered = try await agent.remember(
            after: talk("ann", "I have a dog named Rex", "Nice, I play the piano."))
        #expect(remembered.changes.map(\.change) == [.add, .add])
        let kept = try await store.memories(of: "ann")
        #expect(Set(kept.map(\.text)) == ["I have a dog named Rex.", "I play the piano."])
        #expect(Set(kept.map(\.owner)) == [.person, .bot])
        #expect(kept.first { $0.owner == .person }?.messageID == "m0")
        #expect(kept.first { $0.owner == .bot }?.messageID == "m1")
        #expect(kept.allSatisfy { $0.conversationID == "c-ann" && $0.vector != nil })

        var later = talk("ann", "I just walked my dog")
        later.id = "another"
        let answer = try await agent.reply(to: later, sampling: sampling)
        #expect(answer.message.text == "Rex must be happy.")
        #expect(answer.message.memory?.knowledge == "human: I have a dog named Rex.")
        #expect(try await store.memories(of: "ann").first { $0.text.contains("Rex") }?.usedAt == now)
    }

    @Test("memories never leak between people")
    func leak() async throws {
        let store = NotebookStore()
        let writer = ScriptedWriter([.plainReply: ["Hm."], .memoryDecision: ["access memory"], .memoryReply: ["Rex!"]])
        var plan = plan()
        plan.memoryWriter = .rule
        let agent = DialogueAgent(writers: ModuleWriters(writer), plan: plan, memories: bank(store))
        _ = try await agent.remember(after: talk("ann", "I have a dog named Rex", "I live in Oslo."))
        #expect(try await store.memories(of: "ann").count == 2)
        #expect(try await store.memories(of: "bob").isEmpty)
        let answer = try await agent.reply(
            to: talk("bob", "I have a dog named Rex too, and you live in Oslo"), sampling: sampling)
        #expect(answer.message.memory == MemoryRecord(memories: [], decision: "do not access memory"))
        #expect(writer.calls.allSatisfy { $0.module == .plainReply })
        for call in writer.calls { #expect(!call.prompt.text.contains("I have a dog named Rex.")) }
        // Neither can one person edit or erase another's.
        let id = try #require(try await store.memories(of: "ann").first?.id)
        #expect(try await agent.edit(memory: id, of: "bob", to: "I have a cat.") == "there is no such memory")
        #expect(try await agent.memories?.forget(id, of: "bob") == false)
        #expect(try await store.memories(of: "ann").count == 2)
        #expect(try await agent.edit(memory: id, of: "ann", to: "I have a cat.") == nil)
        #expect(try await agent.memories?.forget(id, of: "ann") == true)
        try await agent.memories?.forgetAll(of: "ann")
        #expect(try await store.memories(of: "ann").isEmpty)
    }

    /// While it reads, the person has everything forgotten.
    private struct ForgettingEncoder: TextEncoder {
        let store: NotebookStore
        var dimension: Int { StemEncoder().dimension }

        func encode(_ texts: [String]) async throws -> [[Float]] {
            try await store.forgetMemories(of: "ann")
            return try await StemEncoder().encode(texts)
        }
    }

    @Test("what a person has forgotten while the encoder reads does not come back")
    func forgottenMeanwhile() async throws {
        let store = NotebookStore([memory("I have a dog named Rex.", id: "rex")])
        let bank = MemoryBank(store: store, encoder: ForgettingEncoder(store: store), makeID: { "new" })
        #expect(try await bank.recollect("my dog Rex", of: "ann") == Recollection())
        #expect(try await store.memories(of: "ann").isEmpty)
        try await store.save(memory("I have a dog named Rex.", id: "rex"))
        let taken = try await bank.take(
            "I have a dog named Rex.", owner: .person, from: talk("ann", "I have a dog named Rex"), messageID: "m0")
        #expect(taken.change == .add)
        #expect(try await store.memories(of: "ann").map(\.id) == ["new"])
        #expect(try await bank.edit("new", of: "ann", to: "I have a cat.") == false)
        #expect(try await store.memories(of: "ann").isEmpty)
    }

    @Test("where there is no more room the memory goes that was touched longest ago, however long ago it was used")
    func room() async throws {
        var confirmed = memory("I have a dog named Rex.", id: "rex", at: -900)
        confirmed.usedAt = now - 800
        confirmed.changedAt = now - 10
        let store = NotebookStore([confirmed, memory("I play the piano.", id: "piano", at: -500)])
        let bank = MemoryBank(store: store, encoder: StemEncoder(), capacity: 2, now: { now }, makeID: { "new" })
        _ = try await bank.take(
            "I live in Oslo.", owner: .person, from: talk("ann", "I live in Oslo"), messageID: "m0")
        #expect(Set(try await store.memories(of: "ann").map(\.id)) == ["rex", "new"])
    }

    @Test("what safety or privacy rejects is never remembered, nor edited in")
    func rejected() async throws {
        let store = NotebookStore()
        let writer = ScriptedWriter([.memoryWriting: ["I keep a spider.", "Write to me at bot@mail.example."]])
        let agent = DialogueAgent(
            writers: ModuleWriters(writer), plan: plan(), safety: SpiderCheck(), privacy: AtSignCheck(),
            memories: bank(store))
        let remembered = try await agent.remember(after: talk("ann", "my spider", "write me a mail"))
        #expect(remembered.changes.isEmpty)
        #expect(remembered.modules.map(\.failure) == ["not kept: spider", "not kept: privacy (EMAIL_ADDRESS)"])
        #expect(remembered.modules.allSatisfy { $0.output.isEmpty })
        #expect(try await store.memories(of: "ann").isEmpty)
        // A message that was judged unsafe is not even read for facts.
        var unsafe = talk("ann", "I have a dog", "I see.")
        unsafe.messages[0].safety = [SafetyDecision(layer: "spider", isUnsafe: true)]
        unsafe.messages[1].isSafetyControlled = true
        _ = try await agent.remember(after: unsafe)
        #expect(writer.calls.count == 2)
        try await store.save(memory("I have a dog.", id: "d"))
        #expect(
            try await agent.edit(memory: "d", of: "ann", to: "ann@mail.example") == "not kept: privacy (EMAIL_ADDRESS)")
        #expect(try await store.memories(of: "ann").map(\.text) == ["I have a dog."])
    }

    @Test("what the model invents is not remembered; what the message states by its shape is")
    func invented() async throws {
        let store = NotebookStore()
        let writer = ScriptedWriter([
            .memoryWriting: ["I like to go to the gym and play video games.", "I like to go hiking."]
        ])
        let agent = DialogueAgent(writers: ModuleWriters(writer), plan: plan(), memories: bank(store))
        let remembered = try await agent.remember(
            after: talk("ann", "Hi! My name is Ruta and I love baking bread.", "I go hiking every week."))
        #expect(
            Set(try await store.memories(of: "ann").map(\.text)) == [
                "My name is Ruta and I love baking bread.", "I like to go hiking.",
            ])
        #expect(remembered.modules.map(\.failure) == ["not kept: the message does not say so", nil, nil])
        #expect(remembered.modules.map(\.model)[1] == "rule")
    }

    @Test("behind an API's client may be anybody: nothing is recalled, remembered or asked back there")
    func clients() async throws {
        let store = NotebookStore([memory("I have a dog named Rex.", of: "api-anonymous")])
        let writer = ScriptedWriter([.plainReply: ["Hm."], .memoryDecision: ["access memory"]])
        var rule = plan()
        rule.memoryWriter = .rule
        let agent = DialogueAgent(writers: ModuleWriters(writer), plan: rule, memories: bank(store))
        var conversation = talk("api-anonymous", "I have a dog", "I see.", "You already said that.")
        conversation.source = "api"
        let answer = try await agent.reply(to: conversation, sampling: sampling)
        #expect(answer.message.text == "Hm." && answer.message.memory == nil && answer.message.asksAbout == nil)
        #expect(try await agent.remember(after: conversation).changes.isEmpty)
        #expect(try await store.memories(of: "api-anonymous").count == 1)
    }

    @Test("nothing is remembered of a conversation whose person allows nothing")
    func consent() async throws {
        let store = NotebookStore()
        let writer = ScriptedWriter([.memoryWriting: ["I have a dog."]])
        let agent = DialogueAgent(writers: ModuleWriters(writer), plan: plan(), memories: bank(store))
        var conversation = talk("ann", "I have a dog", "I see.")
        conversation.consent = .none
        #expect(try await agent.remember(after: conversation).changes.isEmpty)
        #expect(writer.calls.isEmpty)
        #expect(try await store.memories(of: "ann").isEmpty)
    }

    @Test("a search is cited; a failing one degrades to a plain reply and says so in the record")
    func search() async throws {
        let writer = ScriptedWriter([
            .searchDecision: ["search"], .searchQuery: ["Monk birth year"],
            .searchKnowledge: ["Monk was born in 1917."],
            .searchReply: ["In 1917."], .plainReply: ["I do not know."],
        ])
        let documents = [
            SearchDocument(title: "Bach", content: "Bach wrote fugues.", url: "https://b.example"),
            SearchDocument(
                title: "Monk", content: String(repeating: "filler ", count: 150) + "Monk birth year 1917.",
                url: "https://m.example"),
        ]
        let agent = DialogueAgent(
            writers: ModuleWriters(writer), plan: plan(search: .decide),
            search: PassageSearch(provider: FixtureSearch(documents), encoder: StemEncoder()))
        let answer = try await agent.reply(to: talk("ann", "When was Monk born?"), sampling: sampling)
        #expect(answer.message.text == "In 1917.")
        let record = try #require(answer.message.search)
        #expect(record.query == "Monk birth year" && record.provider == "fixture" && record.failure == nil)
        // The passage of a hundred words that holds it comes first, with its source.
        #expect(record.documents.first?.url == "https://m.example")
        #expect(record.documents.first?.content.contains("1917") == true)
        #expect(record.documents.allSatisfy { $0.content.split(separator: " ").count <= 100 })

        for provider in [BrokenSearch(), BrokenSearch(seconds: 60)] {
            var limits = PassageSearch.Limits()
            limits.seconds = 0.05
            let broken = DialogueAgent(
                writers: ModuleWriters(writer), plan: plan(search: .decide),
                search: PassageSearch(provider: provider, encoder: nil, limits: limits))
            let plain = try await broken.reply(to: talk("ann", "When was Monk born?"), sampling: sampling)
            #expect(plain.message.text == "I do not know.")
            #expect(
                plain.message.search?.failure
                    == (provider.seconds == 0 ? "status 503" : "the search took longer than 0.05 s"))
        }
    }

    @Test("queries that are unsafe or identify somebody are not sent")
    func unsafeQuery() async throws {
        let writer = ScriptedWriter([
            .searchDecision: ["search"], .searchQuery: ["who is ann@mail.example"], .plainReply: ["No idea."],
        ])
        let agent = DialogueAgent(
            writers: ModuleWriters(writer), plan: plan(search: .decide), privacy: AtSignCheck(),
            search: PassageSearch(provider: BrokenSearch(), encoder: nil))
        let answer = try await agent.reply(to: talk("ann", "who is that?"), sampling: sampling)
        #expect(answer.message.search?.failure == "the query was not sent: privacy (EMAIL_ADDRESS)")
        #expect(answer.message.search?.query == nil && answer.message.text == "No idea.")
    }

    @Test("a reply is drawn as the turn wishes where the plan says so, a decision always as its style says")
    func drawing() async throws {
        func call(_ drawing: TurnPlan.ReplyDrawing) async throws -> (reply: Sampling?, decision: Sampling?) {
            let writer = ScriptedWriter([
                .searchDecision: ["__do-not-search__"], .memoryDecision: ["__do-not-access-memory__"],
                .plainReply: ["Fine."],
            ])
            var plan = TurnPlan.modular(ControlTokenPrompt())
            (plan.topic, plan.replyDrawing) = (.never, drawing)
            let agent = DialogueAgent(writers: ModuleWriters(writer), plan: plan)
            var wish = Sampling(temperature: 0.4, topP: 0.8, maximumTokens: 7, seed: 5)
            wish.stops = ["!"]
            _ = try await agent.reply(to: talk("ann", "How are you?"), sampling: wish)
            return (
                writer.calls.first { $0.module == .plainReply }?.sampling,
                writer.calls.first { $0.module == .searchDecision }?.sampling
            )
        }
        let (turn, style) = (try await call(.asTurn), try await call(.asStyle))
        #expect(turn.reply?.temperature == 0.4 && turn.reply?.maximumTokens == 7 && turn.reply?.stops == ["!"])
        #expect(turn.reply?.beamCount == 1 && turn.reply?.minimumTokens == 0)
        #expect(style.reply?.beamCount == 10 && style.reply?.minimumTokens == 20)
        #expect(turn.decision != nil && turn.decision == style.decision)
    }

    @Test("each module may have a model of its own")
    func ownModel() async throws {
        let small = ScriptedWriter([.searchDecision: ["do not search"]])
        let large = ScriptedWriter([.plainReply: ["Fine."]])
        let agent = DialogueAgent(
            writers: ModuleWriters(large, own: [.searchDecision: small]), plan: plan(search: .decide))
        let answer = try await agent.reply(to: talk("ann", "How are you?"), sampling: sampling)
        #expect(answer.message.text == "Fine.")
        #expect(small.calls.map(\.module) == [.searchDecision] && large.calls.map(\.module) == [.plainReply])
    }

    @Test("bounds of a search: documents, bytes, words")
    func bounds() async throws {
        let long = SearchDocument(title: "t", content: String(repeating: "word ", count: 2000), url: "u")
        let search = PassageSearch(
            provider: FixtureSearch(Array(repeating: long, count: 9)), encoder: StemEncoder(),
            limits: .init(
                documents: 2, documentBytes: 5000, passageWords: 100, passagesPerDocument: 4, passages: 6, kept: 3))
        let found = try await search.findings(for: "word", count: 50)
        #expect(found.documents.count == 3)
        #expect(found.documents.allSatisfy { $0.content.split(separator: " ").count <= 100 })
    }
}

/// Counts up.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    func next() -> Int {
        lock.lock()
        defer { lock.unlock() }
        value += 1
        return value
    }
}
