import Conversations
import Foundation
import HTTPTypes

/// A request to `/v1/chat/completions`, as OpenAI's clients send it.
///
/// What this server cannot do is refused by name rather than ignored. Fields it has never heard of are ignored.
struct CompletionRequest: Decodable, Sendable {
    /// A message's text: a string, or a list of typed parts of which only text is understood.
    enum Content: Decodable, Sendable {
        case text(String)
        case parts([Part])

        struct Part: Decodable, Sendable {
            var type: String
            var text: String?
        }

        init(from decoder: any Decoder) throws {
            let box = try decoder.singleValueContainer()
            if let text = try? box.decode(String.self) {
                self = .text(text)
            } else {
                self = .parts(try box.decode([Part].self))
            }
        }
    }
    struct ChatMessage: Decodable, Sendable {
        var role: String
        var content: Content?
    }
    /// One stop string or up to four.
    enum Stop: Decodable, Sendable {
        case one(String)
        case several([String])

        init(from decoder: any Decoder) throws {
            let box = try decoder.singleValueContainer()
            if let text = try? box.decode(String.self) {
                self = .one(text)
            } else {
                self = .several(try box.decode([String].self))
            }
        }
    }
    struct StreamOptions: Decodable, Sendable {
        var includeUsage: Bool?
        enum CodingKeys: String, CodingKey { case includeUsage = "include_usage" }
    }
    struct ResponseFormat: Decodable, Sendable { var type: String }

    var model: String
    var messages: [ChatMessage]
    var temperature: Double?
    var topP: Double?
    var n: Int?
    var maxCompletionTokens: Int?
    var maxTokens: Int?
    var stop: Stop?
    var stream: Bool?
    var streamOptions: StreamOptions?
    var seed: Int64?
    var logprobs: Bool?
    var topLogprobs: Int?
    var presencePenalty: Double?
    var frequencyPenalty: Double?
    var logitBias: [String: Double]?
    var responseFormat: ResponseFormat?
    var tools: [JSONValue]?
    var toolChoice: JSONValue?
    var metadata: [String: String]?
    var store: Bool?
    var safetyIdentifier: String?
    var user: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case model, messages, temperature, n, stop, stream, seed, logprobs, tools, metadata, store, user
        case topP = "top_p"
        case maxCompletionTokens = "max_completion_tokens"
        case maxTokens = "max_tokens"
        case streamOptions = "stream_options"
        case topLogprobs = "top_logprobs"
        case presencePenalty = "presence_penalty"
        case frequencyPenalty = "frequency_penalty"
        case logitBias = "logit_bias"
        case responseFormat = "response_format"
        case toolChoice = "tool_choice"
        case safetyIdentifier = "safety_identifier"
    }
}

/// A completion request that can be carried out.
struct CompletionJob: Sendable {
    var turns: [Turn]
    var temperature: Double?
    var topP: Double?
    /// Most tokens per reply.
    var maximumTokens: Int?
    var seed: UInt64?
    var count: Int
    var stops: [String]
    var presencePenalty: Double?
    var frequencyPenalty: Double?
    var logitBias: [Int: Double] = [:]
    /// Log-probabilities are asked for, and so many of the most probable tokens with each; `nil` for none.
    var topLogProbabilities: Int?
    var isStreamed: Bool
    var includesUsage: Bool
    /// The client allows that the exchange is kept (and may teach the next model).
    var isStored: Bool
    /// Who the client says it speaks for; hashed before it is stored.
    var person: String?

    /// How replies are drawn: as the request says, and as the server does where it says nothing.
    func sampling(over usual: Sampling) -> Sampling {
        var sampling = usual
        sampling.temperature = temperature ?? usual.temperature
        sampling.topP = topP ?? usual.topP
        sampling.maximumTokens = maximumTokens ?? usual.maximumTokens
        // A client that wants a short reply is not at fault for what the server usually does.
        if maximumTokens != nil { sampling.minimumTokens = min(usual.minimumTokens, sampling.maximumTokens) }
        sampling.presencePenalty = presencePenalty ?? usual.presencePenalty
        sampling.frequencyPenalty = frequencyPenalty ?? usual.frequencyPenalty
        if !logitBias.isEmpty { sampling.logitBias = logitBias }
        if !stops.isEmpty { sampling.stops = stops }
        sampling.topLogProbabilities = topLogProbabilities
        return sampling
    }
}

extension CompletionRequest {
    /// Checks every field.
    /// - Parameter limits: what one request may ask for.
    func checked(_ limits: ServerLimits) throws -> CompletionJob {
        try Self.within(temperature, 0...2, "temperature")
        try Self.within(topP, 0...1, "top_p")
        try Self.checkCount(n)
        try Self.within(maxCompletionTokens, 1...Int(Int32.max), "max_completion_tokens")
        try Self.within(maxTokens, 1...Int(Int32.max), "max_tokens")
        try Self.within(topLogprobs, 0...20, "top_logprobs")
        try Self.within(presencePenalty, -2...2, "presence_penalty")
        try Self.within(frequencyPenalty, -2...2, "frequency_penalty")
        if let name = safetyIdentifier, name.count > 64 {
            throw ServerError.invalid("safety_identifier", "'safety_identifier' may have at most 64 characters.")
        }
        try refuseWhatCannotBeDone()

        let stops: [String]
        switch stop {
        case nil: stops = []
        case .one(let text): stops = [text]
        case .several(let texts): stops = texts
        }
        guard stops.count <= 4, stops.allSatisfy({ $0.utf8.count <= 1024 }) else {
            throw ServerError.invalid("stop", "'stop' may hold at most 4 strings of 1024 bytes.")
        }
        guard topLogprobs == nil || logprobs == true else {
            throw ServerError.invalid("top_logprobs", "'top_logprobs' goes with 'logprobs': true.")
        }
        guard streamOptions == nil || stream == true else {
            throw ServerError.invalid("stream_options", "'stream_options' goes with 'stream': true.")
        }
        return CompletionJob(
            turns: try turns(), temperature: temperature, topP: topP,
            maximumTokens: (maxCompletionTokens ?? maxTokens).map { min($0, limits.tokensPerReply) },
            seed: seed.map { UInt64(bitPattern: $0) }, count: n ?? 1, stops: stops.filter { !$0.isEmpty },
            presencePenalty: presencePenalty, frequencyPenalty: frequencyPenalty, logitBias: try bias(),
            topLogProbabilities: logprobs == true ? topLogprobs ?? 0 : nil, isStreamed: stream ?? false,
            includesUsage: streamOptions?.includeUsage ?? false, isStored: store ?? false,
            person: safetyIdentifier ?? user)
    }

    /// How many choices a request may ask for.
    static func checkCount(_ n: Int?) throws { try within(n, 1...8, "n") }

    private static func within<Value: Comparable>(
        _ value: Value?, _ range: ClosedRange<Value>, _ field: String
    ) throws {
        guard let value, !range.contains(value) else { return }
        throw ServerError.invalid(field, "'\(field)' must be from \(range.lowerBound) to \(range.upperBound).")
    }

    /// Token ids with what is added to their logits.
    private func bias() throws -> [Int: Double] {
        var bias: [Int: Double] = [:]
        for (key, value) in logitBias ?? [:] {
            guard let id = Int(key), id >= 0, (-100...100).contains(value) else {
                throw ServerError.invalid(
                    "logit_bias", "'logit_bias' maps token ids to numbers from -100 to 100.")
            }
            bias[id] = value
        }
        return bias
    }

    private func refuseWhatCannotBeDone() throws {
        var refused: String?
        if let responseFormat, responseFormat.type != "text" { refused = "response_format" }
        if tools?.isEmpty == false { refused = "tools" }
        if let refused { throw ServerError.unsupported(refused) }
    }

    private func turns() throws -> [Turn] {
        let turns = try ChatTurns.of(messages)
        guard turns.last?.sender == .human else {
            throw ServerError.invalid("messages", "The last of 'messages' must be the user's.")
        }
        return turns
    }
}
