import Foundation

/// Cleaning that outputs of all families need.
enum OutputText {
    /// The first line with something in it, trimmed.
    static func firstLine(_ text: String) -> String {
        for line in text.split(whereSeparator: \.isNewline) {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if !trimmed.isEmpty { return trimmed }
        }
        return ""
    }

    /// What models write when there is nothing to remember or to say.
    static func isNothing(_ text: String) -> Bool {
        let plain = text.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: " .!_-\"'"))
        return plain.isEmpty || plain.hasPrefix("no persona") || plain.hasPrefix("no__persona") || plain == "none"
            || plain == "no memory" || plain == "nothing" || plain == "n/a"
            || plain.hasPrefix("metaseq response failed")
    }

    private static let labels = [
        "person 1's persona:", "person 2's persona:", "your persona:", "partner's persona:", "personal fact:",
        "previous topic:", "interesting fact:", "external knowledge:", "query:", "memory:", "search decision:",
        "memory decision:", "opening:",
    ]

    /// Without the labels that a model may repeat before its answer.
    static func withoutLabels(_ text: String) -> String {
        var text = Substring(text)
        var isDone = false
        while !isDone {
            isDone = true
            for label in labels where text.lowercased().hasPrefix(label) {
                text = text.dropFirst(label.count).drop(while: \.isWhitespace)
                isDone = false
            }
        }
        return text.trimmingCharacters(in: .whitespaces)
    }

    /// Without quotation marks around all of it.
    static func unquoted(_ text: String) -> String {
        let marks: Set<Character> = ["\"", "“", "”", "'", "`"]
        guard text.count > 1, let first = text.first, let last = text.last, marks.contains(first), marks.contains(last)
        else { return text }
        return text.dropFirst().dropLast().trimmingCharacters(in: .whitespaces)
    }
}
