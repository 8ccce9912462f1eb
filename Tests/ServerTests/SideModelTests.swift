import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Server

@Suite("Server: embeddings, moderations, rewards")
struct SideModelTests {
    private func post(_ client: any TestClientProtocol, _ path: String, _ body: String) async throws -> TestResponse {
        try await client.execute(
            uri: path, method: .post, headers: [.contentType: "application/json"], body: ByteBuffer(string: body))
    }

    private func serve(_ test: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        try await Workbench(beside: .forTests()).server.application().test(.router, test)
    }

    private func entries(_ response: TestResponse, _ field: String = "data") -> [[String: any Sendable]] {
        (response.object[field] as? [any Sendable] ?? []).compactMap { $0 as? [String: any Sendable] }
    }

    private func numbers(_ value: (any Sendable)?) -> [Double] {
        (value as? [any Sendable] ?? []).compactMap { $0 as? Double }
    }

    @Test("a vector for each text, as numbers or in Base64, shortened ones of length 1 again")
    func embeddings() async throws {
        try await serve { client in
            let whole = try await post(client, "/v1/embeddings", #"{"model":"letters","input":["aab b","c"]}"#)
            #expect(whole.status == .ok)
            #expect(whole.object["object"] as? String == "list" && whole.object["model"] as? String == "letters")
            let data = entries(whole)
            #expect(data.map { $0["index"] as? Double } == [0, 1])
            #expect(data.allSatisfy { $0["object"] as? String == "embedding" })
            let first = numbers(data[0]["embedding"])
            #expect(first.count == 3 && abs(first[0] - 0.5.squareRoot()) < 1e-6 && first[2] == 0)
            let usage = try #require(whole.object["usage"] as? [String: any Sendable])
            #expect(usage["prompt_tokens"] as? Double == 3 && usage["total_tokens"] as? Double == 3)

            let packed = try await post(
                client, "/v1/embeddings", #"{"model":"letters","input":"aab b","encoding_format":"base64"}"#)
            let text = try #require(entries(packed)[0]["embedding"] as? String)
            let bytes = try #require(Data(base64Encoded: text))
            let floats = stride(from: 0, to: bytes.count, by: 4).map { place in
                Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
            }
            #expect(floats.map(Double.init).elementsEqual(first) { abs($0 - $1) < 1e-7 })

            let short = try await post(client, "/v1/embeddings", #"{"model":"letters","input":"aacbc","dimensions":2}"#)
            let vector = numbers(entries(short)[0]["embedding"])
            #expect(vector.count == 2)
            #expect(abs(vector[0] - 2 / 5.0.squareRoot()) < 1e-6 && abs(vector[1] - 1 / 5.0.squareRoot()) < 1e-6)
        }
    }

    @Test(
        "what cannot be embedded is refused by name",
        arguments: [
            (#"{"model":"letters","input":""}"#, 400, "input"), (#"{"model":"letters","input":[]}"#, 400, "input"),
            (#"{"model":"letters","input":["a",""]}"#, 400, "input"),
            (#"{"model":"letters","input":[1,2]}"#, 400, "input"),
            (#"{"model":"letters","input":7}"#, 400, "input"), (#"{"model":"letters"}"#, 400, "input"),
            (#"{"model":"letters","input":"a","dimensions":0}"#, 400, "dimensions"),
            (#"{"model":"letters","input":"a","dimensions":4}"#, 400, "dimensions"),
            (#"{"model":"letters","input":"a","encoding_format":"hex"}"#, 400, "encoding_format"),
            (#"{"model":"scripted-1","input":"a"}"#, 404, "model"), (#"{"input":"a"}"#, 400, "model"),
            (#"{"model":"letters","input":"a a a a a a a a a a a a a a a a a a a a a"}"#, 400, "input"),
        ])
    func badEmbeddings(body: String, status: Int, param: String) async throws {
        try await serve { client in
            let response = try await post(client, "/v1/embeddings", body)
            #expect(response.status.code == status && response.error["param"] as? String == param)
        }
    }

    @Test("more texts than one request may hold are refused")
    func tooManyTexts() async throws {
        try await serve { client in
            let list = "[" + Array(repeating: "\"a\"", count: 2049).joined(separator: ",") + "]"
            let response = try await post(client, "/v1/embeddings", #"{"model":"letters","input":\#(list)}"#)
            #expect(response.status == .badRequest && response.error["param"] as? String == "input")
        }
    }

    @Test("the layers' verdicts in OpenAI's categories")
    func moderations() async throws {
        try await serve { client in
            let response = try await post(
                client, "/v1/moderations", #"{"input":["hello","what a grumble","sorrow","a potion","parliament"]}"#)
            #expect(response.status == .ok)
            #expect((response.object["id"] as? String)?.hasPrefix("modr-") == true)
            #expect(response.object["model"] as? String == "loam-safety")
            let results = entries(response, "results")
            #expect(results.map { $0["flagged"] as? Bool } == [false, true, true, true, false])
            func flagged(_ result: [String: any Sendable]) -> Set<String> {
                let categories = result["categories"] as? [String: any Sendable] ?? [:]
                #expect(Set(categories.keys) == Set(ModerationResult.categories))
                return Set(categories.filter { $0.value as? Bool == true }.keys)
            }
            #expect(
                results.map(flagged) == [[], ["harassment"], ["self-harm", "self-harm/intent"], ["illicit"], []])
            let scores = try #require(results[1]["category_scores"] as? [String: any Sendable])
            #expect(Set(scores.keys) == Set(ModerationResult.categories))
            #expect(scores["harassment"] as? Double == 1 && scores["violence"] as? Double == 0)
            let calm = try #require(results[0]["category_scores"] as? [String: any Sendable])
            #expect(calm["harassment"] as? Double == 0.5)
            // Parts of one text are one text; OpenAI's names are taken, others are not.
            let parts = try await post(
                client, "/v1/moderations",
                #"{"model":"omni-moderation-latest","input":[{"type":"text","text":"gru"},{"type":"text","text":"mble"}]}"#
            )
            #expect(entries(parts, "results").map { $0["flagged"] as? Bool } == [true])
            let image = try await post(
                client, "/v1/moderations", #"{"input":[{"type":"image_url","image_url":{"url":"x"}}]}"#)
            #expect(image.status == .badRequest && image.error["code"] as? String == "unsupported_content")
            let other = try await post(client, "/v1/moderations", #"{"model":"letters","input":"a"}"#)
            #expect(other.status == .notFound && other.error["code"] as? String == "model_not_found")
        }
    }

    @Test("a reward for each reply, the log-odds of its probability")
    func rewards() async throws {
        try await serve { client in
            let user = #"{"role":"user","content":"hi"}"#
            let several = try await post(
                client, "/v1/rewards", #"{"messages":[\#(user)],"replies":["one","one two three"]}"#)
            #expect(several.object["model"] as? String == "length")
            let data = entries(several)
            #expect(data.map { $0["probability"] as? Double }[0] == 0.5 && data[0]["reward"] as? Double == 0)
            #expect(abs((data[1]["reward"] as? Double ?? 0) - 2) < 1e-9)
            let last = try await post(
                client, "/v1/rewards",
                #"{"model":"length","messages":[\#(user),{"role":"assistant","content":"one two"}]}"#)
            #expect(abs((entries(last)[0]["reward"] as? Double ?? 0) - 1) < 1e-9)
            for (body, param) in [
                (#"{"messages":[\#(user)]}"#, "messages"), (#"{"messages":[],"reply":"x"}"#, "messages"),
                (#"{"messages":[\#(user)],"replies":[]}"#, "replies"),
                (#"{"messages":[\#(user)],"reply":"x","replies":["y"]}"#, "replies"),
                (#"{"messages":[\#(user),{"role":"assistant","content":"x"}],"reply":"x"}"#, "messages"),
            ] {
                let refused = try await post(client, "/v1/rewards", body)
                #expect(refused.status == .badRequest && refused.error["param"] as? String == param)
            }
        }
    }

    @Test("probabilities of 0 and 1 have a reward that JSON can hold")
    func certain() throws {
        let answer = RewardAnswer(model: "m", [0, 1])
        #expect(answer.data.allSatisfy { $0.reward.isFinite })
        #expect(answer.data[0].reward < -30 && answer.data[1].reward > 30)
    }

    @Test(
        "where there is no such model it is 404, while all is loading 503",
        arguments: ["embeddings", "moderations", "rewards", "completions"])
    func absent(route: String) async throws {
        let bodies = [
            "embeddings": #"{"model":"x","input":"a"}"#, "moderations": #"{"input":"a"}"#,
            "rewards": #"{"messages":[{"role":"user","content":"a"}],"reply":"b"}"#,
            "completions": #"{"model":"x","prompt":"a"}"#,
        ]
        let body = try #require(bodies[route])
        try await Workbench().server.application().test(.router) { client in
            let response = try await post(client, "/v1/\(route)", body)
            #expect(response.status == .notFound && response.error["code"] as? String == "model_not_found")
        }
        let bench = try Workbench(isLoading: true)
        try await bench.server.application().test(.router) { client in
            let response = try await post(client, "/v1/\(route)", body)
            #expect(response.status == .serviceUnavailable && response.headers[.retryAfter] == "3")
            // What is there already answers while the model that talks still loads.
            await bench.host.offer(try .forTests(chat: "x"))
            let model = route == "embeddings" ? body.replacing("\"x\"", with: "\"letters\"") : body
            #expect(try await post(client, "/v1/\(route)", model).status == .ok)
            #expect(await bench.host.load == 0)
        }
    }

    @Test("all that can be named is listed")
    func models() async throws {
        try await serve { client in
            let list = try await client.execute(uri: "/v1/models", method: .get)
            #expect(
                entries(list).map { $0["id"] as? String } == ["scripted-1", "loam", "letters", "loam-safety", "length"])
            #expect(try await client.execute(uri: "/v1/models/letters", method: .get).status == .ok)
        }
    }
}
