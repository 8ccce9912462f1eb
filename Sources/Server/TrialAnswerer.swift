import Conversations
import Dialogue
import Evaluation
import Synchronization

/// Two models in front of people at once: each person is answered by the model of their arm, always the same one, until the
/// trial is over and everybody gets the model that serves.
public final class TrialAnswerer: Answerer {
    private let base: any Answerer
    private let trial: any Answerer
    private let assignment: ArmAssignment
    private let isOver = Mutex(false)

    /// - Parameter assignment: its second arm is the trial's.
    public init(base: any Answerer, trial: any Answerer, assignment: ArmAssignment) {
        self.base = base
        self.trial = trial
        self.assignment = assignment
    }

    /// The model that serves; a reply's own record says which one wrote it.
    public var modelID: String { base.modelID }

    /// From now on everybody is answered by the model that serves. Replies that are being written finish.
    public func end() { isOver.withLock { $0 = true } }

    public func answer(
        _ conversation: Conversation, sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Answer {
        try await answerer(for: conversation).answer(conversation, sampling: sampling, onPiece: onPiece)
    }

    public func replied(in conversation: Conversation) async {
        await answerer(for: conversation).replied(in: conversation)
    }

    /// Both remember in the same store.
    public var remembering: DialogueAgent? { base.remembering }

    private func answerer(for conversation: Conversation) -> any Answerer {
        let isTried = !isOver.withLock { $0 } && assignment.model(for: conversation.userID) == assignment.arms[1].model
        return isTried ? trial : base
    }
}
