import Conversations
import Dialogue
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

@Suite("Server: several replies to one message")
struct ReplyChoiceTests {
    /// Says which call it is and what the model was shown.
    private func counting() -> ScriptedGenerator {
        let calls = CallCount()
        return ScriptedGenerator { turns, _ in
            ["reply \(calls.next()) to ", turns.map(\.text).joined(separator: "|")]
        }
    }

    private func messages(_ view: [String: any Sendable]) -> [[String: any Sendable]] {
        (view["messages"] as? [any Sendable] ?? []).compactMap { $0 as? [String: any Sendable] }
    }

    private func siblings(_ view: [String: any Sendable]) -> [[String: any Sendable]] {
        (view["siblings"] as? [any Sendable] ?? []).compactMap { $0 as? [String: any Sendable] }
    }

    @Test("another reply keeps the first beside it, each with its own thumb; the talk goes on from the one kept")
    func regenerate() async throws {
        let bench = try Workbench(counting())
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let first = try await browser.say("hi", in: id)
            let firstID = try #require(first["id"] as? String)
            #expect(first["can_regenerate"] as? Bool == true && first["siblings"] == nil)
            _ = try await browser.send(.put, "/api/messages/\(firstID)/feedback", #"{"rating":-1}"#)

            let again = try await browser.send(.post, "/api/messages/\(firstID)/regenerate", "{}")
            #expect(again.events.map(\.name) == ["piece", "piece", "reply"])
            let second = try #require(again.events.last?.object)
            let secondID = try #require(second["id"] as? String)
            #expect(second["text"] as? String == "reply 2 to hi", "the model does not see the reply before")
            #expect(siblings(second).compactMap { $0["id"] as? String } == [firstID, secondID])
            #expect((siblings(second)[0]["feedback"] as? [String: any Sendable])?["rating"] as? Double == -1)
            _ = try await browser.send(.put, "/api/messages/\(secondID)/feedback", #"{"rating":1}"#)
            _ = try await browser.send(.post, "/api/messages/\(secondID)/regenerate", "{}")

            let stored = try #require(try await bench.store.conversation(id: id))
            #expect(stored.siblings(of: firstID).map(\.text) == [1, 2, 3].map { "reply \($0) to hi" })
            #expect(stored.messages.map(\.feedback.first?.rating) == [nil, .dislike, .like, nil])
            #expect(stored.replyPairs.map(\.evidence) == [.votes])

            // Back to the second; it survives a new look, and is what the next words answer.
            let back = try await browser.send(.put, "/api/messages/\(secondID)/kept", "{}")
            #expect(back.object["id"] as? String == secondID && siblings(back.object).count == 3)
            let seen = try await browser.send(.get, "/api/conversations/\(id)")
            #expect(messages(seen.object).map { $0["id"] as? String }.last == secondID)
            #expect(messages(seen.object).count == 2)
            let next = try await browser.say("and", in: id)
            #expect(next["text"] as? String == "reply 4 to hi|reply 2 to hi|and")
            let kept = try #require(try await bench.store.conversation(id: id))
            #expect(kept.messages[4].parentID == secondID)
            #expect(kept.replyPairs.filter { $0.evidence == .kept }.map(\.rejected) == ["reply 3 to hi"])
            let whole = try await browser.send(.get, "/api/me")
            let exported = (whole.object["conversations"] as? [any Sendable])?.first as? [String: any Sendable]
            #expect(messages(exported ?? [:]).count == 6, "the download has dropped replies too")
            // What was gone on from cannot be changed any more.
            for (method, path) in [(HTTPRequest.Method.put, "kept"), (.post, "regenerate")] {
                let late = try await browser.send(method, "/api/messages/\(secondID)/\(path)", "{}")
                #expect(late.status == .conflict && late.error["code"] as? String == "not_the_last_reply")
            }
        }
    }

    @Test("there are only so many replies to one message, and none beside a question of the bot or to nobody's words")
    func bounds() async throws {
        var limits = ServerLimits()
        limits.repliesPerTurn = 2
        let bench = try Workbench(limits: limits)
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin("none")
            let first = try #require(try await browser.say("hi", in: id)["id"] as? String)
            let again = try await browser.send(.post, "/api/messages/\(first)/regenerate", "{}")
            #expect(again.events.last?.object["can_regenerate"] as? Bool == false)
            let more = try await browser.send(.post, "/api/messages/\(first)/regenerate", "{}")
            #expect(more.status == .conflict && more.error["code"] as? String == "too_many_replies")
            let human = try #require(
                messages(try await browser.send(.get, "/api/conversations/\(id)").object)[0]["id"] as? String)
            #expect(try await browser.send(.post, "/api/messages/\(human)/regenerate", "{}").status == .conflict)
            #expect(try await browser.send(.post, "/api/messages/nothing/regenerate", "{}").status == .notFound)
            // Not even with consent to nothing does another person see them.
            let other = Browser(client)
            _ = try await other.begin()
            for (method, path, body) in [
                (HTTPRequest.Method.post, "regenerate", "{}"), (.put, "kept", "{}"),
                (.put, "choice", #"{"better":true}"#),
                (.put, "dispute", #"{"fine":true}"#), (.get, "inside", nil),
            ] as [(HTTPRequest.Method, String, String?)] {
                #expect(
                    try await other.send(method, "/api/messages/\(first)/\(path)", body).status == .notFound, "\(path)")
            }
            #expect(try await browser.send(.put, "/api/messages/\(first)/kept", "{}").status == .ok)
            let seen = try await browser.send(.get, "/api/conversations/\(id)")
            #expect(messages(seen.object).last?["id"] as? String == first)
            #expect(await bench.host.load == 0)
        }
    }

    @Test(
        "a share of turns gets two replies; the choice is a pair for training, with the places noted",
        arguments: [true, false])
    func choose(isBetter: Bool) async throws {
        let bench = try Workbench(counting(), compareShare: 1)
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let body = #"{"text":"hi"}"#
            let answer = try await browser.send(.post, "/api/conversations/\(id)/messages", body)
            #expect(answer.events.map(\.name) == ["message", "reply"], "neither is shown before the other")
            let reply = try #require(answer.events.last?.object)
            let comparison = try #require(reply["comparison"] as? [String: any Sendable])
            #expect(comparison["outcome"] as? String == "open" && reply["can_regenerate"] as? Bool == false)
            let order = (comparison["order"] as? [any Sendable] ?? []).compactMap { $0 as? String }
            #expect(Set(order) == Set(siblings(reply).compactMap { $0["id"] as? String }) && order.count == 2)
            #expect(bench.generator.calls == 2)
            #expect(await bench.host.load == 0)

            // Nothing is said past it.
            let early = try await browser.send(.post, "/api/conversations/\(id)/messages", body)
            #expect(early.status == .conflict && early.error["code"] as? String == "choose_first")
            for (method, path) in [(HTTPRequest.Method.put, "kept"), (.post, "regenerate")] {
                #expect(try await browser.send(method, "/api/messages/\(order[0])/\(path)", "{}").status == .conflict)
            }
            let seen = try await browser.send(.get, "/api/conversations/\(id)")
            #expect(
                (messages(seen.object).last?["comparison"] as? [String: any Sendable])?["outcome"] as? String == "open")

            let chosen = try await browser.send(
                .put, "/api/messages/\(order[1])/choice", #"{"better":\#(isBetter)}"#)
            #expect(chosen.object["id"] as? String == order[isBetter ? 1 : 0])
            let stored = try #require(try await bench.store.conversation(id: id))
            let places = stored.messages.dropFirst().map { $0.annotations.first { $0.label == "shown" }?.value }
            #expect(places == stored.messages.dropFirst().map { order.firstIndex(of: $0.id).map(Double.init) })
            #expect(stored.replyPairs.map(\.evidence) == (isBetter ? [.battle] : []))
            if isBetter { #expect(stored.replyPairs.first?.messageID == order[1]) }
            #expect(
                stored.messages.dropFirst().map(\.feedback.first?.rating)
                    == (isBetter ? [nil, nil] : [.dislike, .dislike]))
            let sum = try await browser.send(.get, "/api/me/contribution")
            #expect(sum.object["choices"] as? Double == 1)
            #expect(try await browser.send(.post, "/api/conversations/\(id)/messages", body).status == .ok)
            let late = try await browser.send(.put, "/api/messages/\(order[0])/choice", #"{"better":true}"#)
            #expect(late.status == .conflict)
        }
    }

    @Test("equal replies and safety replies are no choice, and the order is no habit")
    func noChoice() async throws {
        for bench in [
            try Workbench(ScriptedGenerator { _, _ in ["same"] }, compareShare: 1),
            try Workbench(canned: "Let us talk about something else.", compareShare: 1),
        ] {
            try await bench.server.application().test(.router) { client in
                let browser = Browser(client)
                let id = try await browser.begin()
                let reply = try await browser.say("hi", in: id)
                #expect(reply["comparison"] == nil && reply["siblings"] == nil)
                #expect(try await bench.store.conversation(id: id)?.messages.count == 2)
            }
        }
        let sides = (0..<400).map { ChatService.chance(of: "c\($0).m1", salt: "order of replies") < 0.5 }
        #expect((150...250).contains(sides.filter { $0 }.count))
        let drawn = (0..<2000).filter { ChatService.chance(of: "c\($0).m1", salt: "compare replies") < 0.1 }
        #expect((140...260).contains(drawn.count))
    }

    @Test("a safety reply can be disputed or agreed with, as feedback of its own kind that teaches no thumb")
    func dispute() async throws {
        let bench = try Workbench(canned: "Let us talk about something else.")
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let reply = try await browser.say("hi", in: id)
            #expect(reply["is_safety_reply"] as? Bool == true && reply["can_dispute"] as? Bool == true)
            let messageID = try #require(reply["id"] as? String)
            for (body, reason) in [(#"{"fine":false}"#, "agree_sensitive"), (#"{"fine":true}"#, "disagree_sensitive")] {
                let said = try await browser.send(.put, "/api/messages/\(messageID)/dispute", body)
                #expect(said.object["reasons"] as? [any Sendable] as? [String] == [reason])
                #expect(said.object["counted"] as? Bool == true && said.object["rating"] == nil)
            }
            let stored = try #require(try await bench.store.conversation(id: id))
            #expect(stored.messages[1].feedback.map(\.reasons) == [[.disagreesSensitive]])
            #expect(stored.votedReplies.isEmpty)
            #expect(
                try await browser.send(.get, "/api/me/contribution").object["disputes"] as? Double == 1)
            #expect(try await browser.send(.delete, "/api/messages/\(messageID)/feedback").status == .noContent)

            let plain = try Workbench()
            try await plain.server.application().test(.router) { client in
                let browser = Browser(client)
                let reply = try await browser.say("hi", in: try await browser.begin())
                let path = "/api/messages/\(reply["id"] as? String ?? "")/dispute"
                #expect(reply["can_dispute"] as? Bool == false)
                #expect(try await browser.send(.put, path, #"{"fine":true}"#).status == .conflict)
                #expect(try await browser.send(.put, path, "{}").error["param"] as? String == "fine")
            }
        }
    }

    @Test("what a vote did: counted, and in which models its person's words are since then")
    func influence() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let early = try #require(try await browser.say("one", in: id)["id"] as? String)
            _ = try await browser.send(
                .put, "/api/messages/\(early)/feedback", #"{"rating":-1,"correction":"better"}"#)
            bench.clock.advance(100)
            let person = try #require(try await bench.store.conversation(id: id)).userID
            try await bench.store.record(
                DatasetRecord(
                    id: "d", path: "x", shape: "loam", conversations: 1, people: 1, createdAt: bench.clock.now),
                people: [person])
            try await bench.store.record(
                ModelRecord(id: "loam-2", path: "x", datasets: ["d"], createdAt: bench.clock.now))
            bench.clock.advance(100)
            let late = try #require(try await browser.say("two", in: id)["id"] as? String)
            _ = try await browser.send(.put, "/api/messages/\(late)/feedback", #"{"rating":1}"#)
            let seen = messages(try await browser.send(.get, "/api/conversations/\(id)").object)
            func used(_ place: Int) -> [String]? {
                (seen[place]["feedback"] as? [String: any Sendable])?["used_in"] as? [any Sendable] as? [String]
            }
            #expect(used(1) == ["loam-2"] && used(3) == [])
            let sum = try await browser.send(.get, "/api/me/contribution").object
            #expect(sum["votes"] as? Double == 2 && sum["counted"] as? Double == 2)
            #expect(sum["corrections"] as? Double == 1 && sum["choices"] as? Double == 0)
            let models = sum["models"] as? [any Sendable] ?? []
            #expect((models.first as? [String: any Sendable])?["id"] as? String == "loam-2" && models.count == 1)
        }
    }

    @Test("a person's conversations, newest first, and nobody else's")
    func list() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let first = try await browser.begin()
            try await browser.say("one\n" + String(repeating: "long ", count: 30), in: first)
            bench.clock.advance(60)
            let second = try await browser.begin()
            let listed = try await browser.send(.get, "/api/conversations")
            let lines = (listed.object["conversations"] as? [any Sendable] ?? [])
                .compactMap { $0 as? [String: any Sendable] }
            #expect(lines.map { $0["id"] as? String } == [second, first])
            #expect(lines.map { $0["messages"] as? Double } == [0, 2])
            #expect((lines[1]["title"] as? String)?.hasPrefix("one long") == true)
            #expect((lines[1]["title"] as? String)?.count == 80)
            let nobody = try await Browser(client).send(.get, "/api/conversations")
            #expect((nobody.object["conversations"] as? [any Sendable])?.isEmpty == true)
        }
    }

    @Test("looking inside shows what was recorded of a reply, and no more")
    func inside() async throws {
        let bench = try Workbench()
        let record = Message(
            id: "", sender: .bot, text: "At nine [1].",
            generation: GenerationRecord(model: "m-1", temperature: 0.7, topP: 0.9, seed: 5, meanLogProbability: -1),
            search: SearchRecord(
                decision: "search", query: "opening hours", knowledge: "It opens at nine.",
                documents: [SearchDocument(title: "Hours", content: "x", url: "https://example.org/hours")],
                provider: "documents"),
            memory: MemoryRecord(
                memories: ["I have a dog.", "I like jazz."], decision: "access", knowledge: "I like jazz."),
            modules: [ModuleRecord(module: "sdm", model: "rule", output: "search")],
            safety: [SafetyDecision(layer: "classifier", isUnsafe: false, score: 0.01)])
        await bench.host.become(
            .ready(
                FixedAnswerer(
                    reply: record, personDecisions: [SafetyDecision(layer: "string_matcher", isUnsafe: false)])))
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let reply = try await browser.say("when", in: try await browser.begin())
            let inside = try await browser.send(.get, "/api/messages/\(reply["id"] as? String ?? "")/inside").object
            func field(_ path: String...) -> (any Sendable)? {
                path.reduce(inside as any Sendable) { ($0 as? [String: any Sendable])?[$1] ?? JSONValue.null }
            }
            #expect(field("model") as? String == "m-1")
            #expect(field("sampling", "temperature") as? Double == 0.7 && field("sampling", "seed") as? String == "5")
            #expect(field("search", "query") as? String == "opening hours")
            let documents = field("search", "documents") as? [any Sendable] ?? []
            #expect((documents.first as? [String: any Sendable])?["url"] as? String == "https://example.org/hours")
            #expect(field("memory", "used") as? String == "I like jazz." && field("memory", "known") as? Double == 2)
            #expect((field("modules") as? [any Sendable])?.count == 1)
            #expect((field("safety") as? [any Sendable])?.count == 1)
            #expect((field("safety_of_question") as? [any Sendable])?.count == 1)
        }
    }
}
