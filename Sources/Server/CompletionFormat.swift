import Conversations
import Foundation
import Hashing

/// The shapes of OpenAI's answers, field by field; `null` is written where their clients expect the key.
struct CompletionFormat: Sendable {
    var id: String
    /// Unix seconds; the same in every chunk.
    var created: Int
    var model: String
    /// Whether `usage` says what of the prompt had been read before. All prompts share that memory, so it would tell anybody what
    /// others have said: it is for operators.
    var showsCached = false

    /// Changes when the answering model does.
    private var fingerprint: JSONValue { .string("fp_" + SHA256.hex(model).prefix(12)) }

    private func head(_ object: String) -> [String: JSONValue] {
        [
            "id": .string(id), "object": .string(object), "created": .number(Double(created)), "model": .string(model),
            "system_fingerprint": fingerprint,
        ]
    }

    /// The whole answer at once.
    func completion(_ choices: [CompletionService.Choice]) -> JSONValue {
        var body = head("chat.completion")
        body["choices"] = .array(
            choices.enumerated().map { index, choice in
                .object([
                    "index": .number(Double(index)),
                    "message": .object([
                        "role": .string("assistant"), "content": .string(choice.text), "refusal": .null,
                    ]),
                    "finish_reason": .string(choice.finishReason), "logprobs": Self.logprobs(choice.tokens),
                ])
            })
        body["usage"] = usage(choices)
        return .object(body)
    }

    /// One chunk of a stream.
    /// - Parameters:
    ///   - tokens: those of the delta, where log-probabilities are asked for.
    ///   - withNullUsage: the request asked for usage, so that every chunk but the last says `null`.
    func chunk(
        index: Int, _ delta: [String: JSONValue], tokens: [ReplyToken]? = nil, finishReason: String? = nil,
        withNullUsage: Bool
    ) -> JSONValue {
        var body = head("chat.completion.chunk")
        body["choices"] = .array([
            .object([
                "index": .number(Double(index)), "delta": .object(delta), "logprobs": Self.logprobs(tokens),
                "finish_reason": finishReason.map(JSONValue.string) ?? .null,
            ])
        ])
        if withNullUsage { body["usage"] = .null }
        return .object(body)
    }

    /// The last chunk of a stream that asked for usage.
    func usageChunk(_ choices: [CompletionService.Choice]) -> JSONValue {
        var body = head("chat.completion.chunk")
        body["choices"] = .array([])
        body["usage"] = usage(choices)
        return .object(body)
    }

    /// All choices have one prompt, which counts once.
    private func usage(_ choices: [CompletionService.Choice]) -> JSONValue {
        let prompt = choices.map(\.promptTokenCount).max() ?? 0
        let cached = choices.first?.cachedTokenCount ?? 0
        return Self.usage(
            prompt: prompt, cached: showsCached ? cached : nil, written: choices.reduce(0) { $0 + $1.tokenCount })
    }

    /// - Parameter cached: tokens of the prompt that had been read before; `nil` does not tell.
    static func usage(prompt: Int, cached: Int?, written: Int) -> JSONValue {
        var fields: [String: JSONValue] = [
            "prompt_tokens": .number(Double(prompt)), "completion_tokens": .number(Double(written)),
            "total_tokens": .number(Double(prompt + written)),
        ]
        if let cached {
            fields["prompt_tokens_details"] = .object(["cached_tokens": .number(Double(cached))])
        }
        return .object(fields)
    }

    private static func logprobs(_ tokens: [ReplyToken]?) -> JSONValue {
        guard let tokens else { return .null }
        let content = tokens.map { token in
            var fields = candidate(token.drawn)
            fields["top_logprobs"] = .array(token.top.map { .object(candidate($0)) })
            return JSONValue.object(fields)
        }
        return .object(["content": .array(content), "refusal": .null])
    }

    /// JSON knows no infinity: OpenAI writes −9999 for what cannot come.
    private static func candidate(_ candidate: ReplyToken.Candidate) -> [String: JSONValue] {
        [
            "token": .string(candidate.text), "logprob": .number(max(candidate.logProbability, -9999)),
            "bytes": .array(candidate.bytes.map { .number(Double($0)) }),
        ]
    }

    static func model(_ id: String, created: Int) -> JSONValue {
        .object([
            "id": .string(id), "object": .string("model"), "created": .number(Double(created)),
            "owned_by": .string("loam"),
        ])
    }
}
