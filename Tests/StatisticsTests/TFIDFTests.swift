import Foundation
import Statistics
import Testing

@Suite struct TFIDFTests {
    @Test func matchesScikitLearn() throws {
        let expected = try Fixture.load().tfidf
        let model = TFIDF(expected.texts)
        #expect(model.terms == expected.terms)
        let table = model.transform(expected.texts)
        for (row, weights) in expected.rows.enumerated() {
            let found = Dictionary(
                uniqueKeysWithValues: table.entries(row: row).map { (model.terms[$0.column], Double($0.value)) })
            #expect(Set(found.keys) == Set(weights.keys))
            #expect(weights.allSatisfy { near(found[$0.key] ?? -1, $0.value, 1e-6) }, "text \(row)")
        }
    }

    @Test func unknownWordsAndNoTextsGiveEmptyRows() {
        let model = TFIDF(["warm tea", "warm soup"])
        #expect(model.terms == ["warm"])
        #expect(model.transform(["cold stone"]).entries(row: 0).isEmpty)
        #expect(TFIDF([]).transform(["tea"]).columns == 0)
        #expect(TFIDF(["aa bb", "aa bb", "aa cc", "cc"], maximumTerms: 1).terms == ["aa"])
    }

    @Test func carriesALogisticRegression() throws {
        let good = ["that sounds lovely", "what a lovely garden", "lovely, tell me more", "how lovely to hear"]
        let bad = ["go away now", "just go away", "away with you", "please go away"]
        let model = TFIDF(good + bad, minimumDocuments: 1)
        let classifier = try LogisticRegression(
            model.transform(good + bad), labels: [1, 1, 1, 1, 0, 0, 0, 0], options: .init(l2: 0.1))
        let p = try classifier.predict(model.transform(["a lovely day", "go away please"]))
        #expect(p[0] > 0.7)
        #expect(p[1] < 0.3)
    }
}
