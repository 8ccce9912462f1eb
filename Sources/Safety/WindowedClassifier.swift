import Conversations

/// A classifier that reads a long text in overlapping windows and believes the worst of them, so that nothing passes because it
/// stands behind many harmless words.
///
/// A text that fits into one window gets exactly the score that it would get alone. There is no end to what is read: what bounds
/// it is how long a text may be where it comes in (`ServerLimits`), and long texts are read a part at a time, between which
/// others have their turn.
struct WindowedClassifier: TextClassifier {
    /// Windows that are read in one call, where there are long texts.
    static let together = 32

    /// What reads.
    let reader: any TextClassifier

    init(_ reader: any TextClassifier) { self.reader = reader }

    func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        let windows = pairs.map { TextWindows.of($0.text) }
        let parts = zip(pairs, windows).flatMap { pair, windows in windows.map { (context: pair.context, text: $0) } }
        // Nothing is long: the texts are read as they came.
        guard parts.count > pairs.count else { return try await read(pairs) }
        var scores: [Double] = []
        for start in stride(from: 0, to: parts.count, by: Self.together) {
            try Task.checkCancellation()
            scores += try await read(Array(parts[start..<min(start + Self.together, parts.count)]))
        }
        var next = 0
        return windows.map { windows in
            defer { next += windows.count }
            return scores[next..<next + windows.count].max() ?? 0
        }
    }

    private func read(_ parts: [(context: [Turn], text: String)]) async throws -> [Double] {
        let scores = try await reader.probabilities(of: parts)
        guard scores.count == parts.count else {
            throw SafetyError(.shape, "\(scores.count) scores for \(parts.count) texts")
        }
        return scores
    }
}
