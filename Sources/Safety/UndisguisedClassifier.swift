import Conversations

/// A classifier that also reads what a text says without its disguises, and believes the worse of the two: whoever writes "1d10t"
/// or "i d i o t" wants to be understood by people and not by it. Of a text that is letters one by one and nothing else only what
/// they spell is believed: a reader of words makes nothing of the letters.
public struct UndisguisedClassifier: TextClassifier {
    /// What reads.
    let reader: any TextClassifier

    public init(_ reader: any TextClassifier) { self.reader = reader }

    public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        let plain = pairs.indices.compactMap { place in PlainSpelling.of(pairs[place].text).map { (place, $0) } }
        var scores = try await reader.probabilities(
            of: pairs + plain.map { (context: pairs[$0.0].context, text: $0.1.text) })
        guard scores.count == pairs.count + plain.count else {
            throw SafetyError(.shape, "\(scores.count) scores for \(pairs.count + plain.count) texts")
        }
        for (offset, (place, spelling)) in plain.enumerated() {
            let meant = scores[pairs.count + offset]
            scores[place] = spelling.isAllThereIs ? meant : max(scores[place], meant)
        }
        return Array(scores.prefix(pairs.count))
    }
}
