import Conversations

/// A classifier that reads a long text in overlapping windows and believes the worst of them, so that nothing passes because it
/// stands behind many harmless words.
///
/// A text that fits into one window gets exactly the score that it would get alone. There is no end to what is read: what bounds
/// it is how long a text may be where it comes in (`ServerLimits`), and long texts are read a part at a time, between which
/// others have their turn.
struct WindowedClassifier: TextClassifier {
    /// Windows of long texts that are read in one call.
    static let together = 32

    /// What reads.
    let reader: any TextClassifier

    init(_ reader: any TextClassifier) { self.reader = reader }

    func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        let windows = pairs.map { TextWindows.of($0.text) }
        let short = pairs.indices.filter { windows[$0].count == 1 }
        guard short.count < pairs.count else { return try await read(pairs) }
        var worst = [Double](repeating: 0, count: pairs.count)
        // What is short is read as it came; only the windows of long texts a few at a time.
        if !short.isEmpty {
            for (place, score) in zip(short, try await read(short.map { pairs[$0] })) { worst[place] = score }
        }
        let parts = pairs.indices.filter { windows[$0].count > 1 }.flatMap { place in
            windows[place].map { (place: place, text: $0) }
        }
        for start in stride(from: 0, to: parts.count, by: Self.together) {
            try Task.checkCancellation()
            let some = parts[start..<min(start + Self.together, parts.count)]
            let scores = try await read(some.map { (context: pairs[$0.place].context, text: $0.text) })
            for (part, score) in zip(some, scores) { worst[part.place] = max(worst[part.place], score) }
        }
        return worst
    }

    private func read(_ parts: [(context: [Turn], text: String)]) async throws -> [Double] {
        let scores = try await reader.probabilities(of: parts)
        guard scores.count == parts.count else {
            throw SafetyError(.shape, "\(scores.count) scores for \(parts.count) texts")
        }
        return scores
    }
}
