import Conversations
import Dialogue
import Testing

@Suite("Dialogue: the agent")
struct DialogueAgentTests {
    private let sampling = Sampling(temperature: 0.7, topP: 0.9, seed: 5)

    @Test("A reply carries its making")
    func record() async throws {
        let agent = DialogueAgent(generator: ScriptedGenerator([" I like", " tea. \n"]), makeID: { "r1" })
        let answer = try await agent.reply(to: talk("Hello"), sampling: sampling)
        #expect(agent.modelID == "scripted-1")
        #expect(
            answer.message
                == Message(
                    id: "r1", sender: .bot, text: "I like tea.",
                    generation: GenerationRecord(
                        model: "scripted-1", temperature: 0.7, topP: 0.9, seed: 5, meanLogProbability: -0.5),
                    modules: [ModuleRecord(module: "vrm", model: "scripted-1", output: "", tokens: 2)]))
        #expect(answer.finishReason == "length" && answer.tokenCount == 2)
    }

    @Test("The model does not see feedback turns")
    func feedbackTurns() async throws {
        var conversation = talk("Hello", "Go away.")
        conversation.messages.append(
            Message(id: "f", sender: .human, text: "You should have said hello.", isDislikeFeedback: true))
        conversation.messages.append(Message(id: "n", sender: .human, text: "How are you?"))
        let generator = ScriptedGenerator(["Fine."])
        _ = try await DialogueAgent(generator: generator).reply(to: conversation, sampling: sampling)
        #expect(generator.turns == [Turn(.human, "Hello"), Turn(.bot, "Go away."), Turn(.human, "How are you?")])
    }

    @Test("An unsafe message gets a canned reply and no call of the model", arguments: [nil, "Let us talk about tea."])
    func unsafePerson(canned: String?) async throws {
        let generator = ScriptedGenerator(["Fine."])
        let log = EventLog()
        let agent = DialogueAgent(generator: generator, safety: SpiderCheck(canned: canned))
        let answer = try await agent.reply(to: talk("Hi", "Hello", "a spider"), sampling: sampling) { log.add($0) }
        #expect(generator.calls.isEmpty && log.all.isEmpty)
        #expect(answer.message.text == canned ?? CannedReplies().toUnsafePerson)
        #expect(answer.message.isSafetyControlled && answer.message.isCanned)
        #expect(answer.message.interactionFailure == "unsafe_Human")
        #expect(answer.message.safety == [SafetyDecision(layer: "spider", isUnsafe: true)])
        #expect(answer.personDecisions == answer.message.safety)
        #expect(answer.message.generation == nil && answer.tokenCount == 0)
    }

    @Test("An unsafe reply is drawn again with another seed, and never shown")
    func unsafeReplyOnce() async throws {
        let log = EventLog()
        let generator = ScriptedGenerator(["a spi", "der"], ["a ca", "t"], log: log)
        let agent = DialogueAgent(generator: generator, safety: SpiderCheck(log: log))
        let answer = try await agent.reply(to: talk("Hi"), sampling: sampling) { log.add("send \($0)") }
        #expect(
            log.all == [
                "check person Hi after 0", "draw a spi", "draw der", "check reply a spider after 1", "draw a ca",
                "draw t", "check reply a cat after 1", "send a ca", "send t",
            ])
        #expect(answer.message.text == "a cat" && !answer.message.isSafetyControlled)
        #expect(answer.message.safety == [SafetyDecision(layer: "spider", isUnsafe: false)])
        #expect(generator.calls.count == 2 && generator.calls[0].seed == 5 && generator.calls[1].seed != 5)
        #expect(answer.message.generation?.seed == generator.calls[1].seed)
    }

    @Test("After two unsafe replies comes a canned one")
    func unsafeReplyTwice() async throws {
        let log = EventLog()
        let generator = ScriptedGenerator(["a spider"])
        let agent = DialogueAgent(generator: generator, safety: SpiderCheck())
        let answer = try await agent.reply(to: talk("Hi"), sampling: sampling) { log.add($0) }
        #expect(generator.calls.count == 2 && log.all.isEmpty)
        #expect(answer.message.text == CannedReplies().forUnsafeReply)
        #expect(answer.message.isSafetyControlled && answer.message.interactionFailure == "unsafe_BlenderBot3")
        #expect(answer.message.safety == [SafetyDecision(layer: "spider", isUnsafe: true)])
        #expect(answer.message.generation == nil)
    }

    @Test("An empty reply is drawn again, then owned up to")
    func empty() async throws {
        let first = try await DialogueAgent(generator: ScriptedGenerator([" \n"], ["Yes."]))
            .reply(to: talk("Hi"), sampling: sampling)
        #expect(first.message.text == "Yes." && first.message.interactionFailure == nil)

        let generator = ScriptedGenerator([" "])
        let answer = try await DialogueAgent(generator: generator).reply(to: talk("Hi"), sampling: sampling)
        #expect(generator.calls.count == 2)
        #expect(answer.message.text == CannedReplies().forNoReply)
        #expect(answer.message.interactionFailure == "unsafe_model_crash")
        #expect(answer.message.extra == ["from_model_crash": .bool(true)])
        #expect(answer.message.isCanned && !answer.message.isSafetyControlled)
    }

    @Test("A failing generator's error comes through")
    func failure() async {
        let generator = ScriptedGenerator(fails: true)
        await #expect(throws: ScriptedGenerator.Failure.self) {
            try await DialogueAgent(generator: generator).reply(to: talk("Hi"), sampling: sampling)
        }
        #expect(generator.calls.count == 1)
    }

    @Test("A repeated reply is drawn again; the first stays where the second is no better")
    func repetition() async throws {
        let log = EventLog()
        let conversation = talk("Hi", "I like  Tea.", "And?")
        let other = try await DialogueAgent(generator: ScriptedGenerator(["i like", " tea."], ["I like", " milk."]))
            .reply(to: conversation, sampling: sampling) { log.add($0) }
        #expect(other.message.text == "I like milk.")
        // "I like" could still have become the same reply: it came out with what made it another one.
        #expect(log.all == ["I like milk."])

        for second in ["I LIKE TEA.", " "] {
            let generator = ScriptedGenerator(["i like tea."], [second])
            let log = EventLog()
            let same = try await DialogueAgent(generator: generator)
                .reply(to: conversation, sampling: sampling) { log.add($0) }
            #expect(same.message.text == "i like tea." && same.message.generation?.seed == 5)
            #expect(log.all == ["i like tea."] && generator.calls.count == 2)
        }
    }

    @Test("Greedy drawing is not tried twice: it would say the same")
    func greedy() async throws {
        let generator = ScriptedGenerator([""])
        _ = try await DialogueAgent(generator: generator).reply(to: talk("Hi"), sampling: Sampling(temperature: 0))
        #expect(generator.calls.count == 1)
    }

    @Test(
        "The bot never talks for the person",
        arguments: [
            ("I am well.\nPerson: And I?", "I am well."), ("I am well. <|person|>Good", "I am well."),
            ("Bot: I am well.\n  HUMAN: Good", "I am well."), ("One.\nTwo.", "One.\nTwo."),
            ("I am a person: you too", "I am a person: you too"), ("1 <| 2", "1 <| 2"),
            ("Person 2: Yes.\nPerson 1: No.", "Yes."), ("Fine.\nPerson", "Fine.\nPerson"),
            ("Bottles: many", "Bottles: many"),
        ])
    func markers(raw: String, expected: String) async throws {
        // Scalar by scalar, so that every marker is torn apart; and in one piece.
        for pieces in [raw.map { String($0) }, [raw]] {
            let log = EventLog()
            let answer = try await DialogueAgent(generator: ScriptedGenerator(pieces))
                .reply(to: talk("Hi"), sampling: sampling) { log.add($0) }
            #expect(answer.message.text == expected)
            #expect(log.all.joined() == expected)
        }
    }

    @Test("A reply that only talks for the person counts as empty")
    func onlyPerson() async throws {
        let answer = try await DialogueAgent(generator: ScriptedGenerator(["User: I", " think"]))
            .reply(to: talk("Hi"), sampling: sampling)
        #expect(answer.message.interactionFailure == "unsafe_model_crash")
    }

    @Test("Without a safety check pieces come out while the reply is drawn")
    func streaming() async throws {
        let log = EventLog()
        let generator = ScriptedGenerator([" I", " like ", "tea", ". "], log: log)
        _ = try await DialogueAgent(generator: generator)
            .reply(to: talk("Hi"), sampling: sampling) { log.add("send \($0)") }
        #expect(
            log.all == [
                "draw  I", "send I", "draw  like ", "send  like", "draw tea", "send  tea", "draw . ", "send .",
            ])
    }
}
