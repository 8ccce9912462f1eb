import Foundation

/// Finds the words and phrases of a list in a text, also disguised: other case, accents, "1d10t", "i d i o t", "st-upid",
/// characters that do not show, "stuuupid". Whole words only, so that no harmless longer word is caught. Work grows
/// linearly with the length of the text.
///
/// A list has one entry per line; `#` begins a comment; `idiot*` also takes longer words that begin so; a line
/// `allow: suicide squad` excuses whatever is found inside that phrase.
public struct StringMatcher: Sendable {
    /// One finding.
    public struct Match: Sendable, Hashable {
        /// The entry as it stands in the list.
        public var entry: String
        /// Which words of the text, counted from 0.
        public var words: Range<Int>
    }

    private var listed = PhraseTree()
    private var allowed = PhraseTree()
    /// Number of entries, allowed ones aside.
    public private(set) var count = 0

    /// - Parameters:
    ///   - entries: words and phrases, perhaps ending with `*`; blank ones are passed over.
    ///   - allowing: phrases inside which nothing counts.
    public init(_ entries: some Sequence<String>, allowing: some Sequence<String> = [String]()) {
        for entry in entries where listed.insert(entry) { count += 1 }
        for phrase in allowing { _ = allowed.insert(phrase) }
    }

    /// A matcher for a list in the format above.
    public init(list text: String) {
        var entries: [String] = []
        var allowing: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let content = line.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
            if content.hasPrefix("allow:") {
                allowing.append(String(content.dropFirst("allow:".count)))
            } else if !content.isEmpty {
                entries.append(content)
            }
        }
        self.init(entries, allowing: allowing)
    }

    /// Reads a list from a UTF-8 file.
    /// - Throws: `SafetyError` naming the file when it cannot be read.
    public init(contentsOf url: URL) throws {
        guard let data = try? Data(contentsOf: url), let text = String(data: data, encoding: .utf8) else {
            throw SafetyError(.file, "\(url.path): cannot be read as UTF-8 text")
        }
        self.init(list: text)
    }

    /// Everything found, in the order of the text.
    public func matches(in text: String) -> [Match] {
        let tokens = WordFolding(text).tokens
        let found = listed.matches(tokens)
        guard !found.isEmpty else { return [] }
        // How far allowed phrases that begin at a word or before it reach: one pass, so that work stays linear.
        var reach = [Int](repeating: 0, count: tokens.count)
        for match in allowed.matches(tokens) {
            reach[match.words.lowerBound] = max(reach[match.words.lowerBound], match.words.upperBound)
        }
        for place in reach.indices.dropFirst() { reach[place] = max(reach[place], reach[place - 1]) }
        return found.filter { reach[$0.words.lowerBound] < $0.words.upperBound }
    }

    /// The first entry found.
    public func firstMatch(in text: String) -> String? { matches(in: text).first?.entry }

    /// Whether the text has an entry of the list.
    public func callAsFunction(_ text: String) -> Bool { firstMatch(in: text) != nil }
}
