import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Storage
import Testing

@testable import Server

@Suite("Server: what the page talks to")
struct PersonRoutesTests {
    @Test("a chat: consent, a streamed reply, a thumb with reason and correction, all of it in the store")
    func chat() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let before = try await browser.send(.get, "/api/session")
            #expect(before.object["conversation"] == nil)
            #expect((before.object["model"] as? [String: any Sendable])?["id"] as? String == "scripted-1")
            #expect(
                before.object["reasons"] as? [any Sendable] as? [String] == [
                    "off_topic", "nonsensical", "inappropriate", "spam", "repeating", "other",
                ])

            let opened = try await browser.send(.post, "/api/conversations", #"{"consent":"release"}"#)
            let cookie = try #require(opened.headers[.setCookie])
            #expect(
                cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Max-Age=31536000"))
            let id = try #require(opened.object["id"] as? String)

            let answer = try await browser.send(
                .post, "/api/conversations/\(id)/messages", #"{"text":"  hello there "}"#)
            #expect(answer.headers[.contentType] == "text/event-stream; charset=utf-8")
            #expect(answer.events.map(\.name) == ["message", "piece", "piece", "piece", "reply"])
            #expect(answer.events[0].object["text"] as? String == "hello there")
            let pieces = answer.events.filter { $0.name == "piece" }.compactMap { $0.object["text"] as? String }
            #expect(pieces.joined() == "You said “hello there”.")
            let reply = answer.events[4].object
            #expect(reply["text"] as? String == pieces.joined())
            #expect(reply["model"] as? String == "scripted-1")

            let messageID = try #require(reply["id"] as? String)
            let voted = try await browser.send(
                .put, "/api/messages/\(messageID)/feedback",
                #"{"rating":-1,"reasons":["repeating","off_topic","repeating"],"comment":" again ","correction":"Hello!"}"#
            )
            #expect(voted.status == .ok)
            #expect(voted.object["counted"] as? Bool == true)
            #expect(voted.object["model"] as? String == "scripted-1")

            let stored = try #require(try await bench.store.conversation(id: id))
            #expect(stored.consent == .release)
            #expect(stored.messages.map(\.sender) == [.human, .bot])
            let feedback = try #require(stored.messages[1].feedback.first)
            #expect(stored.messages[1].feedback.count == 1)
            #expect(feedback.rating == .dislike)
            #expect(feedback.reasons == [.repeating, .offTopic])
            #expect(feedback.comment == "again")
            #expect(feedback.correction == "Hello!")
            #expect(feedback.userID == stored.userID)
            #expect(stored.messages[1].generation?.model == "scripted-1")
            #expect(!stored.userID.contains(try #require(browser.cookie).dropFirst("loam_person=".count)))

            // A new vote takes the old one's place; taking it back leaves none.
            _ = try await browser.send(.put, "/api/messages/\(messageID)/feedback", #"{"rating":1}"#)
            #expect(try await bench.store.conversation(id: id)?.messages[1].feedback.map(\.rating) == [.like])
            #expect(try await browser.send(.delete, "/api/messages/\(messageID)/feedback").status == .noContent)
            #expect(try await bench.store.conversation(id: id)?.messages[1].feedback.isEmpty == true)

            let after = try await browser.send(.get, "/api/session")
            #expect((after.object["conversation"] as? [String: any Sendable])?["id"] as? String == id)
        }
    }

    @Test("who asks that nothing be kept can chat, come back and vote, and the store stays empty")
    func nothingKept() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let opened = try await browser.send(.post, "/api/conversations", #"{"consent":"none"}"#)
            #expect(opened.headers[.setCookie]?.contains("Max-Age") == false)
            let id = try #require(opened.object["id"] as? String)
            let reply = try await browser.say("hi", in: id)
            let messageID = try #require(reply["id"] as? String)
            let voted = try await browser.send(.put, "/api/messages/\(messageID)/feedback", #"{"rating":1}"#)
            #expect(voted.object["counted"] as? Bool == false)
            let again = try await browser.send(.get, "/api/conversations/\(id)")
            let messages = try #require(again.object["messages"] as? [any Sendable])
            #expect(messages.count == 2)
            #expect(try await bench.store.conversations(of: userID(browser)).isEmpty)

            // A change of mind puts it into the store whole, and another takes it out again.
            #expect(try await browser.send(.put, "/api/me/consent", #"{"consent":"improve"}"#).status == .ok)
            let kept = try await bench.store.conversations(of: userID(browser))
            #expect(kept.map(\.messages.count) == [2])
            #expect(kept[0].messages[1].feedback.map(\.rating) == [.like])
            _ = try await browser.send(.put, "/api/me/consent", #"{"consent":"release"}"#)
            #expect(try await bench.store.conversation(id: id)?.consent == .release)
            _ = try await browser.send(.put, "/api/me/consent", #"{"consent":"none"}"#)
            #expect(try await bench.store.conversation(id: id) == nil)
            #expect(try await browser.send(.get, "/api/conversations/\(id)").status == .ok)

            // Starting again forgets it.
            _ = try await browser.begin("none")
            #expect(try await browser.send(.get, "/api/conversations/\(id)").status == .notFound)
        }
    }

    private func userID(_ browser: Browser) throws -> String {
        let token = try #require(browser.cookie).dropFirst("loam_person=".count)
        return try #require(Person(token: String(token))).userID
    }

    @Test("another person's conversation, message and vote do not exist")
    func othersAreHidden() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let ann = Browser(client)
            let id = try await ann.begin()
            let messageID = try #require(try await ann.say("mine", in: id)["id"] as? String)
            let bob = Browser(client)
            _ = try await bob.begin()
            for who in [bob, Browser(client)] {
                for (method, path, body) in [
                    (HTTPRequest.Method.get, "/api/conversations/\(id)", nil),
                    (.post, "/api/conversations/\(id)/messages", #"{"text":"x"}"#),
                    (.post, "/api/conversations/\(id)/reply", "{}"),
                    (.put, "/api/messages/\(messageID)/feedback", #"{"rating":1}"#),
                    (.delete, "/api/messages/\(messageID)/feedback", nil),
                ] as [(HTTPRequest.Method, String, String?)] {
                    let response = try await who.send(method, path, body)
                    #expect(response.status == .notFound, "\(method) \(path)")
                    #expect(response.error["type"] as? String == "invalid_request_error")
                }
            }
            #expect(try await bench.store.conversation(id: id)?.messages.count == 2)
        }
    }

    @Test("deleting removes everything, exporting gives everything")
    func deleteAndExport() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let first = try await browser.begin()
            try await browser.say("one", in: first)
            bench.clock.advance(60)
            let second = try await browser.begin()
            try await browser.say("two", in: second)
            let other = Browser(client)
            let others = try await other.begin()

            let export = try await browser.send(.get, "/api/me")
            #expect(export.headers[.contentDisposition] == "attachment; filename=\"loam-my-data.json\"")
            let conversations = try #require(export.object["conversations"] as? [any Sendable])
            #expect(conversations.compactMap { ($0 as? [String: any Sendable])?["id"] as? String } == [first, second])

            let gone = try await browser.send(.delete, "/api/me")
            #expect(gone.status == .noContent)
            #expect(browser.cookie == nil)
            #expect(try await bench.store.conversation(id: first) == nil)
            #expect(try await bench.store.conversation(id: second) == nil)
            #expect(try await bench.store.conversation(id: others) != nil)
            #expect(try await browser.send(.get, "/api/me").status == .notFound)
            #expect(try await browser.send(.get, "/api/session").object["conversation"] == nil)
        }
    }

    @Test(
        "bad input is refused by name, and nothing of it is kept",
        arguments: [
            (#"{"text":""}"#, 400, "text"), (#"{"text":" \n "}"#, 400, "text"), (#"{"text":7}"#, 400, "text"),
            (#"{}"#, 400, "text"), (#"{"text":null}"#, 400, "text"), ("[]", 400, ""), ("{", 400, nil), ("", 400, nil),
            (#"{"text":"\#(String(repeating: "x", count: 41))"}"#, 413, "text"),
            // One letter under 100 marks, which looks like one character.
            (#"{"text":"x\#(String(repeating: "\u{301}", count: 100))"}"#, 413, "text"),
            (#"{"text":"\#(String(repeating: "x", count: 3000))"}"#, 413, nil),
        ] as [(String, Int, String?)])
    func badMessages(body: String, status: Int, param: String?) async throws {
        var limits = ServerLimits()
        limits.messageCharacters = 40
        limits.bodyBytes = 1000
        let bench = try Workbench(limits: limits)
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let response = try await browser.send(.post, "/api/conversations/\(id)/messages", body)
            #expect(response.status.code == status)
            #expect(response.error["param"] as? String == param)
            #expect((response.error["message"] as? String)?.isEmpty == false)
            #expect(try await bench.store.conversation(id: id)?.messages.isEmpty == true)
            #expect(bench.generator.calls == 0)
        }
    }

    @Test(
        "feedback that cannot be is refused by name",
        arguments: [
            (#"{"rating":2}"#, "rating"), (#"{"rating":"up"}"#, "rating"), ("{}", "rating"),
            (#"{"rating":-1,"reasons":["boring"]}"#, "reasons"), (#"{"rating":1,"reasons":["spam"]}"#, "reasons"),
            (#"{"comment":"\#(String(repeating: "x", count: 2001))"}"#, "comment"),
            (#"{"comment":"x\#(String(repeating: "\u{301}", count: 2001))"}"#, "comment"),
            (#"{"correction":["x"]}"#, "correction"),
        ])
    func badFeedback(body: String, param: String) async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let messageID = try #require(try await browser.say("hi", in: id)["id"] as? String)
            let response = try await browser.send(.put, "/api/messages/\(messageID)/feedback", body)
            #expect(response.status == .badRequest)
            #expect(response.error["param"] as? String == param)
            let human = try #require(try await bench.store.conversation(id: id)?.messages.first?.id)
            #expect(
                try await browser.send(.put, "/api/messages/\(human)/feedback", #"{"rating":1}"#).status == .conflict)
            #expect(
                try await browser.send(.put, "/api/messages/nothing/feedback", #"{"rating":1}"#).status == .notFound)
        }
    }

    @Test("a form of a foreign page cannot post, and unknown consent is refused")
    func foreignForms() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
                let response = try await browser.send(.post, "/api/conversations", #"{"consent":"none"}"#, type: type)
                #expect(response.status == .unsupportedMediaType)
            }
            let unknown = try await browser.send(.post, "/api/conversations", #"{"consent":"everything"}"#)
            #expect(unknown.status == .badRequest)
            #expect(unknown.error["param"] as? String == "consent")
        }
    }

    @Test("a person who writes too fast is told how long to wait")
    func rateBound() async throws {
        var limits = ServerLimits()
        limits.messageBurst = 2
        limits.secondsPerMessage = 30
        let bench = try Workbench(limits: limits)
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            try await browser.say("one", in: id)
            try await browser.say("two", in: id)
            let refused = try await browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":"three"}"#)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] == "30")
            #expect(refused.error["code"] as? String == "rate_limit_exceeded")
            let other = Browser(client)
            try await other.say("hi", in: try await other.begin())
            bench.clock.advance(31)
            try await browser.say("three", in: id)
        }
    }

    @Test("one address begins only so many conversations in a row, whoever it says that it is")
    func openings() async throws {
        var limits = ServerLimits()
        limits.conversationBurst = 2
        limits.secondsPerConversation = 20
        let bench = try Workbench(limits: limits)
        try await bench.server.application().test(.router) { client in
            for _ in 0..<2 { _ = try await Browser(client).begin("none") }
            let refused = try await Browser(client).send(.post, "/api/conversations", #"{"consent":"none"}"#)
            #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] == "20")
            bench.clock.advance(20)
            _ = try await Browser(client).begin("improve")
        }
    }

    @Test("made-up people say nothing, and fill no bound")
    func madeUp() async throws {
        let bound = RequestBound(burst: 1, secondsPerToken: 1000, keyLimit: 1)
        let bench = try Workbench()
        let routes = PersonRoutes(
            chat: bench.server.chat, host: bench.host, limits: ServerLimits(), randomness: .system, messages: bound,
            openings: RequestBound(burst: 9, secondsPerToken: 1), isSecure: true, now: { bench.clock.now })
        let router = Router(context: ServerContext.self)
        router.add(middleware: ErrorShape())
        routes.add(to: router)
        try await Application(router: router).test(.router) { client in
            let browser = Browser(client)
            let opened = try await browser.send(.post, "/api/conversations", #"{"consent":"improve"}"#)
            #expect(opened.headers[.setCookie]?.contains("Secure") == true)
            let id = try #require(opened.object["id"] as? String)
            for digit in ["a", "b"] {
                for path in [
                    "conversations/\(id)/messages", "conversations/\(id)/reply", "messages/\(id).m1/regenerate",
                ] {
                    let answer = try await client.execute(
                        uri: "/api/\(path)", method: .post,
                        headers: [
                            .contentType: "application/json",
                            .cookie: "\(Person.cookieName)=\(String(repeating: digit, count: 64))",
                        ], body: ByteBuffer(string: #"{"text":"hi"}"#))
                    #expect(answer.status == .notFound)
                }
            }
            // The one key that there is room for is still to be had.
            try await browser.say("hi", in: id)
        }
    }

    @Test("while the model loads people are told so, and nothing of theirs is lost or kept twice")
    func loading() async throws {
        let bench = try Workbench(isLoading: true)
        try await bench.server.application().test(.router) { client in
            #expect(try await client.execute(uri: "/healthz", method: .get).status == .ok)
            #expect(try await client.execute(uri: "/readyz", method: .get).status == .serviceUnavailable)
            let browser = Browser(client)
            let id = try await browser.begin()
            let refused = try await browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":"hi"}"#)
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.headers[.retryAfter] != nil)
            #expect(try await bench.store.conversation(id: id)?.messages.isEmpty == true)
            await bench.host.become(bench.ready)
            #expect(try await client.execute(uri: "/readyz", method: .get).status == .ok)
            try await browser.say("hi", in: id)
        }
    }

    @Test("a reply that fails ends the stream with an error; the message is kept and can be answered again")
    func failureAndRetry() async throws {
        let generator = ScriptedGenerator { turns, _ in
            if turns.last?.text == "break" { throw ScriptedGenerator.Failure() }
            return ["fine"]
        }
        let bench = try Workbench(generator)
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let path = "/api/conversations/\(id)"
            #expect(try await browser.send(.post, path + "/reply", "{}").status == .conflict)
            let broken = try await browser.send(.post, path + "/messages", #"{"text":"break"}"#)
            #expect(broken.events.map(\.name) == ["message", "error"])
            #expect(broken.events[1].data.contains("internal_error"))
            #expect(try await bench.store.conversation(id: id)?.messages.count == 1)
            let again = try await browser.send(.post, path + "/reply", "{}")
            #expect(again.events.map(\.name) == ["error"])
            try await browser.say("work", in: id)
            #expect(try await bench.store.conversation(id: id)?.messages.map(\.text) == ["break", "work", "fine"])
            #expect(await bench.host.load == 0)
        }
    }

    @Test("logs hold routes and outcomes, never what was said")
    func logsAreSilent() async throws {
        let generator = ScriptedGenerator { turns, _ in
            if turns.last?.text.contains("boom") == true { throw ScriptedGenerator.Failure() }
            return ["a secret reply"]
        }
        let bench = try Workbench(generator)
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let reply = try await browser.say("my secret word", in: id)
            let messageID = try #require(reply["id"] as? String)
            _ = try await browser.send(
                .put, "/api/messages/\(messageID)/feedback", #"{"rating":-1,"comment":"secret comment"}"#)
            _ = try await browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":"secret boom"}"#)
            _ = try await browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":["secret"]}"#)
            _ = try await browser.send(.get, "/secret/place?secret=1")
            let log = bench.log.text
            #expect(log.contains("/api/conversations/{id}/messages") || log.contains("/api/conversations/:id/messages"))
            #expect(!log.contains("secret"))
            #expect(!log.contains(try #require(browser.cookie).dropFirst("loam_person=".count)))
        }
    }
}
