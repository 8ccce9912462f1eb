import Conversations
import Foundation
import Hashing

/// The shapes of OpenAI's older completions.
struct TextCompletionFormat: Sendable {
    var id: String
    /// Unix seconds; the same in every chunk.
    var created: Int
    var model: String

    private var head: [String: JSONValue] {
        [
            "id": .string(id), "object": .string("text_completion"), "created": .number(Double(created)),
            "model": .string(model), "system_fingerprint": .string("fp_" + SHA256.hex(model).prefix(12)),
        ]
    }

    /// One choice, whole or in part.
    /// - Parameter start: characters of the choice's text that came before.
    static func choice(
        _ index: Int, _ text: String, tokens: [ReplyToken]? = nil, start: Int = 0, finishReason: String? = nil
    ) -> JSONValue {
        .object([
            "index": .number(Double(index)), "text": .string(text),
            "logprobs": tokens.map { logprobs($0, start: start) } ?? .null,
            "finish_reason": finishReason.map(JSONValue.string) ?? .null,
        ])
    }

    /// The whole answer at once.
    func completion(_ choices: [JSONValue], usage: JSONValue) -> JSONValue {
        var body = head
        body["choices"] = .array(choices)
        body["usage"] = usage
        return .object(body)
    }

    /// One chunk of a stream.
    /// - Parameter withNullUsage: the request asked for usage, so that every chunk but the last says `null`.
    func chunk(_ choice: JSONValue, withNullUsage: Bool) -> JSONValue {
        var body = head
        body["choices"] = .array([choice])
        if withNullUsage { body["usage"] = .null }
        return .object(body)
    }

    /// The last chunk of a stream that asked for usage.
    func usageChunk(_ usage: JSONValue) -> JSONValue { completion([], usage: usage) }

    /// Tokens beside each other, as the older shape has them.
    private static func logprobs(_ tokens: [ReplyToken], start: Int) -> JSONValue {
        var offset = start
        let offsets = tokens.map { token in
            defer { offset += token.piece.count }
            return JSONValue.number(Double(offset))
        }
        return .object([
            "tokens": .array(tokens.map { .string($0.drawn.text) }),
            "token_logprobs": .array(tokens.map { .number(floored($0.drawn.logProbability)) }),
            "top_logprobs": .array(
                tokens.map { token in
                    // The drawn token is among them, as OpenAI says, even where it was not one of the most probable.
                    .object(
                        Dictionary(
                            (token.top + [token.drawn]).map { ($0.text, .number(floored($0.logProbability))) },
                            uniquingKeysWith: { first, _ in first }))
                }),
            "text_offset": .array(offsets),
        ])
    }

    /// JSON knows no infinity: OpenAI writes −9999 for what cannot come.
    private static func floored(_ value: Double) -> Double { max(value, -9999) }
}
