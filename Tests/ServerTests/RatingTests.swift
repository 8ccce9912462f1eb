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

@Suite("Server: rating over the API")
struct RatingRoutesTests {
    /// Five conversations of two models, four messages each.
    private func fill(_ bench: OfficeBench) async throws {
        for number in 0..<6 {
            bench.clock.advance(1)
            let model = number % 2 == 0 ? "m1" : "m2"
            var messages: [Message] = []
            for turn in 0..<2 {
                messages.append(
                    Message(
                        id: "c\(number).q\(turn)", sender: .human, text: "Hi, I'm Margaret Holloway, question \(turn)"))
                messages.append(
                    Message(
                        id: "c\(number).a\(turn)", sender: .bot, text: "answer \(number) \(turn)",
                        generation: GenerationRecord(model: model)))
            }
            try await bench.store.save(Conversation(id: "c\(number)", userID: "u\(number)", messages: messages))
        }
    }

    /// Goes through the introduction of a task, right or wrong.
    private func introduce(_ browser: OfficeBrowser, _ name: String, _ task: RatingTask, wrong: Int = 0) async throws
        -> String
    {
        var left = wrong
        while true {
            let view = try await browser.send(.get, "/api/rate/next?task=\(task.rawValue)")
            let state = view.object["state"] as? String ?? ""
            guard state == "onboarding" else { return state }
            let item = try #require(view.object["item"] as? [String: any Sendable])
            let id = try #require(item["item"] as? String)
            let question = try #require(
                GoldQuestion.of(task, isOnboarding: true).first {
                    RatingQueue.name(task == .category ? "reply" : "pair", ["known", $0.id]) == id
                })
            let word: String
            switch question.content {
            case .reply(_, let reply, let answers):
                #expect(item["reply"] as? String == reply)
                let label = left > 0 ? RatingLabel.other : try #require(answers.first)
                word = #""label":"\#(label.rawValue)""#
            case .pair(_, let good, _):
                let shown = item["left"] as? [any Sendable] ?? []
                let text = (shown.last as? [String: any Sendable])?["text"] as? String
                let isLeft = text == good.last?.text
                word = #""choice":"\#((left > 0) != isLeft ? "left" : "right")""#
            }
            let outcome = try await browser.send(
                .post, "/api/rate/answers", #"{"task":"\#(task.rawValue)","item":"\#(id)",\#(word)}"#)
            #expect(outcome.object["right"] as? Bool == (left == 0))
            #expect(outcome.object["why"] as? String == question.why)
            left = max(0, left - 1)
        }
    }

    @Test("categories: introduction, de-identified and blind items, answers in the store, known items among them")
    func categories() async throws {
        let bench = try await OfficeBench()
        try await fill(bench)
        try await bench.server.application().test(.router) { client in
            let rae = OfficeBrowser(client)
            try await rae.signIn("rae")
            // Nothing counts before the introduction.
            let real = RatingQueue.Reply(conversationID: "c0", messageID: "c0.a0", priority: 0).item
            let early = try await rae.send(
                .post, "/api/rate/answers", #"{"task":"category","item":"\#(real)","label":"good"}"#)
            #expect(early.status == .conflict && early.error["code"] as? String == "introduction_first")
            #expect(try await introduce(rae, "rae", .category) == "passed")
            var seen = 0
            var hidden = 0
            while true {
                let view = try await rae.send(.get, "/api/rate/next?task=category")
                #expect(!view.text.contains("Holloway") && !view.text.contains("m1") && !view.text.contains("m2"))
                guard let item = view.object["item"] as? [String: any Sendable] else { break }
                let id = try #require(item["item"] as? String)
                let isKnown = GoldQuestion.all.contains { RatingQueue.name("reply", ["known", $0.id]) == id }
                if isKnown { hidden += 1 } else { seen += 1 }
                let answer = try await rae.send(
                    .post, "/api/rate/answers",
                    #"{"task":"category","item":"\#(id)","label":"off_topic","comment":" hm "}"#)
                // Known ones later on are not told apart.
                #expect(answer.status == .ok && answer.object.isEmpty)
                if seen + hidden > 30 { break }
            }
            #expect(seen == 12 && (1...2).contains(hidden))
            let words = try await bench.store.annotations(of: "c3")
            #expect(words.count == 14 && words.allSatisfy { $0.rater == "rae" })
            #expect(
                words.filter { $0.value == 1 }.map { "\($0.messageID) \($0.label) \($0.comment ?? "")" } == [
                    "c3.a0 off_topic hm", "c3.a1 off_topic hm",
                ])
            // Thought better of it.
            let again = RatingQueue.Reply(conversationID: "c3", messageID: "c3.a0", priority: 0).item
            #expect(
                try await rae.send(
                    .post, "/api/rate/answers", #"{"task":"category","item":"\#(again)","label":"good"}"#
                ).status == .ok)
            let changed = try await bench.store.annotations(of: "c3").filter { $0.value == 1 }
            #expect(changed.map { "\($0.messageID) \($0.label)" } == ["c3.a0 good", "c3.a1 off_topic"])
            for wrong in [
                #"{"task":"category","item":"\#(again)"}"#, #"{"task":"category","item":"\#(again)","label":"bad"}"#,
                #"{"task":"pair","item":"\#(again)"}"#, #"{"item":"\#(again)","label":"good"}"#,
            ] {
                #expect(try await rae.send(.post, "/api/rate/answers", wrong).status == .badRequest, "\(wrong)")
            }
            #expect(try await rae.send(.get, "/api/rate/next").status == .badRequest)
            let stale = try await rae.send(
                .post, "/api/rate/answers", #"{"task":"category","item":"nothing","label":"good"}"#)
            #expect(stale.status == .conflict && stale.error["code"] as? String == "stale_item")
        }
    }

    @Test("pairs: two models side by side, sides recorded as they were shown, skipped ones come no more")
    func pairs() async throws {
        let bench = try await OfficeBench(accounts: [("ann", .operator), ("rae", .rater), ("ron", .rater)])
        try await fill(bench)
        try await bench.server.application().test(.router) { client in
            let names = ["rae", "ron"]
            for name in names {
                let browser = OfficeBrowser(client)
                try await browser.signIn(name)
                #expect(try await introduce(browser, name, .pair) == "passed")
                var shown: [String] = []
                while shown.count < 10 {
                    let view = try await browser.send(.get, "/api/rate/next?task=pair")
                    #expect(!view.text.contains("Holloway") && !view.text.contains("\"m1\""))
                    guard let item = view.object["item"] as? [String: any Sendable] else { break }
                    let id = try #require(item["item"] as? String)
                    shown.append(id)
                    if GoldQuestion.all.contains(where: { RatingQueue.name("pair", ["known", $0.id]) == id }) {
                        _ = try await browser.send(
                            .post, "/api/rate/answers", #"{"task":"pair","item":"\#(id)","choice":"left"}"#)
                        continue
                    }
                    if name == "ron", shown.count == 1 {
                        #expect(
                            try await browser.send(.post, "/api/rate/skip", #"{"item":"\#(id)"}"#).status == .noContent)
                        continue
                    }
                    // Both always take the conversation of the first model, wherever it stands.
                    let left = (item["left"] as? [any Sendable] ?? []).compactMap {
                        ($0 as? [String: any Sendable])?["text"] as? String
                    }
                    let number = try #require(left.last?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
                    let choice = number % 2 == 0 ? "left" : "right"
                    #expect(
                        try await browser.send(
                            .post, "/api/rate/answers", #"{"task":"pair","item":"\#(id)","choice":"\#(choice)"}"#
                        ).status == .ok)
                }
                #expect(Set(shown).count == shown.count)
            }
            let votes = try await bench.store.pairVotes()
            #expect(votes.count(where: { $0.rater == "rae" }) == 3 && votes.count(where: { $0.rater == "ron" }) == 2)
            for vote in votes {
                let taken = vote.choice == .first ? vote.first : vote.second
                #expect(taken.model == "m1" && vote.question == "talk_longer" && vote.choice != .tie)
                #expect(vote.first.model != vote.second.model)
            }
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            let figures = try await ann.send(.get, "/api/admin/raters")
            let wins = (figures.object["wins"] as? [any Sendable])?.first as? [String: any Sendable]
            #expect(
                wins?["model"] as? String == "m1" && wins?["wins"] as? Double == 5 && wins?["losses"] as? Double == 0)
            let file = try await ann.send(.get, "/api/admin/raters/votes.jsonl")
            #expect(file.text.split(separator: "\n").count == 5)
            #expect(file.headers[.contentDisposition]?.contains("attachment") == true)
        }
    }

    @Test("who fails the introduction does not go on until an operator says so; who fails later no longer counts")
    func failing() async throws {
        let bench = try await OfficeBench()
        try await fill(bench)
        try await bench.server.application().test(.router) { client in
            let (ann, rae) = (OfficeBrowser(client), OfficeBrowser(client))
            try await ann.signIn("ann")
            try await rae.signIn("rae")
            #expect(try await introduce(rae, "rae", .category, wrong: 2) == "failed")
            let real = RatingQueue.Reply(conversationID: "c0", messageID: "c0.a0", priority: 0).item
            let body = #"{"task":"category","item":"\#(real)","label":"good"}"#
            #expect(try await rae.send(.post, "/api/rate/answers", body).status == .forbidden)
            #expect(try await rae.send(.get, "/api/rate/next?task=category").object["item"] == nil)
            #expect(try await ann.send(.post, "/api/admin/raters/rae/forgive", "{}").status == .badRequest)
            #expect(
                try await ann.send(.post, "/api/admin/raters/rae/forgive", #"{"reason":"first day"}"#).status
                    == .noContent)
            #expect(try await introduce(rae, "rae", .category, wrong: 1) == "passed")
            #expect(try await rae.send(.post, "/api/rate/answers", body).status == .ok)
            func standing() async throws -> [String: any Sendable] {
                let raters = try await ann.send(.get, "/api/admin/raters").object["raters"] as? [any Sendable]
                return (raters?.first as? [String: any Sendable])?["category"] as? [String: any Sendable] ?? [:]
            }
            #expect(try await standing()["marked"] as? Bool == false)
            for question in GoldQuestion.of(.category, isOnboarding: false).prefix(3) {
                try await bench.store.record(
                    GoldAnswer(rater: "rae", item: question.id, isRight: false, recordedAt: bench.clock.now))
            }
            #expect(try await standing()["marked"] as? Bool == true)
            #expect(try await bench.store.accesses(since: nil).map(\.action) == ["forgive_rater"])
        }
    }

    @Test("three raters agree: the item is done, agreement is shown, anchors come out")
    func agreement() async throws {
        let bench = try await OfficeBench(
            accounts: [("ann", .operator)] + ["r1", "r2", "r3", "r4"].map { ($0, .rater) })
        try await fill(bench)
        try await bench.server.application().test(.router) { client in
            for name in ["r1", "r2", "r3"] {
                let browser = OfficeBrowser(client)
                try await browser.signIn(name)
                #expect(try await introduce(browser, name, .category) == "passed")
                for (number, label) in [(0, "good"), (1, "off_topic")] {
                    let item = RatingQueue.Reply(conversationID: "c\(number)", messageID: "c\(number).a0", priority: 0)
                        .item
                    let body = #"{"task":"category","item":"\#(item)","label":"\#(label)"}"#
                    #expect(try await browser.send(.post, "/api/rate/answers", body).status == .ok)
                }
            }
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            let figures = try await ann.send(.get, "/api/admin/raters").object
            let queue = figures["replies"] as? [String: any Sendable]
            #expect(queue?["done"] as? Double == 2 && queue?["open"] as? Double == 10)
            let any = (figures["agreement"] as? [any Sendable])?.first as? [String: any Sendable]
            #expect(any?["label"] as? String == "any" && any?["alpha"] as? Double == 1 && any?["items"] as? Double == 2)
            let anchors = try await ann.send(.get, "/api/admin/raters/anchors.csv")
            #expect(anchors.text == "item,label\nc0/c0.a0,1\nc1/c1.a0,0\n")
        }
    }
}
