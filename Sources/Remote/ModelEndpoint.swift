import Conversations
import Dialogue
import Foundation
import Synchronization

/// A model behind an endpoint that speaks OpenAI's protocol: `chat/completions` for turns, `completions` for texts to be
/// continued. Bounded in time, bytes and tries.
public struct ModelEndpoint: TextGenerator, ModuleWriter {
    public let modelID: String
    private let base: String
    private let model: String
    private let key: String?
    private let client: WebClient
    private let retries: Retries

    /// - Parameters:
    ///   - base: the URL before `chat/completions`, usually ending with `/v1`.
    ///   - model: the model's name there.
    ///   - key: sent as a bearer token; never written down.
    ///   - modelID: registry id, kept with replies; the model's name at its host when `nil`.
    public init(
        base: String, model: String, key: String? = nil, modelID: String? = nil,
        client: WebClient = WebClient(limits: .init(seconds: 60, bytes: 8_000_000, redirects: 0)),
        retries: Retries = Retries()
    ) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.model = model
        self.key = key
        self.modelID = modelID ?? "\(model)@\(URL(string: base)?.host ?? "endpoint")"
        self.client = client
        self.retries = retries
    }

    public func reply(
        to turns: [Turn], sampling: Sampling, onPiece: (@Sendable (String) -> Void)?
    ) async throws -> Reply {
        try await reply(to: .turns(turns), sampling: sampling, onPiece: onPiece)
    }

    public func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] {
        try await withThrowingTaskGroup(of: (Int, Reply).self) { group in
            var replies = [Reply?](repeating: nil, count: histories.count)
            var next = 0
            // A few at a time: endpoints answer a crowd with 429.
            func add() {
                guard next < histories.count else { return }
                let place = next
                next += 1
                var own = sampling
                own.seed &+= UInt64(place)
                let (turns, settings) = (histories[place], own)
                group.addTask { (place, try await reply(to: turns, sampling: settings, onPiece: nil)) }
            }
            for _ in 0..<4 { add() }
            for try await (place, reply) in group {
                replies[place] = reply
                add()
            }
            return replies.compactMap { $0 }
        }
    }

    public func output(for call: ModuleCall, onPiece: (@Sendable (String) -> Void)?) async throws -> ModuleOutput {
        ModuleOutput(
            reply: try await reply(to: call.prompt, sampling: call.sampling, onPiece: onPiece), model: modelID)
    }

    private func reply(
        to prompt: ModulePrompt, sampling: Sampling, onPiece: (@Sendable (String) -> Void)?
    ) async throws -> Reply {
        // Once a piece is out, a second try would say it again.
        let said = Mutex(false)
        return try await retries.run {
            do {
                return try await ask(prompt, sampling) { piece in
                    said.withLock { $0 = true }
                    onPiece?(piece)
                }
            } catch let error as RemoteError where said.withLock({ $0 }) {
                throw RemoteError(.badAnswer, error.description)
            }
        }
    }

    // MARK: The protocol

    func request(_ prompt: ModulePrompt, _ sampling: Sampling) throws -> WebClient.Request {
        var body: [String: JSONValue] = [
            "model": .string(model), "temperature": .number(sampling.temperature), "top_p": .number(sampling.topP),
            "max_tokens": .number(Double(sampling.maximumTokens)), "stream": .bool(true),
            "stream_options": .object(["include_usage": .bool(true)]),
            // Endpoints take what a signed integer holds.
            "seed": .number(Double(sampling.seed & 0x7FFF_FFFF)),
        ]
        if !sampling.stops.isEmpty { body["stop"] = .array(sampling.stops.prefix(4).map(JSONValue.string)) }
        if sampling.presencePenalty != 0 { body["presence_penalty"] = .number(sampling.presencePenalty) }
        if sampling.frequencyPenalty != 0 { body["frequency_penalty"] = .number(sampling.frequencyPenalty) }
        if !sampling.logitBias.isEmpty {
            body["logit_bias"] = .object(
                Dictionary(
                    uniqueKeysWithValues: sampling.logitBias.map { (String($0.key), JSONValue.number($0.value)) }))
        }
        let path: String
        switch prompt {
        case .text(let text):
            path = "completions"
            body["prompt"] = .string(text)
        case .turns(let turns):
            path = "chat/completions"
            body["messages"] = .array(
                turns.map {
                    .object([
                        "role": .string($0.sender == .bot ? "assistant" : "user"), "content": .string($0.text),
                    ])
                })
        }
        var request = WebClient.Request(base + "/" + path)
        request.method = "POST"
        request.headers = [("Content-Type", "application/json"), ("Accept", "text/event-stream")]
        if let key { request.headers.append(("Authorization", "Bearer " + key)) }
        request.body = Array(try JSONEncoder().encode(JSONValue.object(body)))
        return request
    }

    private func ask(
        _ prompt: ModulePrompt, _ sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Reply {
        let reader = Mutex(EndpointReader())
        try await client.lines(of: request(prompt, sampling)) { line in
            let piece = try reader.withLock { try $0.take(line) }
            if !piece.isEmpty { onPiece(piece) }
        }
        let (reply, rest) = try reader.withLock { try $0.finish() }
        if !rest.isEmpty { onPiece(rest) }
        return reply
    }
}

/// Reads an endpoint's answer line by line: a stream of events, or one object from servers that do not stream.
struct EndpointReader: Sendable {
    private var text = ""
    private var finishReason: String?
    private var pieces = 0
    private var usage: [String: JSONValue] = [:]
    private var isStream = false
    /// Whether the stream said that it is over.
    private var isOver = false
    private var whole = ""

    /// The piece of text in a line.
    mutating func take(_ line: String) throws -> String {
        guard line.hasPrefix("data:") else {
            // Comments and other fields of a stream; or the lines of one object.
            if !isStream, !line.hasPrefix(":"), !line.hasPrefix("event:") { whole += line + "\n" }
            return ""
        }
        isStream = true
        // Lines may end with a carriage return as well.
        let data = line.dropFirst(5).trimmingCharacters(in: .whitespacesAndNewlines)
        if data == "[DONE]" { isOver = true }
        if data.isEmpty || isOver { return "" }
        return try read(data)
    }

    /// The reply at the end, and text that did not come as a stream.
    mutating func finish() throws -> (Reply, rest: String) {
        var rest = ""
        if !isStream { rest = try read(whole) }
        // Half a reply is none: taken for a whole one it would be said, kept and learnt from.
        guard !isStream || isOver || finishReason != nil else {
            throw RemoteError(.unreachable, "the endpoint's answer broke off")
        }
        guard isStream || finishReason != nil || !text.isEmpty else {
            throw RemoteError(.badAnswer, "the endpoint's answer has no choices")
        }
        func count(_ name: String) -> Int {
            if case .number(let number)? = usage[name] { return Int(exactly: number) ?? 0 }
            return 0
        }
        var cached = 0
        if case .object(let details)? = usage["prompt_tokens_details"],
            case .number(let number)? = details["cached_tokens"]
        {
            cached = Int(exactly: number) ?? 0
        }
        let tokens = count("completion_tokens")
        return (
            Reply(
                text: text, finishReason: finishReason ?? "stop", tokenCount: tokens > 0 ? tokens : pieces,
                meanLogProbability: 0, promptTokenCount: count("prompt_tokens"), cachedTokenCount: cached),
            rest
        )
    }

    private mutating func read(_ data: String) throws -> String {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(data.utf8)),
            case .object(let object) = value
        else { throw RemoteError(.badAnswer, "the endpoint's answer is not JSON") }
        if object["error"] != nil, object["error"] != .null {
            throw RemoteError(.badAnswer, "the endpoint answered with an error")
        }
        if case .object(let usage)? = object["usage"] { self.usage = usage }
        guard case .array(let choices)? = object["choices"], case .object(let choice)? = choices.first else {
            return ""
        }
        if case .string(let reason)? = choice["finish_reason"] { finishReason = reason }
        var piece = ""
        for name in ["delta", "message"] {
            if case .object(let message)? = choice[name], case .string(let text)? = message["content"] { piece = text }
        }
        if case .string(let text)? = choice["text"] { piece = text }
        text += piece
        if !piece.isEmpty { pieces += 1 }
        return piece
    }
}
