import Foundation

/// Questions whose answer is a fact of the world: who, what, when, where, how many of something that is neither the person nor
/// the bot. A search decision and a query where nobody recorded one.
enum FactQuestion {
    /// What to look up for the last question of a message; `nil` where it asks for none.
    static func query(in text: String) -> String? {
        for sentence in SentenceCut.sentences(of: text).reversed() where sentence.hasSuffix("?") {
            let words = NearDuplicate.spelledOut(sentence)
            guard words.count >= 4, words.count <= 20, !words.contains(where: personal.contains) else { continue }
            guard starts.contains(where: { words.starts(with: $0) }) else { continue }
            let content = words.filter { !light.contains($0) }
            if content.count >= 2 { return content.joined(separator: " ") }
        }
        return nil
    }

    private static let starts = [
        "who", "what is the", "what was the",
        "what are the", "what year", "when is", "when was", "when did", "when does", "where is", "where was",
        "where did",
        "where does", "which", "how many", "how much", "how old is", "how far", "how long is", "how tall", "how big",
        "how high", "in what year", "did you know how",
    ].map { $0.split(separator: " ").map(String.init) }

    /// Words that make it a question between the two of them.
    private static let personal: Set<String> = [
        "you", "your", "yours", "i", "my", "me", "we", "our", "us", "this", "that", "it", "these", "those", "here",
    ]
    private static let light: Set<String> = [
        "who", "what", "when", "where", "which", "how", "is", "was", "are", "were", "did", "does", "do", "the", "a",
        "an",
        "in", "of", "to", "for", "on", "at", "be", "there", "one", "know",
    ]
}
