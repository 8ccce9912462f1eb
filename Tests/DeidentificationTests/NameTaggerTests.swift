import Conversations
import Foundation
import Testing

@testable import Deidentification

/// A head small enough to work out by hand, and an encoder whose state of a word is its length.
@Suite("Names by an encoder")
struct NameTaggerTests {
    struct Lengths: WordEncoder {
        var stateDimension: Int { 1 }
        func states(ofWords texts: [[String]], layers: [Int]) async throws -> [[Float]] {
            texts.map { $0.flatMap { word in layers.map { _ in Float(word.count) } } }
        }
    }

    static func base64(_ values: [Float]) -> String {
        Data(values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } })
            .base64EncodedString()
    }

    /// One hidden unit: the word's length, plus 2 for a capital, less 6. Persons score it, everything else scores 0.
    static func head(_ change: (inout [String: Any]) -> Void = { _ in }) throws -> NameHead {
        let folder = try KeyTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var first = [Float](repeating: 0, count: 1 + (8 + 1) + 5)
        first[0] = 1
        first[2] = 2
        var fields: [String: Any] = [
            "classes": ["O", "PERSON", "LOCATION", "ORGANIZATION", "ADDRESS"], "layers": [1], "dimension": 1,
            "sections": ["first"], "window": 0, "hidden": 1, "first_weight": base64(first), "first_bias": base64([-6]),
            "second_weight": base64([0, 1, 0, 0, 0]), "second_bias": base64([0, 0, 0, 0, 0]),
        ]
        change(&fields)
        let file = folder.appending(path: "head.json")
        try JSONSerialization.data(withJSONObject: fields).write(to: file)
        return try NameHead(contentsOf: file)
    }

    @Test("probabilities by hand: e to the score over their sum, nothing below 0")
    func byHand() throws {
        let text = ScannedText("Zdislava met bob", lexicon: try Samples.lexicon.get())
        let found = try Self.head().probabilities(text, states: [8, 3, 3])
        // 8 + 2 - 6 = 4 for the capital of eight letters; 3 - 6 counts as 0.
        #expect(abs(Double(found[0][1]) - exp(4) / (exp(4) + 4)) < 1e-6)
        #expect(found[1].allSatisfy { abs($0 - 0.2) < 1e-6 } && found[2] == found[1])
    }

    @Test("what the head finds is replaced; known places and everyday words stay")
    func tagged() async throws {
        let tagger = try NameTagger(head: Self.head(), encoder: Lengths())
        let deidentifier = try Samples.deidentifier(7, .init(.replace))
        let texts = ["Then came Zdislavova too", "I love Switzerland", "so do I"]
        let conversation = Samples.conversation("c", texts.map { (.human, $0) })
        let (clean, findings) = try await deidentifier.deidentify([conversation], with: tagger)[0]
        #expect(clean.messages.map(\.text) == ["Then came <PERSON> too", "I love Switzerland", "so do I"])
        #expect(findings.count == 1)
        let found = try await deidentifier.findings(in: texts, with: tagger)
        #expect(found.map(\.count) == [1, 0, 0])
    }

    @Test("many texts are read a few thousand words at a time, and each keeps its own tags")
    func portions() async throws {
        actor Calls {
            private(set) var words: [Int] = []
            func add(_ count: Int) { words.append(count) }
        }
        struct Counted: WordEncoder {
            let calls = Calls()
            var stateDimension: Int { 1 }
            func states(ofWords texts: [[String]], layers: [Int]) async throws -> [[Float]] {
                await calls.add(texts.reduce(0) { $0 + $1.count })
                return try await Lengths().states(ofWords: texts, layers: layers)
            }
        }
        let encoder = Counted()
        let lexicon = try Samples.lexicon.get()
        let tagger = try NameTagger(head: Self.head(), encoder: encoder)
        let name = "Zdislavova"
        // Texts of 2 to 61 words, and small talk between them.
        let texts = (0..<300).map { index in
            index % 7 == 0
                ? "so do I" : String(name.prefix(5 + index % 6)) + String(repeating: " too", count: 1 + index % 60)
        }
        let scanned = texts.map { ScannedText($0, lexicon: lexicon) }
        let together = try await tagger.tags(scanned, lexicon: lexicon)
        let words = await encoder.calls.words
        #expect(words.count > 1 && words.allSatisfy { $0 <= 4_000 })
        for (text, tags) in zip(scanned, together) {
            let alone = try await tagger.tags([text], lexicon: lexicon)
            #expect(alone[0].probabilities == tags.probabilities)
        }
    }

    /// Tags by hand: what is not named is nothing.
    static func tags(_ text: ScannedText, _ named: [String: [NameHead.Kind: Float]]) -> NameTags {
        NameTags(
            probabilities: text.tokens.map { token in
                let word = String(decoding: text.bytes[token.start..<token.end], as: UTF8.self)
                var row = NameHead.Kind.allCases.map { named[word]?[$0] ?? 0 }
                row[0] = 1 - row.reduce(0, +)
                return row
            })
    }

    /// Findings of a text with tags by hand, as `LOCATION Zlin`.
    static func named(
        _ content: String, _ named: [String: [NameHead.Kind: Float]], asked: WordClass = [], includesKnown: Bool = false
    ) throws -> [String] {
        let lexicon = try Samples.lexicon.get()
        let text = ScannedText(content, lexicon: lexicon)
        var context = RecognitionContext(lexicon: lexicon)
        context.asked = asked
        let detector = Detector(lexicon: lexicon, threshold: 0.5, includesKnown: includesKnown)
        let names = detector.names(in: text, context, tags: tags(text, named))
        return ConflictRule.resolve(names).map {
            $0.entity.rawValue + " " + String(decoding: text.bytes[$0.start..<$0.end], as: UTF8.self)
        }
    }

    @Test("a name is one name: its kind is that of the larger mean, even where no kind alone reaches a half")
    func oneKind() throws {
        let named: [String: [NameHead.Kind: Float]] = [
            "Zdislov": [.location: 0.45, .person: 0.4], "Horni": [.person: 0.4, .location: 0.5],
        ]
        #expect(try Self.named("all of Zdislov Horni slept", named, includesKnown: true) == ["LOCATION Zdislov Horni"])
        // Two kinds that are sure are two names.
        let sure: [String: [NameHead.Kind: Float]] = ["Kvido": [.person: 0.9], "Zdislov": [.location: 0.9]]
        #expect(
            try Self.named("like Kvido Zdislov too", sure, includesKnown: true) == ["PERSON Kvido", "LOCATION Zdislov"])
    }

    @Test("words that the lists know to be no name are none; a list's person that the head takes for a town is one")
    func lists() throws {
        let place: [NameHead.Kind: Float] = [.location: 0.9]
        #expect(
            try Self.named("a Thai place in the street", ["Thai": place, "street": place], includesKnown: true).isEmpty)
        #expect(
            try Self.named("the wine of Anna Vesco", ["Anna": place, "Vesco": place], includesKnown: true)
                == ["LOCATION Anna Vesco"])
    }

    @Test("a town is taken out where it is somebody's: said to be, or asked for")
    func towns() throws {
        let named: [String: [NameHead.Kind: Float]] = ["Zdislov": [.location: 0.9], "zdislov": [.location: 0.97]]
        #expect(try Self.named("the wine of Zdislov", named).isEmpty)
        #expect(try Self.named("the wine of Zdislov", named, includesKnown: true) == ["LOCATION Zdislov"])
        #expect(try Self.named("she was born near Zdislov", named) == ["LOCATION Zdislov"])
        #expect(try Self.named("i'm from zdislov", named) == ["LOCATION zdislov"])
        #expect(try Self.named("zdislov", named).isEmpty)
        #expect(try Self.named("zdislov", named, asked: .residence) == ["LOCATION zdislov"])
        let detector = Detector(lexicon: try Samples.lexicon.get(), threshold: 0.5)
        for (question, isAsked) in [
            ("Where are you from?", true), ("where do you live ?", true), ("Where is the cat?", false),
            ("I live here.", false),
        ] {
            let asked = detector.expectation(of: ScannedText(question, lexicon: detector.lexicon)).asked
            #expect(asked.contains(.residence) == isAsked, "\(question)")
        }
    }

    @Test(
        "a capital at the beginning says nothing: a word without other support must be sure; introductions are not doubted"
    )
    func support() throws {
        #expect(try Self.named("Kvidola", ["Kvidola": [.person: 0.8]]).isEmpty)
        #expect(try Self.named("Kvidola", ["Kvidola": [.person: 0.95]]) == ["PERSON Kvidola"])
        #expect(try Self.named("then Kvidola came", ["Kvidola": [.person: 0.8]]) == ["PERSON Kvidola"])
        #expect(try Self.named("hi, kvidola here", [:]) == ["PERSON kvidola"])
    }

    @Test("a town's form makes a place of what could be a person; where no place is sought the person stays")
    func townsForm() throws {
        let unsure: [NameHead.Kind: Float] = [.person: 0.7, .location: 0.2]
        let named = ["San": unsure, "Zdislo": unsure, "Kvidoheim": unsure, "Kvidola": unsure]
        #expect(try Self.named("all of San Zdislo slept", named, includesKnown: true) == ["LOCATION San Zdislo"])
        #expect(try Self.named("all of San Zdislo slept", named) == ["PERSON San Zdislo"])
        #expect(try Self.named("all of Kvidoheim slept", named, includesKnown: true) == ["LOCATION Kvidoheim"])
        #expect(try Self.named("all of Kvidola slept", named, includesKnown: true) == ["PERSON Kvidola"])
        // A listed given name is none, whatever it ends in.
        #expect(try Self.named("all of Neville slept", ["Neville": unsure], includesKnown: true) == ["PERSON Neville"])
    }

    @Test(
        "plain words behind a town are no part of it unless the head is sure; a small word behind an article is a thing"
    )
    func plainWords() throws {
        let (town, word): ([NameHead.Kind: Float], [NameHead.Kind: Float]) = ([.location: 0.9], [.location: 0.45])
        let named = ["Zdislov": town, "Country": word, "Club": word, "quay": town]
        let rather: [NameHead.Kind: Float] = [.location: 0.45, .organization: 0.2]
        var club = named
        club["Country"] = rather
        club["Club"] = rather
        #expect(try Self.named("at Zdislov Country Club", club, includesKnown: true) == ["LOCATION Zdislov"])
        club["Country"] = town
        club["Club"] = town
        #expect(
            try Self.named("at Zdislov Country Club", club, includesKnown: true) == ["LOCATION Zdislov Country Club"])
        #expect(try Self.named("We sat on the quay", named, includesKnown: true).isEmpty)
        #expect(try Self.named("We sat in quay", named, includesKnown: true) == ["LOCATION quay"])
        let person: [NameHead.Kind: Float] = [.person: 0.95]
        #expect(try Self.named("The photos came from a PIX who followed him", ["PIX": person]).isEmpty)
        #expect(try Self.named("The photos came from PIX who followed him", ["PIX": person]) == ["PERSON PIX"])
        let company: [NameHead.Kind: Float] = [.organization: 0.95]
        #expect(try Self.named("I work at a PIX office", ["PIX": company]) == ["ORGANIZATION PIX"])
    }

    @Test("a company's word at the end or behind makes a company of a place or a person; a listed place stays one")
    func companies() throws {
        let town: [NameHead.Kind: Float] = [.location: 0.6, .organization: 0.3]
        let named = ["Zdislov": town, "Airlines": town, "Paris": town]
        #expect(
            try Self.named("all of Zdislov Airlines slept", named, includesKnown: true) == [
                "ORGANIZATION Zdislov Airlines"
            ])
        #expect(
            try Self.named("all of Zdislov Systems slept", named, includesKnown: true).contains("ORGANIZATION Zdislov"))
        #expect(
            try Self.named("all of Paris Airlines slept", named, includesKnown: true).first?.hasPrefix("LOCATION")
                == true)
        #expect(try Self.named("all of Zdislov systems slept", named, includesKnown: true) == ["LOCATION Zdislov"])
    }

    @Test("small talk is not encoded; a capital, a listed name or an introduction is")
    func filter() throws {
        let lexicon = try Samples.lexicon.get()
        func mayHold(_ text: String) -> Bool {
            NameTagger.mayHoldName(ScannedText(text, lexicon: lexicon), RecognitionContext(lexicon: lexicon))
        }
        for text in ["How are you today?", "i like it too", "Yes.", "", "what do you think about music"] {
            #expect(!mayHold(text), "\(text)")
        }
        for text in ["I met Zdislava", "anna is nice", "my name is zdislav", "my friend zdislav", "i live in zlin"] {
            #expect(mayHold(text), "\(text)")
        }
    }

    @Test("a broken head is named with the field at fault")
    func broken() throws {
        for (field, value) in [
            ("classes", ["O"]), ("first_weight", Self.base64([1])), ("hidden", 0), ("sections", ["nonsense"]),
            ("second_bias", Self.base64([.nan, 0, 0, 0, 0])),
        ] as [(String, Any)] {
            let error = #expect(throws: DeidentificationError.self) { try Self.head { $0[field] = value } }
            #expect(error?.description.contains(field) == true, "\(error?.description ?? "")")
        }
    }
}
