import Conversations
import Torch

/// A classifier that computes on a thread of its own wherever it is asked from: what libtorch keeps for each thread that asks it is
/// kept once (`ComputeThread`).
struct OneThreadClassifier: TextClassifier {
    private let model: any TextClassifier
    private let thread = ComputeThread(name: "loam.reward")

    init(_ model: any TextClassifier) { self.model = model }

    func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        try await withTaskExecutorPreference(thread) { try await model.probabilities(of: pairs) }
    }
}
