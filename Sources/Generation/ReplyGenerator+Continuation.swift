import Conversations
import Synchronization
import Tokenizers

extension ReplyGenerator {
    /// A text as it is continued by the model itself: no turns around it, no marks but those that its tokenizer puts in
    /// front of every text.
    /// - Parameter onPiece: called with each new piece of text as it is drawn.
    /// - Throws: `GenerationError`: `promptTooLong` for a text that leaves no room, `setting` for an empty one.
    public func continuation(
        of text: String, sampling: Sampling, onPiece: (@Sendable (String) -> Void)? = nil
    ) async throws -> Reply {
        let prompt = ids(ofText: text)
        guard !prompt.isEmpty else { throw GenerationError(.setting, "there is no text to continue") }
        var settings = try settings(sampling)
        // What ends a turn of a transcript ends no text.
        settings.stops = sampling.stops
        let start = ReplyStart(of: format)
        let tokens = Mutex<[GeneratedToken]>([])
        let request = TokenRequest(prompt: prompt, settings: settings)
        let completion: Completion
        if settings.beamCount > 1 {
            // Nobody is told of the tokens of a beam, which is known at its end only.
            completion = try await self.completion(of: request)
            start.take(completion.ids)
            let text = start.completed(completion.text)
            if !text.isEmpty { onPiece?(text) }
        } else {
            completion = try await self.completion(
                of: request,
                onToken: { token in
                    start.take([token.id])
                    tokens.withLock { $0.append(token) }
                },
                onPiece: { piece in
                    let whole = start.completed(piece)
                    onPiece?(whole)
                })
        }
        let drawn = sampling.topLogProbabilities == nil ? nil : tokens.withLock { $0 }
        return Reply(
            text: start.prefix + completion.text, finishReason: completion.finishReason.rawValue,
            tokenCount: completion.tokenCount, meanLogProbability: completion.meanLogProbability,
            promptTokenCount: completion.promptTokenCount, cachedTokenCount: completion.cachedTokenCount,
            tokens: drawn.map { replyTokens($0, start: start.prefix) })
    }

    private func ids(ofText text: String) -> [Int] {
        let plain = format.vocabulary.encode(text)
        guard let tokenizer = format.vocabulary as? PretrainedTokenizer else { return plain }
        let whole = tokenizer.encode(text, parsing: .ordinary, addingSpecialTokens: true)
        // A tokenizer that also ends every text would have the model begin another.
        return whole.count > plain.count && whole.suffix(plain.count).elementsEqual(plain) ? whole : plain
    }

    private func replyTokens(_ tokens: [GeneratedToken], start: String) -> [ReplyToken] {
        var rest = start
        return tokens.map { token in
            var token = replyToken(token)
            if !rest.isEmpty, !token.piece.isEmpty {
                token.piece = rest + token.piece
                rest = ""
            }
            return token
        }
    }
}

/// The white space with which a continuation begins: a format that takes it off its replies must not take it off a text.
private final class ReplyStart: Sendable {
    private struct State {
        var ids: [Int] = []
        var prefix = ""
        var hasBegun = false
    }

    private let vocabulary: (any Tokenizer)?
    private let state = Mutex(State())

    init(of format: any PromptFormat) { vocabulary = format.beginsReplyWithSpace ? format.vocabulary : nil }

    /// What was taken off, once the text has begun.
    var prefix: String { state.withLock { $0.prefix } }

    /// Takes note of tokens drawn; some come before the first piece, while what might be a stop string is held back.
    func take(_ ids: [Int]) {
        guard vocabulary != nil else { return }
        state.withLock { state in
            if !state.hasBegun { state.ids += ids }
        }
    }

    /// A piece as it would be had nothing been taken off.
    func completed(_ piece: String) -> String {
        guard let vocabulary, !piece.isEmpty else { return piece }
        return state.withLock { state in
            guard !state.hasBegun else { return piece }
            state.hasBegun = true
            state.prefix = String(vocabulary.decode(state.ids).prefix { $0 == " " || $0 == "\t" })
            return state.prefix + piece
        }
    }
}
