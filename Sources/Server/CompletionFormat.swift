import Conversations
import Crypto
import Foundation

/// The shapes of OpenAI's answers, field by field; `null` is written where their clients expect the key.
struct CompletionFormat: Sendable {
    var id: String
    /// Unix seconds; the same in every chunk.
    var created: Int
    var model: String

    /// Changes when the answering model does.
    private var fingerprint: JSONValue { .string("fp_" + SHA256.hex(model).prefix(12)) }

    private func head(_ object: String) -> [String: JSONValue] {
        [
            "id": .string(id), "object": .string(object), "created": .number(Double(created)), "model": .string(model),
            "system_fingerprint": fingerprint,
        ]
    }

    /// The whole answer at once.
    func completion(_ choices: [CompletionService.Choice], promptTokens: Int?) -> JSONValue {
        var body = head("chat.completion")
        body["choices"] = .array(
            choices.enumerated().map { index, choice in
                .object([
                    "index": .number(Double(index)),
                    "message": .object([
                        "role": .string("assistant"), "content": .string(choice.text), "refusal": .null,
                    ]),
                    "finish_reason": .string(choice.finishReason), "logprobs": .null,
                ])
            })
        if let usage = usage(choices, promptTokens) { body["usage"] = usage }
        return .object(body)
    }

    /// One chunk of a stream.
    /// - Parameter withNullUsage: the request asked for usage, so that every chunk but the last says `null`.
    func chunk(index: Int, _ delta: [String: JSONValue], finishReason: String? = nil, withNullUsage: Bool) -> JSONValue
    {
        var body = head("chat.completion.chunk")
        body["choices"] = .array([
            .object([
                "index": .number(Double(index)), "delta": .object(delta), "logprobs": .null,
                "finish_reason": finishReason.map(JSONValue.string) ?? .null,
            ])
        ])
        if withNullUsage { body["usage"] = .null }
        return .object(body)
    }

    /// The last chunk of a stream that asked for usage; `null` where this server cannot count the prompt.
    func usageChunk(_ choices: [CompletionService.Choice], promptTokens: Int?) -> JSONValue {
        var body = head("chat.completion.chunk")
        body["choices"] = .array([])
        body["usage"] = usage(choices, promptTokens) ?? .null
        return .object(body)
    }

    private func usage(_ choices: [CompletionService.Choice], _ promptTokens: Int?) -> JSONValue? {
        guard let promptTokens else { return nil }
        let written = choices.reduce(0) { $0 + $1.tokenCount }
        return .object([
            "prompt_tokens": .number(Double(promptTokens)), "completion_tokens": .number(Double(written)),
            "total_tokens": .number(Double(promptTokens + written)),
        ])
    }

    static func model(_ id: String, created: Int) -> JSONValue {
        .object([
            "id": .string(id), "object": .string("model"), "created": .number(Double(created)),
            "owned_by": .string("loam"),
        ])
    }
}
