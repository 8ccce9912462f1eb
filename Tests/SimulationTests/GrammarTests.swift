import Testing

@testable import Simulation

@Suite("The two-way grammar")
struct GrammarTests {
    @Test("a template that cannot be read says why")
    func badTemplates() {
        for template in ["(a|b", "a) b", "{x}", "<none> a", "{s"] {
            #expect(throws: PatternError.self) { try Pattern(template, parts: [:]) }
        }
        #expect(throws: PatternError.self) {
            try Grammar(rules: [.init(.fact, s: "nowhere", says: "{s} is here.")], lexicons: [], parts: [:])
        }
    }

    @Test("what is said is read as the same act", arguments: 0..<20)
    func roundTrip(seed: Int) throws {
        let grammar = try Grammar(
            rules: [
                .init(
                    .fact, "beast", "colour", s: "beast", v: "colour",
                    says: "<th> {s:a} is {v}.\n(all|most) {s:p} are {v}."),
                .init(.fact, "beast", "colour", v: "colour", says: "(it is|they are|) {v}."),
            ],
            lexicons: [
                Lexicon("beast", nouns: ["ox", "sea cow"]),
                Lexicon("colour", plain: ["red", "dark red", "red and blue"]),
            ], parts: ["th": "(|well,|I think)"])
        var random = SplitMix64(seed: UInt64(seed))
        for subject in ["ox", "sea cow", ""] {
            for value in ["red", "dark red", "red and blue"] {
                let act = Act(kind: .fact, domain: "beast", attribute: "colour", subject: subject, value: value)
                let sentence = try #require(grammar.sentence(for: act, &random))
                #expect(grammar.acts(of: SentenceText.words(of: sentence)) == [act], "\(sentence)")
            }
        }
        #expect(grammar.acts(of: ["an", "ox", "is"]).isEmpty)
        #expect(grammar.sentence(for: Act(kind: .rude), &random) == nil)
    }

    @Test("sentences and words")
    func text() {
        #expect(
            SentenceText.sentences(of: "Hi! Write to a.b@example.com. Is it 3.5?") == [
                "Hi!", " Write to a.b@example.com.", " Is it 3.5?",
            ])
        #expect(SentenceText.words(of: "\"Don't\", she SAID… (twice)") == ["dont", "she", "said", "twice"])
        #expect(SentenceText.words(of: "It\u{2019}s Brown!") == ["its", "brown"])
        #expect(SentenceText.words(of: " … !? ").isEmpty)
    }

    @Test("SplitMix64 gives the reference values")
    func splitMix() {
        // First outputs for seed 1234567, as published with the reference implementation.
        var random = SplitMix64(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
        let shuffled = random.shuffled(Array(0..<50))
        #expect(shuffled != Array(0..<50) && shuffled.sorted() == Array(0..<50))
    }
}
