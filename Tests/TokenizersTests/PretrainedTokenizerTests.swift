import Foundation
import Testing
import Tokenizers

/// Small tokenizers of every published kind, against Hugging Face tokenizers. `Scripts/fixtures/tokenizers_kinds.py` makes
/// the fixtures; with `--live DIR` it makes 10,000 strings per kind, and `LOAM_TOKENIZER_ORACLE=DIR` compares with those.
@Suite struct PretrainedTokenizerTests {
    static let folder =
        ProcessInfo.processInfo.environment["LOAM_TOKENIZER_ORACLE"].map { URL(fileURLWithPath: $0) }
        ?? fixtures.appendingPathComponent("kinds")

    static let kinds: [String: Kind] = {
        let data = try? Data(contentsOf: folder.appendingPathComponent("oracle.json"))
        return data.flatMap { try? JSONDecoder().decode([String: Kind].self, from: $0) } ?? [:]
    }()

    struct Kind: Decodable, Sendable {
        /// The ids of each of the strings of `strings.json`.
        var cases: [[Int]]
        /// Hashes of a hundred random strings each: ids, ids with all tokens, their text, the text of random ids.
        var blocks: [[String]]
    }

    /// What a live run says of one random string.
    struct Full: Decodable {
        var text: String
        var typed: [Int]
        var whole: [Int]
        var shown: String
        var random: [Int]
        var odd: String
    }

    static func tokenizer(_ kind: String) throws -> PretrainedTokenizer {
        try PretrainedTokenizer(file: folder.appendingPathComponent("\(kind).json"))
    }

    @Test func everyKindIsThere() { #expect(Self.kinds.count >= 26) }

    @Test(arguments: kinds.keys.sorted())
    func idsOfOddStringsEqualTheReference(kind: String) throws {
        let tokenizer = try Self.tokenizer(kind)
        let strings = try OddStrings.pieces(in: Self.folder)
        for (text, ids) in zip(strings, Self.kinds[kind]!.cases) {
            #expect(tokenizer.encode(text) == ids, "\(kind): \(text.debugDescription)")
        }
    }

    @Test(arguments: kinds.keys.sorted())
    func idsAndTextsOfRandomStringsEqualTheReference(kind: String) throws {
        let tokenizer = try Self.tokenizer(kind)
        let url = Self.folder.appendingPathComponent("\(kind).full.json")
        if let data = try? Data(contentsOf: url) {
            var faults = 0
            for full in try JSONDecoder().decode([Full].self, from: data) {
                let typed = tokenizer.encode(full.text)
                let whole = tokenizer.encode(full.text, parsing: .all, addingSpecialTokens: true)
                let shown = tokenizer.decode(full.whole)
                let odd = tokenizer.decode(full.random, skippingSpecialTokens: false)
                let isRight =
                    typed == full.typed && whole == full.whole && shown.utf8.elementsEqual(full.shown.utf8)
                    && odd.utf8.elementsEqual(full.odd.utf8)
                guard !isRight else { continue }
                faults += 1
                if faults <= 3 {
                    print(kind, full.text.debugDescription)
                    if typed != full.typed { print("  typed", typed, full.typed) }
                    if whole != full.whole { print("  whole", whole, full.whole) }
                    if shown != full.shown { print("  shown", shown.debugDescription, full.shown.debugDescription) }
                    if odd != full.odd { print("  odd", full.random, odd.debugDescription, full.odd.debugDescription) }
                }
            }
            #expect(faults == 0, "\(kind)")
        }
        var source = OddStrings(seed: 17, pieces: try OddStrings.pieces(in: Self.folder))
        var dice = OddStrings(seed: 23, pieces: [])
        for (number, expected) in Self.kinds[kind]!.blocks.enumerated() {
            var hashes = [Hash(), Hash(), Hash(), Hash()]
            for _ in 0..<100 {
                let text = source.next()
                hashes[0].add(tokenizer.encode(text))
                let whole = tokenizer.encode(text, parsing: .all, addingSpecialTokens: true)
                hashes[1].add(whole)
                let shown = tokenizer.decode(whole)
                hashes[2].add(shown)
                let ids = (0..<1 + dice.below(12)).map { _ in dice.below(tokenizer.vocabularySize) }
                hashes[3].add(tokenizer.decode(ids, skippingSpecialTokens: false))
                var decoder = tokenizer.streamingDecoder()
                var pieces = whole.map { decoder.append($0) }.joined()
                pieces += decoder.finish()
                #expect(pieces.utf8.elementsEqual(shown.utf8), "\(kind): \(whole)")
            }
            #expect(hashes.map(\.description) == expected, "\(kind), block \(number)")
        }
    }
}

/// FNV-1a over ids and texts.
struct Hash: CustomStringConvertible {
    private var value: UInt64 = 0xCBF2_9CE4_8422_2325

    private mutating func add(byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

    mutating func add(_ ids: [Int]) {
        for id in ids + [0xFFFF_FFFF] {
            for shift in stride(from: 0, to: 32, by: 8) { add(byte: UInt8(truncatingIfNeeded: id >> shift)) }
        }
    }

    mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte: byte) }
        add(byte: 0xFF)
    }

    var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The random odd strings of `Scripts/fixtures/tokenizers_kinds.py`.
struct OddStrings {
    private var state: UInt64
    private let pieces: [String]

    init(seed: UInt64, pieces: [String]) {
        state = seed
        self.pieces = pieces
    }

    static func pieces(in folder: URL) throws -> [String] {
        try JSONDecoder().decode([String].self, from: Data(contentsOf: folder.appendingPathComponent("strings.json")))
    }

    private static let ranges: [ClosedRange<Int>] = [
        0x20...0x7E, 0x20...0x7E, 0...0x2FF, 0x300...0x36F, 0x370...0x1FFF, 0x2000...0x206F, 0x2070...0x2FFF,
        0x3040...0x30FF,
        0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xE000...0xFFFF, 0x1F300...0x1FAFF, 0x10000...0x1FFFF, 0x10000...0x10FFFF,
        0x590...0x6FF, 0x900...0xDFF, 0x1100...0x11FF,
    ]

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }

    private mutating func scalar(in range: ClosedRange<Int>) -> String {
        String(Unicode.Scalar(UInt32(range.lowerBound + below(range.count)))!)
    }

    mutating func next() -> String {
        var text = ""
        for _ in 0..<1 + below(10) {
            switch below(10) {
            case 0..<3: text += pieces[below(pieces.count)]
            case 3..<6:
                let range = Self.ranges[below(Self.ranges.count)]
                for _ in 0..<1 + below(5) { text += scalar(in: range) }
            case 6:
                let range = Self.ranges[below(Self.ranges.count)]
                let one = scalar(in: range)
                text += String(repeating: one, count: 1 + below(20))
            case 7: for _ in 0..<1 + below(9) { text += scalar(in: 97...122) }
            case 8: text += " " + scalar(in: 65...90)
            default: for _ in 0..<1 + below(9) { text += scalar(in: 48...57) }
            }
        }
        return text
    }
}
