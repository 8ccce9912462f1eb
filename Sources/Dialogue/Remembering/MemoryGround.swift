import Foundation

/// Whether what a model wrote down of a message is in it: small models invent facts ("I like to go to the gym" of somebody who said
/// that they bake), and a bot that remembers those tells people who they are not.
///
/// Words are compared, so that a paraphrase which shares none of them is lost; it is asked for more than a third of them only.
enum MemoryGround {
    /// - Parameters:
    ///   - message: What the fact is said to be stated in.
    ///   - previous: The turn before it, whose questions a short answer ("Yes, two of them") speaks of; empty where there
    ///     is none. What the other one states there is their fact, not one of whoever answers.
    static func holds(_ fact: String, in message: String, after previous: String) -> Bool {
        let fact = carrying(fact)
        guard !fact.isEmpty else { return true }
        let questions = SentenceCut.sentences(of: previous).filter { $0.contains("?") }.joined(separator: " ")
        let said = carrying(message).union(carrying(questions))
        return 3 * fact.count { word in said.contains { isAkin(word, $0) } } > fact.count
    }

    /// How much of two facts is the same: F1 of the words that carry something.
    static func overlap(_ a: String, _ b: String) -> Double {
        let (left, right) = (carrying(a), carrying(b))
        let common = left.count { word in right.contains { isAkin(word, $0) } }
        return common == 0 ? 0 : 2 * Double(common) / Double(left.count + right.count)
    }

    /// Stems of the words that carry something; that somebody likes a thing, lives or works somewhere is said of too many things to
    /// tell them apart ("I work at a school" of somebody who works in a bakery).
    private static func carrying(_ text: String) -> Set<String> {
        FactWords(text).content.subtracting([
            "like", "love", "enjoi", "prefer", "hate", "favorit", "favourit", "go", "work", "live", "job",
        ])
    }

    /// The same stem, or two that begin alike: baker and bakery.
    private static func isAkin(_ a: String, _ b: String) -> Bool {
        if a == b { return true }
        let common = zip(a, b).prefix { $0 == $1 }.count
        return common >= 4 && 2 * common > max(a.count, b.count)
    }
}
