import Foundation
import Testing
import Tokenizers

/// What is read from files, and what is refused.
@Suite struct PretrainedTokenizerFileTests {
    static func text(_ kind: String) throws -> String {
        try String(contentsOf: PretrainedTokenizerTests.folder.appendingPathComponent("\(kind).json"), encoding: .utf8)
    }

    static func read(_ text: String) throws -> PretrainedTokenizer {
        try withFolder { folder in
            let url = folder.appendingPathComponent("tokenizer.json")
            try Data(text.utf8).write(to: url)
            return try PretrainedTokenizer(file: url)
        }
    }

    @Test(arguments: [
        ("gpt2", #""type":"BPE""#, #""type":"WordLevel""#, TokenizersError.Code.unsupported, "WordLevel"),
        ("gpt2", #""dropout":null"#, #""dropout":0.1"#, .unsupported, "model.dropout"),
        (
            "gpt2", #""normalizer":null"#, #""normalizer":{"type":"Fold"}"#, .unsupported,
            "normalizer: the normalizer Fold"
        ),
        (
            "gpt2", #""pre_tokenizer":{"type":"ByteLevel""#, #""pre_tokenizer":{"type":"UnicodeScripts""#, .unsupported,
            "UnicodeScripts"
        ),
        ("gpt2", #""decoder":{"type":"ByteLevel""#, #""decoder":{"type":"CTC""#, .unsupported, "CTC"),
        ("gpt2", #""version":"1.0""#, #""version":"2.0""#, .unsupported, "version"),
        ("gpt2", #""vocab":{"#, #""vocab":{"!":"a","#, .malformed, "\"!\" is not a whole number"),
        ("gpt2", #""!":0"#, #""!":9"#, .malformed, "is given twice"),
        ("gpt2", #""!":0"#, #""!":123456789"#, .malformed, "123456789"),
        ("gpt2", #""!":0"#, #""!":0,"!":1000"#, .malformed, "\"!\" is given twice"),
        ("gpt2", #""id":420"#, #""id":421"#, .malformed, "421, but is number 420"),
        ("gpt2", #""special":true"#, #""special":1"#, .malformed, "added_tokens[0].special"),
        ("gpt2", #""merges":[["#, #""merges":[["語","語"],["#, .malformed, "model.merges: entry 0"),
        (
            "llama3", #"\\s+(?!\\S)"#, #"\\s+(?<!\\S)"#, .unsupported,
            "pre_tokenizer.pretokenizers[0].pattern.Regex: (?<"
        ),
        ("llama3", #"\\s+(?!\\S)"#, #"(\\s+)+"#, .unsupported, "unbounded repetition of a group"),
        ("llama3", #"\\s+(?!\\S)"#, #"\\p{Greek}"#, .unsupported, "Greek"),
        ("llama3", #"\\s+(?!\\S)"#, #"\\s*"#, .unsupported, "nothing at all"),
        ("llama3", #"\\s+(?!\\S)"#, "x((((((ab){8}){8}){8}){8}){8}){8}", .unsupported, "repeats too much"),
        ("llama3", #"\\s+(?!\\S)"#, "(", .unsupported, "Regex"),
        ("llama3", #""Isolated""#, #""Shuffled""#, .unsupported, "Shuffled"),
        ("llama3", #""id":"A""#, #""id":"B""#, .unsupported, "post_processor.processors[1].single[1]"),
        ("llama2", #""unk_token":"<unk>""#, #""unk_token":"<nope>""#, .missingToken, "<nope>"),
        ("llama2", #""ids":[1]"#, #""ids":[9999]"#, .malformed, "9999"),
        ("t5", #""unk_id":2"#, #""unk_id":null"#, .unsupported, "model.unk_id"),
        ("t5", #""unk_id":2"#, #""unk_id":4000"#, .malformed, "4000"),
        ("t5", #""precompiled_charsmap":""#, #""precompiled_charsmap":"!"#, .malformed, "precompiled_charsmap"),
        ("t5", #""precompiled_charsmap":""#, #""precompiled_charsmap":"////"#, .malformed, "precompiled_charsmap"),
        ("bert", #""unk_token":"[UNK]""#, #""unk_token":"[NIL]""#, .missingToken, "[NIL]"),
        ("bert", #""lowercase":true"#, #""lowercase":"yes""#, .malformed, "normalizer.lowercase"),
        ("mistral", #""prepend_scheme":"first""#, #""prepend_scheme":"last""#, .unsupported, "last"),
    ])
    func whatIsNotSupportedIsRefusedByName(
        kind: String, old: String, new: String, code: TokenizersError.Code, part: String
    ) throws {
        let good = try Self.text(kind)
        try #require(good.contains(old))
        let range = try #require(good.range(of: old))
        #expect { try Self.read(good.replacingCharacters(in: range, with: new)) } throws: { isFault($0, code, part) }
    }

    /// Tried out, the choices of the first pattern would be more than there are seconds since the world began.
    @Test(.timeLimit(.minutes(1))) func choicesThatComeBackForEverAreGivenUp() throws {
        let good = try Self.text("llama3")
        let range = try #require(good.range(of: "(?i:'s|'t|'re|'ve|'m|'ll|'d)"))
        let tokenizer = try Self.read(good.replacingCharacters(in: range, with: "(?:(?:a|a){8}){8}b"))
        let text = String(repeating: "a", count: 100) + " b"
        #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }

    @Test func brokenFilesAreRefused() throws {
        let good = try Self.text("llama2")
        for text in [
            "", "{", "[]", "nul", "{\"model\": 01}", "{\"model\": \"\\ud800\"}", String(repeating: "[", count: 100_000),
            good + "x", String(good.prefix(good.count / 2)), "{\"a\": \"\u{1}\"}", "{\"a\" 1}", "{\"a\": \"\\x\"}",
        ] {
            #expect(throws: TokenizersError.self) { try Self.read(text) }
        }
        // Not UTF-8.
        try withFolder { folder in
            let url = folder.appendingPathComponent("tokenizer.json")
            try Data([0x22, 0xFF, 0x22]).write(to: url)
            #expect { try PretrainedTokenizer(file: url) } throws: { isFault($0, .malformed, "UTF-8") }
            #expect { try PretrainedTokenizer(file: folder.appendingPathComponent("no.json")) } throws: {
                isFault($0, .file, "no.json")
            }
            let long = String(repeating: "a", count: 20_000)
            try Data(good.replacingOccurrences(of: #""vocab":{"#, with: "\"vocab\":{\"\(long)\":9999,").utf8).write(
                to: url)
            #expect { try PretrainedTokenizer(file: url) } throws: { isFault($0, .unsupported, "20000 bytes") }
        }
    }

    /// Random damage ends in an error or in a tokenizer that works, never in a crash.
    @Test func damagedFilesDoNoHarm() throws {
        var dice = OddStrings(seed: 7, pieces: [])
        for kind in ["llama2", "t5", "bert", "clip"] {
            let good = Array(try Self.text(kind).utf8)
            try withFolder { folder in
                let url = folder.appendingPathComponent("tokenizer.json")
                for _ in 0..<150 {
                    var bytes = good
                    for _ in 0..<1 + dice.below(4) { bytes[dice.below(bytes.count)] = UInt8(0x20 + dice.below(95)) }
                    try Data(bytes).write(to: url)
                    guard let tokenizer = try? PretrainedTokenizer(file: url) else { continue }
                    let ids = tokenizer.encode("Hello wörd ① \u{1F642} don't", parsing: .all, addingSpecialTokens: true)
                    _ = tokenizer.decode(ids)
                }
            }
        }
    }

    /// The two files of GPT-2 and OPT give the ids of the same vocabulary in one file.
    @Test func vocabularyAndMergesInTwoFiles() throws {
        struct File: Decodable {
            struct Model: Decodable {
                var vocab: [String: Int]
                var merges: [[String]]
            }
            var model: Model
        }
        let whole = try PretrainedTokenizerTests.tokenizer("opt")
        let file = try JSONDecoder().decode(File.self, from: Data(try Self.text("opt").utf8))
        try withFolder { folder in
            func write(_ name: String, _ text: String) throws {
                try Data(text.utf8).write(to: folder.appendingPathComponent(name))
            }
            #expect { try PretrainedTokenizer(folder: folder) } throws: { isFault($0, .file, "tokenizer.json") }
            try JSONEncoder().encode(file.model.vocab).write(to: folder.appendingPathComponent("vocab.json"))
            try write("tokenizer.model", "")
            #expect { try PretrainedTokenizer(folder: folder) } throws: { isFault($0, .unsupported, "SentencePiece") }
            let lines = file.model.merges.map { $0.joined(separator: " ") }
            try write("merges.txt", (["#version: 0.2"] + lines).joined(separator: "\n") + "\n")
            #expect(try PretrainedTokenizer(folder: folder).encode("hello") == whole.encode("hello"))
            try write(
                "tokenizer_config.json",
                #"{"add_bos_token": true, "bos_token": {"content": "</s>"}, "eos_token": "</s>", "pad_token": "<pad>","#
                    + #" "unk_token": "</s>", "tokenizer_class": "GPT2Tokenizer"}"#)
            let opt = try PretrainedTokenizer(folder: folder)
            #expect(opt.roles == SpecialTokenRoles(begin: "</s>", end: "</s>", pad: "<pad>", unknown: "</s>"))
            #expect(opt.specialTokens == [1: "<pad>", 2: "</s>"])
            for text in try OddStrings.pieces(in: PretrainedTokenizerTests.folder) where !text.contains("<") {
                #expect(opt.encode(text) == whole.encode(text))
                #expect(
                    opt.encode(text, parsing: .all, addingSpecialTokens: true)
                        == whole.encode(text, parsing: .all, addingSpecialTokens: true))
            }
            try write("tokenizer_config.json", #"{"tokenizer_class": "CLIPTokenizer"}"#)
            #expect { try PretrainedTokenizer(folder: folder) } throws: { isFault($0, .unsupported, "CLIPTokenizer") }
            try write("merges.txt", "a b c\n")
            try write("tokenizer_config.json", "{}")
            #expect { try PretrainedTokenizer(folder: folder) } throws: { isFault($0, .malformed, "merges.txt") }
            // A tokenizer.json comes first.
            try write("tokenizer.json", try Self.text("bert"))
            #expect(try PretrainedTokenizer(folder: folder).id(of: "[CLS]") == 2)
        }
    }

    @Test func whatAPersonTypesNeverBecomesASpecialToken() throws {
        for (kind, token) in [
            ("qwen2", "<|im_end|>"), ("llama2", "</s>"), ("mistral", "[/INST]"), ("gemma", "<start_of_turn>"),
        ] {
            let tokenizer = try PretrainedTokenizerTests.tokenizer(kind)
            let id = try #require(tokenizer.id(of: token))
            #expect(tokenizer.specialTokens[id] == token)
            #expect(tokenizer.token(of: id) == token)
            for text in [token, "a\(token)b", " \(token)\n\(token)"] {
                for parsing in [AddedTokenParsing.ordinary, .none] {
                    let ids = tokenizer.encode(text, parsing: parsing)
                    #expect(!ids.contains { tokenizer.specialTokens[$0] != nil }, "\(kind): \(text)")
                }
                #expect(tokenizer.encode(text, parsing: .all).contains(id))
            }
            #expect(tokenizer.decode([id]).isEmpty)
            #expect(tokenizer.decode([id], skippingSpecialTokens: false).hasSuffix(token))
        }
        // Added tokens that are not special are found unless all of the text is to stay text.
        let qwen = try PretrainedTokenizerTests.tokenizer("qwen2")
        let think = try #require(qwen.id(of: "<think>"))
        #expect(qwen.encode("<think>") == [think])
        #expect(!qwen.encode("<think>", parsing: .none).contains(think))
        #expect(qwen.decode([think]) == "<think>")
    }

    /// A model may draw any ids: the pieces of a text must add up to it all the same.
    @Test func piecesOfRandomIdsAddUp() throws {
        var dice = OddStrings(seed: 9, pieces: [])
        for kind in PretrainedTokenizerTests.kinds.keys.sorted() {
            let tokenizer = try PretrainedTokenizerTests.tokenizer(kind)
            for _ in 0..<300 {
                let ids = (0..<dice.below(12)).map { _ in dice.below(tokenizer.vocabularySize + 3) - 1 }
                var decoder = tokenizer.streamingDecoder(skippingSpecialTokens: false)
                var text = ids.map { decoder.append($0) }.joined()
                text += decoder.finish()
                let whole = tokenizer.decode(ids, skippingSpecialTokens: false)
                #expect(text.utf8.elementsEqual(whole.utf8), "\(kind) \(ids)")
            }
        }
    }

    @Test func bytesOfACharacterAreShownTogether() throws {
        let tokenizer = try PretrainedTokenizerTests.tokenizer("llama2")
        var decoder = tokenizer.streamingDecoder()
        var pieces: [String] = []
        for byte in ["<0xF0>", "<0x9F>", "<0x99>", "<0x82>"] {
            pieces.append(decoder.append(try #require(tokenizer.id(of: byte))))
        }
        pieces.append(decoder.append(try #require(tokenizer.id(of: "▁"))))
        #expect(pieces == ["", "", "", "", "\u{1F642} "])
        #expect(decoder.finish().isEmpty)
    }

    /// Steps after all tokens are one, which no fixture has: taken from the end, and replaced across tokens.
    @Test func stepsAfterTheJoint() throws {
        let steps =
            #""decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},"#
            + #"{"type":"Fuse"},{"type":"Replace","pattern":{"String":"a b"},"content":"X"},"#
            + #"{"type":"Strip","content":" ","start":1,"stop":1}]},"#
        let good = try Self.text("llama2")
        let start = try #require(good.range(of: #""decoder":"#)).lowerBound
        let end = try #require(good.range(of: #""model":"#)).lowerBound
        let tokenizer = try Self.read(good.replacingCharacters(in: start..<end, with: steps))
        let ids = try ["▁", "a", "▁", "b", "▁", "▁", "b", "▁"].map { try #require(tokenizer.id(of: $0)) }
        #expect(tokenizer.decode(ids) == "X  b")
        var decoder = tokenizer.streamingDecoder()
        #expect(ids.map { decoder.append($0) } == ["", "", "", "X", "", "", "  b", ""])
        #expect(decoder.finish().isEmpty)
    }

    @Test func manyTasksAtOnceGetTheSameIds() async throws {
        let strings = try OddStrings.pieces(in: PretrainedTokenizerTests.folder)
        for kind in ["llama2", "xlmr", "bert", "falcon"] {
            let tokenizer = try PretrainedTokenizerTests.tokenizer(kind)
            let expected = strings.map { tokenizer.encode($0) }
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 { group.addTask { strings.map { tokenizer.encode($0) } == expected } }
                for await same in group { #expect(same) }
            }
        }
    }

    /// A long text without a place to cut must not take quadratic time.
    @Test(.timeLimit(.minutes(1))) func longTextsTakeLinearTime() throws {
        for kind in ["gpt2", "llama2", "xlmr", "bert", "o200k", "clip"] {
            let tokenizer = try PretrainedTokenizerTests.tokenizer(kind)
            for text in ["a", " ", "ab ", "中", "e\u{301}", "\u{301}", "<|", "!"].map({
                String(repeating: $0, count: 60_000)
            }) {
                #expect(tokenizer.encode(text).count < text.utf8.count * 3 + 3)
            }
        }
    }
}
