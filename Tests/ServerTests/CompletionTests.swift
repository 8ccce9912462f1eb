import Conversations
import Dialogue
import Foundation
import Generation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Storage
import Testing

@testable import Server

@Suite("Server: the API of OpenAI's clients")
struct CompletionTests {
    private static let simple = #"{"model":"scripted-1","messages":[{"role":"user","content":"hi there"}]"#

    private func post(_ client: any TestClientProtocol, _ body: String) async throws -> TestResponse {
        try await client.execute(
            uri: "/v1/chat/completions", method: .post, headers: [.contentType: "application/json"],
            body: ByteBuffer(string: body))
    }

    @Test("a whole answer has every field of the shape")
    func whole() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let response = try await post(client, Self.simple + "}")
            #expect(response.status == .ok)
            let body = response.object
            #expect((body["id"] as? String)?.hasPrefix("chatcmpl-") == true)
            #expect(body["object"] as? String == "chat.completion")
            #expect(body["created"] as? Double == 1_700_000_000)
            #expect(body["model"] as? String == "scripted-1")
            let choices = try #require(body["choices"] as? [any Sendable])
            #expect(choices.count == 1)
            let choice = try #require(choices[0] as? [String: any Sendable])
            #expect(choice["index"] as? Double == 0)
            #expect(choice["finish_reason"] as? String == "stop")
            #expect(choice["logprobs"] as? JSONValue == .null)
            let message = try #require(choice["message"] as? [String: any Sendable])
            #expect(message["role"] as? String == "assistant")
            #expect(message["content"] as? String == "You said “hi there”.")
            #expect(message["refusal"] as? JSONValue == .null)
            let usage = try #require(body["usage"] as? [String: any Sendable])
            #expect(usage["prompt_tokens"] as? Double == 2)
            #expect(usage["completion_tokens"] as? Double == 3)
            #expect(usage["total_tokens"] as? Double == 5)
            // What had been read before would tell of others; an operator may know (`KeyTests`).
            #expect(usage["prompt_tokens_details"] == nil)
            // Nobody asked to store it.
            let id = try #require(body["id"] as? String)
            #expect(try await bench.store.conversation(id: id) == nil)
        }
    }

    @Test("an engine that cannot be reached is 503, in a stream its last event; the log says which and why")
    func engineAway() async throws {
        struct Away: WriterFault {
            let isPassing: Bool
            var description: String { "engine.example: no answer within 60 s" }
        }
        for (isPassing, status, code) in [(true, 503, "engine_unavailable"), (false, 500, "internal_error")] {
            let bench = try Workbench(ScriptedGenerator { _, _ in throw Away(isPassing: isPassing) })
            try await bench.server.application().test(.router) { client in
                let response = try await post(client, Self.simple + "}")
                #expect(response.status.code == status && response.error["code"] as? String == code)
                #expect((response.headers[.retryAfter] != nil) == isPassing)
                #expect(bench.log.text.contains("engine.example"))
                let stream = try await post(client, Self.simple + #","stream":true}"#)
                let error = stream.events.last?.object["error"] as? [String: any Sendable]
                #expect(stream.status == .ok && error?["code"] as? String == code)
            }
        }
    }

    @Test("a stream: role, content, reason, usage where asked, [DONE]", arguments: [false, true])
    func stream(withUsage: Bool) async throws {
        try await Workbench().server.application().test(.router) { client in
            let options = withUsage ? #","stream_options":{"include_usage":true}"# : ""
            let response = try await post(client, Self.simple + #","stream":true"# + options + "}")
            #expect(response.headers[.contentType]?.hasPrefix("text/event-stream") == true)
            var events = response.events
            #expect(events.removeLast().data == "[DONE]")
            #expect(Set(events.compactMap { $0.object["id"] as? String }).count == 1)
            #expect(events.allSatisfy { $0.object["object"] as? String == "chat.completion.chunk" })
            #expect(events.allSatisfy { $0.object["created"] as? Double == 1_700_000_000 })
            if withUsage {
                let last = events.removeLast().object
                #expect((last["choices"] as? [any Sendable])?.isEmpty == true)
                #expect((last["usage"] as? [String: any Sendable])?["total_tokens"] as? Double == 5)
                #expect(events.allSatisfy { $0.object["usage"] as? JSONValue == .null })
            } else {
                #expect(events.allSatisfy { $0.object["usage"] == nil })
            }
            let choices = events.compactMap {
                ($0.object["choices"] as? [any Sendable])?.first as? [String: any Sendable]
            }
            let deltas = choices.compactMap { $0["delta"] as? [String: any Sendable] }
            #expect(deltas.count == 5)
            #expect(deltas[0]["role"] as? String == "assistant" && deltas[0]["content"] as? String == "")
            #expect(deltas[1...3].compactMap { $0["content"] as? String }.joined() == "You said “hi there”.")
            #expect(deltas[4].isEmpty)
            #expect(choices[0...3].allSatisfy { $0["finish_reason"] as? JSONValue == .null })
            #expect(choices[4]["finish_reason"] as? String == "stop")
        }
    }

    @Test("settings reach the model; instructions go before the person's words; text parts are joined")
    func settings() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let response = try await post(
                client,
                #"""
                {"model":"scripted-1","temperature":0.3,"top_p":0.5,"max_completion_tokens":9,"seed":-2,"frequency_penalty":0,
                "a_new_field":{"x":1},"user":"someone","messages":[{"role":"system","content":"Be kind."},
                {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
                {"role":"assistant","content":"c"},{"role":"user","content":"d"}]}
                """#)
            #expect(response.status == .ok)
            let sampling = bench.generator.lastSampling
            #expect(sampling.temperature == 0.3 && sampling.topP == 0.5 && sampling.maximumTokens == 9)
            #expect(sampling.seed == UInt64(bitPattern: -2))
            #expect(bench.generator.lastTurns == [Turn(.human, "Be kind.\n\nab"), Turn(.bot, "c"), Turn(.human, "d")])
        }
    }

    @Test("penalties, biases and stops reach the model")
    func penalties() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let response = try await post(
                client,
                Self.simple
                    + #","presence_penalty":0.5,"frequency_penalty":-1.5,"logit_bias":{"7":-100,"12":2.5},"stop":["x",""],"n":2}"#
            )
            #expect(response.status == .ok)
            let sampling = bench.generator.lastSampling
            #expect(sampling.presencePenalty == 0.5 && sampling.frequencyPenalty == -1.5)
            #expect(sampling.logitBias == [7: -100, 12: 2.5] && sampling.stops == ["x"])
            #expect(sampling.topLogProbabilities == nil)
            #expect(bench.generator.calls == 2)
            _ = try await post(client, Self.simple + "}")
            #expect(bench.generator.lastSampling.presencePenalty == 0 && bench.generator.lastSampling.logitBias.isEmpty)
        }
    }

    @Test("log-probabilities come with every token, whole or streamed, and are those of the text that is shown")
    func logprobs() async throws {
        let generator = ScriptedGenerator { _, _ in ["Hi", " 🌿", " END", " more"] }
        try await Workbench(generator).server.application().test(.router) { client in
            func tokens(_ choice: [String: any Sendable]?) throws -> [[String: any Sendable]] {
                let logprobs = try #require(choice?["logprobs"] as? [String: any Sendable])
                #expect(logprobs["refusal"] as? JSONValue == .null)
                return try #require(logprobs["content"] as? [any Sendable]).compactMap { $0 as? [String: any Sendable] }
            }
            let options = #","logprobs":true,"top_logprobs":2,"stop":" END""#
            let whole = try await post(client, Self.simple + options + "}")
            let choice = try #require((whole.object["choices"] as? [any Sendable])?.first as? [String: any Sendable])
            #expect(contents(whole) == ["Hi 🌿"])
            let content = try tokens(choice)
            #expect(content.map { $0["token"] as? String } == ["Hi", " 🌿"])
            #expect(content.map { $0["logprob"] as? Double } == [0, -0.5])
            #expect((content[1]["bytes"] as? [any Sendable])?.compactMap { $0 as? Double } == [32, 240, 159, 140, 191])
            #expect((content[0]["top_logprobs"] as? [any Sendable])?.count == 2)

            let streamed = try await post(client, Self.simple + options + #","stream":true}"#)
            let choices = streamed.events.compactMap {
                ($0.object["choices"] as? [any Sendable])?.first as? [String: any Sendable]
            }
            let deltas = choices.filter { ($0["delta"] as? [String: any Sendable])?["content"] as? String != "" }
            #expect(try deltas.dropLast().flatMap(tokens).map { $0["token"] as? String } == ["Hi", " 🌿"])
            #expect(
                deltas.compactMap { ($0["delta"] as? [String: any Sendable])?["content"] as? String }.joined()
                    == "Hi 🌿")
            #expect(deltas.last?["logprobs"] as? JSONValue == .null)
        }
    }

    @Test("a full queue is 429 with Retry-After, the server's own and the model's; a prompt past the context is 400")
    func full() async throws {
        var limits = ServerLimits()
        limits.repliesAtOnce = 1
        let slow = try Workbench(ScriptedGenerator(pause: .milliseconds(400)), limits: limits)
        try await slow.server.application().test(.router) { client in
            async let first = post(client, Self.simple + "}")
            while await slow.host.load == 0 { try await Task.sleep(for: .milliseconds(5)) }
            let second = try await post(client, Self.simple + #","stream":true}"#)
            #expect(second.status == .tooManyRequests)
            #expect(second.headers[.retryAfter] == "2")
            #expect(second.error["type"] as? String == "rate_limit_exceeded")
            #expect(try await first.status == .ok)
        }
        let busy = try Workbench(
            ScriptedGenerator { turns, _ in
                throw turns.last?.text == "long"
                    ? GenerationError(.promptTooLong, "9 tokens") : GenerationError(.busy, "full", retryAfter: 7)
            })
        try await busy.server.application().test(.router) { client in
            let refused = try await post(client, Self.simple + #","n":2}"#)
            #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] == "7")
            #expect(refused.error["code"] as? String == "rate_limit_exceeded")
            let long = try await post(client, #"{"model":"scripted-1","messages":[{"role":"user","content":"long"}]}"#)
            #expect(long.status == .badRequest && long.error["code"] as? String == "context_length_exceeded")
            #expect(await busy.host.load == 0)
        }
    }

    @Test("each reply of a request takes a place; who asks for more than there are is let in alone")
    func places() async throws {
        var limits = ServerLimits()
        limits.repliesAtOnce = 4
        let slow = try Workbench(ScriptedGenerator(pause: .milliseconds(400)), limits: limits, beside: .forTests())
        try await slow.server.application().test(.router) { client in
            async let first = post(client, Self.simple + #","n":3}"#)
            while await slow.host.load == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(await slow.host.load == 3)
            #expect(try await post(client, Self.simple + #","n":2}"#).status == .tooManyRequests)
            let texts = try await client.execute(
                uri: "/v1/completions", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: #"{"model":"scripted-1","prompt":["a","b"]}"#))
            #expect(texts.status == .tooManyRequests)
            #expect(try await post(client, Self.simple + "}").status == .ok)
            #expect(try await first.status == .ok)
            #expect(await slow.host.load == 0)
            #expect(try await post(client, Self.simple + #","n":8}"#).status == .ok)
            #expect(await slow.host.load == 0)
        }
    }

    @Test("stop strings cut the answer, streamed or not; n gives that many choices with seeds of their own")
    func stopAndCount() async throws {
        let generator = ScriptedGenerator { _, sampling in ["one ", "tw", "o EN", "D three \(sampling.seed)"] }
        try await Workbench(generator).server.application().test(.router) { client in
            let whole = try await post(client, Self.simple + #","stop":"END"}"#)
            #expect(contents(whole) == ["one two "])
            let streamed = try await post(client, Self.simple + #","stop":["END","x"],"stream":true}"#)
            let text = streamed.events.compactMap { event -> String? in
                let choice = (event.object["choices"] as? [any Sendable])?.first as? [String: any Sendable]
                return (choice?["delta"] as? [String: any Sendable])?["content"] as? String
            }.joined()
            #expect(text == "one two ")
            let several = try await post(client, Self.simple + #","n":3,"seed":40}"#)
            #expect(contents(several).map { String($0.suffix(2)) } == ["40", "41", "42"])
        }
    }

    private func contents(_ response: TestResponse) -> [String] {
        (response.object["choices"] as? [any Sendable] ?? []).compactMap {
            (($0 as? [String: any Sendable])?["message"] as? [String: any Sendable])?["content"] as? String
        }
    }

    @Test(
        "what cannot be done is refused by name",
        arguments: [
            (#""tools":[{"type":"function"}]"#, "tools"), (#""top_logprobs":2"#, "top_logprobs"),
            (#""logprobs":true,"top_logprobs":21"#, "top_logprobs"), (#""presence_penalty":3"#, "presence_penalty"),
            (#""frequency_penalty":-2.5"#, "frequency_penalty"), (#""logit_bias":{"five":1}"#, "logit_bias"),
            (#""logit_bias":{"5":101}"#, "logit_bias"), (#""logit_bias":{"-5":1}"#, "logit_bias"),
            (#""response_format":{"type":"json_object"}"#, "response_format"),
            (#""temperature":2.1"#, "temperature"), (#""top_p":-0.1"#, "top_p"), (#""n":0"#, "n"), (#""n":99"#, "n"),
            (#""max_tokens":0"#, "max_tokens"), (#""stop":["a","b","c","d","e"]"#, "stop"),
            (#""stream_options":{"include_usage":true}"#, "stream_options"), (#""temperature":"hot""#, "temperature"),
            (#""safety_identifier":"\#(String(repeating: "x", count: 65))""#, "safety_identifier"),
        ])
    func refused(field: String, param: String) async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let response = try await post(client, Self.simple + "," + field + "}")
            #expect(response.status == .badRequest)
            #expect(response.error["type"] as? String == "invalid_request_error")
            #expect(response.error["param"] as? String == param)
            #expect(bench.generator.calls == 0)
        }
    }

    @Test(
        "messages that cannot be are refused by place",
        arguments: [
            ("[]", "messages"),
            (#"[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]"#, "messages"),
            (#"[{"role":"king","content":"x"}]"#, "messages[0].role"),
            (#"[{"role":"user","content":"x"},{"role":"tool","content":"x"}]"#, "messages[1].role"),
            (#"[{"role":"user"}]"#, "messages[0].content"),
            (#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]"#, "messages[0].content"),
        ])
    func badMessages(messages: String, param: String) async throws {
        try await Workbench().server.application().test(.router) { client in
            let response = try await post(client, #"{"model":"scripted-1","messages":\#(messages)}"#)
            #expect(response.status == .badRequest)
            #expect(response.error["param"] as? String == param)
        }
    }

    @Test("an unknown model is 404 model_not_found, and leaves no place taken")
    func unknownModel() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let response = try await post(client, #"{"model":"other","messages":[{"role":"user","content":"x"}]}"#)
            #expect(response.status == .notFound)
            #expect(response.error["code"] as? String == "model_not_found")
            #expect(await bench.host.load == 0)
        }
    }

    @Test("the name that stays reaches whatever talks now; the answer has its real id", arguments: [false, true])
    func alias(isStreamed: Bool) async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            let body = Self.simple.replacing("scripted-1", with: "loam") + #","stream":\#(isStreamed)}"#
            let response = try await post(client, body)
            #expect(response.status == .ok)
            let object = isStreamed ? response.events.first?.object ?? [:] : response.object
            #expect(object["model"] as? String == "scripted-1")
            let one = try await client.execute(uri: "/v1/models/loam", method: .get)
            #expect(one.status == .ok && one.object["id"] as? String == "loam")
        }
    }

    @Test("models are listed and found by id")
    func models() async throws {
        try await Workbench(ScriptedGenerator(modelID: "house/small v2")).server.application().test(.router) { client in
            let list = try await client.execute(uri: "/v1/models", method: .get)
            #expect(list.object["object"] as? String == "list")
            let data = try #require((list.object["data"] as? [any Sendable])?.first as? [String: any Sendable])
            #expect(data["id"] as? String == "house/small v2")
            let second = (list.object["data"] as? [any Sendable])?.last as? [String: any Sendable]
            #expect(second?["id"] as? String == "loam")
            #expect(data["object"] as? String == "model")
            #expect(data["created"] as? Double == 1_700_000_000)
            #expect(data["owned_by"] as? String == "loam")
            for path in ["/v1/models/house/small%20v2", "/v1/models/house%2Fsmall%20v2"] {
                let one = try await client.execute(uri: path, method: .get)
                #expect(one.object["id"] as? String == "house/small v2")
            }
            let none = try await client.execute(uri: "/v1/models/none", method: .get)
            #expect(none.status == .notFound)
            #expect(none.error["code"] as? String == "model_not_found")
        }
    }

    @Test("a stored completion can be voted on, changed and taken back; one that was not stored cannot")
    func feedback() async throws {
        let bench = try Workbench()
        try await bench.server.application().test(.router) { client in
            func vote(_ body: String) async throws -> TestResponse {
                try await client.execute(
                    uri: "/v1/feedback", method: .post, headers: [.contentType: "application/json"],
                    body: ByteBuffer(string: body))
            }
            let stored = try await post(client, Self.simple + #","store":true,"n":2,"safety_identifier":"ann"}"#)
            let id = try #require(stored.object["id"] as? String)
            let kept = try #require(try await bench.store.conversation(id: id))
            #expect(kept.consent == .improve)
            #expect(kept.messages.map(\.sender) == [.human, .bot, .bot])
            #expect(Set(kept.messages.dropFirst().map(\.parentID)) == [kept.messages[0].id])
            #expect(!kept.userID.contains("ann"))

            #expect(try await vote(#"{"message_id":"\#(id)","rating":-1,"reasons":["spam"]}"#).status == .ok)
            #expect(try await vote(#"{"message_id":"\#(id)","rating":1}"#).status == .ok)
            #expect(try await vote(#"{"message_id":"\#(id)","rating":-1,"user":"bob"}"#).status == .ok)
            #expect(try await vote(#"{"message_id":"\#(id).1","rating":-1}"#).status == .ok)
            var messages = try #require(try await bench.store.conversation(id: id)).messages
            #expect(messages[1].feedback.count == 2)
            #expect(messages[1].feedback.first { $0.userID == kept.userID }?.rating == .like)
            #expect(messages[2].feedback.map(\.rating) == [.dislike])
            #expect(try await vote(#"{"message_id":"\#(id)","retract":true}"#).status == .ok)
            messages = try #require(try await bench.store.conversation(id: id)).messages
            #expect(messages[1].feedback.map(\.rating) == [.dislike])

            let unstored = try await post(client, Self.simple + "}")
            let other = try #require(unstored.object["id"] as? String)
            for name in [other, id + ".9", "c123.m1", ""] {
                #expect(try await vote(#"{"message_id":"\#(name)","rating":1}"#).status == .notFound)
            }
            #expect(try await vote(#"{"rating":1}"#).error["param"] as? String == "message_id")
        }
    }

    @Test("an error in mid-stream is one last event")
    func errorInStream() async throws {
        let generator = ScriptedGenerator { _, _ in throw ScriptedGenerator.Failure() }
        try await Workbench(generator).server.application().test(.router) { client in
            let streamed = try await post(client, Self.simple + #","stream":true}"#)
            #expect(streamed.events.last?.data.hasPrefix(#"{"error":"#) == true)
            #expect(!streamed.text.contains("[DONE]"))
            #expect(try await post(client, Self.simple + "}").status == .internalServerError)
        }
    }

    @Test("a turn that a safety layer answered ends with content_filter, and the canned reply is what is read")
    func contentFilter() async throws {
        let generator = ScriptedGenerator { _, _ in ["never seen"] }
        try await Workbench(generator, canned: "Shall we talk about something else?").server.application().test(.router)
        {
            client in
            let whole = try await post(client, Self.simple + "}")
            #expect(contents(whole) == ["Shall we talk about something else?"])
            #expect(whole.text.contains(#""finish_reason":"content_filter""#))
            let streamed = try await post(client, Self.simple + #","stream":true}"#)
            #expect(streamed.text.contains("Shall we talk about something else?"))
            #expect(streamed.text.contains(#""finish_reason":"content_filter""#))
            #expect(!streamed.text.contains("never seen"))

            let browser = Browser(client)
            let reply = try await browser.say("hi", in: try await browser.begin())
            #expect(reply["is_safety_reply"] as? Bool == true)
        }
    }
}
