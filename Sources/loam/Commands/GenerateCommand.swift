import ArgumentParser
import Conversations
import Foundation
import Generation
import Improvement
import Torch

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "One reply of a model, or several.",
        discussion: """
            The prompt is written as the model's chat template says, and for a base model without one as a transcript. A last
            turn that does not fit the model's context is an error; older turns are left out.

            Example: loam generate --model models/base --prompt 'hello there'
            Example: loam generate --model models/base --prompt 'hello there' --best-of 4 --reward models/reward
            """)

    @Option(name: .long, help: "What the person says.")
    var prompt: String?

    @Option(
        name: .long,
        help: "A JSON file with the turns: [{\"sender\": \"human\", \"text\": \"…\"}, …], or with role and content.")
    var messages: String?

    @Option(name: .customShort("n"), help: "How many replies; each has a seed of its own.")
    var count = 1

    @Option(name: .long, help: "Draws so many replies and gives the one that --reward likes best.")
    var bestOf = 1

    @Option(name: .long, help: "Folder of a reward model, for --best-of.")
    var reward: String?

    @Flag(name: .long, help: "Shows the log-probability of every token.")
    var logprobs = false

    @Option(name: .long, help: "Shows so many of the most probable tokens in each one's place, up to 20.")
    var topLogprobs: Int?

    @OptionGroup var model: ModelOptions
    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    struct Token: Encodable {
        var id: Int
        var token: String
        var logprob: Double
        var topLogprobs: [Candidate]

        struct Candidate: Encodable {
            var token: String
            var logprob: Double
        }

        enum CodingKeys: String, CodingKey {
            case id, token, logprob
            case topLogprobs = "top_logprobs"
        }

        init(_ token: ReplyToken) {
            id = token.id
            self.token = token.drawn.text
            logprob = token.drawn.logProbability
            topLogprobs = token.top.map { Candidate(token: $0.text, logprob: max($0.logProbability, -9999)) }
        }
    }

    struct Answer: Encodable {
        var reply: String
        var finishReason: String
        var tokens: Int
        var promptTokens: Int
        var meanLogProbability: Double
        var logprobs: [Token]?

        enum CodingKeys: String, CodingKey {
            case reply, tokens, logprobs
            case finishReason = "finish_reason"
            case promptTokens = "prompt_tokens"
            case meanLogProbability = "mean_log_probability"
        }

        init(_ reply: Reply) {
            self.reply = reply.text
            finishReason = reply.finishReason
            tokens = reply.tokenCount
            promptTokens = reply.promptTokenCount
            meanLogProbability = reply.meanLogProbability
            logprobs = reply.tokens.map { $0.map(Token.init) }
        }
    }

    /// With `-n`, one object holds them all.
    struct Answers: Encodable {
        var replies: [Answer]
    }

    func validate() throws {
        guard (1...64).contains(count) else { throw ValidationError("-n is \(count), should be from 1 to 64") }
        guard (0...20).contains(topLogprobs ?? 0) else {
            throw ValidationError("--top-logprobs is \(topLogprobs ?? 0), should be from 0 to 20")
        }
        guard (bestOf > 1) == (reward != nil) else { throw ValidationError("--best-of N goes with --reward DIR") }
        guard (1...256).contains(bestOf), bestOf == 1 || count == 1 else {
            throw ValidationError("--best-of is from 2 to 256, and gives one reply: not together with -n")
        }
        guard (prompt == nil) != (messages == nil) else {
            throw ValidationError("--prompt TEXT or --messages FILE is needed, one of them")
        }
    }

    func run() async throws {
        let turns = try messages.map(TurnFile.read) ?? [Turn(.human, prompt ?? "")]
        let generator = try model.open()
        var sampling = try model.sampling(of: model.folder())
        if logprobs || topLogprobs != nil { sampling.topLogProbabilities = topLogprobs ?? 0 }
        try generator.requireRoom(for: turns, sampling: sampling)
        let wish = sampling
        let replies: [Reply]
        if let best = try await best(turns, generator, wish) {
            replies = best
        } else {
            replies = try await drawn(turns, generator, wish)
        }
        let answers = replies.map(Answer.init)
        if answers.count == 1 {
            try common.console.result(answers[0])
        } else {
            try common.console.result(Answers(replies: answers))
        }
        for (number, answer) in answers.enumerated() {
            common.console.show(answers.count == 1 ? answer.reply : "[\(number + 1)] \(answer.reply)")
            for token in answer.logprobs ?? [] { common.console.show(Self.line(token)) }
        }
    }

    /// The reply that the reward model likes best; `nil` when none is asked.
    private func best(_ turns: [Turn], _ generator: ReplyGenerator, _ sampling: Sampling) async throws -> [Reply]? {
        guard let reward else { return nil }
        let encoder = URL(filePath: places.encoderFolder)
        let ranker = try RewardRanking.open(
            URL(filePath: reward), today: Date(),
            makeEncoder: { try SentenceEncoder(folder: encoder, dtype: Device.cpu.matrixType) })
        return [
            try await RewardRanking.best(of: bestOf, to: turns, generator: generator, sampling: sampling, by: ranker)
                .reply
        ]
    }

    private func drawn(_ turns: [Turn], _ generator: ReplyGenerator, _ wish: Sampling) async throws -> [Reply] {
        try await withThrowingTaskGroup(of: (Int, Reply).self) { group in
            for index in 0..<count {
                group.addTask {
                    var own = wish
                    own.seed &+= UInt64(index)
                    return (index, try await generator.reply(to: turns, sampling: own))
                }
            }
            var found: [Int: Reply] = [:]
            for try await (index, reply) in group { found[index] = reply }
            return found.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private static func line(_ token: Token) -> String {
        let others = token.topLogprobs.map { "\($0.token.debugDescription) \(String(format: "%.4f", $0.logprob))" }
        return String(format: "%9.4f  ", token.logprob) + token.token.debugDescription
            + (others.isEmpty ? "" : "   of " + others.joined(separator: ", "))
    }
}

/// Turns out of a JSON file, in our words or in those of OpenAI's API.
enum TurnFile {
    private struct Line: Decodable {
        var sender: String?
        var text: String?
        var role: String?
        var content: String?
    }

    /// - Throws: `ImprovementFault` that names the file and the turn.
    static func read(_ path: String) throws -> [Turn] {
        guard let data = FileManager.default.contents(atPath: path) else { throw ImprovementFault.missing(path) }
        guard let lines = try? JSONDecoder().decode([Line].self, from: data) else {
            throw ImprovementFault(
                description: "\(path): should be a list of {\"sender\", \"text\"} or {\"role\", \"content\"}")
        }
        guard !lines.isEmpty else { throw ImprovementFault(description: "\(path): holds no turn") }
        return try lines.enumerated().map { number, line in
            let speaker = line.sender ?? line.role
            guard let text = line.text ?? line.content else {
                throw ImprovementFault(description: "\(path): turn \(number + 1): text is missing")
            }
            switch speaker {
            case "human", "user": return Turn(.human, text)
            case "bot", "assistant": return Turn(.bot, text)
            default:
                throw ImprovementFault(
                    description:
                        "\(path): turn \(number + 1): sender is \(speaker ?? "missing"), should be human or bot (or role: user or assistant)"
                )
            }
        }
    }
}
