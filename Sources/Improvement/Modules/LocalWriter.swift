import Conversations
import Dialogue
import Generation
import Tokenizers

/// A local model as a writer of modules: turns go through its chat format, texts are continued as they stand. All go
/// through one scheduler, which draws them together and keeps what prompts begin with.
public struct LocalWriter: ModuleWriter {
    public let generator: ReplyGenerator

    public init(generator: ReplyGenerator) { self.generator = generator }

    public var modelID: String { generator.modelID }

    public func output(for call: ModuleCall, onPiece: (@Sendable (String) -> Void)?) async throws -> ModuleOutput {
        switch call.prompt {
        case .turns(let turns):
            return ModuleOutput(
                reply: try await generator.reply(to: turns, sampling: call.sampling, onPiece: onPiece), model: modelID)
        case .text(let text):
            // What a module is asked stands at the end. A text beyond the context loses its beginning, as it does in training.
            let prompt = generator.format.vocabulary.encode(text).suffix(generator.promptRoom(for: call.sampling))
            let request = TokenRequest(prompt: Array(prompt), settings: try generator.settings(call.sampling))
            let done = try await generator.completion(of: request, onPiece: onPiece)
            return ModuleOutput(
                reply: Reply(
                    text: done.text, finishReason: done.finishReason.rawValue, tokenCount: done.tokenCount,
                    meanLogProbability: done.meanLogProbability, promptTokenCount: done.promptTokenCount,
                    cachedTokenCount: done.cachedTokenCount), model: modelID)
        }
    }
}
