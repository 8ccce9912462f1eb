import Conversations
import LanguageModels
import Tokenizers

/// Examples to token ids with a label per token, in the format that a model speaks.
///
/// Only what the model should write is supervised: the reply and the token that ends its turn, so that it learns to stop.
/// What stands before the reply, the mark of its speaker too, is not: whoever asks for a reply writes it.
public struct ExampleTokenizer: Sendable {
    /// What is done with the tokens of a bad reply that a better one to the same context holds too (`Example.betterReplies`):
    /// words of the topic and of the grammar, mostly, of which nobody complained.
    public enum Overlap: String, Sendable, Hashable, Codable, CaseIterable {
        /// Pushed down like the rest: the methods as published.
        case pushedDown = "pushed_down"
        /// Left alone.
        case leftAlone = "left_alone"
        /// Taken for good tokens, as JUICER's DIRECTOR-OVERLAP does (Shi et al. 2022, arXiv 2210.15893).
        case learned
    }

    /// Why an example or a dialogue could not be used.
    public enum Skip: String, Sendable, Hashable, Codable, CaseIterable {
        /// The reply has no text.
        case emptyReply = "empty_reply"
        /// The reply alone is longer than the model's context.
        case replyTooLong = "reply_too_long"
        /// The weight is 0, so it would teach nothing.
        case zeroWeight = "zero_weight"
        /// The weight is negative or not a number.
        case invalidWeight = "invalid_weight"
        /// The model's chat template does not take these turns.
        case refusedByTemplate = "refused_by_template"
        /// One turn of a dialogue is longer than the model's context.
        case turnTooLong = "turn_too_long"
        /// Both replies of a pair are the same.
        case sameReplies = "same_replies"
        /// A dialogue without a turn, or a bad reply without a token, that is learned.
        case nothingSupervised = "nothing_supervised"
    }

    /// What came of a list of examples or dialogues.
    public struct Result: Sendable {
        public var examples: [TokenizedExample] = []
        /// For each of `examples` its place in the list that came in.
        public var origins: [Int] = []
        public var skipped: [Skip: Int] = [:]
        /// Number of examples that lost old turns to fit the context.
        public var truncated = 0
    }

    public let format: any PromptFormat
    /// Longest sequence in tokens.
    public let contextLength: Int
    public let overlap: Overlap
    /// Whether an example's context is learned too, as plain dialogue: SFT on everything instead of on the reply only.
    public let learnsContext: Bool

    /// Most tokens of one example, and of a packed row: attention over a row costs its length squared, and models read
    /// tens of thousands of tokens where a chat has hundreds (TRL's `max_length` is 1,024 too).
    public static func rowLength(for model: DecoderConfiguration) -> Int { min(model.contextLength, 1024) }

    /// Tokens of the rows in which documents are packed where nobody says: `rowLength(for:)`, or the longest of them where
    /// that is more, and never more than the model reads.
    static func rowLength(for model: DecoderConfiguration, holding documents: [TokenizedExample]) -> Int {
        min(model.contextLength, max(rowLength(for: model), documents.map(\.count).max() ?? 0))
    }

    /// - Throws: `TrainingError` when the context is too short for a marker, a token and an end.
    public init(
        format: any PromptFormat, contextLength: Int, overlap: Overlap = .pushedDown, learnsContext: Bool = false
    ) throws {
        guard contextLength >= 4 else {
            throw TrainingError(.options, "context_length \(contextLength) is too short; it needs 4 tokens or more")
        }
        self.format = format
        self.contextLength = contextLength
        self.overlap = overlap
        self.learnsContext = learnsContext
    }

    /// One example: the reply and its end are supervised with the example's label, the context is not.
    ///
    /// A context that does not fit loses its oldest turns; when even the newest does not fit, its tail is kept. The reply
    /// is kept whole.
    /// - Parameter replyRoom: Least tokens that are kept free for the reply: two replies to one context then follow the same
    ///   part of it.
    /// - Throws: `TokenizersError` and `ChatTemplateError` where the format itself is at fault, not the example.
    public func tokenize(
        _ example: Example, replyRoom: Int = 0
    ) throws -> Swift.Result<(example: TokenizedExample, truncated: Bool), SkipError> {
        guard example.weight.isFinite, example.weight >= 0 else { return .failure(.init(.invalidWeight)) }
        guard example.weight > 0 else { return .failure(.init(.zeroWeight)) }
        guard !example.reply.allSatisfy(\.isWhitespace) else { return .failure(.init(.emptyReply)) }
        let exchange: Exchange
        do {
            guard let found = try self.exchange(example, replyRoom: replyRoom) else {
                return .failure(.init(.replyTooLong))
            }
            exchange = found
        } catch let error as ChatTemplateError where error.code == .raised {
            return .failure(.init(.refusedByTemplate))
        }
        let markers = learnsContext ? format.markerIDs : []
        let labels =
            exchange.prompt.map { learnsContext && !markers.contains($0) ? TokenLabel.unlabelled : .ignored }
            + replyLabels(of: example, exchange.reply)
        let ids = (exchange.prompt + exchange.reply).map(Int32.init(truncatingIfNeeded:))
        guard let made = try? TokenizedExample(ids: ids, labels: labels, weight: Float(example.weight)) else {
            return .failure(.init(.nothingSupervised))
        }
        return .success((made, exchange.isTruncated))
    }

    /// Two replies to one context as two documents, chosen and rejected; both follow the same part of the context.
    public func tokenize(
        _ pair: PreferencePair
    ) throws -> Swift.Result<(chosen: TokenizedExample, rejected: TokenizedExample, truncated: Bool), SkipError> {
        let examples = pair.examples
        let room = examples.map { (try? exchange($0, replyRoom: 0))?.reply.count ?? 0 }.max() ?? 0
        switch (try tokenize(examples[0], replyRoom: room), try tokenize(examples[1], replyRoom: room)) {
        case (.failure(let skip), _), (_, .failure(let skip)): return .failure(skip)
        case (.success(let chosen), .success(let rejected)):
            guard chosen.example.ids != rejected.example.ids else { return .failure(.init(.sameReplies)) }
            return .success((chosen.example, rejected.example, chosen.truncated || rejected.truncated))
        }
    }

    private func exchange(_ example: Example, replyRoom: Int) throws -> Exchange? {
        func made(room: Int) throws -> Exchange? {
            if let plain = example.plainPrompt {
                return try format.continuation(of: plain, reply: example.reply, room: room)
            }
            return try format.exchange(context: example.context, reply: example.reply, room: room)
        }
        let whole = try made(room: contextLength)
        guard let whole, whole.reply.count < replyRoom else { return whole }
        return try made(room: contextLength - replyRoom + whole.reply.count)
    }

    private func replyLabels(of example: Example, _ reply: [Int]) -> [TokenLabel] {
        let label = TokenLabel(example.label)
        guard label == .bad, overlap != .pushedDown, let better = example.betterReplies, !better.isEmpty else {
            return [TokenLabel](repeating: label, count: reply.count)
        }
        // A word is another token at the beginning of a reply than behind a space: both count.
        var shared = format.endIDs
        for text in better {
            shared.formUnion(format.vocabulary.encode(text, parsing: .none))
            shared.formUnion(format.vocabulary.encode(" " + text, parsing: .none))
        }
        return reply.map { shared.contains($0) ? (overlap == .learned ? .good : .ignored) : .bad }
    }

    /// Many examples; those that cannot be used are counted by reason.
    /// - Throws: as for one.
    public func tokenize(_ examples: some Sequence<Example>) throws -> Result {
        var result = Result()
        for (index, example) in examples.enumerated() {
            switch try tokenize(example) {
            case .success(let made):
                result.examples.append(made.example)
                result.origins.append(index)
                if made.truncated { result.truncated += 1 }
            case .failure(let skip):
                result.skipped[skip.reason, default: 0] += 1
            }
        }
        return result
    }

    /// An example that cannot be used.
    public struct SkipError: Error, Sendable, Hashable, CustomStringConvertible {
        public let reason: Skip

        init(_ reason: Skip) { self.reason = reason }

        public var description: String { "training: example skipped: \(reason.rawValue)" }
    }
}
