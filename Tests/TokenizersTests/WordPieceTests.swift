import Foundation
import Testing
import Tokenizers

@Suite struct WordPieceTests {
    let tokenizer: WordPiece

    init() throws { tokenizer = try WordPiece(contentsOf: encoderTokenizer) }

    @Test func idsEqualTheReference() throws {
        let oracles = try Oracle.read("wordpiece.json")
        #expect(oracles.count >= 200)
        for oracle in oracles {
            #expect(tokenizer.encode(oracle.text) == oracle.ids, "\(oracle.text.debugDescription)")
        }
    }

    @Test func inputsBeginEndAndAreCut() throws {
        #expect(tokenizer.vocabularySize == 30522)
        let whole = tokenizer.encode("The garden is lovely, isn't it?")
        let framed: [Int] = [101] + whole + [102]
        #expect(tokenizer.encode("The garden is lovely, isn't it?", maximumLength: 256) == framed)
        let cut: [Int] = [101] + whole.prefix(2) + [102]
        #expect(tokenizer.encode("The garden is lovely", maximumLength: 4) == cut)
        #expect(tokenizer.encode("", maximumLength: 256) == [101, 102])
        #expect(tokenizer.encode("words", maximumLength: 0) == [101, 102])
        let book = String(repeating: "unaffable ", count: 50_000)
        let page: [Int] = [101] + tokenizer.encode(book).prefix(254) + [102]
        #expect(tokenizer.encode(book, maximumLength: 256) == page)
    }

    @Test func typedSpecialTokensStayText() {
        for text in ["[SEP]", "[CLS] [PAD]", "a[MASK]b"] {
            #expect(!tokenizer.encode(text).contains { [0, 101, 102, 103].contains($0) })
        }
    }

    @Test func spellings() {
        #expect(tokenizer.token(of: 102) == "[SEP]")
        #expect(tokenizer.id(of: "##ing").flatMap { tokenizer.token(of: $0) } == "##ing")
        #expect(tokenizer.decode(tokenizer.encode("Unaffable gardeners", maximumLength: 20)) == "unaffable gardeners")
    }

    @Test func otherKindsAreRefused() throws {
        let bpe = fixtures.appendingPathComponent("bpe/tokenizer.json")
        #expect { try WordPiece(contentsOf: bpe) } throws: { isFault($0, .unsupported, "BPE") }
        #expect { try ByteLevelBPE(contentsOf: encoderTokenizer) } throws: { isFault($0, .unsupported, "WordPiece") }
        try withFolder { folder in
            let url = folder.appendingPathComponent("tokenizer.json")
            let good = try String(contentsOf: encoderTokenizer, encoding: .utf8)
            try Data(good.replacingOccurrences(of: "BertPreTokenizer", with: "Whitespace").utf8).write(
                to: url)
            #expect { try WordPiece(contentsOf: url) } throws: { isFault($0, .unsupported, "pre_tokenizer") }
        }
    }
}
