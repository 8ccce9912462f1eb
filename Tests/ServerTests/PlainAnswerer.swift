import Conversations
import Dialogue

@testable import Server

/// Answers straight from a generator, or, with `canned`, as a safety layer does that lets nothing else through.
struct PlainAnswerer: Answerer {
    let generator: ScriptedGenerator
    var canned: String?

    var modelID: String { generator.modelID }

    func answer(
        _ conversation: Conversation, sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
    ) async throws -> Answer {
        if let canned {
            let message = Message(id: "", sender: .bot, text: canned, isSafetyControlled: true)
            return Answer(message: message, finishReason: "stop", tokenCount: 0)
        }
        let turns = conversation.messages.map { Turn($0.sender, $0.text) }
        let reply = try await generator.reply(to: turns, sampling: sampling, onPiece: onPiece)
        let record = GenerationRecord(model: generator.modelID, temperature: sampling.temperature, seed: sampling.seed)
        let message = Message(id: "", sender: .bot, text: reply.text, generation: record)
        return Answer(
            message: message, finishReason: reply.finishReason, tokenCount: reply.tokenCount,
            promptTokenCount: reply.promptTokenCount, cachedTokenCount: reply.cachedTokenCount, tokens: reply.tokens)
    }
}
