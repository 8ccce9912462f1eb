import Foundation

/// How much two sentences say the same: F1 of their words in lower case without articles and punctuation, as ParlAI counts it
/// for BlenderBot 3's memory labels.
enum WordOverlap {
    static func f1(_ a: String, _ b: String) -> Double {
        let (left, right) = (counts(a), counts(b))
        let common = left.reduce(0) { $0 + min($1.value, right[$1.key] ?? 0) }
        guard common > 0 else { return 0 }
        let precision = Double(common) / Double(left.values.reduce(0, +))
        let recall = Double(common) / Double(right.values.reduce(0, +))
        return 2 * precision * recall / (precision + recall)
    }

    private static let articles: Set<String> = ["a", "an", "the"]

    private static func counts(_ text: String) -> [String: Int] {
        var result: [String: Int] = [:]
        for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map(String.init)
        where !articles.contains(word) {
            result[word, default: 0] += 1
        }
        return result
    }
}
