import Conversations
import Foundation
import Generation
import ModelFormats
import Training

/// Opens a reward model of any shape, to rank replies by.
public enum RewardRanking {
    /// - Parameters:
    ///   - folder: An encoder reward model, a decoder with a score head, or a head on frozen features, with a dialogue model's states
    ///     (one of the loop's) or without.
    ///   - today: What the chat template of such a dialogue model is told where it asks for the date.
    ///   - makeEncoder: The sentence encoder, for the last kind.
    /// - Throws: `TrainingError`, `ImprovementError`, `ModelFormatsError` or `LanguageModelError` for a folder that holds none.
    public static func open(
        _ folder: URL, today: Date, makeEncoder: () throws -> any TextEncoder
    ) throws -> any TextClassifier {
        OneThreadClassifier(try model(folder, today: today, makeEncoder: makeEncoder))
    }

    private static func model(
        _ folder: URL, today: Date, makeEncoder: () throws -> any TextEncoder
    ) throws -> any TextClassifier {
        let place = try ModelFolder(folder)
        if place.contains("reward.json") { return try EncoderRewardModel(folder: folder) }
        if try place.modelType() == "loam-reward" {
            let model = try RewardModel(folder: folder)
            return model.features.extraCount == 0
                ? try RewardScorer(model: model, encoder: makeEncoder())
                : try StatefulReward(folder: folder, encoder: makeEncoder(), today: today)
        }
        return try DecoderRewardModel(folder: folder)
    }

    /// The best of several replies by the reward model's probability.
    public static func best(
        of count: Int, to turns: [Turn], generator: ReplyGenerator, sampling: Sampling, by reward: any TextClassifier
    ) async throws -> (reply: Reply, score: Double) {
        let ranked = try await generator.best(of: count, to: turns, sampling: sampling) { turns, replies in
            try await reward.probabilities(of: replies.map { (context: turns, text: $0.text) })
        }
        return ranked[0]
    }
}
