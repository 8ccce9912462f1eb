import Conversations
import Foundation
import Generation
import LanguageModels
import Synchronization
import Testing
import Tokenizers
import Torch

@Suite struct ReplyGeneratorTests {
    let greedy = Sampling(temperature: 0, topP: 1, maximumTokens: 20)
    let warm = Sampling(temperature: 0.9, topP: 0.95, maximumTokens: 16, seed: 40)

    @Test func greedyRepliesEqualTransformers() async throws {
        let generator = try TinyModel.generator()
        let oracles = try TinyModel.oracles()
        // All in one padded batch, which rows leave at different times, and one by one.
        let together = try await generator.replies(to: oracles.map(\.turns), sampling: greedy)
        #expect(together.count == oracles.count)
        for (oracle, reply) in zip(oracles, together) {
            #expect(Array(reply.text.utf8) == Array(oracle.text.utf8))
            #expect(reply.tokenCount == oracle.ids.count)
            #expect(reply.finishReason == (oracle.ids.last == 3 ? "stop" : "length"))
            let alone = try await generator.reply(to: oracle.turns, sampling: greedy)
            #expect(alone.text == reply.text)
            #expect(abs(alone.meanLogProbability - reply.meanLogProbability) < 1e-4)
        }
    }

    /// Reply i is what its history gives alone with seed + i, whatever stands beside it in which batch.
    @Test func repliesDoNotDependOnTheBatch() async throws {
        let histories = TinyModel.histories(23)
        let model = EndingDecoder(try LlamaModel(folder: TinyModel.folder, dtype: .float32, device: .cpu))
        let format = try ChatFormat(folder: TinyModel.folder)
        let generator = try ReplyGenerator(model: model, format: format, modelID: "tiny")
        let wide = try await generator.replies(to: histories, sampling: warm)
        let narrow = try await ReplyGenerator(
            model: model, format: format, modelID: "tiny", options: .init(batchSize: 4, batchTokens: 60)
        ).replies(to: histories, sampling: warm)
        #expect(Set(wide.map(\.tokenCount)).count > 3, "the rows should leave at different times")
        #expect(Set(wide.map(\.text)).count > 15, "the replies should differ")
        for (index, history) in histories.enumerated() {
            #expect(narrow[index].text == wide[index].text)
            var alone = warm
            alone.seed = warm.seed + UInt64(index)
            #expect(try await generator.reply(to: history, sampling: alone).text == wide[index].text)
        }
        #expect(try await generator.replies(to: [], sampling: warm).isEmpty)
    }

    @Test func piecesAddUpToTheText() async throws {
        let generator = try TinyModel.generator()
        for seed in 0..<6 as Range<UInt64> {
            var sampling = warm
            sampling.seed = seed
            let pieces = Mutex<[String]>([])
            let reply = try await generator.reply(to: [Turn(.human, "bread")], sampling: sampling) { piece in
                pieces.withLock { $0.append(piece) }
            }
            let seen = pieces.withLock { $0 }
            #expect(seen.joined() == reply.text)
            #expect(seen.allSatisfy { !$0.isEmpty })
            #expect(seen.count > 1 || reply.tokenCount < 3)
        }
    }

    @Test func logProbabilityIsTheModelsAtTemperatureOne() async throws {
        let model = try LlamaModel(folder: TinyModel.folder, dtype: .float32, device: .cpu)
        let format = try ChatFormat(folder: TinyModel.folder)
        let generator = try ReplyGenerator(model: model, format: format, modelID: "tiny")
        let scorer = LikelihoodScorer(model: model, tokenizer: format.tokenizer)
        var sampling = greedy
        sampling.topLogProbabilities = 3
        for oracle in try TinyModel.oracles() {
            let reply = try await generator.reply(to: oracle.turns, sampling: sampling)
            let tokens = try #require(reply.tokens)
            #expect(tokens.map(\.id) == oracle.ids.filter { $0 != format.end })
            let prompt = try generator.prompt(for: oracle.turns, sampling: greedy)
            let whole = prompt + oracle.ids
            let values = try await scorer.scores(ofTokens: [whole])[0].tokenLogProbabilities.suffix(oracle.ids.count)
            for (token, value) in zip(tokens, values) {
                #expect(abs(token.drawn.logProbability - (value ?? 0)) < 1e-4)
                // Greedily drawn, so it is the most probable of the three, unless that is a token which no reply may hold.
                #expect(token.top.count == 3)
                #expect(token.top[0].logProbability >= token.drawn.logProbability - 1e-9)
                #expect(token.drawn.bytes == Array(format.tokenizer.bytes(of: token.id)))
            }
            let sum = values.reduce(0) { $0 + ($1 ?? 0) }
            #expect(abs(sum / Double(oracle.ids.count) - reply.meanLogProbability) < 1e-4)
            // A character cut short at the end belongs to no token.
            #expect(reply.text.utf8.starts(with: tokens.map(\.piece).joined().utf8))
        }
        var beam = sampling
        beam.beamCount = 2
        await #expect(throws: GenerationError.self) { try await generator.reply(to: [], sampling: beam) }
        #expect(try await generator.reply(to: [], sampling: greedy).tokens == nil)
    }

    /// Once the context is full, most turns still find their beginning read.
    @Test func aFullContextIsReusedToo() async throws {
        let generator = try TinyModel.generator()
        var sampling = greedy
        sampling.maximumTokens = 10
        var turns: [Turn] = []
        var (read, asked, reused, full) = (0, 0, 0, 0)
        for index in 0..<40 {
            turns.append(Turn(.human, ["I", "we", "do", "a"][index % 4]))
            let reply = try await generator.reply(to: turns, sampling: sampling)
            asked += reply.promptTokenCount
            read += reply.promptTokenCount - reply.cachedTokenCount
            if index >= 16 {
                full += 1
                // Only what is new since the last turn: a reply and a person's words.
                if reply.promptTokenCount - reply.cachedTokenCount <= 12 { reused += 1 }
            }
            turns.append(Turn(.bot, "I"))
        }
        #expect(reused * 2 > full, "\(reused) of \(full)")
        #expect(read * 2 < asked, "\(read) of \(asked)")
    }

    @Test func aQuestionThatDoesNotFitIsSaid() throws {
        let generator = try TinyModel.generator()
        let long = [Turn(.human, String(repeating: "I like the lake ", count: 30))]
        let error = #expect(throws: GenerationError.self) { try generator.requireRoom(for: long, sampling: warm) }
        #expect(error?.code == .promptTooLong && error?.isInputAtFault == true)
        #expect(error?.description.contains("context of 96, 16 are kept for the reply and 80 left") == true)
        // Older turns may go.
        try generator.requireRoom(for: Array(repeating: Turn(.human, "I like the lake"), count: 90), sampling: warm)
    }

    @Test func limitsHold() async throws {
        let generator = try TinyModel.generator(.init(minimumTokens: 12))
        let histories = TinyModel.histories(12)
        for reply in try await generator.replies(to: histories, sampling: warm) {
            #expect(reply.tokenCount >= 13 || reply.finishReason == "length" && reply.tokenCount == 16)
        }
        // What every reply should have is no fault of one that may not be so long.
        var brief = warm
        brief.maximumTokens = 3
        #expect(try generator.settings(brief).rules.minimumTokens == 3)
        // A history and a wish that together go beyond the context of 96: the model never sees more than that.
        let long = (0..<40).map { Turn($0 % 2 == 0 ? .human : .bot, "I like the warm bread and the blue boat") }
        var sampling = warm
        sampling.maximumTokens = 500
        let reply = try await TinyModel.generator(.init(minimumTokens: 500)).reply(to: long, sampling: sampling)
        // At least half the context; the rest of it is whole turns, at most of what is left.
        #expect((48...96).contains(reply.tokenCount))
        #expect(reply.finishReason == "length")
        sampling.maximumTokens = 0
        await #expect(throws: GenerationError.self) { try await generator.reply(to: long, sampling: sampling) }
        sampling.maximumTokens = 5
        sampling.topP = 0
        await #expect(throws: GenerationError.self) { try await generator.replies(to: [long], sampling: sampling) }
    }

    @Test func blockedNGramsDoNotRepeat() async throws {
        let model = try LlamaModel(folder: TinyModel.folder, dtype: .float32, device: .cpu)
        let format = try ChatFormat(folder: TinyModel.folder)
        let generator = try ReplyGenerator(model: model, format: format, modelID: "tiny")
        // Greedy transformers replies of the fixture repeat tokens; with single tokens blocked none may.
        let oracle = try #require(try TinyModel.oracles().first { Set($0.ids).count < $0.ids.count })
        var sampling = greedy
        let free = try await generator.reply(to: oracle.turns, sampling: sampling)
        sampling.blockedNGram = 1
        let blocked = try await generator.reply(to: oracle.turns, sampling: sampling)
        #expect(free.text != blocked.text)
        // Up to the first repetition the two agree.
        let fresh = oracle.ids.indices.first { oracle.ids[..<$0].contains(oracle.ids[$0]) } ?? 0
        let start = format.tokenizer.decode(Array(oracle.ids[..<fresh]))
        #expect(Array(blocked.text.utf8).starts(with: start.utf8.prefix { $0 < 0x80 }))
    }

    @Test func cancellationStopsAtTheNextStep() async throws {
        let generator = try TinyModel.generator(.init(minimumTokens: 40))
        var sampling = warm
        sampling.maximumTokens = 40
        let pieces = Mutex(0)
        let wish = sampling
        let task = Task {
            try await generator.reply(to: [], sampling: wish) { _ in
                pieces.withLock { $0 += 1 }
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(pieces.withLock { $0 } <= 2)
        let batch = Task { try await generator.replies(to: TinyModel.histories(8), sampling: wish) }
        batch.cancel()
        await #expect(throws: CancellationError.self) { try await batch.value }
    }

    @Test func manyTasksAtOnce() async throws {
        let generator = try TinyModel.generator()
        let histories = TinyModel.histories(8)
        let expected = try await generator.replies(to: histories, sampling: warm)
        let sampling = warm
        try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for (index, history) in histories.enumerated() {
                group.addTask {
                    var own = sampling
                    own.seed += UInt64(index)
                    return (index, try await generator.reply(to: history, sampling: own).text)
                }
            }
            for try await (index, text) in group { #expect(text == expected[index].text) }
        }
    }

    @Test func aTokenizerThatIsTooLargeIsRefused() throws {
        let large = try ChatFormat(
            tokenizer: .train(
                texts: ["the lake and the garden by the lake"], vocabularySize: 301,
                specialTokens: ChatFormat.specialTokens + (0..<60).map { "<|x\($0)|>" }))
        let model = try LlamaModel(folder: TinyModel.folder, dtype: .float32, device: .cpu)
        #expect { try ReplyGenerator(model: model, format: large, modelID: "tiny") } throws: { error in
            (error as? GenerationError)?.code == .mismatch
        }
    }
}
