import Conversations

/// A classifier that also reads what a text says without its disguises, and believes the worse of the two: whoever writes "1d10t"
/// or "i d i o t" wants to be understood by people and not by it.
public struct UndisguisedClassifier: TextClassifier {
    /// What reads.
    let reader: any TextClassifier

    public init(_ reader: any TextClassifier) { self.reader = reader }

    public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        let plain = pairs.indices.compactMap { place in
            PlainSpelling.of(pairs[place].text).map { (place, pair: (context: pairs[place].context, text: $0)) }
        }
        var scores = try await reader.probabilities(of: pairs + plain.map(\.pair))
        guard scores.count == pairs.count + plain.count else {
            throw SafetyError(.shape, "\(scores.count) scores for \(pairs.count + plain.count) texts")
        }
        for (offset, (place, _)) in plain.enumerated() {
            scores[place] = max(scores[place], scores[pairs.count + offset])
        }
        return Array(scores.prefix(pairs.count))
    }
}
