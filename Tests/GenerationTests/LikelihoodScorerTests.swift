import Conversations
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
            format: try ChatFormat(folder: TinyModel.folder), batchTokens: batchTokens)
    }

    @Test func scoresEqualTransformers() async throws {
        let oracles = try TinyModel.oracles()
        let pairs = oracles.map { (history: $0.turns, reply: $0.given) }
        // In one padded batch, and in several small ones.
        for scorer in [try scorer(), try scorer(batchTokens: 50)] {
            let scores = try await scorer.scores(pairs, states: true)
            #expect(scores.count == oracles.count)
            for (score, oracle) in zip(scores, oracles) {
                #expect(score.tokenLogProbabilities.count == oracle.logProbabilities.count)
                for (ours, theirs) in zip(score.tokenLogProbabilities, oracle.logProbabilities) {
                    #expect(abs(ours - theirs) < 2e-4)
                }
                #expect(abs(score.logProbability - oracle.logProbabilities.reduce(0, +)) < 2e-3)
                #expect(score.meanState.count == oracle.meanState.count)
                for (ours, theirs) in zip(score.meanState, oracle.meanState) { #expect(abs(ours - theirs) < 1e-4) }
            }
        }
    }

    @Test func emptyAndLongRepliesAreScored() async throws {
        let scores = try await scorer().scores([
            (history: [Turn(.human, "bread")], reply: ""),
            (history: [], reply: String(repeating: "I like the lake ", count: 100)),
        ])
        // Of nothing, only its end; of too much, half the context of 96.
        #expect(scores.map(\.tokenLogProbabilities.count) == [1, 48])
        #expect(scores.allSatisfy { $0.meanState.isEmpty && $0.meanLogProbability < 0 })
        #expect(try await scorer().scores([]).isEmpty)
    }
}
