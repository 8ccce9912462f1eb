/// A sentence template: words, alternatives `(a|b|)`, slots `{s}` `{v:a}` and named parts `<name>`.
///
/// `s` is the act's subject and `v` its value; what follows the colon is the form that the lexicon gives.
struct Pattern: Sendable {
    indirect enum Node: Sendable {
        case word(String)
        case slot(isSubject: Bool, form: String)
        case choice([[Node]])
    }

    var nodes: [Node]

    /// Reads a template; `parts` are the named parts. Errors name what was wrong.
    init(_ template: String, parts: [String: String]) throws(PatternError) {
        var reader = TemplateReader(characters: Array(template), template: template, parts: parts)
        let sequences = try reader.alternatives(depth: 0)
        nodes = sequences.count == 1 ? sequences[0] : [.choice(sequences)]
    }

    var usesSubject: Bool { Self.uses(nodes, subject: true) }
    var usesValue: Bool { Self.uses(nodes, subject: false) }

    private static func uses(_ nodes: [Node], subject: Bool) -> Bool {
        nodes.contains { node in
            switch node {
            case .word: false
            case .slot(let isSubject, _): isSubject == subject
            case .choice(let sequences): sequences.contains { uses($0, subject: subject) }
            }
        }
    }

    /// Words for one random way through the template. `surface` gives the words of a slot.
    func words(
        _ random: inout SplitMix64, surface: (_ isSubject: Bool, _ form: String) -> String
    ) -> [String] {
        var words: [String] = []
        Self.render(nodes, into: &words, &random, surface)
        return words
    }

    private static func render(
        _ nodes: [Node], into words: inout [String], _ random: inout SplitMix64, _ surface: (Bool, String) -> String
    ) {
        for node in nodes {
            switch node {
            case .word(let word): words.append(word)
            case .slot(let isSubject, let form): words.append(surface(isSubject, form))
            case .choice(let sequences):
                render(sequences[random.index(sequences.count)], into: &words, &random, surface)
            }
        }
    }
}

/// A template that cannot be read.
struct PatternError: Error, Sendable, CustomStringConvertible {
    var template: String
    var problem: String
    var description: String { "template \"\(template)\": \(problem)" }
}

/// Recursive descent over the characters of one template.
private struct TemplateReader {
    var characters: [Character]
    var template: String
    var parts: [String: String]
    var at = 0

    /// Sequences parted by `|`, up to `)` or the end.
    mutating func alternatives(depth: Int) throws(PatternError) -> [[Pattern.Node]] {
        guard depth < 12 else { throw error("nested too deeply") }
        var sequences: [[Pattern.Node]] = [[]]
        while at < characters.count {
            let character = characters[at]
            switch character {
            case "|":
                at += 1
                sequences.append([])
            case ")":
                guard depth > 0 else { throw error("a ) without its (") }
                return sequences
            case "(":
                at += 1
                let inner = try alternatives(depth: depth + 1)
                guard at < characters.count else { throw error("a ( without its )") }
                at += 1
                sequences[sequences.count - 1].append(.choice(inner))
            case "{":
                let name = try name(upTo: "}")
                let pieces = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                guard pieces[0] == "s" || pieces[0] == "v" else { throw error("no slot {\(name)}") }
                sequences[sequences.count - 1].append(
                    .slot(isSubject: pieces[0] == "s", form: pieces.count > 1 ? pieces[1] : ""))
            case "<":
                let name = try name(upTo: ">")
                guard let part = parts[name] else { throw error("no part <\(name)>") }
                var inner = TemplateReader(characters: Array(part), template: part, parts: parts)
                sequences[sequences.count - 1].append(.choice(try inner.alternatives(depth: depth + 1)))
            case " ":
                at += 1
            default:
                var word = ""
                while at < characters.count, !"|()<{ ".contains(characters[at]) {
                    word.append(characters[at])
                    at += 1
                }
                sequences[sequences.count - 1].append(.word(word))
            }
        }
        guard depth == 0 || at < characters.count else { return sequences }
        return sequences
    }

    private mutating func name(upTo end: Character) throws(PatternError) -> String {
        at += 1
        var name = ""
        while at < characters.count, characters[at] != end {
            name.append(characters[at])
            at += 1
        }
        guard at < characters.count else { throw error("a name without its \(end)") }
        at += 1
        return name
    }

    private func error(_ problem: String) -> PatternError { PatternError(template: template, problem: problem) }
}
