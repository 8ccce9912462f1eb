import Conversations
import Dialogue

/// An answerer whose replies are counted.
struct MeteredAnswerer: Answerer {
    let base: any Answerer
    let metrics: ServerMetrics

    var modelID: String { base.modelID }

    func answer(
        _ conversation: Conversation, sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Answer {
        try await metrics.measuring(onPiece) { try await base.answer(conversation, sampling: sampling, onPiece: $0) }
    }

    func replied(in conversation: Conversation) async { await base.replied(in: conversation) }

    var remembering: DialogueAgent? { base.remembering }
}
