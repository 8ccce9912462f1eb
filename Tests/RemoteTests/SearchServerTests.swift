import Conversations
import Foundation
import Testing

@testable import Remote

@Suite("Remote: search servers")
struct SearchServerTests {
    private let client = WebClient(rule: AddressRule(allowsPrivate: true), limits: .init(seconds: 120))
    private let quick = Retries(count: 2, firstWait: 0.01)

    @Test("ParlAI's shape: a form out, a list in")
    func parlai() async throws {
        let server = try TestServer { _, _ in
            TestServer.answer(
                200,
                #"{"response": [{"url": "u", "title": "t", "content": "a\nb"}, {"url": "v", "title": "", "content": ""}]}"#
            )
        }
        let search = SearchServer(.parlai, address: "127.0.0.1:\(server.port)", client: client)
        let found = try await search.documents(for: "jazz & blues?", count: 5)
        #expect(found == [SearchDocument(title: "t", content: "a\nb", url: "u")])
        #expect(server.asked[0].line.hasPrefix("POST / "))
        #expect(server.asked[0].body == "q=jazz%20%26%20blues%3F&n=5")
    }

    @Test("SearXNG and Brave: their addresses, their key, their answers")
    func others() async throws {
        let server = try TestServer { asked, _ in
            asked.line.contains("/search")
                ? TestServer.answer(200, #"{"results": [{"url": "u", "title": "t", "content": "c"}]}"#)
                : TestServer.answer(
                    200,
                    #"{"web": {"results": [{"url": "u", "title": "t", "description": "d", "extra_snippets": ["e"]}]}}"#)
        }
        let searxng = SearchServer(.searxng, address: server.address, client: client)
        #expect(
            try await searxng.documents(for: "a b", count: 1) == [SearchDocument(title: "t", content: "c", url: "u")])
        #expect(server.asked[0].line.hasPrefix("GET /search?q=a%20b&format=json "))
        let brave = SearchServer(.brave, address: server.address + "/res/v1", key: "k", client: client)
        #expect(try await brave.documents(for: "a", count: 1).first?.content == "d\ne")
        #expect(server.asked[1].line.hasPrefix("GET /res/v1?q=a&count=1 "))
        #expect(server.asked[1].headers.contains("X-Subscription-Token: k"))
    }

    @Test(
        "defect 2.7: an answer with another status is asked again a few times, then given up",
        arguments: [500, 503, 429])
    func otherStatus(status: Int) async throws {
        let server = try TestServer { _, _ in TestServer.answer(status, "") }
        // A name is looked up once a try: that counts tries, also one whose connection is lost on a starved machine.
        let lookups = CountingResolver()
        let client = WebClient(
            rule: AddressRule(allowsPrivate: true), limits: .init(seconds: 120), resolver: lookups)
        let search = SearchServer(
            .parlai, address: "http://search.example:\(server.port)", client: client, retries: quick)
        let error = await #expect(throws: RemoteError.self) { try await search.documents(for: "x", count: 1) }
        #expect(error?.status == status && error?.description == "search.example: status \(status)")
        #expect(await lookups.count == 3)
    }

    @Test("what cannot get better is not asked again; what is no answer is said so")
    func hopeless() async throws {
        for (status, body, code) in [
            (404, "", RemoteError.Code.status), (200, "<html>", .badAnswer), (200, "[1]", .badAnswer),
            (200, #"{"response": 7}"#, .badAnswer),
        ] {
            let server = try TestServer { _, _ in TestServer.answer(status, body) }
            let search = SearchServer(.parlai, address: server.address, client: client, retries: quick)
            let error = await #expect(throws: RemoteError.self) { try await search.documents(for: "x", count: 1) }
            #expect(error?.code == code && server.asked.count == 1)
        }
        for body in [#"{"response": []}"#, #"{"response": null}"#, "{}"] {
            let server = try TestServer { _, _ in TestServer.answer(200, body) }
            let search = SearchServer(.parlai, address: server.address, client: client, retries: quick)
            #expect(try await search.documents(for: "x", count: 1).isEmpty)
        }
    }

    @Test("waits double and are bounded")
    func waits() {
        let retries = Retries(count: 9, firstWait: 0.5, longestWait: 3)
        #expect((1...5).map(retries.wait) == [0.5, 1, 2, 3, 3])
    }

    @Test("by default no search server inside the house is asked")
    func privateServer() async throws {
        let server = try TestServer { _, _ in TestServer.answer(200, "{}") }
        let error = await #expect(throws: RemoteError.self) {
            try await SearchServer(.parlai, address: server.address).documents(for: "x", count: 1)
        }
        #expect(error?.code == .forbiddenAddress && server.asked.isEmpty)
    }
}

/// Every host is this machine; how often somebody asked.
private actor CountingResolver: NameResolver {
    private(set) var count = 0

    func addresses(of host: String) -> [String] {
        count += 1
        return ["127.0.0.1"]
    }
}
