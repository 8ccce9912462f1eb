import Foundation

/// BlenderBot 3's rule for near-duplicate memories: words in lower case, contractions spelled out, Porter stems, without
/// punctuation and a few words that change nothing. A candidate is refused when some memory of the same owner has no word
/// that the candidate lacks.
///
/// The rule alone refuses what is fuller ("I like cats and dogs" beside "I like cats") and lets a shorter version in;
/// `MemoryMerge` mends both.
public enum NearDuplicate {
    /// Whether a candidate counts as a near-duplicate of a memory.
    public static func isDuplicate(_ candidate: String, of existing: String) -> Bool {
        words(of: existing).isSubset(of: words(of: candidate))
    }

    /// The words that count.
    public static func words(of text: String) -> Set<String> {
        var result: Set<String> = []
        for word in spelledOut(text) where !ignored.contains(word) {
            let stem = PorterStemmer.stem(word)
            if !ignoredStems.contains(stem) { result.insert(stem) }
        }
        return result
    }

    private static let ignored: Set<String> = ["a", "an", "the", "am", "are", "is", "as"]
    private static let ignoredStems = Set(
        [
            "really", "actually", "up", "so", "just", "now", "how", "then", "also", "very", "too", "most", "but",
        ].map(PorterStemmer.stem))

    private static let wholeWords = [
        "can't": "can not", "won't": "will not", "shan't": "shall not", "let's": "let us", "cannot": "can not",
    ]
    private static let endings = [
        ("n't", " not"), ("'m", " am"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'d", " would"),
    ]
    /// Where `'s` is a verb and not an owner's mark.
    private static let isWords: Set<String> = [
        "it", "he", "she", "that", "what", "there", "here", "who", "where", "how",
    ]

    /// Lower-case words, contractions spelled out, punctuation gone.
    static func spelledOut(_ text: String) -> [String] {
        let plain = text.lowercased().replacingOccurrences(of: "’", with: "'")
        var result: [String] = []
        for chunk in plain.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "'" }) {
            var word = String(chunk).trimmingCharacters(in: CharacterSet(charactersIn: "'"))
            if let whole = wholeWords[word] {
                word = whole
            } else if let (ending, new) = endings.first(where: { word.hasSuffix($0.0) && word.count > $0.0.count }) {
                word = String(word.dropLast(ending.count)) + new
            } else if word.hasSuffix("'s") {
                let owner = String(word.dropLast(2))
                word = isWords.contains(owner) ? owner + " is" : owner
            }
            result += word.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        }
        return result
    }
}
