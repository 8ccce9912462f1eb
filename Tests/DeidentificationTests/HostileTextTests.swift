import Testing

@testable import Deidentification

/// Texts made to make a finder slow or crash. A finder that goes back over what it has read takes
/// time by the square of the length.
@Suite("Hostile texts")
struct HostileTextTests {
    static let shapes = [
        "a@", "@", "1 ", "1-", "12 Oak Lane, ", "A ", "Anna ", "Anna Berg and ", "http://", "www.", "x.com", "a.", "(1",
        "+1",
        "4111 1111 1111 1111 ", "GB29 NWBK ", "::", "1:", "1.2.3.", "corner of ", "Apt. 5 ", "Box 5 ", "my name is ",
        "I'm ",
        "\"", "é", "🎬", "Dr. ", "van der ", "J. ", "O'", "-", "\n", "5/5/", "name? ", "u/", "a#1234", "user: ",
        "\u{301}", "five ", "double ", "at gmail ", "dot ", "call me x ", "my friend ", "00:11:", "\u{200B}", "ａ", "аa",
        "1A1A", "bc1q",
        "0x", "from A ", "I work at A ", "K1A ", "34/", "jo dot ", "Ltd ",
    ]

    @Test("a long row of each", arguments: shapes)
    func long(shape: String) throws {
        let size = 24_000
        let text = String(repeating: shape, count: size / shape.utf8.count)
        let deidentifier = try Samples.deidentifier()
        let clock = ContinuousClock()
        let short = String(repeating: shape, count: size / 4 / shape.utf8.count)
        let quarter = clock.measure { _ = deidentifier.findings(in: short) }
        let whole = clock.measure { _ = deidentifier.findings(in: text) }
        // Four times the text, about four times the time: a square would be sixteen, and tens of seconds
        #expect(whole < quarter * 8 + .seconds(2))
    }

    /// `a+` bombs, endless addresses and rows of names that a backtracking matcher never gets through.
    @Test("a megabyte", arguments: ["a", "a.", "1", "john.", "five five ", "Anna Maria ", "\u{200B}a", "12 Oak Lane "])
    func megabyte(shape: String) throws {
        let text = String(repeating: shape, count: 1_000_000 / shape.utf8.count) + "@example.org"
        let clock = ContinuousClock()
        let deidentifier = try Samples.deidentifier()
        let small = String(text.utf8.prefix(text.utf8.count / 8)) ?? text
        let eighth = clock.measure { _ = deidentifier.findings(in: small) }
        let whole = clock.measure { _ = deidentifier.findings(in: text) }
        // Eight times the text; a square would be sixty-four times the time.
        #expect(whole < eighth * 20 + .seconds(2))
    }

    @Test("random scraps of everything neither crash nor give ranges that do not fit")
    func scraps() throws {
        var random = KeyedRandom(key: try Samples.key(), [[1]])
        let deidentifier = try Samples.deidentifier()
        let extra = [
            "street", "St.", "ssn", "card", "born", "call", "é", "\u{200B}", "\u{FE0F}", "ß", "İ", "ﬁ", "9", "0", " ",
        ]
        for round in 0..<500 {
            var text = ""
            for _ in 0..<(1 + random.index(below: 25)) {
                text +=
                    random.index(below: 2) == 0
                    ? Self.shapes[random.index(below: Self.shapes.count)] : extra[random.index(below: extra.count)]
            }
            let bytes = Array(text.utf8)
            let findings = deidentifier.findings(in: text)
            var last = 0
            for finding in findings {
                #expect(finding.start >= last && finding.end > finding.start && finding.end <= bytes.count, "\(round)")
                // Whole characters: the piece is valid UTF-8 by itself.
                #expect(String(validating: bytes[finding.range], as: UTF8.self) != nil, "\(round)")
                last = finding.end
            }
            let (result, _) = deidentifier.deidentify(text: text, scope: "s")
            #expect(findings.isEmpty ? result == text : !result.unicodeScalars.contains("\u{FFFD}"))
        }
    }
}
