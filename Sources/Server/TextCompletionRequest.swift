import Conversations
import Foundation

/// A request to `/v1/completions`, as OpenAI's older clients send it: texts to be continued as they stand.
struct TextCompletionRequest: Decodable, Sendable {
    /// Most texts of one request, and most continuations of all of them.
    static let limit = 32
    /// Tokens of a continuation where nobody says: OpenAI's.
    static let usualTokens = 16

    var model: String
    var prompt: TextInput
    var suffix: String?
    var maxTokens: Int?
    var temperature: Double?
    var topP: Double?
    var n: Int?
    var bestOf: Int?
    var stream: Bool?
    var streamOptions: CompletionRequest.StreamOptions?
    /// How many of the most probable tokens come with each; the drawn one always does.
    var logprobs: Int?
    var echo: Bool?
    var stop: CompletionRequest.Stop?
    var seed: Int64?
    var presencePenalty: Double?
    var frequencyPenalty: Double?
    var logitBias: [String: Double]?
    /// Who asks; not used, since nothing is kept.
    var user: String?

    enum CodingKeys: String, CodingKey {
        case model, prompt, suffix, temperature, n, stream, logprobs, echo, stop, seed, user
        case maxTokens = "max_tokens"
        case topP = "top_p"
        case bestOf = "best_of"
        case streamOptions = "stream_options"
        case presencePenalty = "presence_penalty"
        case frequencyPenalty = "frequency_penalty"
        case logitBias = "logit_bias"
    }

    /// Checks every field.
    func checked(_ limits: ServerLimits) throws -> TextCompletionJob {
        if let suffix, !suffix.isEmpty { throw ServerError.unsupported("suffix") }
        guard bestOf == nil || bestOf == n ?? 1 else { throw ServerError.unsupported("best_of") }
        if let logprobs, !(0...5).contains(logprobs) {
            throw ServerError.invalid("logprobs", "'logprobs' must be from 0 to 5.")
        }
        guard echo != true || logprobs == nil else {
            throw ServerError.unsupported(
                "echo", "'echo' with 'logprobs' is not supported by this server: the prompt's tokens are not scored.")
        }
        // Before anything is computed with it: a product may be more than a number holds.
        try CompletionRequest.checkCount(n)
        let prompts = try prompt.texts("prompt", limit: Self.limit)
        guard prompts.count * (n ?? 1) <= Self.limit else {
            throw ServerError.invalid("n", "'prompt' times 'n' may be at most \(Self.limit).")
        }
        // What both kinds of completion have in common is checked in one place.
        var chat = CompletionRequest(model: model, messages: [.init(role: "user", content: .text("x"))])
        chat.temperature = temperature
        chat.topP = topP
        chat.n = n
        chat.maxTokens = maxTokens ?? Self.usualTokens
        chat.stop = stop
        chat.stream = stream
        chat.streamOptions = streamOptions
        chat.seed = seed
        chat.presencePenalty = presencePenalty
        chat.frequencyPenalty = frequencyPenalty
        chat.logitBias = logitBias
        var settings = try chat.checked(limits)
        settings.topLogProbabilities = logprobs
        return TextCompletionJob(prompts: prompts, settings: settings, echoes: echo ?? false)
    }
}

/// A request for continuations that can be carried out.
struct TextCompletionJob: Sendable {
    var prompts: [String]
    /// Its turns mean nothing.
    var settings: CompletionJob
    /// The prompt is part of the answer.
    var echoes: Bool

    /// All continuations in the order of their index: those of the first prompt, then those of the second.
    var order: [(prompt: String, offset: UInt64)] {
        prompts.flatMap { prompt in (0..<settings.count).map { (prompt, UInt64($0)) } }
    }
}
