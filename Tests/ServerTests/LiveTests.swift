import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Storage
import Testing

@testable import Server

@Suite("Server: over a real socket")
struct LiveTests {
    /// Waits until something holds, for at most five seconds.
    private func eventually(_ holds: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<250 {
            if try await holds() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    @Test("a reader who leaves stops the model; the message is kept and can be answered later")
    func leaving() async throws {
        let generator = ScriptedGenerator(pause: .milliseconds(100)) { _, _ in (0..<200).map { "\($0) " } }
        let bench = try Workbench(generator)
        try await bench.server.application(port: 0).test(.live) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            let cookie = try #require(browser.cookie)
            let port = try #require(client.port)
            let seen = try await Curl.leave(
                after: "event: piece",
                [
                    "-H", "Cookie: \(cookie)", "-H", "Content-Type: application/json", "-d", #"{"text":"count"}"#,
                    "http://localhost:\(port)/api/conversations/\(id)/messages",
                ])
            #expect(seen.contains("event: piece"))
            #expect(!seen.contains("event: reply"))
            #expect(try await eventually { generator.wasCancelled })
            #expect(try await eventually { await bench.host.load == 0 })
            #expect(try await bench.store.conversation(id: id)?.messages.map(\.text) == ["count"])
        }
    }

    @Test("pieces arrive as they are written, and a second message meanwhile is refused")
    func streaming() async throws {
        let generator = ScriptedGenerator(pause: .milliseconds(150)) { _, _ in ["a", "b", "c", "d"] }
        let bench = try Workbench(generator)
        try await bench.server.application(port: 0).test(.ahc(.http)) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            async let first = browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":"one"}"#)
            #expect(try await eventually { generator.calls == 1 })
            let second = try await browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":"two"}"#)
            #expect(second.status == .conflict)
            #expect(second.error["code"] as? String == "still_writing")
            #expect(try await first.events.filter { $0.name == "piece" }.count == 4)
            #expect(try await bench.store.conversation(id: id)?.messages.map(\.text) == ["one", "abcd"])
        }
    }

    @Test("more replies at once than there are places: the rest are told to come back")
    func overload() async throws {
        var limits = ServerLimits()
        limits.repliesAtOnce = 1
        let generator = ScriptedGenerator(pause: .milliseconds(300)) { _, _ in ["a", "b"] }
        let bench = try Workbench(generator, limits: limits)
        try await bench.server.application(port: 0).test(.ahc(.http)) { client in
            let ann = Browser(client)
            let bob = Browser(client)
            let annsID = try await ann.begin()
            let bobsID = try await bob.begin()
            async let first = ann.say("hi", in: annsID)
            #expect(try await eventually { generator.calls == 1 })
            let refused = try await bob.send(.post, "/api/conversations/\(bobsID)/messages", #"{"text":"hi"}"#)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] == "2")
            #expect(try await first["text"] as? String == "ab")
            try await bob.say("hi", in: bobsID)
        }
    }

    @Test("who deletes everything while a reply is written finds nothing of it afterwards")
    func deletedWhileWriting() async throws {
        let generator = ScriptedGenerator(pause: .milliseconds(150)) { _, _ in ["a", "b", "c"] }
        let bench = try Workbench(generator)
        try await bench.server.application(port: 0).test(.ahc(.http)) { client in
            let browser = Browser(client)
            let id = try await browser.begin()
            async let first = browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":"one"}"#)
            #expect(try await eventually { generator.calls == 1 })
            #expect(try await browser.send(.delete, "/api/me").status == .noContent)
            #expect(try await first.events.last?.name == "error")
            #expect(try await bench.store.conversation(id: id) == nil)
        }
    }
}
