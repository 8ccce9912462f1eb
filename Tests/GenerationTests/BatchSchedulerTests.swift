import Foundation
import LanguageModels
import Synchronization
import Testing
import Torch

@testable import Generation

@Suite struct BatchSchedulerTests {
    typealias Outcome = (tokens: [GeneratedToken], completion: Completion, rest: String)

    func collect(_ scheduler: BatchScheduler, _ request: TokenRequest) async throws -> Outcome {
        var tokens: [GeneratedToken] = []
        for try await event in try await scheduler.events(for: request) {
            switch event {
            case .token(let token): tokens.append(token)
            case .finished(let completion, let rest): return (tokens, completion, rest)
            }
        }
        throw CancellationError()
    }

    func together(_ scheduler: BatchScheduler, _ requests: [TokenRequest]) async throws -> [Outcome] {
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, try await collect(scheduler, request)) }
            }
            var found = [Outcome?](repeating: nil, count: requests.count)
            for try await (index, outcome) in group { found[index] = outcome }
            return found.compactMap { $0 }
        }
    }

    /// Requests of many lengths, some greedy, that end at different times.
    func requests(_ count: Int) throws -> [TokenRequest] {
        try (0..<count).map { index in
            TokenRequest(
                prompt: RandomModel.prompt(1 + index * 13 % 70, salt: index),
                settings: try RandomModel.settings(
                    temperature: index % 3 == 0 ? 0 : 1, tokens: 3 + index * 5 % 17, seed: UInt64(index), ends: [7, 8]))
        }
    }

    @Test func repliesAreWhatTheyAreAlone() async throws {
        let model = try RandomModel.make()
        let requests = try requests(14)
        var alone: [Outcome] = []
        let single = BatchScheduler(
            model: model, pieces: { Letters() }, options: .init(maximumRunning: 1, chunk: 1000, prefixBytes: 0))
        for request in requests { alone.append(try await collect(single, request)) }
        #expect(Set(alone.map(\.completion.tokenCount)).count > 5, "the replies should end at different times")
        #expect(alone.contains { $0.completion.finishReason == .stop })
        for options in [
            BatchScheduler.Options(chunk: 1000), .init(maximumRunning: 3, chunk: 7), .init(maximumRunning: 5, chunk: 1),
            .init(maximumTokens: 60, chunk: 20, prefixBytes: 0),
        ] {
            let scheduler = BatchScheduler(model: model, pieces: { Letters() }, options: options)
            for (one, other) in zip(try await together(scheduler, requests), alone) {
                #expect(one.completion.ids == other.completion.ids)
                #expect(one.completion.text == other.completion.text)
                #expect(one.completion.finishReason == other.completion.finishReason)
                #expect(one.completion.tokenCount == other.completion.tokenCount)
                #expect(abs(one.completion.logProbability - other.completion.logProbability) < 1e-3)
                #expect(one.tokens.map(\.id) == one.completion.ids)
                #expect(one.tokens.map(\.piece).joined() + one.rest == one.completion.text)
            }
        }
        // And what the padded batch of many histories draws.
        let padded = try PaddedBatch(model: model, requests: requests.map { ($0.prompt, $0.settings) })
        while !padded.isDone { try padded.step() }
        for (drawn, other) in zip(padded.replies, alone) { #expect(drawn.ids == other.completion.ids) }
    }

    @Test("with packed weights a reply has the very numbers that it has alone", arguments: PackedWeight.Bits.allCases)
    func packedRepliesAreWhatTheyAreAlone(bits: PackedWeight.Bits) async throws {
        // The portable kernels leave many rows to libtorch, whose sums depend on how many.
        guard PackedWeight.hasFastKernels else { return }
        let model = try RandomModel.make(dtype: .bfloat16)
        try model.pack(bits)
        let requests = try requests(14)
        var alone: [Outcome] = []
        let single = BatchScheduler(
            model: model, pieces: nil, options: .init(maximumRunning: 1, chunk: 1000, prefixBytes: 0))
        for request in requests { alone.append(try await collect(single, request)) }
        for options in [BatchScheduler.Options(), .init(maximumRunning: 3, chunk: 7)] {
            let scheduler = BatchScheduler(model: model, pieces: nil, options: options)
            for (one, other) in zip(try await together(scheduler, requests), alone) {
                #expect(one.completion.ids == other.completion.ids)
                #expect(one.completion.logProbability == other.completion.logProbability)
                #expect(one.tokens.map(\.logProbability) == other.tokens.map(\.logProbability))
            }
        }
    }

    @Test func aHistoryIsReadOnce() async throws {
        let model = WatchedDecoder(try RandomModel.make())
        let scheduler = BatchScheduler(model: model, pieces: nil)
        let history = RandomModel.prompt(200)
        // Five questions at once about the same history, then one turn more.
        let questions = try (0..<5).map { index in
            TokenRequest(
                prompt: history + [index, 50, 51], settings: try RandomModel.settings(tokens: 4, seed: UInt64(index)))
        }
        let outcomes = try await together(scheduler, questions)
        #expect(outcomes.map(\.completion.cachedTokenCount).sorted() == [0, 200, 200, 200, 200])
        // 203 for the first, 3 for each of four, and of each of five 3 drawn tokens that go on: 203 + 12 + 15.
        let seen: Int = model.passes.withLock { $0.reduce(0, +) }
        #expect(seen == 230)
        let next = questions[2].prompt + outcomes[2].completion.ids + [9, 9]
        let second = try await collect(
            scheduler, TokenRequest(prompt: next, settings: try RandomModel.settings(tokens: 2)))
        // All of the turn before but the token drawn last, which the model never saw.
        #expect(second.completion.cachedTokenCount == 203 + 3)
        #expect(second.completion.promptTokenCount == 203 + 4 + 2)
        let fresh = BatchScheduler(model: model, options: .init(prefixBytes: 0))
        let again = try await collect(
            fresh, TokenRequest(prompt: next, settings: try RandomModel.settings(tokens: 2)))
        #expect(again.completion.ids == second.completion.ids && again.completion.cachedTokenCount == 0)
        let status = await scheduler.status
        #expect(status.running == 0 && status.waiting == 0 && status.generatedTokens == 22)
        #expect(status.promptTokens == 1224 && status.cachedTokens == 1006)
    }

    @Test func aLongPromptDoesNotStallTheOthers() throws {
        let model = WatchedDecoder(try RandomModel.make())
        let batch = RaggedBatch(
            model: model, pieces: nil, guide: nil, prefixes: PrefixCache(capacity: 1 << 20), chunk: 16, compute: nil)
        for (id, wish) in [(4, 30), (400, 2), (8, 2)].enumerated() {
            batch.join(
                UInt64(id),
                try TokenDrawing(
                    prompt: RandomModel.prompt(wish.0, salt: id), settings: RandomModel.settings(tokens: wish.1),
                    vocabularySize: 60, contextLength: 512))
        }
        // In which step each had its first token, and its last.
        var (first, last): ([UInt64: Int], [UInt64: Int]) = ([:], [:])
        var step = 0
        while last.count < 3, step < 100 {
            step += 1
            for progress in batch.step() {
                if first[progress.id] == nil { first[progress.id] = step }
                if progress.isDone { last[progress.id] = step }
            }
        }
        // The short ones read theirs beside the long one and draw a token in every step from then on; 400 tokens in
        // chunks of 16 less their share take 26 steps.
        #expect(first == [0: 1, 1: 26, 2: 2] && last == [0: 30, 1: 27, 2: 3])
        let largest = model.passes.withLock { $0.max() } ?? 0
        #expect(largest <= 16 + 2, "no pass holds more than a chunk and the others' tokens")
    }

    @Test func whoIsNotListenedToIsGoneBeforeTheNextStep() async throws {
        let model = WatchedDecoder(try RandomModel.make())
        let scheduler = BatchScheduler(model: model, options: .init(maximumRunning: 1))
        let long = TokenRequest(prompt: [1, 2, 3], settings: try RandomModel.settings(tokens: 400))
        let task = Task {
            for try await _ in try await scheduler.events(for: long) {}
            try Task.checkCancellation()
        }
        // Cancelled in the middle of the fifth pass or a later one; slow passes then give the reader time to hear of it.
        let cancelledIn = Mutex<Int?>(nil)
        model.before.withLock {
            $0 = { pass in
                guard pass >= 5 else { return }
                if cancelledIn.withLock({ $0 }) == nil {
                    cancelledIn.withLock { $0 = pass }
                    task.cancel()
                }
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        // The only place is free again: another one runs, and the first one draws no more.
        let other = try await collect(
            scheduler, TokenRequest(prompt: [4, 5], settings: try RandomModel.settings(tokens: 3)))
        #expect(other.tokens.count == 3)
        let cancelled = try #require(cancelledIn.withLock { $0 })
        let passes = model.passes.withLock { $0.count }
        #expect(passes <= cancelled + 2 + 3, "\(passes) passes, cancelled in pass \(cancelled)")
        // A waiting one that is let go of never runs, and its place in the queue is free at once.
        let tight = BatchScheduler(model: model, options: .init(maximumRunning: 1, maximumWaiting: 1))
        let first = try await tight.events(for: long)
        for _ in 0..<20 {
            var waiting: AsyncThrowingStream<GenerationEvent, any Error>? = try await tight.events(for: long)
            #expect(waiting != nil)
            waiting = nil
        }
        withExtendedLifetime(first) {}
    }

    @Test func tooManyAreRefusedWithAHint() async throws {
        let scheduler = BatchScheduler(
            model: try RandomModel.make(), options: .init(maximumRunning: 1, maximumWaiting: 2))
        let request = TokenRequest(prompt: [1, 2, 3], settings: try RandomModel.settings(tokens: 200))
        var streams: [AsyncThrowingStream<GenerationEvent, any Error>] = []
        for _ in 0..<3 { streams.append(try await scheduler.events(for: request)) }
        do {
            streams.append(try await scheduler.events(for: request))
            Issue.record("the fourth should have been refused")
        } catch let error as GenerationError {
            #expect(error.code == .busy)
            #expect((1...60).contains(error.retryAfter ?? 0))
        }
        #expect(await scheduler.status.refused == 1)
        // Those that were let in are answered.
        for stream in streams {
            var finished = 0
            for try await event in stream { if case .finished = event { finished += 1 } }
            #expect(finished == 1)
        }
    }

    @Test func badRequestsAreRefusedAndBrokenOnesFailAlone() async throws {
        let model = WatchedDecoder(try RandomModel.make(context: 64))
        let scheduler = BatchScheduler(model: model)
        func code(_ prompt: [Int], _ change: (inout DecodingSettings) -> Void = { _ in }) async throws
            -> GenerationError.Code?
        {
            var settings = try RandomModel.settings(tokens: 4)
            change(&settings)
            do {
                _ = try await collect(scheduler, TokenRequest(prompt: prompt, settings: settings))
                return nil
            } catch let error as GenerationError { return error.code }
        }
        #expect(try await code([]) == .setting)
        #expect(try await code([60]) == .mismatch)
        #expect(try await code(RandomModel.prompt(65)) == .promptTooLong)
        #expect(try await code([1]) { $0.beamCount = 4 } == .setting)
        #expect(try await code([1]) { $0.penalties.bias = [59: 1, 60: 1] } == .setting)
        #expect(try await code([1]) { $0.penalties.bias = [-1: 1] } == .setting)
        #expect(try await code([1]) { $0.penalties.bias = [59: 1] } == nil)
        #expect(try await code(RandomModel.prompt(64)) == nil)
        // One that may draw nothing fails, and the one beside it is answered.
        var impossible = try RandomModel.settings(tokens: 4)
        impossible.rules.suppressedIDs = Set(0..<60)
        let good = TokenRequest(prompt: [1, 2], settings: try RandomModel.settings(tokens: 9))
        async let answered = collect(scheduler, good)
        await #expect(throws: GenerationError.self) {
            try await collect(scheduler, TokenRequest(prompt: [3], settings: impossible))
        }
        #expect(try await answered.tokens.count == 9)
        // When the model itself fails, all hear of it, and the next request finds it working again.
        model.fails.withLock { $0 = true }
        await #expect(throws: LanguageModelError.self) { try await collect(scheduler, good) }
        model.fails.withLock { $0 = false }
        #expect(try await collect(scheduler, good).tokens.count == 9)
    }

    @Test func logProbabilitiesAreTheModels() async throws {
        let model = try RandomModel.make()
        var settings = try RandomModel.settings(temperature: 0.5, tokens: 6, seed: 3)
        settings.topLogProbabilities = 4
        settings.penalties.repetition = 1.3
        let prompt = RandomModel.prompt(9)
        let outcome = try await collect(BatchScheduler(model: model), TokenRequest(prompt: prompt, settings: settings))
        let ids = prompt + outcome.completion.ids
        let hidden = try model.hidden(
            Tensor(ids, shape: [1, ids.count]), positions: Tensor(Array(ids.indices), shape: [1, ids.count]),
            mask: .causal, cache: nil)
        let log = try model.logits(hidden).logSoftmax(dim: -1)
        for (index, token) in outcome.tokens.enumerated() {
            let row = try log.narrow(dim: 1, start: prompt.count + index - 1, length: 1).doubles()
            #expect(abs(token.logProbability - row[token.id]) < 1e-5)
            let best = row.indices.sorted { row[$0] > row[$1] }.prefix(4)
            #expect(token.top.map(\.id) == Array(best))
            for (ours, id) in zip(token.top, best) { #expect(abs(ours.logProbability - row[id]) < 1e-5) }
        }
    }

    @Test func stopStringsEndARequestWithinItsTokens() async throws {
        let model = try RandomModel.make()
        let scheduler = BatchScheduler(model: model, pieces: { Letters() })
        var settings = try RandomModel.settings(tokens: 20, seed: 5)
        let free = try await collect(scheduler, TokenRequest(prompt: [1, 2], settings: settings))
        let text = free.completion.text
        let at = text.index(text.startIndex, offsetBy: 9)
        // Three letters that come from three tokens.
        settings.stops = ["zzz", String(text[at...].prefix(3))]
        let cut = try await collect(scheduler, TokenRequest(prompt: [1, 2], settings: settings))
        #expect(cut.completion.text == text[..<at] && cut.completion.finishReason == .stop)
        #expect(cut.completion.tokenCount == 12 && cut.completion.ids == Array(free.completion.ids.prefix(12)))
        #expect(cut.tokens.map(\.piece).joined() + cut.rest == text[..<at])
        let padded = try PaddedBatch(
            model: model, requests: [([1, 2], settings), ([1, 2, 3], settings)], pieces: { Letters() })
        while !padded.isDone { try padded.step() }
        #expect(padded.replies[0].ids == cut.completion.ids && padded.replies[0].ended)
    }

    @Test func aGuideSteersOnlyWhoAsks() async throws {
        let model = try RandomModel.make()
        // Says that the even tokens are wanted.
        struct Even: TokenGuide {
            func classLogits(hidden: Tensor, logits: Tensor) throws -> Tensor {
                let row = (0..<60).map { Float($0 % 2 == 0 ? 9 : -9) }
                return try Tensor(row, shape: [1, 60]).expand([hidden.shape[0], 60])
            }
        }
        let scheduler = BatchScheduler(model: model, guide: Even())
        let plain = BatchScheduler(model: model)
        var settings = try RandomModel.settings(tokens: 20, seed: 2)
        let free = TokenRequest(prompt: [1, 2, 3], settings: settings)
        settings.guidance = 3
        let steered = TokenRequest(prompt: [1, 2, 3], settings: settings)
        let found = try await together(scheduler, [free, steered])
        #expect(found[0].completion.ids == (try await collect(plain, free)).completion.ids)
        #expect(found[0].completion.ids.contains { $0 % 2 == 1 })
        #expect(found[1].completion.ids.allSatisfy { $0 % 2 == 0 })
    }
}
