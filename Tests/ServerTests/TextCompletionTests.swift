import Conversations
import Dialogue
import Foundation
import Generation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Server

@Suite("Server: completions of text")
struct TextCompletionTests {
    private func serve(_ test: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        try await Workbench(beside: .forTests()).server.application().test(.router, test)
    }

    private func post(_ client: any TestClientProtocol, _ fields: String) async throws -> TestResponse {
        try await client.execute(
            uri: "/v1/completions", method: .post, headers: [.contentType: "application/json"],
            body: ByteBuffer(string: #"{"model":"scripted-1","# + fields + "}"))
    }

    private func choices(_ object: [String: any Sendable]) -> [[String: any Sendable]] {
        (object["choices"] as? [any Sendable] ?? []).compactMap { $0 as? [String: any Sendable] }
    }

    @Test("a whole answer has every field of the older shape")
    func whole() async throws {
        try await serve { client in
            let response = try await post(client, #""prompt":"one two three""#)
            #expect(response.status == .ok)
            let body = response.object
            #expect((body["id"] as? String)?.hasPrefix("cmpl-") == true)
            #expect(body["object"] as? String == "text_completion")
            #expect(body["created"] as? Double == 1_700_000_000 && body["model"] as? String == "scripted-1")
            let choice = try #require(choices(body).first)
            #expect(choice["text"] as? String == " three two one" && choice["index"] as? Double == 0)
            #expect(choice["finish_reason"] as? String == "length" && choice["logprobs"] as? JSONValue == .null)
            let usage = try #require(body["usage"] as? [String: any Sendable])
            #expect(usage["prompt_tokens"] as? Double == 3 && usage["completion_tokens"] as? Double == 3)
            #expect(usage["total_tokens"] as? Double == 6)
            #expect(usage["prompt_tokens_details"] == nil)
            let named = try await client.execute(
                uri: "/v1/completions", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: #"{"model":"loam","prompt":"one"}"#))
            #expect(named.status == .ok && named.object["model"] as? String == "scripted-1")
        }
    }

    @Test("several prompts, several of each, in the order of their index; a prompt counts once")
    func several() async throws {
        try await serve { client in
            let response = try await post(client, #""prompt":["a b","c d"],"n":2,"max_tokens":1,"echo":true"#)
            #expect(choices(response.object).map { $0["text"] as? String } == ["a b b", "a b b", "c d d", "c d d"])
            #expect(choices(response.object).map { $0["index"] as? Double } == [0, 1, 2, 3])
            let usage = try #require(response.object["usage"] as? [String: any Sendable])
            #expect(usage["prompt_tokens"] as? Double == 4 && usage["completion_tokens"] as? Double == 4)
        }
    }

    @Test("a stream: text, reason, usage where asked, [DONE]", arguments: [false, true])
    func stream(withUsage: Bool) async throws {
        try await serve { client in
            let options = withUsage ? #","stream_options":{"include_usage":true}"# : ""
            let response = try await post(client, #""prompt":"a b","n":2,"echo":true,"stream":true"# + options)
            #expect(response.headers[.contentType]?.hasPrefix("text/event-stream") == true)
            var events = response.events
            #expect(events.removeLast().data == "[DONE]")
            #expect(events.allSatisfy { $0.object["object"] as? String == "text_completion" })
            if withUsage {
                let last = events.removeLast().object
                #expect(choices(last).isEmpty)
                #expect((last["usage"] as? [String: any Sendable])?["total_tokens"] as? Double == 6)
                #expect(events.allSatisfy { $0.object["usage"] as? JSONValue == .null })
            } else {
                #expect(events.allSatisfy { $0.object["usage"] == nil })
            }
            for index in [0.0, 1] {
                let own = events.flatMap { choices($0.object) }.filter { $0["index"] as? Double == index }
                // The safety layers let it through as a whole.
                #expect(own.map { $0["text"] as? String } == ["a b", " b a", ""])
                #expect(own.last?["finish_reason"] as? String == "length")
                #expect(own.dropLast().allSatisfy { $0["finish_reason"] as? JSONValue == .null })
            }
        }
    }

    @Test("log-probabilities in the older shape, whole and streamed", arguments: [false, true])
    func logprobs(isStreamed: Bool) async throws {
        try await serve { client in
            let response = try await post(client, #""prompt":"a b","logprobs":1,"stream":\#(isStreamed)"#)
            let bodies = isStreamed ? response.events.map(\.object) : [response.object]
            let parts = bodies.flatMap(choices).compactMap { $0["logprobs"] as? [String: any Sendable] }
            func joined(_ field: String) -> [any Sendable] { parts.flatMap { $0[field] as? [any Sendable] ?? [] } }
            #expect(joined("tokens").compactMap { $0 as? String } == [" b", " a"])
            #expect(joined("token_logprobs").compactMap { $0 as? Double } == [0, -1])
            #expect(joined("text_offset").compactMap { $0 as? Double } == [0, 2])
            let top = joined("top_logprobs").compactMap { $0 as? [String: any Sendable] }
            #expect(top.map { $0.keys.sorted() } == [[" b"], [" a"]])
        }
    }

    @Test("stops, seeds and settings are those of chats")
    func settings() async throws {
        try await serve { client in
            let stopped = try await post(client, #""prompt":"one two three","stop":["two"]"#)
            #expect(choices(stopped.object).map { $0["text"] as? String } == [" three"])
            #expect(choices(stopped.object).map { $0["finish_reason"] as? String } == ["stop"])
        }
    }

    @Test(
        "what cannot be done is refused by name",
        arguments: [
            (#""prompt":"""#, "prompt"), (#""prompt":[]"#, "prompt"), (#""prompt":[1,2]"#, "prompt"),
            (#""prompt":"a","suffix":"b""#, "suffix"), (#""prompt":"a","best_of":2"#, "best_of"),
            (#""prompt":"a","logprobs":6"#, "logprobs"), (#""prompt":"a","echo":true,"logprobs":1"#, "echo"),
            (#""prompt":"a","max_tokens":0"#, "max_tokens"), (#""prompt":"a","temperature":3"#, "temperature"),
            (#""prompt":["a","b","c","d","e"],"n":7"#, "n"), (#""n":1"#, "prompt"),
            // A product of these would be more than a number holds.
            (#""prompt":["a","b"],"n":9223372036854775807"#, "n"),
            (#""prompt":["a","b"],"n":-9223372036854775808"#, "n"),
            (#""prompt":"a","stream_options":{}"#, "stream_options"),
        ])
    func refused(fields: String, param: String) async throws {
        try await serve { client in
            let response = try await post(client, fields)
            #expect(response.status == .badRequest && response.error["param"] as? String == param)
        }
    }

    @Test("a prompt that is too long is named as the field that it is, whole and streamed", arguments: [false, true])
    func tooLong(isStreamed: Bool) async throws {
        var models = try SideModels.forTests()
        models.completer = FullCompleter()
        let bench = try Workbench(beside: models)
        try await bench.server.application().test(.router) { client in
            let response = try await post(client, #""prompt":"a b","stream":\#(isStreamed)"#)
            // A stream has begun by then: its error is an event.
            let streamed = response.events.last?.object["error"] as? [String: any Sendable]
            let error = isStreamed ? try #require(streamed) : response.error
            #expect(response.status == (isStreamed ? .ok : .badRequest))
            #expect(error["code"] as? String == "context_length_exceeded" && error["param"] as? String == "prompt")
            #expect(await bench.host.load == 0)
        }
    }

    @Test("an unsafe prompt is not continued, an unsafe continuation not shown")
    func safety() async throws {
        try await serve { client in
            let asked = try await post(client, #""prompt":"a grumble b","echo":true"#)
            let choice = try #require(choices(asked.object).first)
            #expect(choice["finish_reason"] as? String == "content_filter")
            #expect((choice["text"] as? String)?.contains("b grumble") == false)
        }
        let models = try SideModels.forTests()
        let guarded = GuardedCompleter(completer: SayingCompleter(text: "grumble"), safety: models.moderation?.safety)
        let answer = try await guarded.answer("go on", sampling: Sampling()) { _ in
            Issue.record("an unsafe text was shown")
        }
        #expect(answer.message.isSafetyControlled && !answer.message.text.contains("grumble"))
        #expect(answer.personDecisions.count == 4 && answer.message.safety.contains { $0.isUnsafe })
        let open = GuardedCompleter(completer: SayingCompleter(text: "grumble"), safety: nil)
        #expect(try await open.answer("go on", sampling: Sampling()) { _ in }.message.text == "grumble")
    }

    @Test("an unknown model is 404 and leaves no place taken")
    func unknownModel() async throws {
        let bench = try Workbench(beside: .forTests(chat: "other"))
        try await bench.server.application().test(.router) { client in
            let response = try await post(client, #""prompt":"a""#)
            #expect(response.status == .notFound && response.error["code"] as? String == "model_not_found")
            #expect(await bench.host.load == 0)
        }
    }
}

/// Cannot read any text.
private struct FullCompleter: TextCompleter {
    let modelID = "scripted-1"

    func continuation(
        of text: String, sampling: Sampling, onPiece: (@Sendable (String) -> Void)?
    ) async throws -> Reply {
        throw GenerationError(.promptTooLong, "the prompt has 9 tokens")
    }
}

/// Says one thing whatever the text.
private struct SayingCompleter: TextCompleter {
    let modelID = "saying"
    let text: String

    func continuation(
        of text: String, sampling: Sampling, onPiece: (@Sendable (String) -> Void)?
    ) async throws -> Reply {
        onPiece?(self.text)
        return Reply(text: self.text, finishReason: "stop", tokenCount: 1, meanLogProbability: 0)
    }
}
