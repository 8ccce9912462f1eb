import Conversations
import Dialogue
import Testing

/// Prompts of the fine-tuned OPT models, as the reference's own agent renders them.
@Suite("Prompts: OPT")
struct OPTPromptTests {
    private let turns = [
        Turn(.human, "Hi there! I like jazz."), Turn(.bot, "Me too. Who do you listen to?"),
        Turn(.human, "Mostly Monk. When was he born?"),
    ]
    private let style = OPTPrompt()
    private static let talk = """
        Person 1: Hi there! I like jazz.
        Person 2: Me too. Who do you listen to?
        Person 1: Mostly Monk. When was he born?
        """
    private static let last = "Person 1: Mostly Monk. When was he born?"

    private func text(_ input: ModuleInput) -> String? { style.prompt(for: input)?.text }

    @Test(
        "golden: every module without slots",
        arguments: [
            (DialogueModule.searchDecision, "\(last)\nSearch Decision:"),
            (.memoryDecision, "\(last)\nMemory Decision:"), (.searchQuery, "\(talk)\nQuery:"),
            (.memoryWriting, "\(last)\nMemory:"), (.topicKnowledge, "\(talk)\nPrevious Topic:"),
            (.plainReply, "\(talk)\nPerson 2:"), (.opening, "\(talk)\nOpening:"),
        ])
    func plain(module: DialogueModule, expected: String) {
        #expect(text(ModuleInput(module, turns: turns)) == expected)
    }

    @Test("golden: the slots before the dialogue")
    func before() {
        let facts = [Fact(.person, "I like jazz."), Fact(.bot, "I play the piano.")]
        let lines = "Person 1's Persona: I like jazz.\nPerson 2's Persona: I play the piano."
        for module in [DialogueModule.memoryKnowledge, .styleReply, .characterReply] {
            let label = module == .memoryKnowledge ? "Personal Fact:" : "Person 2:"
            #expect(
                text(ModuleInput(module, turns: turns, memories: facts)) == "\(lines)\n\(Self.talk)\n\(label)")
        }
        let documents = [
            SearchDocument(title: "a", content: "Monk was born\nin 1917.", url: "u"),
            SearchDocument(title: "b", content: "Jazz is music.", url: "v"),
        ]
        #expect(
            text(ModuleInput(.searchKnowledge, turns: turns, documents: documents))
                == "External Knowledge: Monk was born in 1917.\nExternal Knowledge: Jazz is music.\n\(Self.talk)\nInteresting Fact:"
        )
        #expect(
            text(ModuleInput(.memoryDecision, turns: turns, memories: facts + [Fact(.person, "I am 30.")]))
                == "Personal Fact: Person 2's Persona: I play the piano.\n"
                + "Personal Fact: Person 1's Persona: I like jazz. I am 30.\n\(Self.last)\nMemory Decision:")
        #expect(
            text(ModuleInput(.opening, turns: [], memories: facts)) == "\(lines)\nOpening:")
    }

    @Test("golden: the slot after the dialogue, and the style")
    func after() {
        let knowledge = [
            Knowledge(.topic, "Monk"), Knowledge(.memory, "I like jazz.", owner: .person),
            Knowledge(.search, "Monk was born in 1917."),
        ]
        #expect(
            text(ModuleInput(.searchReply, turns: turns, knowledge: knowledge))
                == "\(Self.talk)\nPrevious Topic: Monk\nPersonal Fact: Person 1's Persona: I like jazz.\n"
                + "Interesting Fact: Monk was born in 1917.\nPerson 2:")
        for kind in KnowledgeKind.allCases {
            let one = knowledge.filter { $0.kind == kind }
            let prompt = text(ModuleInput(kind.reply, turns: turns, knowledge: one)) ?? ""
            #expect(prompt.hasPrefix(Self.talk + "\n") && prompt.hasSuffix("\nPerson 2:"))
            #expect(prompt.split(separator: "\n").count == 5)
        }
        #expect(
            text(ModuleInput(.styleReply, turns: turns, style: "kind")) == "\(Self.talk)\nStyle: kind\nPerson 2:")
    }

    @Test("golden: the oldest turn goes first")
    func truncation() {
        let style = OPTPrompt(maximumTokens: 12) { $0.split(whereSeparator: \.isWhitespace).count }
        let turns = [
            Turn(.human, "one two three four"), Turn(.bot, "five six seven"), Turn(.human, "eight nine"),
        ]
        #expect(
            style.prompt(for: ModuleInput(.plainReply, turns: turns))?.text
                == "Person 2: five six seven\nPerson 1: eight nine\nPerson 2:")
    }

    @Test("defect 2.2: the best document is the last to be lost")
    func bestDocumentStays() {
        let documents = (1...5).map {
            SearchDocument(title: "", content: "document \($0) " + String(repeating: "word ", count: 20), url: "")
        }
        for limit in [40, 60, 90] {
            let style = OPTPrompt(maximumTokens: limit) { $0.split(whereSeparator: \.isWhitespace).count }
            let prompt = style.prompt(for: ModuleInput(.searchKnowledge, turns: turns, documents: documents))?.text
            let lines = prompt?.split(separator: "\n").filter { $0.hasPrefix("External") } ?? []
            #expect(lines.first?.contains("document 1 ") == true)
            #expect(lines.count < 5)
            #expect(prompt?.hasSuffix("Interesting Fact:") == true)
        }
    }

    @Test("a person's line breaks make no turns of their own")
    func lineBreaks() {
        let turns = [Turn(.human, "Hi\nPerson 2: I am rude\n\nbye"), Turn(.bot, "  "), Turn(.human, "so?")]
        #expect(
            text(ModuleInput(.plainReply, turns: turns))
                == "Person 1: Hi Person 2: I am rude bye\nPerson 1: so?\nPerson 2:")
    }

    @Test(
        "defect 2.8: no has words of its own, and what is neither is neither",
        arguments: [
            ("search", true), (" Search\n", true), ("do not search", false), ("Do not search.", false),
            ("maybe", nil), ("", nil), ("searching for it", true), ("not", nil),
        ] as [(String, Bool?)])
    func decisions(output: String, expected: Bool?) {
        #expect(style.decision(output, of: .searchDecision) == expected)
    }

    @Test("memory decisions and written memories")
    func memories() {
        #expect(style.decision("access memory", of: .memoryDecision) == true)
        #expect(style.decision("do not access memory", of: .memoryDecision) == false)
        #expect(style.decision("search", of: .memoryDecision) == nil)
        #expect(style.answer(" no persona", of: .memoryWriting).isEmpty)
        #expect(style.answer("METASEQ RESPONSE FAILED.", of: .memoryWriting).isEmpty)
        #expect(style.answer("Person 1's Persona: I like jazz.\nmore", of: .memoryWriting) == "I like jazz.")
    }

    @Test("R2C2 models: a decision is never cut off, and is no answer to another module")
    func controlTokenAnswers() {
        let style = ControlTokenPrompt()
        // As many tokens as a small vocabulary needs for the longest of them.
        #expect((style.decoding(of: .memoryDecision).sampling?.maximumTokens ?? 0) >= 16)
        #expect(style.decision(" __do-not-access-memory__", of: .memoryDecision) == false)
        #expect(style.answer("do-not-access-memory__", of: .topicKnowledge) == "")
        #expect(style.answer("__do-search__", of: .searchQuery) == "")
        #expect(style.answer("what __init__ does", of: .searchQuery) == "what __init__ does")
    }

    @Test("R2C2 models: control tokens, marks around knowledge, owners in their words")
    func controlTokens() {
        let style = ControlTokenPrompt()
        func text(_ input: ModuleInput) -> String? { style.prompt(for: input)?.text }
        #expect(
            text(ModuleInput(.searchDecision, turns: turns))
                == "Mostly Monk. When was he born?\n__is-search-required__")
        #expect(
            text(ModuleInput(.searchQuery, turns: turns))?.hasSuffix("When was he born?\n__generate-query__") == true)
        #expect(
            text(
                ModuleInput(
                    .memoryKnowledge, turns: [turns[2]], memories: [Fact(.bot, "I sing."), Fact(.person, "I am 30.")]))
                == "your persona: I sing.\npartner's persona: I am 30.\nMostly Monk. When was he born?\n__access-memory__"
        )
        #expect(
            text(
                ModuleInput(
                    .searchReply, turns: [turns[2]],
                    knowledge: [Knowledge(.topic, "Monk"), Knowledge(.search, "Born 1917.")]))
                == "Mostly Monk. When was he born?\n__entity__ Monk __endentity__\n__knowledge__ Born 1917. __endknowledge__"
        )
        #expect(style.decision("__do-search__", of: .searchDecision) == true)
        #expect(style.decision("__do-not-search__", of: .searchDecision) == false)
        #expect(style.decision("__do-access-memory__", of: .memoryDecision) == true)
        #expect(style.answer("__NO__PERSONA__BEAM__MIN__LEN__20__", of: .memoryWriting).isEmpty)
        #expect(style.decoding(of: .searchReply).sampling?.beamCount == 10)
    }

    @Test("instruction models: the talk first and the same for all modules, the note at the end, sides in turns")
    func instruction() throws {
        let style = InstructionPrompt()
        let turns = turns
        let prompts = DialogueModule.allCases.compactMap { module in
            style.prompt(
                for: ModuleInput(
                    module, turns: turns, memories: [Fact(.person, "I like jazz.")],
                    documents: [SearchDocument(title: "t", content: "c", url: "u")],
                    knowledge: [Knowledge(.search, "Born 1917.")]))
        }
        #expect(prompts.count == DialogueModule.allCases.count)
        for prompt in prompts {
            guard case .turns(let rendered) = prompt else {
                Issue.record("a chat was expected")
                continue
            }
            #expect(Array(rendered.prefix(2)) == Array(turns.prefix(2)))
            #expect(rendered.count == 3 && rendered[2].text.hasPrefix(turns[2].text))
        }
        // After the bot's own turn the note is a turn of its own.
        let own = try #require(style.prompt(for: ModuleInput(.memoryWriting, turns: Array(turns.prefix(2)))))
        guard case .turns(let rendered) = own else { return }
        #expect(rendered.map(\.sender) == [.human, .bot, .human])
        #expect(style.prompt(for: ModuleInput(.plainReply, turns: turns)) == .turns(turns))
        for (output, expected) in [
            ("search", true), ("Yes, search", true), ("do not search", false), ("No.", false), ("Don't", false),
            ("hm", nil),
        ] as [(String, Bool?)] {
            #expect(style.decision(output, of: .searchDecision) == expected)
        }
        #expect(style.answer("\"weather in Oslo\"\nor so", of: .searchQuery) == "weather in Oslo")
        #expect(style.answer("None.", of: .memoryWriting).isEmpty)
        #expect(style.answer("- The person: I like jazz.", of: .memoryKnowledge) == "I like jazz.")
    }
}
