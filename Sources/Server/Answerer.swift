import Conversations
import Dialogue

/// Answers people: everything that stands between what a person says and what they read, safety on both sides included.
/// The server itself judges nothing; what it serves is as safe as the answerer it is given.
public protocol Answerer: Sendable {
    /// Registry id of the model behind it.
    var modelID: String { get }
    /// Answers the last message of a conversation.
    /// - Parameters:
    ///   - conversation: its last message is a person's.
    ///   - onPiece: called with text that may be shown at once, in order. The returned message is what counts: it may
    ///     differ, where a safety layer stepped in after some pieces were out.
    /// - Returns: the reply; the server gives it its id and time.
    /// - Throws: `CancellationError` soon after the reader has left.
    func answer(
        _ conversation: Conversation, sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Answer
    /// Called when the reply was sent and kept, which is then the conversation's last message: the time to remember. Nobody
    /// waits for it but the person's own next turn.
    func replied(in conversation: Conversation) async
    /// The bot whose memories people may see and change; `nil` where nothing is remembered.
    var remembering: DialogueAgent? { get }
}

extension Answerer {
    public func replied(in conversation: Conversation) async {}
    public var remembering: DialogueAgent? { nil }
}

/// A reply with what an API client is told of its making. The server gives the message its id and time.
public typealias Answer = DialogueAgent.Answer
