import Foundation
import Generation
import LanguageModels
import Testing
import Tokenizers
import Torch

@Suite struct LikelihoodScorerTests {
    func scorer(batchTokens: Int = 8192) throws -> LikelihoodScorer {
        LikelihoodScorer(
            model: try LlamaModel(folder: TinyModel.folder, dtype: .float32, device: .cpu),
            tokenizer: try ChatFormat(folder: TinyModel.folder).tokenizer, batchTokens: batchTokens)
    }

    @Test func textsAreScoredAsTheyStand() async throws {
        let model = try LlamaModel(folder: TinyModel.folder, dtype: .float32, device: .cpu)
        let format = try ChatFormat(folder: TinyModel.folder)
        let scorer = try scorer(batchTokens: 300)
        /// Straight from the model, all at once.
        func plain(_ ids: [Int]) throws -> [Double] {
            let hidden = try model.hidden(
                Tensor(ids, shape: [1, ids.count]), positions: Tensor(Array(ids.indices), shape: [1, ids.count]),
                mask: .causal, cache: nil)
            let log = try model.logits(hidden).logSoftmax(dim: -1).doubles()
            return ids.indices.dropFirst().map { log[($0 - 1) * 300 + ids[$0]] }
        }
        let texts = ["I like the lake", "", "bread", "we don't like the warm garden today !"]
        let scores = try await scorer.scores(ofTexts: texts)
        #expect(scores.map(\.ids) == texts.map { format.tokenizer.encode($0) })
        for score in scores where score.ids.count > 1 {
            #expect(score.tokenLogProbabilities.count == score.ids.count && score.tokenLogProbabilities[0] == nil)
            for (ours, theirs) in zip(score.tokenLogProbabilities.dropFirst(), try plain(score.ids)) {
                #expect(abs((ours ?? 0) - theirs) < 1e-4)
            }
        }
        #expect(scores[1].perplexity == nil && scores[1].tokenLogProbabilities.isEmpty)
        let counted = scores.reduce(0) { $0 + $1.scoredCount }
        let sum = scores.reduce(0) { $0 + $1.logProbability }
        let perplexity = try #require(TextLikelihood.perplexity(of: scores))
        #expect(abs(perplexity - exp(-sum / Double(counted))) < 1e-9)
        // With a begin token even the first has a score.
        let begun = try await scorer.scores(ofTokens: [[9, 8, 7]], begin: 1)[0]
        for (ours, theirs) in zip(begun.tokenLogProbabilities, try plain([1, 9, 8, 7])) {
            #expect(abs((ours ?? 0) - theirs) < 1e-4)
        }
        #expect(begun.scoredCount == 3)
        await #expect(throws: GenerationError.self) { try await scorer.scores(ofTokens: [[300]]) }
    }

    @Test func smallBatchesGiveTheSame() async throws {
        let texts = ["I like the lake", "bread", "we don't like the warm garden today !", "do you see a boat ?"]
        let wide = try await scorer().scores(ofTexts: texts)
        let narrow = try await scorer(batchTokens: 9).scores(ofTexts: texts)
        for (one, other) in zip(wide, narrow) {
            for (a, b) in zip(one.tokenLogProbabilities, other.tokenLogProbabilities) {
                #expect(abs((a ?? 0) - (b ?? 0)) < 1e-4 && (a == nil) == (b == nil))
            }
        }
        #expect(try await scorer().scores(ofTexts: []).isEmpty)
    }

    /// Of a text beyond the context of 96 every token has a score, seen after half a context or more.
    @Test func longTextsAreScoredInWindows() async throws {
        let model = try LlamaModel(folder: TinyModel.folder, dtype: .float32, device: .cpu)
        let ids = (0..<230).map { 4 + $0 * $0 % 290 }
        let score = try await scorer().scores(ofTokens: [ids])[0]
        #expect(score.scoredCount == 229)
        func last(_ ids: ArraySlice<Int>) throws -> Double {
            let before = Array(ids.dropLast())
            let hidden = try model.hidden(
                Tensor(before, shape: [1, before.count]),
                positions: Tensor(Array(before.indices), shape: [1, before.count]), mask: .causal, cache: nil)
            return try model.logits(hidden).logSoftmax(dim: -1).doubles()[
                (before.count - 1) * 300 + ids[ids.endIndex - 1]]
        }
        // The first window reaches to token 96, the second begins 48 before what it scores first.
        for (place, start) in [(1, 0), (96, 0), (97, 49), (145, 49), (146, 98), (194, 98), (229, 147)] {
            let expected = try last(ids[start...place])
            #expect(abs((score.tokenLogProbabilities[place] ?? 0) - expected) < 1e-4, "token \(place)")
        }
    }
}
