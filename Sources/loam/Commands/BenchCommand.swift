import ArgumentParser
import Foundation
import Generation
import LanguageModels
import Torch

/// What a model folder reaches on this machine: tokens per second of reading a prompt and of writing.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "How fast a model reads and writes on this machine.",
        discussion: """
            Reads a prompt of random tokens, then writes greedily, in float32, bfloat16, or with weights in 8 or 4 bits. Each
            figure is the median of several runs after one to warm up. With --scheduler the conversations go through the scheduler
            that serves, and writing is counted from the moment when all of them write. With --second-turn one conversation has two
            turns there, and what counts is the time to the first token of each.

            Example: loam bench --model models/base --bits 8
            """)

    @Option(name: .long, help: "Folder of the model.")
    var model: String

    @Option(name: .long, help: "Bits of the weights: 32, 16, 8 or 4.")
    var bits = 16

    @Option(name: .long, help: "Tokens of the prompt.")
    var promptTokens = 256

    @Option(name: .long, help: "Tokens written after it.")
    var newTokens = 64

    @Option(name: .long, help: "Conversations side by side.")
    var rows = 1

    @Flag(name: .long, help: "Through the scheduler that serves.")
    var scheduler = false

    @Flag(name: .long, help: "Two turns of one conversation through the scheduler, which keeps the first.")
    var secondTurn = false

    @Option(name: .long, help: "Runs that count.")
    var runs = 3

    @Option(name: .long, help: "Threads of libtorch.")
    var threads = 2

    @OptionGroup var common: CommonOptions

    struct Outcome: Encodable {
        var model: String
        var bits: Int
        var rows: Int
        var threads: Int
        var kernels: String
        var promptTokensPerSecond: Double
        var tokensPerSecond: Double
        /// Bytes of weights that one step reads, times steps per second.
        var gigabytesPerSecond: Double

        enum CodingKeys: String, CodingKey {
            case model, bits, rows, threads, kernels
            case promptTokensPerSecond = "prompt_tokens_per_second"
            case tokensPerSecond = "tokens_per_second"
            case gigabytesPerSecond = "gigabytes_per_second"
        }
    }

    struct Turns: Encodable {
        var model: String
        var bits: Int
        var threads: Int
        /// Seconds to the first token, medians.
        var firstTurn: Double
        var secondTurn: Double

        enum CodingKeys: String, CodingKey {
            case model, bits, threads
            case firstTurn = "first_turn_seconds"
            case secondTurn = "second_turn_seconds"
        }
    }

    func validate() throws {
        guard [32, 16, 8, 4].contains(bits) else { throw ValidationError("--bits is 32, 16, 8 or 4, not \(bits)") }
        for (name, value) in [
            ("prompt-tokens", promptTokens), ("new-tokens", newTokens), ("rows", rows), ("runs", runs),
            ("threads", threads),
        ] where value < 1 {
            throw ValidationError("--\(name) must be at least 1, it is \(value)")
        }
    }

    func run() async throws {
        try Engine.setThreadCount(threads)
        let decoder = try PretrainedDecoder.load(folder: URL(filePath: model), dtype: bits == 32 ? .float32 : .bfloat16)
        // The portable kernels leave weights of 16 bits as they are.
        let packing = bits == 16 && !PackedWeight.hasFastKernels ? nil : PackedWeight.Bits(rawValue: bits)
        if let there = decoder.matrices.first?.matrix.packed?.bits.rawValue {
            guard there == bits else {
                throw ValidationError("--bits \(bits): the weights of \(model) are packed into \(there) already")
            }
        } else if let packing {
            try decoder.pack(packing, head: packing)
        }
        let shape = decoder.configuration
        let longest = secondTurn ? promptTokens + newTokens + Self.secondMessage + 1 : promptTokens + newTokens
        guard longest <= shape.contextLength else {
            throw ValidationError(
                "--prompt-tokens and --new-tokens make \(longest), the model's context is \(shape.contextLength)")
        }
        if secondTurn { return try await showTurns(decoder, shape) }
        var (reading, writing): ([Double], [Double]) = ([], [])
        let serving = BatchScheduler(model: decoder, options: .init(maximumRunning: rows, prefixBytes: 0))
        for run in 0...runs {
            let (first, rest) =
                try await scheduler ? measure(serving, shape) : withoutGradients { try measure(decoder) }
            if run > 0 {
                reading.append(Double(rows * promptTokens) / first)
                writing.append(Double(rows * newTokens) / rest)
            }
        }
        let outcome = Outcome(
            model: model, bits: bits, rows: rows, threads: threads, kernels: PackedWeight.kernelName,
            promptTokensPerSecond: Self.median(reading), tokensPerSecond: Self.median(writing),
            gigabytesPerSecond: Double(bytesPerStep(decoder)) * Self.median(writing) / Double(rows) / 1e9)
        try common.console.result(outcome)
        common.console.show(
            String(
                format:
                    "%d bits, %d rows, %d threads, %@ kernels: reads %.0f, writes %.1f tokens/s (%.1f GB/s of weights)",
                bits, rows, threads, outcome.kernels as NSString, outcome.promptTokensPerSecond,
                outcome.tokensPerSecond, outcome.gigabytesPerSecond))
    }

    /// Seconds for the prompt and for the tokens after it.
    private func measure(_ decoder: any DecoderFamily) throws -> (Double, Double) {
        let shape = decoder.configuration
        let cache = KVCache(layers: shape.layerCount, capacity: promptTokens + newTokens)
        // Any ids will do; the same in every run.
        let ids = (0..<(rows * promptTokens)).map { ($0 * 7_919 + 13) % shape.vocabularySize }
        let clock = ContinuousClock()
        var next: [Int] = []
        func step(_ ids: [Int], from start: Int, count: Int) throws {
            let positions = (0..<rows).flatMap { _ in start..<(start + count) }
            let hidden = try decoder.hidden(
                Tensor(ids, shape: [rows, count]), positions: Tensor(positions, shape: [rows, count]), mask: .causal,
                cache: cache)
            let last = try hidden.narrow(dim: 1, start: count - 1, length: 1).reshape([rows, shape.hiddenSize])
            next = try decoder.logits(last).argmax(dim: -1).ints()
        }
        let reading = try clock.measure { try step(ids, from: 0, count: promptTokens) }
        let writing = try clock.measure {
            for place in 0..<newTokens { try step(next, from: promptTokens + place, count: 1) }
        }
        return (Self.seconds(reading), Self.seconds(writing))
    }

    /// The same through the scheduler: until every conversation writes, and for as many tokens after that.
    private func measure(
        _ serving: BatchScheduler, _ shape: DecoderConfiguration
    ) async throws -> (Double, Double) {
        let settings = DecodingSettings(
            sampler: try TokenSampler(temperature: 0), rules: DrawingRules(endIDs: [], maximumTokens: newTokens + 1))
        let clock = ContinuousClock()
        let start = clock.now
        let (rows, promptTokens) = (rows, promptTokens)
        // When each conversation wrote each of its tokens.
        let moments = try await withThrowingTaskGroup(of: [ContinuousClock.Instant].self) { group in
            for row in 0..<rows {
                let prompt = (0..<promptTokens).map { ($0 * 7_919 + row * 613 + 13) % shape.vocabularySize }
                group.addTask {
                    var moments: [ContinuousClock.Instant] = []
                    for try await event in try await serving.events(
                        for: TokenRequest(prompt: prompt, settings: settings))
                    {
                        if case .token = event { moments.append(clock.now) }
                    }
                    return moments
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let end = clock.now
        let began = moments.compactMap(\.first).max() ?? end
        let tokens = moments.joined().count { $0 > began }
        return (
            Self.seconds(start.duration(to: began)),
            Self.seconds(began.duration(to: end)) * Double(rows * newTokens) / Double(max(tokens, 1))
        )
    }

    /// Tokens that a person adds in the second turn.
    private static let secondMessage = 24

    private func showTurns(_ decoder: any DecoderFamily, _ shape: DecoderConfiguration) async throws {
        let serving = BatchScheduler(model: decoder)
        var (first, second): ([Double], [Double]) = ([], [])
        for run in 0...runs {
            func ids(_ count: Int, _ salt: Int) -> [Int] {
                (0..<count).map { ($0 * 7_919 + salt * 613 + 13) % shape.vocabularySize }
            }
            // Another history in each run: nothing of it is kept.
            let history = ids(promptTokens, 2 * run)
            let one = try await turn(serving, history, newTokens)
            let two = try await turn(serving, history + one.reply + ids(Self.secondMessage, 2 * run + 1), 1)
            if run > 0 {
                first.append(one.seconds)
                second.append(two.seconds)
            }
        }
        let outcome = Turns(
            model: model, bits: bits, threads: threads, firstTurn: Self.median(first), secondTurn: Self.median(second))
        try common.console.result(outcome)
        common.console.show(
            String(
                format: "%d bits, %d threads: first token of the first turn after %.3f s, of the second after %.3f s",
                bits, threads, outcome.firstTurn, outcome.secondTurn))
    }

    /// Seconds to the first token, and the reply.
    private func turn(
        _ serving: BatchScheduler, _ prompt: [Int], _ count: Int
    ) async throws -> (seconds: Double, reply: [Int]) {
        let settings = DecodingSettings(
            sampler: try TokenSampler(temperature: 0), rules: DrawingRules(endIDs: [], maximumTokens: count))
        let clock = ContinuousClock()
        let start = clock.now
        var seconds: Double?
        var reply: [Int] = []
        for try await event in try await serving.events(for: TokenRequest(prompt: prompt, settings: settings)) {
            guard case .token(let token) = event else { continue }
            seconds = seconds ?? Self.seconds(start.duration(to: clock.now))
            reply.append(token.id)
        }
        return (seconds ?? 0, reply)
    }

    private func bytesPerStep(_ decoder: any DecoderFamily) -> Int {
        decoder.matrices.reduce(0) { $0 + $1.matrix.byteCount }
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
