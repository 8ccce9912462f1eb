import Conversations
import Dialogue

/// The dialogue agent as the server asks it.
extension DialogueAgent: Answerer {
    public func answer(
        _ conversation: Conversation, sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Answer {
        try await reply(to: conversation, sampling: sampling, onPiece: onPiece)
    }

    public func replied(in conversation: Conversation) async {
        // What could not be remembered is no fault of the talk.
        _ = try? await remember(after: conversation)
    }

    public var remembering: DialogueAgent? { memories == nil ? nil : self }
}
