import Conversations
import Dialogue

/// A completer between the safety layers: an unsafe prompt is not continued, an unsafe continuation not shown.
///
/// Nothing is shown before all of it has passed, as in chats.
struct GuardedCompleter: Sendable {
    let completer: any TextCompleter
    /// `nil` lets everything through.
    let safety: (any SafetyCheck)?
    /// Said where a layer objects and has no words of its own.
    static let refusal = "I'd rather not continue this text."

    func answer(
        _ prompt: String, sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Answer {
        let asked = try await safety?.check(person: prompt, context: []) ?? SafetyOutcome()
        if asked.isUnsafe { return refusal(SafetyOutcome(cannedReply: asked.cannedReply), asked) }
        let reply = try await completer.continuation(
            of: prompt, sampling: sampling, onPiece: safety == nil ? onPiece : nil)
        let context = [Turn(.human, prompt)]
        let said = try await safety?.check(reply: reply.text, context: context) ?? SafetyOutcome()
        if said.isUnsafe { return refusal(said, asked) }
        if safety != nil, !reply.text.isEmpty, reply.tokens == nil { onPiece(reply.text) }
        return Answer(
            message: Message(id: "", sender: .bot, text: reply.text, safety: said.decisions),
            finishReason: reply.finishReason, tokenCount: reply.tokenCount, personDecisions: asked.decisions,
            promptTokenCount: reply.promptTokenCount,
            cachedTokenCount: reply.cachedTokenCount, tokens: reply.tokens)
    }

    private func refusal(_ outcome: SafetyOutcome, _ asked: SafetyOutcome) -> Answer {
        let message = Message(
            id: "", sender: .bot, text: outcome.cannedReply ?? Self.refusal, safety: outcome.decisions,
            isSafetyControlled: true)
        return Answer(message: message, finishReason: "stop", tokenCount: 0, personDecisions: asked.decisions)
    }
}
