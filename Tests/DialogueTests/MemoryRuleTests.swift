import Conversations
import Foundation
import Testing

@testable import Dialogue

@Suite("Memory: the rules")
struct MemoryRuleTests {
    @Test(
        "golden: near-duplicates by the paper's rule",
        arguments: [
            ("I like cats", "I really like cats", false), ("I like cats", "I like cats and dogs", false),
            ("I like cats and dogs", "I like cats", true), ("I don't eat meat", "I do not eat meat", false),
            ("My name is Bob", "My name is Alice", true), ("I have two kids", "I have a kid", true),
            ("I am a teacher", "I'm a teacher", false),
        ])
    func paper(existing: String, candidate: String, isAccepted: Bool) {
        #expect(NearDuplicate.isDuplicate(candidate, of: existing) != isAccepted)
    }

    @Test("golden: the words that count")
    func words() {
        #expect(NearDuplicate.words(of: "I really like cats") == ["cat", "i", "like"])
        #expect(NearDuplicate.words(of: "My name is Alice") == ["alic", "my", "name"])
        #expect(NearDuplicate.words(of: "I don't eat meat") == ["do", "eat", "i", "meat", "not"])
        #expect(NearDuplicate.words(of: "I'm a teacher") == ["i", "teacher"])
    }

    @Test(
        "a fact holds where more than a third of its words are in the message or in what it answers",
        arguments: [
            ("I like to go to the gym, go for walks, and play video games.", "I love baking bread.", "", false),
            ("I am a baker.", "I work in a bakery.", "", true),
            ("I have two kids.", "Yes, two of them.", "Do you have kids?", true),
            ("I like pizza.", "Yes!", "Do you like pizza?", true), ("I like pizza.", "Yes!", "Do you like tea?", false),
            ("I work night shifts.", "I'm on nights at the hospital.", "", true),
            ("I work at a school.", "I am Ruta and I work in a bakery.", "", false),
            ("I keep bees, and I am also a doctor.", "I'm a doctor.", "", false),
            ("I live in a small house by the sea.", "We live near the sea.", "", false),
            ("I live by the sea.", "We live near the sea.", "", true),
            // What the other one states is theirs: a bot that answers "Nice!" has no dog.
            ("I have a dog named Rex.", "Nice!", "I have a dog named Rex.", false),
            ("I have a dog named Rex.", "No, I do not.", "I have a dog named Rex. Do you have one?", false),
            ("I have a dog.", "Yes, one.", "That is nice. Do you have a dog?", true),
            ("I love it.", "It was great.", "", true), ("I am a big fan.", "", "", false),
        ])
    func ground(fact: String, message: String, previous: String, holds: Bool) {
        #expect(MemoryGround.holds(fact, in: message, after: previous) == holds)
    }

    /// Stems of the examples in Porter's paper.
    @Test(
        "Porter's stems",
        arguments: [
            ("caresses", "caress"), ("ponies", "poni"), ("cats", "cat"), ("feed", "feed"), ("agreed", "agre"),
            ("plastered", "plaster"), ("motoring", "motor"), ("sing", "sing"), ("conflated", "conflat"),
            ("hopping", "hop"), ("falling", "fall"), ("filing", "file"), ("happy", "happi"), ("sky", "sky"),
            ("relational", "relat"), ("conditional", "condit"), ("vietnamization", "vietnam"),
            ("hopefulness", "hope"), ("triplicate", "triplic"), ("electrical", "electr"), ("goodness", "good"),
            ("revival", "reviv"), ("adjustment", "adjust"), ("adoption", "adopt"), ("probate", "probat"),
            ("rate", "rate"), ("controll", "control"), ("roll", "roll"),
        ])
    func stems(word: String, stem: String) {
        #expect(PorterStemmer.stem(word) == stem)
    }

    @Test("defect 2.5: fuller facts replace, shorter ones confirm, contradictions give way to the newer")
    func merge() {
        let merge = MemoryMerge()
        func change(_ candidate: String, _ existing: String...) -> MemoryChange {
            merge.change(for: candidate, among: existing.map { memory($0) })
        }
        #expect(change("I like cats and dogs", "I like cats") == .replace(id: "I like cats", because: .enrichment))
        #expect(change("I like cats", "I like cats and dogs") == .confirm(id: "I like cats and dogs"))
        #expect(change("I really like cats", "I like cats") == .confirm(id: "I like cats"))
        #expect(change("My name is Alice", "My name is Bob") == .replace(id: "My name is Bob", because: .contradiction))
        #expect(change("I live in Rome", "I live in Paris") == .replace(id: "I live in Paris", because: .contradiction))
        #expect(
            change("I live in Paris with two cats", "I live in Paris")
                == .replace(id: "I live in Paris", because: .enrichment))
        #expect(
            change("I have three kids", "I have two kids") == .replace(id: "I have two kids", because: .contradiction))
        #expect(change("I am 35 years old", "I am 34 years old").isReplacement)
        #expect(change("I no longer eat meat", "I eat meat").isReplacement)
        #expect(change("I do not like cats", "I like cats") == .replace(id: "I like cats", because: .contradiction))
        #expect(change("My favorite food is soup", "My favorite color is red") == .add)
        #expect(change("I like tea", "I like jazz", "I am a teacher") == .add)
        #expect(change("no persona", "I like tea") == .ignore)
        #expect(change("", "I like tea") == .ignore)
    }

    @Test("by their vectors: the same in other words is one memory, however it is worded")
    func meaning() {
        let merge = MemoryMerge()
        let there = memory("I adore felines", vector: [1, 0])
        #expect(
            merge.change(for: "Cats are what I love", vector: [0.98, 0.2], among: [there])
                == .replace(id: there.id, because: .enrichment))
        #expect(merge.change(for: "I love cats", vector: [0.98, 0.2], among: [there]) == .confirm(id: there.id))
        #expect(merge.change(for: "I love cats", vector: [0.7, 0.7], among: [there]) == .add)
        // Near each other, but names differ: another matter.
        let name = memory("My name is Bob", vector: [1, 0])
        #expect(merge.change(for: "My dog's name is Rex", vector: [0.95, 0.3], among: [name]) == .add)
    }

    @Test(
        "facts that people state, and what is none",
        arguments: [
            ("Hi! I have two dogs. What about you?", ["I have two dogs."]),
            ("Well, I'm a nurse and I live in Leeds.", ["I'm a nurse and I live in Leeds."]),
            ("My name is Ann.", ["My name is Ann."]), ("I have a headache today", []), ("I like that!", []),
            ("Do I like jazz?", []), ("I love it when you say that", []), ("i really like tea", ["I really like tea."]),
            ("What is the capital of France?", []), ("I have to go", []), ("I don't eat meat!", ["I don't eat meat."]),
            ("I like it.\nI play the piano", ["I play the piano."]), ("", []),
        ])
    func statedFacts(text: String, expected: [String]) {
        #expect(StatedFacts.facts(in: text) == expected)
    }

    @Test("recall: near enough, recent first among the near, never more than the limit")
    func recall() {
        let now = Date(timeIntervalSince1970: 1_700_000_000)
        let recall = MemoryRecall(threshold: 0.5, recency: 0.1, halfLife: 1000, limit: 2)
        let old = memory("old", at: -100_000, vector: [1, 0])
        let new = memory("new", at: 0, vector: [0.97, 0.2431])
        let far = memory("far", at: 0, vector: [0.4, 0.9165])
        let bare = memory("bare", at: 0)
        #expect(recall.near([1, 0], among: [old, far, bare, new], at: now).map(\.id) == ["new", "old"])
        let more = (0..<5).map { memory("m\($0)", vector: [1, 0]) }
        #expect(recall.near([1, 0], among: more, at: now).count == 2)
        // Recency alone brings nothing back.
        #expect(recall.near([0, 1], among: [old], at: now).isEmpty)
    }
}

extension MemoryChange {
    fileprivate var isReplacement: Bool { if case .replace = self { true } else { false } }
}
