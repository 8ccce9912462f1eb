import Conversations
import Evaluation
import Testing

@Suite struct ReplyMetricsTests {
    @Test func distinctByHand() throws {
        let metrics = try ReplyMetrics([.init(reply: "A cat, a dog."), .init(reply: "a cat")])
        // Words a cat a dog a cat: 3 of 6 differ. Pairs a-cat cat-a a-dog a-cat: 3 of 4.
        #expect(metrics.distinct1 == 0.5)
        #expect(metrics.distinct2 == 0.75)
        #expect(metrics.meanLength == 3)
        #expect(metrics.replies == 2)
    }

    @Test func repetitionByHand() throws {
        let metrics = try ReplyMetrics([
            // Runs: so it is, it is so, is so it, so it is: 3 of 4 differ.
            .init(reply: "So it is, so it is", earlier: []),
            // Runs: I like warm, like warm soup, warm soup today; the first two were said.
            .init(reply: "I like warm soup today", earlier: ["Well, I like warm soup"]),
            .init(reply: "Hello there", earlier: ["hello, THERE!"]),
            .init(reply: "Something new entirely", earlier: ["hello there"], isFinished: false),
            .init(reply: "…"),
        ])
        #expect(abs(metrics.repetitionWithin - 0.25 / 5) < 1e-12)
        #expect(abs(metrics.repetitionOfEarlier - (2.0 / 3) / 5) < 1e-12)
        #expect(metrics.repeating == 0.6)
        #expect(metrics.empty == 0.2)
        #expect(metrics.unfinished == 0.2)
    }

    @Test func onlyTheBotsTurnsCountAsEarlier() throws {
        let context = [Turn(.human, "I like warm soup"), Turn(.bot, "good for you")]
        #expect(try ReplyMetrics([.init(reply: "I like warm soup", context: context)]).repeating == 0)
        #expect(try ReplyMetrics([.init(reply: "Good for you!", context: context)]).repeating == 1)
    }

    @Test func nothingToMeasure() throws {
        #expect(throws: EvaluationError.self) { try ReplyMetrics([]) }
        let silent = try ReplyMetrics([.init(reply: "")])
        #expect(silent.distinct1 == nil && silent.distinct2 == nil && silent.empty == 1)
    }
}
