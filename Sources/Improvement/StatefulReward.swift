import Conversations
import Foundation
import Training

/// A reward model that takes frozen states of a dialogue model beside the texts, such as those of a run of the loop, as the classifier
/// that other rooms know: the probability of a good reply.
public actor StatefulReward: TextClassifier {
    private let judge: Judge

    /// What is kept beside such a model: which dialogue model's states it takes.
    struct Source: Sendable, Codable {
        /// Folder of the dialogue model.
        var model: String

        static let file = "states.json"

        /// - Parameter model: Folder of the dialogue model, from wherever the run was begun.
        init(of model: String) { self.model = URL(filePath: model).standardizedFileURL.path }
    }

    /// - Parameters:
    ///   - folder: A reward model of the loop: `RUN/04-reward/learn` or `judge`.
    ///   - today: What a chat template that asks for the date is told.
    /// - Throws: `ImprovementError` where the folder does not say whose states it takes, or that model is not there; `TrainingError` for
    ///   another encoder.
    public init(folder: URL, encoder: any TextEncoder, today: Date) throws {
        let file = folder.appending(path: Source.file)
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw ImprovementError.model(
                folder.path,
                "this reward model takes states of a dialogue model, and \(Source.file), which names that, is not here")
        }
        let source = try RunFolder.read(Source.self, from: file)
        judge = try Judge(
            folder: folder, bench: ModelBench(URL(filePath: source.model), today: today), encoder: encoder)
        guard judge.model.features.dimension == encoder.dimension else {
            throw TrainingError(
                .options,
                "\(folder.path): the encoder's vectors have \(encoder.dimension) numbers, the reward model's "
                    + "\(judge.model.features.dimension)")
        }
    }

    public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        try await judge.probabilities(pairs.map { (context: $0.context, reply: $0.text) })
    }
}
