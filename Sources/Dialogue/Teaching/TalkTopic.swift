import Foundation

/// What a reply is about, as far as the talk before it already named it: the longest run of words that both have, without
/// the light words at its ends.
enum TalkTopic {
    /// The topic as the talk spelled it; `nil` where the reply takes up nothing.
    static func topic(of reply: String, after turns: [String]) -> String? {
        let said = words(reply)
        let heavy = said.map { $0.key.count > 3 && !common.contains($0.key) }
        guard heavy.contains(true) else { return nil }
        var best: (range: Range<Int>, spelled: [String], weight: Int)?
        for turn in turns.suffix(4).reversed() {
            let heard = words(turn)
            for start in heard.indices {
                for other in said.indices where said[other].key == heard[start].key {
                    var length = 0
                    while start + length < heard.count, other + length < said.count, length < 4,
                        heard[start + length].key == said[other + length].key
                    {
                        length += 1
                    }
                    // Light words at the ends say nothing.
                    var range = other..<(other + length)
                    while let first = range.first, !heavy[first] { range = (first + 1)..<range.upperBound }
                    while let last = range.last, !heavy[last] { range = range.lowerBound..<last }
                    guard !range.isEmpty else { continue }
                    let weight = range.reduce(0) { $0 + (heavy[$1] ? said[$1].key.count : 0) }
                    if weight > best?.weight ?? 0 {
                        let shift = start - other
                        best = (range, range.map { heard[$0 + shift].text }, weight)
                    }
                }
            }
        }
        return best.map { $0.spelled.joined(separator: " ") }
    }

    private static func words(_ text: String) -> [(text: String, key: String)] {
        text.split { !$0.isLetter && !$0.isNumber && $0 != "'" && $0 != "’" && $0 != "-" }
            .map { (String($0), $0.lowercased()) }
    }

    /// Longer words that are no topics.
    private static let common: Set<String> = [
        "about", "after", "again", "also", "always", "another", "around", "because", "been", "before", "being",
        "better",
        "both", "come", "could", "didn't", "does", "doesn't", "doing", "don't", "down", "each", "either", "else",
        "even",
        "ever", "every", "feel", "find", "first", "from", "getting", "give", "glad", "going", "good", "great", "guess",
        "happy", "have", "haven't", "having", "hear", "heard", "hello", "here", "hope", "i've", "into", "isn't", "it's",
        "just", "kind", "know", "last", "less", "like", "liked", "little", "long", "look", "looking", "love", "made",
        "make", "many", "maybe", "mean", "might", "more", "most", "much", "must", "need", "never", "nice", "okay",
        "once",
        "only", "other", "over", "people", "pretty", "probably", "quite", "rather", "really", "right", "said", "same",
        "seem", "seems", "seen", "should", "since", "some", "someone", "something", "soon", "sorry", "sound", "sounds",
        "still", "such", "sure", "take", "talk", "tell", "than", "thank", "thanks", "that", "that's", "their", "them",
        "then", "there", "there's", "these", "they", "they're", "thing", "things", "think", "this", "those", "though",
        "thought", "time", "today", "told", "true", "used", "very", "want", "wanted", "watch", "well", "were", "what",
        "what's", "when", "where", "which", "while", "will", "with", "without", "won't", "wonder", "work", "would",
        "yeah",
        "year", "years", "you're", "you've", "your",
    ]
}
