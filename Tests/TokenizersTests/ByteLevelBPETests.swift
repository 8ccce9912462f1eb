import Foundation
import Testing
import Tokenizers

@Suite struct ByteLevelBPETests {
    let tokenizer: ByteLevelBPE
    let corpus: [String]

    init() throws {
        tokenizer = try ByteLevelBPE(contentsOf: fixtures.appendingPathComponent("bpe/tokenizer.json"))
        corpus = try String(contentsOf: fixtures.appendingPathComponent("bpe/corpus.txt"), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    @Test func idsEqualTheReference() throws {
        let oracles = try Oracle.read("bpe/ids.json")
        #expect(oracles.count >= 200)
        for oracle in oracles {
            #expect(tokenizer.encode(oracle.text) == oracle.ids, "\(oracle.text.debugDescription)")
        }
    }

    /// The reference trainer on the same texts: same vocabulary, same merges, same file.
    @Test func trainingEqualsTheReference() throws {
        let trained = ByteLevelBPE.train(texts: corpus, vocabularySize: 700, specialTokens: ChatFormat.specialTokens)
        try withFolder { folder in
            let url = folder.appendingPathComponent("tokenizer.json")
            try trained.save(to: url)
            func object(_ url: URL) throws -> NSDictionary {
                try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? NSDictionary)
            }
            let ours = try object(url)
            let theirs = try object(fixtures.appendingPathComponent("bpe/tokenizer.json"))
            for key in theirs.allKeys.compactMap({ $0 as? String }) {
                #expect(ours[key] as? NSObject == theirs[key] as? NSObject, "\(key)")
            }
            #expect(ours == theirs)
        }
    }

    @Test func trainingDependsOnlyOnCounts() throws {
        let first = ByteLevelBPE.train(texts: corpus.prefix(200), vocabularySize: 400)
        let again = ByteLevelBPE.train(texts: corpus.prefix(200).reversed(), vocabularySize: 400)
        let tokens = { (tokenizer: ByteLevelBPE) in (0..<tokenizer.vocabularySize).map { tokenizer.token(of: $0) } }
        #expect(tokens(first) == tokens(again))
        #expect(first.vocabularySize == 400)
    }

    /// Worked out by hand: "aab" and "ab", twice each, make "ab" the most frequent pair, then "aab".
    @Test func smallTrainingByHand() {
        let trained = ByteLevelBPE.train(
            texts: ["aab", "ab", "aab", "ab"], vocabularySize: 300, specialTokens: ["<s>"])
        #expect(trained.vocabularySize == 1 + 256 + 2)
        #expect(trained.token(of: 0) == "<s>")
        #expect(trained.token(of: 257) == "ab")
        #expect(trained.token(of: 258) == "aab")
        #expect(trained.encode("aabab").map { trained.token(of: $0) } == ["aab", "ab"])
        // Nothing to learn: only the bytes.
        #expect(ByteLevelBPE.train(texts: [], vocabularySize: 1000).vocabularySize == 256)
        #expect(
            ByteLevelBPE.train(texts: ["abcabc"], vocabularySize: 10, specialTokens: ["", "x", "xy", "xy"])
                .vocabularySize
                == 257)
    }

    @Test func whatAPersonTypesNeverBecomesASpecialToken() {
        // Even where the corpus is full of a special token's spelling.
        let trained = ByteLevelBPE.train(
            texts: Array(repeating: "hello <|end|> hello", count: 50), vocabularySize: 400,
            specialTokens: ["<|end|>", "hello", "Ġhello"])
        for tokenizer in [trained, tokenizer] {
            for text in ["<|end|>", "hello", " hello", "a<|bot|>b", "<|pad|><|person|>", "Ġhello", "<|end|"] {
                let ids = tokenizer.encode(text)
                #expect(ids.allSatisfy { tokenizer.specialTokens[$0] == nil })
                #expect(tokenizer.decode(ids) == text)
            }
        }
        #expect(tokenizer.decode([tokenizer.id(of: "<|end|>")!]).isEmpty)
    }

    @Test func decodingIsLosslessAndPiecesAddUp() {
        var random = RandomTexts(seed: 3)
        for _ in 0..<1500 {
            let text = random.next(length: 24)
            let ids = tokenizer.encode(text)
            #expect(Array(tokenizer.decode(ids).utf8) == Array(text.utf8), "\(text.debugDescription)")
            var decoder = tokenizer.streamingDecoder()
            var pieces: [UInt8] = []
            for id in ids {
                let piece = decoder.append(id)
                #expect(!piece.unicodeScalars.contains("\u{FFFD}") || text.unicodeScalars.contains("\u{FFFD}"))
                pieces += Array(piece.utf8)
            }
            #expect(decoder.finish().isEmpty)
            #expect(pieces == Array(text.utf8))
        }
    }

    /// A model may draw any ids: pieces must still add up to what `decode` makes of the broken bytes.
    @Test func piecesOfRandomIdsAddUp() {
        var random = RandomTexts(seed: 4)
        let bytes = (0..<256).map { tokenizer.id(of: ByteLevelBPETests.spelling(of: UInt8($0)))! }
        for _ in 0..<1500 {
            let ids = (0..<random.below(12)).map { _ in
                // Mostly bytes above 0x7F, where the breaks are.
                random.below(4) == 0 ? random.below(tokenizer.vocabularySize + 5) - 2 : bytes[128 + random.below(128)]
            }
            var decoder = tokenizer.streamingDecoder()
            var text = ids.map { decoder.append($0) }.joined()
            text += decoder.finish()
            #expect(Array(text.utf8) == Array(tokenizer.decode(ids).utf8), "\(ids)")
        }
    }

    /// The character of a byte in GPT-2's alphabet, by its published rule.
    static func spelling(of byte: UInt8) -> String {
        let printable = Array(UInt8(0x21)...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
        if printable.contains(byte) { return String(Unicode.Scalar(byte)) }
        let others = (UInt8.min...UInt8.max).filter { !printable.contains($0) }
        return String(Unicode.Scalar(UInt32(0x100 + others.firstIndex(of: byte)!))!)
    }

    @Test func savingAndReadingChangesNothing() throws {
        let odd = ByteLevelBPE.train(
            texts: corpus.prefix(100), vocabularySize: 300, specialTokens: ["<\"\\\n\u{1}>", "éé", "\u{1F331}"])
        try withFolder { folder in
            let url = folder.appendingPathComponent("tokenizer.json")
            try odd.save(to: url)
            let read = try ByteLevelBPE(contentsOf: url)
            #expect(read.specialTokens == odd.specialTokens)
            #expect((0..<300).map { read.token(of: $0) } == (0..<300).map { odd.token(of: $0) })
            #expect(read.encode(corpus[0]) == odd.encode(corpus[0]))
            for id in 0..<300 { #expect(odd.token(of: id).flatMap { odd.id(of: $0) } == id) }
        }
    }

    @Test func manyTasksAtOnceGetTheSameIds() async {
        let expected = corpus.map { tokenizer.encode($0) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask { corpus.map { tokenizer.encode($0) } == expected }
            }
            for await same in group { #expect(same) }
        }
    }

    @Test func moreWordsThanTheCacheHolds() {
        let text = (0..<70_000).map { "n\($0)" }.joined()
        let ids = tokenizer.encode(text)
        #expect(tokenizer.decode(ids) == text)
        #expect(tokenizer.encode(String(text.prefix(5000))) == Array(tokenizer.encode(String(text.prefix(5000)))))
    }

    @Test func filesThatNeedMoreAreRefused() throws {
        let good = try String(contentsOf: fixtures.appendingPathComponent("bpe/tokenizer.json"), encoding: .utf8)
        let changes: [(String, String, TokenizersError.Code, String)] = [
            (#""normalizer": null"#, #""normalizer": {"type": "NFC"}"#, .unsupported, "NFC"),
            (#""add_prefix_space": false"#, #""add_prefix_space": true"#, .unsupported, "add_prefix_space"),
            (#""type": "BPE""#, #""type": "Unigram""#, .unsupported, "Unigram"),
            (#""byte_fallback": false"#, #""byte_fallback": true"#, .unsupported, "byte_fallback"),
            (#""dropout": null"#, #""dropout": 0.1"#, .unsupported, "dropout"),
            (#""vocab""#, #""words""#, .malformed, "vocab"), (#""!": 4"#, #""!": 5"#, .malformed, "id 5"),
            (#""!": 4"#, #""!": -4"#, .malformed, "-4"), (#""!": 4"#, #""!": 99999999"#, .malformed, "99999999"),
            (#""!": 4"#, #""!": 4.5"#, .malformed, "not a whole number"), (#""!": 4,"#, "", .missingToken, "33"),
            (#""!": 4"#, #""語": 4"#, .malformed, "語"),
        ]
        try withFolder { folder in
            let url = folder.appendingPathComponent("tokenizer.json")
            for (old, new, code, part) in changes {
                try Data(good.replacingOccurrences(of: old, with: new).utf8).write(to: url)
                #expect(good.contains(old), "\(old)")
                #expect { try ByteLevelBPE(contentsOf: url) } throws: { error in
                    isFault(error, code, part)
                }
            }
            try Data(good.prefix(good.count / 2).utf8).write(to: url)
            #expect { try ByteLevelBPE(contentsOf: url) } throws: { isFault($0, .malformed, "tokenizer.json") }
            let absent = folder.appendingPathComponent("absent.json")
            #expect { try ByteLevelBPE(contentsOf: absent) } throws: { isFault($0, .file, "absent.json") }
            let nowhere = folder.appendingPathComponent("no/such.json")
            #expect { try tokenizer.save(to: nowhere) } throws: { isFault($0, .file, "such.json") }
        }
    }
}
