/// Queries made without a model.
enum SearchQuery {
    /// A person's words as a query: the last question where there is one, at most sixteen words.
    static func plain(_ text: String) -> String {
        let chosen = SentenceCut.sentences(of: text).last { $0.contains("?") } ?? text
        let words = chosen.split { !$0.isLetter && !$0.isNumber && $0 != "'" && $0 != "’" && $0 != "-" }
        return words.prefix(16).joined(separator: " ")
    }
}
