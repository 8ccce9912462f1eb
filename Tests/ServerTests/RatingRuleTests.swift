import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

@Suite("Server: rating, worked out without a server")
struct RatingRuleTests {
    private func answers(_ right: Int, _ wrong: Int, _ task: RatingTask, isOnboarding: Bool) -> [GoldAnswer] {
        GoldQuestion.of(task, isOnboarding: isOnboarding).prefix(right + wrong).enumerated().map { place, question in
            GoldAnswer(rater: "r", item: question.id, isRight: place < right, recordedAt: .distantPast)
        }
    }

    @Test("known questions: unique, of both tasks and kinds, each category asked, each explained")
    func questions() {
        #expect(Set(GoldQuestion.all.map(\.id)).count == GoldQuestion.all.count)
        for task in RatingTask.allCases {
            #expect(GoldQuestion.of(task, isOnboarding: true).count >= 3)
            #expect(GoldQuestion.of(task, isOnboarding: false).count >= RaterStanding.fewestToMark)
            #expect(GoldQuestion.of(task, isOnboarding: true).allSatisfy { !$0.why.isEmpty })
        }
        var asked: Set<RatingLabel> = []
        for question in GoldQuestion.of(.category, isOnboarding: true) {
            guard case .reply(let context, let reply, let answers) = question.content else { continue }
            #expect(context.last?.sender == "human" && !reply.isEmpty && !answers.isEmpty)
            asked.formUnion(answers)
        }
        #expect(asked == Set(RatingLabel.allCases).subtracting([.other]))
    }

    @Test("how a rater stands: one wrong passes, two do not; later ones mark")
    func standing() {
        let first = GoldQuestion.of(.category, isOnboarding: true).count
        func standing(_ given: [GoldAnswer]) -> RaterStanding { RaterStanding(given, task: .category) }
        #expect(standing([]).state == .onboarding && !standing([]).counts)
        #expect(standing(answers(3, 1, .category, isOnboarding: true)).state == .onboarding)
        #expect(standing(answers(first - 1, 1, .category, isOnboarding: true)).state == .passed)
        #expect(standing(answers(0, 2, .category, isOnboarding: true)).state == .failed)
        let passed = answers(first, 0, .category, isOnboarding: true)
        #expect(!standing(passed + answers(0, 2, .category, isOnboarding: false)).isMarked)
        #expect(standing(passed + answers(2, 1, .category, isOnboarding: false)).isMarked)
        #expect(standing(passed + answers(3, 1, .category, isOnboarding: false)).counts)
        // One task says nothing of the other.
        #expect(RaterStanding(passed, task: .pair).state == .onboarding)
    }

    private func reply(_ id: String, model: String = "m", ratings: [(String, Rating)] = [], parent: String? = nil)
        -> Message
    {
        Message(
            id: id, sender: .bot, text: "reply \(id)", parentID: parent,
            feedback: ratings.map { Feedback(userID: $0.0, rating: $0.1) }, generation: GenerationRecord(model: model))
    }

    @Test("what is disputed comes first, then compared models, then dislikes; what is begun is finished")
    func order() throws {
        var queue = RatingQueue(raters: 2)
        queue.reliable = ["r1", "r2", "r3"]
        let said = Message(id: "0", sender: .human, text: "hello")
        queue.add(
            Conversation(
                id: "c", userID: "u",
                messages: [
                    reply("first"), said, reply("plain"), reply("liked", ratings: [("u", .like)]),
                    reply("disliked", ratings: [("u", .dislike)]), reply("new", model: "m2"),
                    reply("disputed", ratings: [("u", .like), ("v", .dislike)]),
                ]), compared: ["m2"])
        // The first one answers nothing that anybody said.
        #expect(queue.replies.count == 5)
        var seen: [String] = []
        while let item = queue.next(.category, for: "r1") {
            seen.append(try #require(queue.replies[item]).messageID)
            queue.note(item, ratedBy: "r1")
            if seen.count == 1 {
                // Nothing is left to finish for somebody who began it.
                #expect(queue.next(.category, for: "r1") != item)
                #expect(queue.next(.category, for: "r2") == item)
            }
        }
        #expect(seen == ["disputed", "new", "disliked", "liked", "plain"])
        #expect(queue.progress(.category) == (open: 5, done: 0))
        let disputed = try #require(queue.replies.values.first { $0.messageID == "disputed" }).item
        // Somebody whose words do not count leaves it open.
        queue.note(disputed, ratedBy: "marked")
        #expect(queue.progress(.category).done == 0 && queue.next(.category, for: "r2") == disputed)
        queue.note(disputed, ratedBy: "r2")
        #expect(queue.progress(.category) == (open: 4, done: 1))
        #expect(queue.next(.category, for: "r3") != disputed)
        #expect(queue.progress(.category, of: "r1") == (rated: 5, left: 0))
        #expect(queue.next(.category, for: "r3", skipping: Set(queue.replies.keys)) == nil)
    }

    @Test("pairs: siblings of one turn, and conversations of two models, each used once")
    func pairs() throws {
        var queue = RatingQueue(raters: 3)
        queue.add(
            Conversation(
                id: "c", userID: "u",
                messages: [
                    Message(id: "q", sender: .human, text: "hello"), reply("a", parent: "q"),
                    reply("b", model: "m2", parent: "q"),
                ]), compared: [])
        let pair = try #require(queue.pairs.values.first)
        #expect(
            queue.pairs.count == 1 && pair.question == .betterReply && pair.a.messageID == "a" && pair.b.model == "m2")
        queue.add(conversations: ["x": ["1", "2", "3"], "y": ["4", "5"]], of: ("x", "y"))
        let whole = queue.pairs.values.filter { $0.question == .talkLonger }
        #expect(whole.count == 2 && whole.allSatisfy { $0.a.model == "x" && $0.b.model == "y" })
        #expect(Set(whole.map(\.a.conversationID)).count == 2)
        // About half of the raters see the second one on the left, each always the same.
        let swapped = (0..<400).filter { RatingQueue.isSwapped(pair.item, for: "r\($0)") }.count
        #expect((150...250).contains(swapped))
        #expect(RatingQueue.isSwapped(pair.item, for: "r1") == RatingQueue.isSwapped(pair.item, for: "r1"))
    }

    @Test("agreement by label, by hand: Krippendorff's own numbers for two raters")
    func agreement() throws {
        // Two raters, ten items, values 0 and 1: alpha 0.095 in Krippendorff's “Computing Krippendorff's alpha-reliability”.
        let a = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
        let b = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
        var ratings: [RatingFigures.RatingCount] = []
        for item in 0..<10 {
            for (rater, value) in [("a", a[item]), ("b", b[item])] {
                ratings.append(.init(item: "\(item)", rater: rater, label: value == 1 ? .good : .other))
            }
        }
        ratings.append(.init(item: "alone", rater: "a", label: .repeating))
        let lines = RatingFigures.agreement(ratings)
        let good = try #require(lines.first { $0.label == "good" })
        #expect(abs(try #require(good.alpha) - 0.095) < 0.0005 && good.items == 10 && good.given == 6)
        #expect(abs(try #require(lines.first { $0.label == "any" }?.alpha) - 0.095) < 0.0005)
        #expect(lines.first { $0.label == "repeating" }?.alpha == nil)
        #expect(lines.first { $0.label == "repeating" }?.given == 1)
    }

    private func vote(_ pair: String, _ rater: String, _ models: (String, String), _ choice: PairVote.Choice)
        -> PairVote
    {
        PairVote(
            pair: pair, rater: rater, first: .init(conversationID: models.0, model: models.0),
            second: .init(conversationID: models.1, model: models.1), question: "talk_longer", choice: choice,
            recordedAt: .distantPast)
    }

    @Test("choices between models count whichever side they stood on")
    func wins() throws {
        let votes = [
            vote("p", "r1", ("a", "b"), .first), vote("p", "r2", ("b", "a"), .second),
            vote("q", "r1", ("b", "a"), .first),
            vote("q", "r2", ("a", "b"), .second), vote("s", "r1", ("a", "b"), .tie),
            vote("t", "r1", ("a", "a"), .first),
        ]
        #expect(RatingFigures.wins(votes) == [.init(model: "a", over: "b", wins: 2, losses: 2, ties: 1)])
        let agreement = RatingFigures.agreement(votes)
        #expect(agreement.alpha == 1 && agreement.items == 2 && agreement.given == 6)
    }

    @Test("exports: anchors by majority, votes as loam compare reads them")
    func exports() throws {
        func word(_ message: String, _ rater: String, _ value: Double) -> RaterAnnotation {
            RaterAnnotation(
                conversationID: "c,1", messageID: message, rater: rater, label: "good", value: value,
                recordedAt: .distantPast)
        }
        let export = RatingExport(
            annotations: [
                word("a", "r1", 1), word("a", "r2", 1), word("a", "r3", 0), word("b", "r1", 0), word("b", "r2", 0),
                word("tie", "r1", 0), word("tie", "r2", 1), word("alone", "r1", 1),
            ], votes: [vote("p", "r1", ("a", "b"), .second), vote("t", "r1", ("a", "a"), .first)])
        #expect(export.anchors == "item,label\n\"c,1/a\",1\n\"c,1/b\",0\n")
        let line = try JSONDecoder().decode(JSONValue.self, from: Data(export.comparison.utf8))
        #expect(
            line
                == .object([
                    "conversation": .string("p"), "rater": .string("r1"), "first": .string("a"), "second": .string("b"),
                    "choice": .string("second"), "question": .string("talk_longer"),
                ]))
    }
}
