import Foundation

/// What a short statement in the first person says, as far as its words tell: enough to see that two of them are about the
/// same thing and say something else of it.
struct FactWords: Sendable, Hashable {
    /// Stems of the words that carry the statement.
    var content: Set<String>
    var isNegated: Bool
    /// Begins with I, my, we or our.
    var isFirstPerson: Bool
    /// "too", "also", "as well": something in common, not the same life.
    var isShared: Bool
    /// A liking, which two may share, rather than a circumstance.
    var isTaste: Bool
    /// A thing that one has one of (a name, a home, an age), and what is said of it.
    var slot: Slot?

    struct Slot: Sendable, Hashable {
        /// `name`, `home`, `my favorite color`.
        var name: String
        var value: [String]
    }

    init(_ text: String) {
        let words = NearDuplicate.spelledOut(text)
        isNegated = words.contains { Self.negations.contains($0) }
        isFirstPerson = words.first.map { ["i", "my", "we", "our"].contains($0) } ?? false
        let line = " " + words.joined(separator: " ") + " "
        isShared = [" too ", " also ", " as well ", " same "].contains(where: line.contains)
        isTaste = [" like ", " love ", " enjoy ", " hate ", " prefer "].contains(where: line.contains)
        content = Set(words.filter { !Self.light.contains($0) && !Self.negations.contains($0) }.map(PorterStemmer.stem))
        slot = Self.slot(words)
    }

    private static let negations: Set<String> = ["not", "never", "no", "neither", "nor", "without"]
    /// Words that carry little.
    private static let light: Set<String> = [
        "i", "my", "me", "we", "our", "a", "an", "the", "am", "are", "is", "was", "be", "been", "do", "does", "did",
        "to", "of", "in", "on", "at", "and", "or", "for", "with", "that", "it", "as", "so", "really", "actually",
        "just", "now", "also", "very", "too", "but", "would", "will", "well", "named", "called", "anymore", "longer",
        "any", "some", "have", "has", "had", "got",
    ]

    /// The name that somebody gives as their own: "my name is Ann", "I'm Ann, hello". A capital makes it a name rather than
    /// a trade.
    static func name(in text: String) -> String? {
        if let slot = slot(NearDuplicate.spelledOut(text)), slot.name == "name" { return slot.value.first }
        let shape = #"(?:^|[.!?,]\s+)[Ii](?:['’]m| am) \p{Lu}[\p{L}'’-]*(?=[,.!]|$| and )"#
        guard let found = text.range(of: shape, options: .regularExpression) else { return nil }
        return text[found].split(separator: " ").last.map { $0.lowercased() }
    }

    /// Statements of which only one can hold.
    private static func slot(_ words: [String]) -> Slot? {
        func after(_ start: [String], _ name: String) -> Slot? {
            guard words.count > start.count, words.starts(with: start) else { return nil }
            return Slot(name: name, value: Array(words.dropFirst(start.count)))
        }
        for (start, name) in [
            (["my", "name", "is"], "name"), (["call", "me"], "name"), (["i", "am", "called"], "name"),
            (["i", "live", "in"], "home"), (["i", "live", "near"], "home"), (["i", "now", "live", "in"], "home"),
            (["i", "moved", "to"], "home"), (["i", "just", "moved", "to"], "home"),
            (["i", "am", "from"], "origin"), (["i", "come", "from"], "origin"), (["i", "grew", "up", "in"], "origin"),
            (["i", "work", "as"], "work"), (["i", "work", "at"], "employer"), (["i", "work", "for"], "employer"),
            (["i", "am", "married", "to"], "partner"), (["i", "drive"], "car"),
        ] {
            if let slot = after(start, name) { return slot }
        }
        // "I am 34 years old", "I am 34".
        if words.count >= 3, words.starts(with: ["i", "am"]), Int(words[2]) != nil,
            words.count == 3 || words.dropFirst(3).contains("old") || words.contains("years")
        {
            return Slot(name: "age", value: [words[2]])
        }
        // "My favorite food is pizza", "my birthday is in May", "my dog's name is Rex".
        if words.first == "my", let verb = words.firstIndex(where: { $0 == "is" || $0 == "are" }), verb >= 2,
            verb <= 5, verb + 1 < words.count
        {
            let thing = words[1..<verb].map { $0 == "favourite" ? "favorite" : $0 }
            return Slot(name: thing.joined(separator: " "), value: Array(words[(verb + 1)...]))
        }
        // "I have two kids": the number may change, the kids are the same.
        if words.count >= 4, words[0] == "i", words[1] == "have", numbers.contains(words[2]) {
            return Slot(
                name: "number of " + words.dropFirst(3).map(PorterStemmer.stem).joined(separator: " "),
                value: [words[2]])
        }
        return nil
    }

    private static let numbers: Set<String> = [
        "a", "an", "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "1", "2", "3",
        "4", "5", "6", "7", "8", "9", "10",
    ]
}
