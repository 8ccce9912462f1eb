import Conversations
import Dialogue
import Foundation
import Synchronization
import Testing

@testable import Remote

@Suite("Remote: models behind an endpoint")
struct ModelEndpointTests {
    private let client = WebClient(rule: AddressRule(allowsPrivate: true), limits: .init(seconds: 120, redirects: 0))
    private let sampling = Sampling(temperature: 0.5, topP: 0.9, maximumTokens: 7, seed: 3)

    private func endpoint(_ server: TestServer, retries: Int = 2) -> ModelEndpoint {
        ModelEndpoint(
            base: server.address + "/v1/", model: "m", key: "secret", client: client,
            retries: Retries(count: retries, firstWait: 0.01))
    }

    private static let stream = [
        #"data: {"choices": [{"delta": {"role": "assistant"}}]}"#, "", ": a comment",
        #"data: {"choices": [{"delta": {"content": "I like"}}]}"#,
        #"data: {"choices": [{"delta": {"content": " tea."}, "finish_reason": "length"}]}"#,
        #"data: {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 16}}}"#,
        "data: [DONE]", "",
    ].joined(separator: "\n")

    @Test("a chat as a stream: turns out with the key, pieces and counts in")
    func chat() async throws {
        let server = try TestServer { _, _ in TestServer.answer(200, Self.stream) }
        let pieces = Mutex([String]())
        let reply = try await endpoint(server).reply(
            to: [Turn(.human, "Hi"), Turn(.bot, "Hello"), Turn(.human, "And?")], sampling: sampling
        ) { piece in pieces.withLock { $0.append(piece) } }
        #expect(
            reply
                == Reply(
                    text: "I like tea.", finishReason: "length", tokenCount: 4, meanLogProbability: 0,
                    promptTokenCount: 20, cachedTokenCount: 16))
        #expect(pieces.withLock { $0 } == ["I like", " tea."])
        let asked = server.asked[0]
        #expect(asked.line.hasPrefix("POST /v1/chat/completions "))
        #expect(asked.headers.contains("Authorization: Bearer secret"))
        let body = try JSONDecoder().decode(JSONValue.self, from: Data(asked.body.utf8))
        guard case .object(let fields) = body, case .array(let messages) = fields["messages"] else { return }
        #expect(messages[1] == .object(["role": .string("assistant"), "content": .string("Hello")]))
        #expect(fields["max_tokens"] == .number(7) && fields["seed"] == .number(3))
    }

    @Test("texts to be continued, and servers that do not stream")
    func completions() async throws {
        let server = try TestServer { _, _ in
            TestServer.answer(200, "{\"choices\": [{\"text\": \" search\",\n \"finish_reason\": \"stop\"}]}")
        }
        let call = ModuleCall(module: .searchDecision, prompt: .text("Search Decision:"), sampling: sampling)
        let output = try await endpoint(server).output(for: call, onPiece: nil)
        #expect(output.reply.text == " search" && output.model == "m@127.0.0.1")
        #expect(server.asked[0].line.hasPrefix("POST /v1/completions "))
    }

    @Test("defect 2.8: retries are bounded, and a failure says so without the key")
    func failures() async throws {
        let flaky = try TestServer { _, number in
            number < 2 ? TestServer.answer(503, "busy") : TestServer.answer(200, Self.stream)
        }
        #expect(
            try await endpoint(flaky).reply(to: [Turn(.human, "Hi")], sampling: sampling, onPiece: nil).text
                == "I like tea.")
        #expect(flaky.asked.count == 3)
        for (status, count) in [(500, 3), (401, 1), (400, 1)] {
            let server = try TestServer { _, _ in TestServer.answer(status, "no") }
            let error = await #expect(throws: RemoteError.self) {
                try await endpoint(server).reply(to: [Turn(.human, "Hi")], sampling: sampling, onPiece: nil)
            }
            #expect(error?.status == status && error?.description.contains("secret") == false)
            #expect(server.asked.count == count)
        }
        for body in ["not json", "{}", #"{"error": {"message": "x"}}"#, "data: {]\n\n"] {
            let server = try TestServer { _, _ in TestServer.answer(200, body) }
            await #expect(throws: RemoteError.self) {
                try await endpoint(server).reply(to: [Turn(.human, "Hi")], sampling: sampling, onPiece: nil)
            }
            #expect(server.asked.count == 1)
        }
    }

    @Test("lines that end with a carriage return as well are read alike")
    func carriageReturns() async throws {
        let text = Self.stream.replacingOccurrences(of: "\n", with: "\r\n")
        let server = try TestServer { _, _ in TestServer.answer(200, text) }
        let reply = try await endpoint(server).reply(to: [Turn(.human, "Hi")], sampling: sampling, onPiece: nil)
        #expect(reply.text == "I like tea." && reply.finishReason == "length" && reply.tokenCount == 4)
    }

    @Test("a stream that ends without a word broke off: half a reply is none; before its first piece it is asked again")
    func brokenStream() async throws {
        let role = #"data: {"choices": [{"delta": {"role": "assistant"}}]}"# + "\n\n"
        let half = role + #"data: {"choices": [{"delta": {"content": "I like"}}]}"# + "\n\n"
        for (body, count) in [(role, 3), (half, 1)] {
            let server = try TestServer { _, _ in TestServer.answer(200, body) }
            await #expect(throws: RemoteError.self) {
                try await endpoint(server).reply(to: [Turn(.human, "Hi")], sampling: sampling, onPiece: nil)
            }
            #expect(server.asked.count == count)
        }
    }

    @Test("what is added to the logits of tokens is handed on")
    func logitBias() throws {
        var biased = sampling
        biased.logitBias = [17: -100]
        let asked = try ModelEndpoint(base: "http://a.example/v1", model: "m").request(.text("x"), biased)
        let body = try JSONDecoder().decode(JSONValue.self, from: Data(asked.body ?? []))
        guard case .object(let fields) = body else {
            Issue.record("no object")
            return
        }
        #expect(fields["logit_bias"] == .object(["17": .number(-100)]))
    }

    @Test("many histories keep their order")
    func batch() async throws {
        let server = try TestServer { asked, _ in
            let number = (0..<9).first { asked.body.contains("number \($0)") } ?? 9
            return TestServer.answer(200, "{\"choices\": [{\"message\": {\"content\": \"r\(number)\"}}]}")
        }
        let replies = try await endpoint(server).replies(
            to: (0..<6).map { [Turn(.human, "number \($0)")] }, sampling: sampling)
        #expect(replies.map(\.text) == (0..<6).map { "r\($0)" })
    }
}
