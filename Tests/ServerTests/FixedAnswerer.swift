import Conversations
import Dialogue
import Synchronization

@testable import Server

/// Gives one and the same reply, with whatever record of its making a test wants to see.
struct FixedAnswerer: Answerer {
    var reply: Message
    var personDecisions: [SafetyDecision] = []
    var modelID = "fixed-1"

    func answer(
        _ conversation: Conversation, sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Answer {
        Answer(message: reply, finishReason: "stop", tokenCount: 0, personDecisions: personDecisions)
    }
}

/// Counts from 1.
final class CallCount: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock {
            $0 += 1
            return $0
        }
    }
}
