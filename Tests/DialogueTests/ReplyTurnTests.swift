import Conversations
import Dialogue
import Testing

/// The turn played by hand: calls out, answers in.
@Suite("Dialogue: the turn as a state machine")
struct ReplyTurnTests {
    private let turns = [
        Turn(.human, "Hi, I like jazz."), Turn(.bot, "So do I."), Turn(.human, "When was Monk born?"),
    ]
    private let sampling = Sampling(temperature: 0.7, topP: 0.9, seed: 5)
    private let documents = [SearchDocument(title: "Monk", content: "Monk was born in 1917.", url: "https://a.example")]

    private func said(_ text: String, _ probability: Double = -1) -> TurnAnswer {
        .output(
            ModuleOutput(
                reply: Reply(text: text, finishReason: "stop", tokenCount: 4, meanLogProbability: probability),
                model: "m"))
    }

    private func modules(_ step: ReplyTurn.Step) -> [DialogueModule] {
        guard case .calls(let calls) = step else { return [] }
        return calls.compactMap { if case .write(let call) = $0 { call.module } else { nil } }
    }

    private func result(_ step: ReplyTurn.Step) throws -> TurnResult {
        guard case .finished(let result) = step else {
            throw DialogueError("the turn is not finished: \(step)")
        }
        return result
    }

    private let fine = TurnAnswer.verdict(SafetyOutcome())

    @Test("a whole turn with a search and a memory, in the order of the paper")
    func wholeTurn() throws {
        var turn = ReplyTurn(plan: .modular(OPTPrompt()), turns: turns, lastReplyID: "b", sampling: sampling)
        guard case .calls(let first) = turn.start() else { return }
        #expect(
            first == [
                .check(.person("When was Monk born?", context: Array(turns.prefix(2)))),
                .recall("When was Monk born?"),
            ])
        let near = [memory("I like jazz."), memory("I play the piano.", owner: .bot)]
        var step = turn.resume([fine, .recollection(Recollection(all: near, near: near))])
        // Independent calls come together.
        #expect(modules(step) == [.searchDecision, .memoryDecision])
        step = turn.resume([said("search"), said("access memory")])
        #expect(modules(step) == [.searchQuery, .memoryKnowledge])
        step = turn.resume([said(" Monk born"), said("Person 1's Persona: I like jazz.")])
        #expect(step == .calls([.check(.query("Monk born"))]))
        step = turn.resume([fine])
        #expect(step == .calls([.search("Monk born", count: 5)]))
        step = turn.resume([.found(SearchFindings(provider: "fixture", documents: documents))])
        #expect(modules(step) == [.searchKnowledge])
        step = turn.resume([said("Monk was born in 1917.")])
        #expect(modules(step) == [.searchReply])
        guard case .calls(let calls) = step, case .write(let call) = calls[0] else { return }
        #expect(
            call.prompt.text.hasSuffix(
                "Personal Fact: Person 1's Persona: I like jazz.\nInteresting Fact: Monk was born in 1917.\nPerson 2:"))
        #expect(call.sampling.seed == 5 && call.sampling.factualNucleus != nil)
        step = turn.resume([said(" In 1917, and you like jazz.")])
        #expect(step == .calls([.check(.reply("In 1917, and you like jazz.", context: turns))]))
        let done = try result(turn.resume([fine]))
        #expect(done.text == "In 1917, and you like jazz.")
        #expect(
            done.search
                == SearchRecord(
                    decision: "search", query: "Monk born", knowledge: "Monk was born in 1917.", documents: documents,
                    provider: "fixture"))
        #expect(
            done.memory
                == MemoryRecord(
                    memories: ["human: I like jazz.", "bot: I play the piano."], decision: "access memory",
                    knowledge: "human: I like jazz."))
        #expect(done.usedMemoryID == "I like jazz.")
        #expect(done.modules.map(\.module) == ["sdm", "mdm", "sgm", "mkm", "skm", "srm"])
        #expect(done.modules.allSatisfy { $0.failure == nil && $0.model == "m" })
    }

    @Test("words that were never answered are looked at with the last ones; what came before is their context")
    func unanswered() throws {
        let said = [
            Turn(.human, "Hi"), Turn(.bot, "Hello."), Turn(.human, "a spider"), Turn(.human, "and?"),
        ]
        var turn = ReplyTurn(plan: .plain, turns: said, sampling: sampling)
        #expect(turn.start() == .calls([.check(.person("a spider\nand?", context: Array(said.prefix(2))))]))
        // From the beginning where the bot has said nothing yet.
        turn = ReplyTurn(plan: .plain, turns: Array(said.suffix(2)), sampling: sampling)
        #expect(turn.start() == .calls([.check(.person("a spider\nand?", context: []))]))
    }

    @Test("nothing chosen: the topic is the knowledge; without topics a plain reply")
    func nothingChosen() throws {
        var plan = TurnPlan.modular(OPTPrompt())
        var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
        _ = turn.start()
        var step = turn.resume([fine, .recollection(Recollection())])
        // No memory bears on the words: there is nothing to decide.
        #expect(modules(step) == [.searchDecision])
        step = turn.resume([said("do not search")])
        #expect(modules(step) == [.topicKnowledge])
        step = turn.resume([said("Monk")])
        #expect(modules(step) == [.topicReply])

        plan.topic = .never
        turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
        _ = turn.start()
        _ = turn.resume([fine, .recollection(Recollection())])
        step = turn.resume([said("do not search")])
        #expect(modules(step) == [.plainReply])
        plan.replyStyle = "kind"
        turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
        _ = turn.start()
        _ = turn.resume([fine, .recollection(Recollection())])
        #expect(modules(turn.resume([said("do not search")])) == [.styleReply])
    }

    @Test("a topic that nobody spoke of is no knowledge: the reply is plain, and the record says why")
    func inventedTopic() throws {
        var plan = TurnPlan.modular(OPTPrompt())
        (plan.search, plan.memory, plan.topic) = (.never, .never, .always)
        for (topic, module) in [("football", DialogueModule.plainReply), ("jazz music", .topicReply)] {
            var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
            _ = turn.start()
            _ = turn.resume([fine])
            #expect(modules(turn.resume([said(topic)])) == [module])
            _ = turn.resume([said("Well.")])
            let done = try result(turn.resume([fine]))
            let record = done.modules.first { $0.module == "ckm" }
            #expect(record?.failure == (module == .plainReply ? "nobody spoke of it" : nil))
        }
    }

    @Test("an unknown decision counts as no and is recorded")
    func unknownDecision() throws {
        var plan = TurnPlan.modular(OPTPrompt())
        plan.topic = .never
        var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
        _ = turn.start()
        _ = turn.resume([fine, .recollection(Recollection())])
        #expect(modules(turn.resume([said("perhaps")])) == [.plainReply])
        _ = turn.resume([said("Fine.")])
        let done = try result(turn.resume([fine]))
        #expect(done.search?.decision == "do not search")
        #expect(done.modules[0].failure == "neither yes nor no: counted as no")
    }

    @Test("a memory that a model made up is thrown away")
    func madeUpMemory() throws {
        let near = [memory("I like jazz."), memory("I am 30.")]
        var plan = TurnPlan.modular(OPTPrompt())
        plan.search = .never
        var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
        _ = turn.start()
        _ = turn.resume([fine, .recollection(Recollection(all: near, near: near))])
        _ = turn.resume([said("access memory")])
        let step = turn.resume([said("I like rock.")])
        #expect(modules(step) == [.plainReply])
        _ = turn.resume([said("Fine.")])
        let done = try result(turn.resume([fine]))
        #expect(done.memory?.knowledge == nil && done.usedMemoryID == nil)
        #expect(done.modules.first { $0.module == "mkm" }?.failure == "no memory says so")
    }

    @Test("a memory that a model copied badly is the one that it meant, as it is kept")
    func badlyCopiedMemory() {
        let near = ["I like jazz.", "I read all kinds of books, but I also watch movies.", "I have two dogs."].map {
            memory($0)
        }
        let recollection = Recollection(all: near, near: near)
        #expect(recollection.meant(by: "i have two dogs")?.text == "I have two dogs.")
        #expect(recollection.meant(by: "I like to watch movies.")?.text == near[1].text)
        #expect(recollection.meant(by: "I have dogs.")?.text == "I have two dogs.")
        #expect(recollection.meant(by: "I like rock.") == nil && recollection.meant(by: "") == nil)
        #expect(Recollection().meant(by: "I like jazz.") == nil)
    }

    @Test("a failed search, an empty one, a failed query: a reply all the same, and the record says why")
    func searchFails() throws {
        var plan = TurnPlan.modular(OPTPrompt())
        plan.memory = .never
        func play(_ query: TurnAnswer, _ checked: TurnAnswer?, _ found: TurnAnswer?) throws -> TurnResult {
            var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
            _ = turn.start()
            _ = turn.resume([fine])
            _ = turn.resume([said("search")])
            var step = turn.resume([query])
            if let checked { step = turn.resume([checked]) }
            if let found { step = turn.resume([found]) }
            #expect(modules(step) == [.topicKnowledge])
            step = turn.resume([said("Monk")])
            #expect(modules(step) == [.topicReply])
            _ = turn.resume([said("A pianist.")])
            return try result(turn.resume([fine]))
        }
        #expect(try play(said("monk"), fine, .failure("status 503")).search?.failure == "status 503")
        let empty = try play(said("monk"), fine, .found(SearchFindings(provider: "p", documents: [])))
        #expect(empty.search?.failure == "nothing was found" && empty.search?.provider == "p")
        #expect(try play(.failure("timed out"), nil, nil).search?.failure == "no query was written")
        // Defect 2.8: the words of a failure never become knowledge.
        let unsafe = TurnAnswer.verdict(
            SafetyOutcome(
                decisions: [SafetyDecision(layer: "privacy", isUnsafe: true, category: "EMAIL_ADDRESS")], isUnsafe: true
            ))
        let refused = try play(said("ann@mail.example"), unsafe, nil)
        #expect(refused.search?.failure == "the query was not sent: privacy (EMAIL_ADDRESS)")
        #expect(refused.search?.query == nil)
    }

    @Test("defect 2.8: what a failed module says is not knowledge")
    func failedModule() throws {
        var plan = TurnPlan.modular(OPTPrompt())
        plan.search = .never
        plan.memory = .never
        plan.topic = .always
        for answer in [TurnAnswer.failure("METASEQ RESPONSE FAILED."), said("METASEQ RESPONSE FAILED.")] {
            var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
            _ = turn.start()
            let step = turn.resume([fine])
            #expect(modules(step) == [.topicKnowledge])
            #expect(modules(turn.resume([answer])) == [.plainReply])
        }
    }

    @Test("defect 2.8: of separate replies the most probable is said; each module is told apart by its name")
    func separate() throws {
        var plan = TurnPlan.modular(OPTPrompt())
        plan.search = .always
        plan.memory = .always
        plan.topic = .always
        plan.conditioning = .separate
        func play(_ conditioning: TurnPlan.Conditioning, _ probabilities: [Double]) throws -> TurnResult {
            plan.conditioning = conditioning
            var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
            _ = turn.start()
            let near = [memory("I like jazz.")]
            var step = turn.resume([fine, .recollection(Recollection(all: near, near: near))])
            // One memory near: it needs no choosing.
            #expect(modules(step) == [.searchQuery, .topicKnowledge])
            _ = turn.resume([said("monk"), said("Monk")])
            _ = turn.resume([fine])
            _ = turn.resume([.found(SearchFindings(provider: "p", documents: documents))])
            step = turn.resume([said("Born in 1917.")])
            let expected: [DialogueModule] =
                (conditioning == .both ? [.searchReply] : []) + [.topicReply, .memoryReply, .searchReply]
            #expect(modules(step) == expected)
            guard case .calls(let calls) = step else { return TurnResult() }
            for case .write(let call) in calls.suffix(3) {
                let own: [DialogueModule: String] = [
                    .topicReply: "Previous Topic: Monk",
                    .memoryReply: "Personal Fact: Person 1's Persona: I like jazz.",
                    .searchReply: "Interesting Fact: Born in 1917.",
                ]
                #expect(call.prompt.text.hasSuffix("\n\(own[call.module] ?? "?")\nPerson 2:"))
            }
            let texts = ["combined", "topic", "memory", "search"].suffix(expected.count)
            step = turn.resume(zip(texts, probabilities).map { said($0, $1) })
            return try result(turn.resume([fine]))
        }
        #expect(try play(.separate, [-2, -0.5, -1]).text == "memory")
        #expect(try play(.separate, [-0.1, -0.5, -1]).text == "topic")
        #expect(try play(.both, [-0.5, -2, -0.5, -1]).text == "combined")
        #expect(try play(.both, [-0.6, -2, -0.5, -1]).text == "memory")
    }

    @Test("defect 2.6: an opening that names the speakers is drawn again from all the memories")
    func opening() throws {
        let known = [memory("I like jazz."), memory("I have a dog."), memory("I sing.", owner: .bot)]
        var turn = ReplyTurn(plan: .modular(OPTPrompt()), occasion: .opening, turns: [], sampling: sampling)
        #expect(turn.start() == .calls([.recall("")]))
        var step = turn.resume([.recollection(Recollection(all: known))])
        var prompts: [String] = []
        for _ in 0..<4 {
            guard case .calls(let calls) = step, case .write(let call) = calls[0] else { break }
            #expect(call.module == .opening)
            prompts.append(call.prompt.text)
            _ = turn.resume([said("Person 2: Hello, how is Person 1's dog?")])
            step = turn.resume([fine])
        }
        #expect(prompts.count == 4 && Set(prompts).count == 1)
        #expect(
            prompts[0]
                == "Person 1's Persona: I like jazz.\nPerson 1's Persona: I have a dog.\nPerson 2's Persona: I sing.\nOpening:"
        )
        let done = try result(step)
        #expect(done.memory?.memories.count == 3)
        #expect(done.isCrash)

        turn = ReplyTurn(plan: .modular(OPTPrompt()), occasion: .opening, turns: [], sampling: sampling)
        _ = turn.start()
        _ = turn.resume([.recollection(Recollection(all: known))])
        _ = turn.resume([said("Person 1 is here")])
        _ = turn.resume([fine])
        _ = turn.resume([said("Hello again, how is your dog?")])
        #expect(try result(turn.resume([fine])).text == "Hello again, how is your dog?")
    }

    @Test("a person's facts and name are not claimed by the bot")
    func identity() throws {
        let near = [memory("My name is Ann."), memory("I work as a nurse in Leeds."), memory("I like jazz.")]
        func play(_ first: String, _ second: String) throws -> TurnResult {
            var plan = TurnPlan.modular(OPTPrompt())
            plan.search = .never
            plan.topic = .never
            var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
            _ = turn.start()
            _ = turn.resume([fine, .recollection(Recollection(all: near))])
            _ = turn.resume([said(first)])
            var step = turn.resume([fine])
            if case .calls = step {
                _ = turn.resume([said(second)])
                step = turn.resume([fine])
            }
            return try result(step)
        }
        let again = try play("I'm Ann, nice to meet you.", "Nice to meet you, Ann.")
        #expect(again.text == "Nice to meet you, Ann.")
        #expect(again.modules.map(\.failure) == ["takes persons part", nil])
        #expect(try play("I work as a nurse in Leeds.", "You work as a nurse.").text == "You work as a nurse.")
        // Both times: better no reply of the model than somebody else's life.
        #expect(try play("I'm Ann.", "My name is Ann!").isCrash)
        for fine in ["I like jazz too.", "I like jazz.", "You work as a nurse in Leeds, right?"] {
            #expect(try play(fine, "never").text == fine)
        }
    }

    @Test("decoding of one module is set alone, and so is its prompt style")
    func ownSettings() throws {
        var plan = TurnPlan.modular(OPTPrompt())
        plan.memory = .never
        plan.decodings[.searchDecision] = Sampling(temperature: 0.3, maximumTokens: 2)
        plan.styles[.searchQuery] = InstructionPrompt()
        var turn = ReplyTurn(plan: plan, turns: turns, sampling: sampling)
        _ = turn.start()
        guard case .calls(let calls) = turn.resume([fine]), case .write(let call) = calls[0] else { return }
        #expect(call.sampling.temperature == 0.3 && call.sampling.maximumTokens == 2 && call.sampling.seed == 5)
        guard case .calls(let next) = turn.resume([said("search")]), case .write(let query) = next[0] else { return }
        if case .text = query.prompt { Issue.record("the query's own style is turns") }
    }
}
