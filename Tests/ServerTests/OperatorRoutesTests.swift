import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

@Suite("Server: what operators read")
struct OperatorRoutesTests {
    /// A conversation with a name in it, votes and a safety event.
    static func talk(
        _ id: String, by user: String, at date: Date, says text: String = "Hi, I'm Margaret Holloway from Leeds.",
        model: String = "m1", rating: Rating? = nil, isUnsafe: Bool = false
    ) -> Conversation {
        var reply = Message(
            id: id + ".2", sender: .bot, text: "Nice to meet you!", sentAt: date + 5,
            generation: GenerationRecord(model: model))
        if let rating {
            reply.feedback = [
                Feedback(
                    userID: user, rating: rating, reasons: rating == .dislike ? [.repeating, .unknown("made up")] : [],
                    correction: rating == .dislike ? "Hello Margaret" : nil, givenAt: date + 60)
            ]
        }
        var said = Message(id: id + ".1", sender: .human, text: text, sentAt: date)
        if isUnsafe { said.safety = [SafetyDecision(layer: "words", isUnsafe: true, category: "insult")] }
        return Conversation(id: id, userID: user, messages: [said, reply], startedAt: date)
    }

    @Test("the list is de-identified, filtered and paged, and nobody can be looked for by name")
    func list() async throws {
        let bench = try await OfficeBench()
        for number in 0..<30 {
            bench.clock.advance(60)
            try await bench.store.save(
                Self.talk(
                    "c\(number)", by: "u\(number)", at: bench.clock.now, model: number % 2 == 0 ? "m1" : "m2",
                    rating: number % 5 == 0 ? .dislike : number % 5 == 1 ? .like : nil, isUnsafe: number == 7))
        }
        try await bench.server.application().test(.router) { client in
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            func ids(_ query: String) async throws -> [String] {
                let page = try await ann.send(.get, "/api/admin/conversations?" + query)
                #expect(page.status == .ok && !page.text.contains("Margaret") && !page.text.contains("Holloway"))
                let rows = page.object["conversations"] as? [any Sendable] ?? []
                return rows.compactMap { ($0 as? [String: any Sendable])?["id"] as? String }
            }
            let first = try await ann.send(.get, "/api/admin/conversations")
            #expect(try await ids("") == (5..<30).reversed().map { "c\($0)" })
            let next = try #require(first.object["next"] as? String)
            #expect(try await ids("after=" + next) == (0..<5).reversed().map { "c\($0)" })
            #expect(try await ids("disliked=true") == ["c25", "c20", "c15", "c10", "c5", "c0"])
            #expect(try await ids("unsafe=true") == ["c7"])
            #expect(try await ids("model=m2&disliked=true") == ["c25", "c15", "c5"])
            #expect(try await ids("text=nice%20TO%20meet").count == 25)
            #expect(try await ids("text=Holloway") == [])
            #expect(try await ids("text=no%20such%20words") == [])
            bench.clock.advance(86_400 - 29 * 60)
            try await ann.signIn("ann")
            #expect(try await ids("days=1").count == 25)
            bench.clock.advance(3600)
            #expect(try await ids("days=1") == [])
            for wrong in ["after=x", "after=7ff0000000000000-1", "disliked=maybe", "days=-1", "days=x"] {
                #expect(try await ann.send(.get, "/api/admin/conversations?" + wrong).status == .badRequest, "\(wrong)")
            }
        }
    }

    @Test("what was really said is shown for a reason, which is in the store first")
    func raw() async throws {
        let bench = try await OfficeBench()
        try await bench.store.save(Self.talk("c1", by: "u1", at: bench.clock.now, rating: .dislike))
        try await bench.store.annotate(
            RaterAnnotation(
                conversationID: "c1", messageID: "c1.2", rater: "rae", label: "good", value: 1,
                recordedAt: bench.clock.now))
        try await bench.server.application().test(.router) { client in
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            let plain = try await ann.send(.get, "/api/admin/conversations/c1")
            #expect(plain.status == .ok && !plain.text.contains("Holloway") && !plain.text.contains("Margaret"))
            #expect(plain.object["raw"] as? Bool == false && plain.text.contains("\"rater\":\"rae\""))
            for reason in ["", "  x  ", String(repeating: "x", count: 501)] {
                let body = String(decoding: try JSONEncoder().encode(["reason": reason]), as: UTF8.self)
                let refused = try await ann.send(.post, "/api/admin/conversations/c1/raw", body)
                #expect(refused.status == .badRequest && !refused.text.contains("Holloway"))
            }
            #expect(try await bench.store.accesses(since: nil).isEmpty)
            let raw = try await ann.send(
                .post, "/api/admin/conversations/c1/raw", #"{"reason":"complaint of 3 May"}"#)
            #expect(raw.status == .ok && raw.text.contains("Margaret Holloway"))
            let record = AccessRecord(
                actor: "ann", action: "show", subject: "c1", reason: "complaint of 3 May", recordedAt: bench.clock.now)
            #expect(try await bench.store.accesses(since: nil) == [record])
            let unknown = try await ann.send(
                .post, "/api/admin/conversations/nothing/raw", #"{"reason":"a good reason"}"#)
            #expect(unknown.status == .notFound)
            #expect(try await ann.send(.get, "/api/admin/conversations/nothing").status == .notFound)
            let log = try await ann.send(.get, "/api/admin/accesses")
            #expect(log.text.contains("complaint of 3 May") && log.text.contains("\"actor\":\"ann\""))
            #expect(!bench.bench.log.text.contains("Holloway"))
        }
    }

    @Test("ids as other systems have them are found too")
    func oddIDs() async throws {
        let bench = try await OfficeBench()
        let ids = ["a/b", "what? #1 & more", "50%", "ümlaut", "../.."]
        for id in ids { try await bench.store.save(Self.talk(id, by: "u", at: bench.clock.now)) }
        try await bench.server.application().test(.router) { client in
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            for id in ids {
                // As `encodeURIComponent` has it.
                let allowed = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\u{21}"..."\u{7E}"))
                let path = try #require(id.addingPercentEncoding(withAllowedCharacters: allowed))
                let found = try await ann.send(.get, "/api/admin/conversations/" + path)
                #expect(found.object["id"] as? String == id, "\(id): \(found.text)")
            }
        }
    }

    @Test("these pages alone, where there is no model")
    func alone() async throws {
        let bench = try await OfficeBench()
        let application = try bench.office.application(logger: bench.server.logger)
        try await application.test(.router) { client in
            let door = try await client.execute(uri: "/", method: .get)
            #expect(door.status == .seeOther && door.headers[.location] == "/rate")
            for path in ["/rate", "/admin", "/style.css", "/office.css", "/healthz"] {
                let answer = try await client.execute(uri: path, method: .get)
                #expect(answer.status == .ok && answer.headers[.contentSecurityPolicy] != nil)
            }
            for path in ["/app.js", "/v1/models", "/api/session"] {
                let answer = try await client.execute(uri: path, method: .get)
                #expect(answer.status == .notFound && answer.error["code"] as? String == "not_found")
            }
            let rae = OfficeBrowser(client)
            #expect(try await rae.signIn("rae").status == .ok)
            #expect(try await rae.send(.get, "/api/rate/next?task=pair").object["state"] as? String == "onboarding")
        }
    }

    @Test("figures over time: by hand on a handful of conversations")
    func figures() throws {
        let day = Date(timeIntervalSince1970: 1_700_000_000)  // 14 November 2023, 22:13 UTC
        var counter = OfficeFigures.Counter(since: day - 86_400)
        counter.add(Self.talk("a", by: "u1", at: day, rating: .dislike, isUnsafe: true))
        counter.add(Self.talk("b", by: "u1", at: day + 86_400, rating: .like))
        counter.add(Self.talk("c", by: "u2", at: day + 86_400, model: "m2"))
        // Long ago, but voted on now.
        var old = Self.talk("d", by: "u3", at: day - 10 * 86_400, rating: .dislike)
        old.messages[1].feedback[0].givenAt = day + 60
        counter.add(old)
        counter.add(Self.talk("e", by: "u4", at: day - 10 * 86_400, rating: .like))
        let figures = counter.result()
        #expect(figures.conversations == 4 && figures.people == 3 && figures.replies == 3)
        #expect(figures.likes == 1 && figures.dislikes == 2 && figures.corrections == 2)
        #expect(figures.reasons == ["repeating": 2, "other": 2])
        #expect(
            figures.days == [
                .init(
                    date: "2023-11-14", conversations: 1, replies: 1, likes: 0, dislikes: 2, unsafe: ["words": 1]),
                .init(date: "2023-11-15", conversations: 2, replies: 2, likes: 1, dislikes: 0),
            ])
        #expect(figures.safety == [.init(layer: "words", category: "insult", sender: "human", count: 1)])
        #expect(figures.models.map(\.model) == ["m1", "m2"] && figures.models[0].dislikes == 2)
        var all = OfficeFigures.Counter(since: nil)
        var undated = Self.talk("f", by: "u", at: day, rating: .like)
        undated.startedAt = nil
        undated.messages[0].sentAt = nil
        undated.messages[1].sentAt = nil
        undated.messages[1].feedback[0].givenAt = nil
        all.add(undated)
        #expect(all.result().likes == 1 && all.result().undated == 1 && all.result().days.isEmpty)
    }

    @Test("figures come from the store, are kept for a minute, and ask for a sensible time")
    func desk() async throws {
        let bench = try await OfficeBench()
        try await bench.store.save(Self.talk("c1", by: "u1", at: bench.clock.now, rating: .dislike))
        try await bench.server.application().test(.router) { client in
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            func dislikes(_ days: String) async throws -> Double? {
                try await ann.send(.get, "/api/admin/figures?days=" + days).object["dislikes"] as? Double
            }
            #expect(try await dislikes("7") == 1)
            try await bench.store.save(Self.talk("c2", by: "u2", at: bench.clock.now, rating: .dislike))
            #expect(try await dislikes("7") == 1)
            bench.clock.advance(61)
            #expect(try await dislikes("7") == 2)
            #expect(try await dislikes("0") == 2)
            for wrong in ["-1", "4000"] {
                #expect(try await ann.send(.get, "/api/admin/figures?days=" + wrong).status == .badRequest)
            }
        }
    }

    @Test("the pages are there only when somebody could sign in, and keep to the policy")
    func pages() async throws {
        let bench = try await OfficeBench(accounts: [])
        try await bench.server.application().test(.router) { client in
            for page in Office.pages {
                #expect(try await client.execute(uri: page.path, method: .get).status == .notFound)
            }
            try await bench.store.add(
                Account(name: "ann", role: .operator, passwordHash: "x", createdAt: bench.clock.now))
            for page in Office.pages {
                let answer = try await client.execute(uri: page.path, method: .get)
                #expect(answer.status == .ok && answer.headers[.contentType] == page.type)
                #expect(answer.headers[.contentSecurityPolicy] == SecurityHeaders<ServerContext>.policy)
            }
        }
        for page in Office.pages {
            let text = try String(contentsOf: PageFiles.bundled.appending(path: page.name), encoding: .utf8)
            #expect(text.matches(of: /<script(?![^>]*src=)/).isEmpty && text.matches(of: /<style|\sstyle=/).isEmpty)
            for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"] {
                #expect(!text.contains(sink), "\(page.name): \(sink)")
            }
            let addresses = text.matches(of: /https?:\/\/[^'"\s)]+/).map { String($0.0) }
            #expect(addresses.allSatisfy { $0.hasPrefix("http://www.w3.org/") }, "\(addresses)")
        }
    }
}
