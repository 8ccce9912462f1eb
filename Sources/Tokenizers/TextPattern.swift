/// What a `Split` or `Replace` looks for: a text, or a regular expression. The best-known expressions are scanned by hand,
/// all others go through `PatternProgram`.
struct TextPattern: Sendable {
    private enum Kind: Sendable {
        case text([UInt8])
        case gpt2
        case cl100k(digits: Int)
        case program(PatternProgram)
    }

    private let kind: Kind

    static let gpt2Source = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    /// The pattern of OpenAI's cl100k as Llama 3 (runs of up to three digits) and Qwen 2 and 3 (single digits) write it.
    static func cl100kSource(digits: Int) -> String {
        let number = digits == 1 ? #"\p{N}"# : #"\p{N}{1,\#(digits)}"#
        return #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\#(number)| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"#
            + #"|\s+(?!\S)|\s+"#
    }

    /// GPT-2's words.
    static let gpt2 = TextPattern(kind: .gpt2)

    private init(kind: Kind) { self.kind = kind }

    init(literal: [UInt8]) { kind = .text(literal) }

    /// The text that is looked for; `nil` for an expression.
    var literal: [UInt8]? {
        if case .text(let text) = kind { return text }
        return nil
    }

    /// The text with `content` for every match.
    func replacing(_ text: [UInt8], with content: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var end = 0
        text.withUnsafeBufferPointer { bytes in
            forEachMatch(in: bytes) { match in
                result += bytes[end..<match.lowerBound]
                result += content
                end = match.upperBound
            }
        }
        return end == 0 ? text : result + text[end...]
    }

    /// - Parameter field: `{"String": …}` or `{"Regex": …}`.
    init(_ field: JSONField) throws {
        if !field["String"].isAbsent {
            let text = try field["String"].utf8()
            guard !text.isEmpty else { throw field.fault(.unsupported, "an empty text is not supported") }
            kind = .text(text)
            return
        }
        let source = try field["Regex"].string()
        if source == Self.gpt2Source {
            kind = .gpt2
        } else if let digits = [1, 2, 3].first(where: { source == Self.cl100kSource(digits: $0) }) {
            kind = .cl100k(digits: digits)
        } else {
            do {
                kind = .program(try PatternProgram(source))
            } catch let fault as PatternParser.Fault {
                throw field["Regex"].fault(.unsupported, "\(fault.message): \(source.prefix(200))")
            }
        }
    }

    /// Calls `body` with every match from left to right.
    @inline(__always)
    func forEachMatch(in bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        switch kind {
        case .text(let text):
            var place = 0
            text.withUnsafeBufferPointer { text in
                while place + text.count <= bytes.count {
                    if bytes[place] == text[0], text.indices.allSatisfy({ bytes[place + $0] == text[$0] }) {
                        body(place..<place + text.count)
                        place += text.count
                    } else {
                        place += 1
                    }
                }
            }
        case .gpt2:
            var scanner = WordScanner(bytes)
            while let word = scanner.next() { body(word) }
        case .cl100k(let digits):
            var scanner = Cl100kScanner(bytes, digits: digits)
            while let word = scanner.next() { body(word) }
        case .program(let program): program.forEachMatch(in: bytes, body)
        }
    }
}
