import Conversations
import Foundation

/// Memories as text, for records and comparisons.
enum MemoryText {
    /// `human: I like jazz.`: whose it is, in the same words everywhere. Prompts have labels of their own; the release and
    /// the reference's prompts use the same label for opposite sides.
    static func line(_ owner: Memory.Owner, _ text: String) -> String { "\(owner.sender.rawValue): \(text)" }

    /// Whether a model that was to copy one of several memories copied this one: all its words, whatever the case, the
    /// spaces and the mark at the end.
    static func isSame(_ memory: String, _ copy: String) -> Bool { key(memory) == key(copy) }

    private static func key(_ text: String) -> String {
        text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
            .trimmingCharacters(in: CharacterSet(charactersIn: " .!,;\"'"))
    }

    /// Whether a text has the names that prompts give the two sides.
    static func namesSpeakers(_ text: String) -> Bool {
        text.range(of: #"person [12]\b"#, options: [.regularExpression, .caseInsensitive]) != nil
    }

    /// Without `Person 1:` and the like.
    static func withoutSpeakers(_ text: String) -> String {
        text.replacingOccurrences(
            of: #"person [12]('s persona)?\s*:?\s*"#, with: "", options: [.regularExpression, .caseInsensitive]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
