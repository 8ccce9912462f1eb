import Foundation
import LanguageModels
import Testing
import Torch

@testable import Generation

/// Ratios on this machine, on a random Llama of 34 million parameters: `LOAM_MEASURE=1 swift test --filter MeasureTests`.
/// Figures are printed, never tested; that the work was done is.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["LOAM_MEASURE"] != nil))
struct MeasureTests {
    /// float32, bfloat16 by libtorch, and packed.
    enum Kind: String, CaseIterable, Sendable { case float32, bfloat16, packed16, packed8, packed4 }

    func model(_ kind: Kind) throws -> LlamaModel {
        let model = try plain(kind == .float32 ? .float32 : .bfloat16)
        switch kind {
        case .float32, .bfloat16: break
        case .packed16: try model.pack(.sixteen)
        case .packed8: try model.pack(.eight)
        case .packed4: try model.pack(.four)
        }
        return model
    }

    private func plain(_ dtype: DType) throws -> LlamaModel {
        try LlamaModel(
            LlamaConfiguration(
                vocabularySize: 8000, hiddenSize: 512, intermediateSize: 1408, layerCount: 8, headCount: 8,
                keyValueHeadCount: 4, contextLength: 2048, tiesEmbeddings: false),
            generator: Generator(seed: 6), dtype: dtype)
    }

    func request(_ count: Int, salt: Int, tokens: Int) throws -> TokenRequest {
        TokenRequest(
            prompt: RandomModel.prompt(count, salt: salt, vocabulary: 8000),
            settings: try RandomModel.settings(temperature: 0, tokens: tokens))
    }

    /// Seconds to the first token and to the last.
    func time(_ scheduler: BatchScheduler, _ request: TokenRequest) async throws -> (first: Double, whole: Double) {
        let start = ContinuousClock.now
        var first: Double?
        for try await _ in try await scheduler.events(for: request) { first = first ?? seconds(since: start) }
        return (first ?? 0, seconds(since: start))
    }

    func seconds(since start: ContinuousClock.Instant) -> Double {
        let duration = start.duration(to: .now).components
        return Double(duration.seconds) + Double(duration.attoseconds) / 1e18
    }

    func together(_ scheduler: BatchScheduler, _ requests: [TokenRequest]) async throws -> Double {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for request in requests { group.addTask { _ = try await time(scheduler, request) } }
            try await group.waitForAll()
        }
        return seconds(since: start)
    }

    @Test(arguments: Kind.allCases) func aSecondTurnStartsSooner(_ kind: Kind) async throws {
        let scheduler = BatchScheduler(model: try model(kind))
        _ = try await time(scheduler, request(64, salt: 9, tokens: 2))
        let first = try request(1000, salt: 1, tokens: 24)
        let cold = try await time(scheduler, first).first
        let second = TokenRequest(
            prompt: first.prompt + RandomModel.prompt(40, salt: 2, vocabulary: 8000), settings: first.settings)
        let warm = try await time(scheduler, second).first
        #expect(cold > 0 && warm > 0)
        #expect(await scheduler.prefixes.foundTokens >= 900)
        print("MEASURE \(kind.rawValue): first token of turn 1 \(cold) s, of turn 2 \(warm) s: 1/\(cold / warm)")
    }

    @Test(arguments: Kind.allCases) func eightTalkAtOnce(_ kind: Kind) async throws {
        let model = try model(kind)
        let scheduler = BatchScheduler(model: model, options: .init(prefixBytes: 0))
        _ = try await time(scheduler, request(64, salt: 9, tokens: 4))
        let tokens = 48
        // Three times each, the best of them, since the machine is shared. Greedy: an untrained model finds all tokens
        // equally likely, and sorting them all for a nucleus is no trained model's work.
        var (one, eight, padded) = (Double.infinity, Double.infinity, Double.infinity)
        for _ in 0..<3 {
            let alone = try request(24, salt: 3, tokens: tokens)
            one = min(one, try await together(scheduler, [alone]))
            let requests = try (0..<8).map { try request(16 + 8 * ($0 % 4), salt: $0, tokens: tokens) }
            eight = min(eight, try await together(scheduler, requests))
            let start = ContinuousClock.now
            let batch = try PaddedBatch(model: model, requests: requests.map { ($0.prompt, $0.settings) })
            while !batch.isDone { try batch.step() }
            padded = min(padded, seconds(since: start))
            #expect(batch.replies.count == requests.count)
        }
        print(
            "MEASURE \(kind.rawValue): 1 chat \(Double(tokens) / one) tokens/s, 8 chats \(8 * Double(tokens) / eight): "
                + "\(8 * one / eight) times; the padded batch \(8 * Double(tokens) / padded)")
    }

    @Test(arguments: Kind.allCases) func howOftenTheBatchChangesAGreedyReply(_ kind: Kind) async throws {
        let model = try model(kind)
        let requests = try (0..<8).map { try request(16 + 8 * ($0 % 4), salt: $0, tokens: 32) }
        func ids(_ scheduler: BatchScheduler, _ request: TokenRequest) async throws -> [Int] {
            for try await event in try await scheduler.events(for: request) {
                if case .finished(let completion, _) = event { return completion.ids }
            }
            return []
        }
        let single = BatchScheduler(model: model, options: .init(maximumRunning: 1, prefixBytes: 0))
        var alone: [[Int]] = []
        for request in requests { alone.append(try await ids(single, request)) }
        let scheduler = BatchScheduler(model: model)
        let together = try await withThrowingTaskGroup(of: (Int, [Int]).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, try await ids(scheduler, request)) }
            }
            return try await group.reduce(into: [Int: [Int]]()) { $0[$1.0] = $1.1 }
        }
        let same = requests.indices.count { together[$0] == alone[$0] }
        print("MEASURE \(kind.rawValue): \(same) of \(requests.count) greedy replies as alone")
    }
}
