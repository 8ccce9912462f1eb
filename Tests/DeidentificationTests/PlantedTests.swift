import Testing

@testable import Deidentification

@Suite("Planted identities")
struct PlantedTests {
    @Test("every second message carries one marked identity, the same for the same seed")
    func plant() throws {
        let texts = (0..<200).map { "message number \($0) é" }
        let planter = try PlantedIdentities(people: ["Anna Berg", "Zdenek"], seed: 5)
        let planted = planter.plant(into: texts)
        #expect(planter.plant(into: texts) == planted)
        #expect(planted.count { $0.spans.isEmpty } == 100)
        for (text, marked) in zip(texts, planted) {
            #expect(marked.text.contains(text))
            for span in marked.spans {
                let count = marked.text.unicodeScalars.count
                #expect(span.start >= 0 && span.start < span.end && span.end <= count)
                #expect(DeidentificationScorer.sought[span.entity] != nil)
            }
        }
        #expect(throws: DeidentificationError.self) { try PlantedIdentities(people: ["Dr."], seed: 1) }
    }

    @Test("what is planted is found")
    func found() throws {
        let texts = (0..<600).map { _ in "do you like music?" }
        let planted = try PlantedIdentities(people: ["Anna Berg", "Robert Lang", "Maria Silva"], seed: 5).plant(
            into: texts)
        let score = DeidentificationScorer().score(planted, with: try Samples.deidentifier())
        #expect(score.patterns.recall > 0.98)
        #expect(score.leakRate < 0.02)
        #expect(score.alarms == 0)
    }
}
