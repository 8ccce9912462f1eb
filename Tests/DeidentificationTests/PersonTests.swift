import Testing

@testable import Deidentification

@Suite("Names")
struct PersonTests {
    @Test(
        "introductions",
        arguments: [
            ("my name is john smith and i like tea", "john smith"), ("My name is Zorblat", "Zorblat"),
            ("hi, i'm sarah", "sarah"), ("I’m José Núñez!", "José Núñez"), ("call me Zed", "Zed"),
            ("im kevin btw", "kevin"),
            ("i am Anneke, nice to meet you", "Anneke"), ("Hello, this is Omar speaking", "Omar"),
            ("my name's Priya", "Priya"), ("Name: Tomasz Wojtyra", "Tomasz Wojtyra"),
            ("What's your name? Kelda", "Kelda"), ("MY NAME IS JOHN SMITH", "JOHN SMITH"),
            ("what's your name? zorblat", "zorblat"), ("What's your name? Kelda Vrost, I think", "Kelda Vrost"),
        ])
    func introductions(text: String, expected: String) throws {
        #expect(try found(text) == ["PERSON \(expected)"])
    }

    @Test(
        "names in talk",
        arguments: [
            ("I met Zorblat Smith yesterday", "Zorblat Smith"), ("my friend Zorka is here", "Zorka"),
            ("then Mr. Grimes left", "Mr. Grimes"), ("yesterday sarah called", "sarah"),
            ("with Anne-Marie O'Brien", "Anne-Marie O'Brien"), ("Maria van der Berg said so", "Maria van der Berg"),
            ("Philip Moss MD is out", "Philip Moss MD"), ("I told Mark about it", "Mark"),
        ])
    func talk(text: String, expected: String) throws {
        #expect(try found(text) == ["PERSON \(expected)"])
    }

    @Test(
        "what is nobody's name",
        arguments: [
            "I'm tired", "i'm so bored", "What's your name? text me tonight", "What is your name? Come on, tell me",
            "I am American", "call me later", "call me crazy", "my name is not important",
            "Will you come in May?", "I will mark the date", "Grace and hope are nice things", "This is great",
            "I love Taylor Swift and Harry Potter", "have you read Shakespeare?", "einstein was right",
            "I live in Paris",
            "We flew to New York on Monday", "IBM and NASA", "What a lovely day! Thanks", "OMG NO WAY",
            "I'm from Georgia",
            "the rose is red", "Hello there", "I'm in Jordan now", "He is Scottish", "Good morning. Yes. No. Maybe.",
        ])
    func nobody(text: String) throws {
        #expect(try found(text).isEmpty)
    }

    @Test(
        "artists, players, heroes and works stay",
        arguments: [
            "Do you love the rapper Zorblat Smith?", "I know every line of the Lucy movie", "Priya's songs are sad",
            "my favourite hero is amir khan", "my favorite skater: Kevin Larsen",
            "Raj Larsen is my favourite cartoon artist",
        ])
    func fame(text: String) throws {
        #expect(try found(text).isEmpty)
    }

    @Test(
        "who is near, or known, does not",
        arguments: [
            ("my friend the singer Zorka Smith", "Zorka Smith"), ("my singer Kevin was ill", "Kevin"),
            ("my favourite teacher is Anneke Smith", "Anneke Smith"),
            ("I saw a movie. Kevin Larsen was there", "Kevin Larsen"),
            ("my name is Kevin Larsen and I like songs", "Kevin Larsen"),
            ("that is my favourite song! Kevin Larsen sang it", "Kevin Larsen"),
        ])
    func near(text: String, expected: String) throws {
        #expect(try found(text) == ["PERSON \(expected)"])
    }

    @Test("a well-known person once, then by the last word; another person of that family is still found")
    func wellKnown() throws {
        #expect(try found("I like Elon Musk. Musk is rich.").isEmpty)
        #expect(try found("Drake Larsen told me") == ["PERSON Drake Larsen"])
    }

    @Test("an operator's own names and kept words")
    func ownLists() throws {
        let lexicon = try Lexicon(names: ["Qwib"], kept: ["Sarah Software"])
        let deidentifier = try Deidentifier(key: Samples.key(), lexicon: lexicon)
        #expect(deidentifier.findings(in: "yesterday qwib came").map(\.entity) == [.person])
        #expect(deidentifier.findings(in: "I use Sarah Software").isEmpty)
    }

    @Test("a kept town or company stays wherever it stands, others do not")
    func keptPlaces() throws {
        let lexicon = try Lexicon(kept: ["Pellquist", "Brightmere Hills"])
        let deidentifier = try Deidentifier(key: Samples.key(), lexicon: lexicon)
        for text in ["I live in Pellquist.", "I'm from Brightmere Hills", "I work for Pellquist"] {
            #expect(deidentifier.findings(in: text).isEmpty, "\(text)")
        }
        #expect(deidentifier.findings(in: "I live in Dornwick.").map(\.entity) == [.location])
    }
}
