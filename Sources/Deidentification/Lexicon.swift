import Foundation

/// The word lists: which words are names, which never are, which words announce a number or an address.
public struct Lexicon: Sendable {
    let classes: [UInt64: WordClass]
    /// Hashes of kept names of one and of several words.
    let kept: Set<UInt64>
    /// Longest kept name in words.
    let longestKept: Int
    /// Hashes of places of several words; they are kept too.
    let places: Set<UInt64>
    /// Lists that pseudonyms are drawn from: plain names that are no everyday words.
    let firstNames: [String]
    let lastNames: [String]
    /// The given names among `firstNames` that show a gender.
    let feminineNames: [String]
    let masculineNames: [String]
    /// Every given name of the lists, those that are everyday words too.
    public let givenNames: [String]

    /// The lists that come with Loam, plus an operator's own names to find and names to keep.
    /// - Parameters:
    ///   - names: Further names of persons, one or more words each.
    ///   - kept: Further names that stay as they are, such as the operator's own brand.
    /// - Throws: `DeidentificationError` when a list of the installation is missing.
    public init(names: [String] = [], kept extraKept: [String] = []) throws(DeidentificationError) {
        var classes: [UInt64: WordClass] = [:]
        var sections: [String: [String]] = [:]
        for file in ["names", "words"] {
            let text = try Self.resource(file)
            var section = ""
            for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
                if line.hasPrefix("["), line.hasSuffix("]") {
                    section = String(line.dropFirst().dropLast())
                    guard WordClass.sections[section] != nil else {
                        throw DeidentificationError(.resource, "\(file).txt: unknown section [\(section)]")
                    }
                    continue
                }
                sections[section, default: []].append(contentsOf: line.split(separator: " ").map(String.init))
            }
        }
        for (section, words) in sections {
            guard let kind = WordClass.sections[section] else { continue }
            for word in words { classes[FoldedHash(word).value, default: []].formUnion(kind) }
        }
        for name in names {
            for word in name.split(separator: " ") {
                classes[FoldedHash(String(word)).value, default: []].formUnion([.first, .last])
            }
        }

        var longest = 1
        func hashes(_ entries: [String]) -> Set<UInt64> {
            var found: Set<UInt64> = []
            for entry in entries {
                let words = entry.split { $0 == " " || $0 == "." || $0 == "'" || $0 == "-" }.map {
                    FoldedHash(String($0)).value
                }
                guard let head = words.first else { continue }
                found.insert(words.dropFirst().reduce(head, FoldedHash.phrase))
                longest = max(longest, words.count)
                classes[head, default: []].insert(.keptStart)
            }
            return found
        }
        places = hashes(try Self.lines("places"))
        kept = hashes(try Self.lines("kept") + extraKept).union(places)
        longestKept = longest

        let unclear = Set(
            ["ambiguous", "common", "nevername", "particle"].flatMap { sections[$0] ?? [] })
        givenNames = sections["first"] ?? []
        firstNames = givenNames.filter { !unclear.contains($0) && $0.utf8.count > 2 }
        lastNames = (sections["last"] ?? []).filter {
            !unclear.contains($0) && $0.utf8.count > 2 && !$0.contains("-")
        }
        let (feminine, masculine) = (Set(sections["feminine"] ?? []), Set(sections["masculine"] ?? []))
        feminineNames = firstNames.filter(feminine.contains)
        masculineNames = firstNames.filter(masculine.contains)
        guard !feminineNames.isEmpty, !masculineNames.isEmpty, !lastNames.isEmpty else {
            throw DeidentificationError(
                .resource, "names.txt: no names in sections [first], [last], [feminine] and [masculine]")
        }
        self.classes = classes
    }

    func classes(of folded: UInt64) -> WordClass { classes[folded] ?? [] }

    private static func lines(_ name: String) throws(DeidentificationError) -> [String] {
        try resource(name).split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }.map(String.init)
    }

    private static func resource(_ name: String) throws(DeidentificationError) -> String {
        guard let url = Bundle.module.url(forResource: name, withExtension: "txt"),
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { throw DeidentificationError(.resource, "\(name).txt: this word list of Loam is missing") }
        return text
    }
}
