import Conversations
import Testing

@testable import Dialogue

@Suite("Teaching modules")
struct ModuleTeacherTests {
    private let styles: [any PromptStyle] = [InstructionPrompt(), OPTPrompt(), ControlTokenPrompt()]

    private func tasks(_ texts: [String], facts: [Fact] = []) -> [ModuleTask] {
        ModuleTeacher().tasks(
            of: texts.enumerated().map { Turn($0.offset % 2 == 0 ? .human : .bot, $0.element) }, facts: facts)
    }

    private func answers(_ tasks: [ModuleTask], _ module: DialogueModule) -> [ModuleAnswer] {
        tasks.filter { $0.module == module }.map(\.answer)
    }

    @Test("every answer is read back from what a model of the family should write")
    func roundTrip() {
        for style in styles {
            for module in [DialogueModule.searchDecision, .memoryDecision] {
                for isYes in [true, false] {
                    let output = style.written(.decision(isYes), of: module)
                    #expect(output.flatMap { style.decision($0, of: module) } == isYes, "\(style.name) \(module)")
                }
                #expect(style.written(.text("a"), of: module) == nil)
                #expect(style.written(.nothing, of: module) == nil)
            }
            let nothing = style.written(.nothing, of: .memoryWriting)
            #expect(nothing.map { style.answer($0, of: .memoryWriting) } == "", "\(style.name)")
            for module in [DialogueModule.memoryWriting, .searchQuery, .memoryKnowledge, .plainReply] {
                let output = style.written(.text("I have two\ncats."), of: module)
                #expect(output.map { style.answer($0, of: module) } == "I have two cats.", "\(style.name) \(module)")
            }
        }
        #expect(PlainPrompt().written(.decision(true), of: .searchDecision) == nil)
        #expect(PlainPrompt().written(.text("hi"), of: .plainReply) == "hi")
    }

    @Test(
        "a memory was needed when the reply says it again; otherwise not, and the other memories are the wrong answers")
    func memory() throws {
        let facts = [Fact(.bot, "I play the violin in a band."), Fact(.person, "I have two dogs.")]
        let found = tasks(
            ["What do you do at night?", "I play the violin, in a small band.", "ok", "Fine."], facts: facts)
        #expect(answers(found, .memoryDecision) == [.decision(true), .decision(false)])
        let choice = try #require(found.first { $0.module == .memoryKnowledge })
        #expect(choice.answer == .text("I play the violin in a band.") && choice.others == [.text("I have two dogs.")])
        let reply = try #require(found.first { $0.module == .memoryReply })
        #expect(reply.input.knowledge == [Knowledge(.memory, "I play the violin in a band.", owner: .bot)])
        #expect(reply.input.turns.map(\.text) == ["What do you do at night?"])
        // By hand: four words in common of five and seven without articles, 2·4/(5+7).
        #expect(
            abs(WordOverlap.f1("I play the violin in a band.", "I play violin or guitar in June") - 2.0 / 3) < 1e-12)
    }

    @Test("facts worth remembering are what people state; most turns have none")
    func writing() {
        let found = tasks(["Hi! I live in a small town near Bergen.", "Nice.", "What do you eat?", "I never eat meat."])
        #expect(
            answers(found, .memoryWriting) == [
                .text("I live in a small town near Bergen."), .nothing, .nothing, .text("I never eat meat."),
            ])
    }

    @Test("a question about the world is looked up, one between the two is not")
    func search() {
        let found = tasks([
            "Who wrote the opera about the barber?", "Rossini.", "Who is your favourite singer?", "You!",
        ])
        #expect(answers(found, .searchDecision) == [.decision(true), .decision(false)])
        #expect(answers(found, .searchQuery) == [.text("wrote opera about barber")])
    }

    @Test("the topic is what the reply takes up from the talk, as the talk spelled it")
    func topic() {
        #expect(
            TalkTopic.topic(of: "I saw the northern lights once.", after: ["We want to see the Northern Lights in May"])
                == "Northern Lights")
        #expect(TalkTopic.topic(of: "That sounds great!", after: ["Do you think so?"]) == nil)
        let found = tasks(["Do you like sailing boats?", "Sailing boats are lovely."])
        #expect(answers(found, .topicKnowledge) == [.text("sailing boats")])
        #expect(answers(found, .plainReply).count == 1 && answers(found, .topicReply).count == 1)
    }

    @Test("what was recorded is taken as it was; disliked replies teach nothing")
    func recorded() throws {
        var reply = Message(id: "2", sender: .bot, text: "It is in Oslo.")
        reply.search = SearchRecord(
            decision: "search", query: "opera house city", knowledge: "The opera house is in Oslo.",
            documents: [SearchDocument(title: "Opera", content: "The opera house is in Oslo.", url: "")])
        reply.memory = MemoryRecord(memories: ["bot: I sing.", "person: I paint."], knowledge: "bot: I sing.")
        let question = Message(id: "1", sender: .human, text: "Where is it?")
        var talk = Conversation(id: "c", userID: "u", messages: [question, reply])
        let found = ModuleTeacher().tasks(of: talk)
        #expect(answers(found, .searchQuery) == [.text("opera house city")])
        #expect(answers(found, .searchKnowledge) == [.text("The opera house is in Oslo.")])
        #expect(answers(found, .memoryKnowledge) == [.text("I sing.")])
        let spoken = try #require(found.first { $0.module == .searchReply })
        #expect(spoken.answer == .text("It is in Oslo."))
        talk.messages[1].feedback = [Feedback(userID: "u", rating: .dislike)]
        #expect(ModuleTeacher().tasks(of: talk).isEmpty)
    }
}
