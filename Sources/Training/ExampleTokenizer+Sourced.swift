import Conversations
import Tokenizers

/// What has a line of its own in a training file must fit: a fault names file and line. What comes from a log is passed over
/// and counted, as logs are full of odd replies.
extension ExampleTokenizer {
    /// Documents of examples with the places that they come from.
    public struct Documents: Sendable {
        public var documents: [TokenizedExample] = []
        /// For each document, or each pair of them, its place in the list that came in.
        public var origins: [Int] = []
        public var skipped: [Skip: Int] = [:]
        /// Documents that lost old turns to fit the context.
        public var truncated = 0
    }

    /// - Throws: `LogError` naming file and line of an example that cannot be used; `TrainingError` when none is left.
    public func documents(_ examples: [Sourced<Example>]) throws -> Documents {
        var result = Documents()
        for (index, example) in examples.enumerated() {
            switch try tokenize(example.item) {
            case .success(let made):
                result.documents.append(made.example)
                result.origins.append(index)
                if made.truncated { result.truncated += 1 }
            case .failure(let skip): try pass(skip.reason, example.file, example.line, &result)
            }
        }
        guard !result.documents.isEmpty else { throw nothing(result) }
        return result
    }

    /// Chosen and rejected documents by turns.
    public func documents(pairs: [Sourced<PreferencePair>]) throws -> Documents {
        var result = Documents()
        for (index, pair) in pairs.enumerated() {
            switch try tokenize(pair.item) {
            case .success(let made):
                result.documents += [made.chosen, made.rejected]
                result.origins.append(index)
                if made.truncated { result.truncated += 1 }
            case .failure(let skip): try pass(skip.reason, pair.file, pair.line, &result)
            }
        }
        guard !result.documents.isEmpty else { throw nothing(result) }
        return result
    }

    /// Plain texts, each with an end, cut into pieces that fit. A piece begins as the tokenizer begins every text, which is how
    /// the model is shown a text that it is to go on with; that beginning is not learned.
    public func documents(texts: [Sourced<String>]) throws -> Documents {
        var result = Documents()
        let begin = format.textBegin
        let room = max(1, contextLength - begin.count)
        for (index, text) in texts.enumerated() {
            let ids = format.vocabulary.encode(text.item, parsing: .none) + (format.replyEnd.map { [$0] } ?? [])
            for start in stride(from: 0, to: ids.count, by: room) {
                let part = ids[start..<min(start + room, ids.count)]
                guard part.count > 1 else { continue }
                result.documents.append(
                    try TokenizedExample(
                        ids: (begin + part).map(Int32.init(truncatingIfNeeded:)),
                        labels: [TokenLabel](repeating: .ignored, count: begin.count)
                            + [TokenLabel](repeating: .unlabelled, count: part.count)))
                result.origins.append(index)
            }
        }
        guard !result.documents.isEmpty else { throw nothing(result) }
        return result
    }

    /// All that is to be imitated, replies and plain texts.
    /// - Throws: as for each of them; `TrainingError` when there is neither.
    public func documents(toImitate data: TrainingData) throws -> Documents {
        let wanted = data.wanted
        guard !data.texts.isEmpty else { return try documents(wanted) }
        let texts = try documents(texts: data.texts)
        guard !wanted.isEmpty else { return texts }
        var result = try documents(wanted)
        result.documents += texts.documents
        result.origins += texts.origins.map { wanted.count + $0 }
        return result
    }

    private func pass(_ reason: Skip, _ file: String, _ line: Int?, _ result: inout Documents) throws {
        result.skipped[reason, default: 0] += 1
        // A weight of 0 is a way to leave a line out.
        guard let line, reason != .zeroWeight else { return }
        throw LogError(.invalidField, file: file, line: line, reason: text(of: reason))
    }

    private func text(of reason: Skip) -> String {
        switch reason {
        case .emptyReply: "the reply is empty"
        case .replyTooLong: "the reply is longer than the model's context of \(contextLength) tokens"
        case .invalidWeight: "the weight is not a finite number from 0 up"
        case .sameReplies: "both replies are the same"
        case .turnTooLong: "a turn is longer than the model's context of \(contextLength) tokens"
        case .zeroWeight: "the weight is 0"
        case .refusedByTemplate: "the model's chat template does not take these turns"
        case .nothingSupervised: "no token is left to learn from"
        }
    }

    private func nothing(_ result: Documents) -> TrainingError {
        let why = result.skipped.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
        return TrainingError(.data, "nothing is left to learn from" + (why.isEmpty ? "" : ": \(why)"))
    }
}
