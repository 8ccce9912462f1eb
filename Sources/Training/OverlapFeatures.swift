import Conversations
import Foundation

/// Plain facts about a reply in its context that sentence vectors hide: how much it repeats, how long it is, how it is
/// spelled. With them a reward model sees repetition, which it otherwise mostly misses.
public enum OverlapFeatures {
    /// Names in the order of `values`.
    public static let names = [
        "overlap_own_replies", "overlap_own_trigrams", "overlap_last_turn", "last_turn_covered", "repeats_own_reply",
        "repeats_last_turn", "log_words", "mean_word_length", "garbled_share", "symbol_share", "upper_share",
        "is_question", "ends_with_mark", "repeated_words", "repeated_bigrams", "log_turns", "log_last_turn_words",
    ]

    /// One number per name, finite for any text.
    public static func values(context: [Turn], reply: String) -> [Float] {
        let words = words(reply)
        let distinct = Set(words)
        let own = context.filter { $0.sender == .bot }.map { Self.words($0.text) }
        let last = context.last { $0.sender == .human }.map { Self.words($0.text) } ?? []
        let trigrams = grams(words, 3)
        let ownTrigrams = own.reduce(into: Set<[String]>()) { $0.formUnion(grams($1, 3)) }
        let bigrams = grams(words, 2)
        let letters = reply.unicodeScalars.filter { $0.properties.isAlphabetic }
        let visible = reply.unicodeScalars.filter { !$0.properties.isWhitespace }
        let symbols = visible.count { !$0.properties.isAlphabetic && $0.properties.numericType == nil }
        let trimmed = reply.trimmingCharacters(in: .whitespacesAndNewlines)
        return [
            own.map { share(of: distinct, in: Set($0)) }.max() ?? 0,
            share(of: trigrams, in: ownTrigrams),
            share(of: distinct, in: Set(last)),
            share(of: Set(last), in: distinct),
            !words.isEmpty && own.contains(words) ? 1 : 0,
            !words.isEmpty && last == words ? 1 : 0,
            log(1 + Float(words.count)),
            ratio(words.reduce(0) { $0 + $1.count }, words.count),
            ratio(words.count(where: isGarbled), words.count),
            ratio(symbols, visible.count),
            ratio(letters.count { $0.properties.isUppercase }, letters.count),
            reply.contains("?") ? 1 : 0,
            trimmed.last.map { ".!?…".contains($0) } == true ? 1 : 0,
            1 - ratio(distinct.count, max(words.count, 1)),
            1 - ratio(bigrams.count, max(words.count - 1, 1)),
            log(1 + Float(context.count)),
            log(1 + Float(last.count)),
        ]
    }

    /// Lower-case runs of letters, digits and apostrophes.
    static func words(_ text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "'" || $0 == "’") }.map(String.init)
    }

    /// Four equal characters in a row, or a long run of ASCII letters without a vowel: nobody's word.
    static func isGarbled(_ word: String) -> Bool {
        var run = 0
        var previous: Character?
        for character in word {
            run = character == previous ? run + 1 : 1
            if run >= 4 { return true }
            previous = character
        }
        let isASCII = word.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7A }
        return word.count > 25 || (isASCII && word.count >= 5 && !word.contains { "aeiouy".contains($0) })
    }

    private static func grams(_ words: [String], _ length: Int) -> Set<[String]> {
        guard words.count >= length else { return [] }
        return Set((0...(words.count - length)).map { Array(words[$0..<$0 + length]) })
    }

    private static func share<T: Hashable>(of part: Set<T>, in whole: Set<T>) -> Float {
        ratio(part.intersection(whole).count, part.count)
    }

    private static func ratio(_ a: Int, _ b: Int) -> Float { b > 0 ? Float(a) / Float(b) : 0 }
}
