import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

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

    /// Lets pass what comes, until it is closed.
    private actor Gate {
        private var isClosed = false
        private var waiting: CheckedContinuation<Void, Never>?

        var isHeld: Bool { waiting != nil }

        func close() { isClosed = true }

        func open() {
            isClosed = false
            waiting?.resume()
            waiting = nil
        }

        func pass() async {
            if isClosed { await withCheckedContinuation { waiting = $0 } }
        }
    }

    @Test("an answer that comes while items are read anew is not forgotten over it")
    func answeredMeanwhile() async throws {
        let bench = try await OfficeBench()
        try await fill(bench)
        let clock = bench.clock
        for question in GoldQuestion.of(.category, isOnboarding: true) {
            try await bench.store.record(
                GoldAnswer(rater: "rae", item: question.id, isRight: true, recordedAt: clock.now))
        }
        let gate = Gate()
        let board = RatingBoard(
            store: bench.store, deidentifier: OfficeBench.deidentifier, raters: 3, now: { clock.now },
            whenRead: { await gate.pass() })
        let first = try #require(try await board.next(.category, for: "rae").item)
        await gate.close()
        let reading = Task { _ = try await board.figures() }
        while await !gate.isHeld { await Task.yield() }
        _ = try await board.answer(first.item, label: .good, comment: nil, by: "rae")
        await gate.open()
        try await reading.value
        let next = try await board.next(.category, for: "rae")
        #expect(next.rated == 1 && next.item?.item != first.item)
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
