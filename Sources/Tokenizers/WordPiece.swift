import Foundation

/// The tokenizer of uncased BERT encoders: each word becomes the longest piece of the vocabulary that begins it, then
/// the longest that carries on, and so on; a word that cannot be covered becomes `[UNK]`.
///
/// Ids equal those of Hugging Face tokenizers (with `encode_special_tokens`, since a typed `[SEP]` stays text here).
public struct WordPiece: Tokenizer {
    public let vocabularySize: Int
    /// `[UNK]`, `[CLS]`, `[SEP]`, `[PAD]`.
    public let unknown: Int
    public let begin: Int
    public let end: Int
    public let pad: Int
    private let spellings: [Int: String]
    private let ids: ByteTable
    private let numbers: [Int32]
    private let continuing: ByteTable
    private let continuingNumbers: [Int32]
    private let longestPiece: Int
    private let longestWord: Int

    private struct File: Decodable {
        struct Model: Decodable {
            var type: String
            var vocab: [String: Int]
            var prefix: String
            var longestWord: Int

            enum CodingKeys: String, CodingKey {
                case type, vocab
                case prefix = "continuing_subword_prefix"
                case longestWord = "max_input_chars_per_word"
            }
        }

        struct Normalizer: Decodable {
            var type: String
            var cleanText: Bool?
            var handleChinese: Bool?
            var stripAccents: Bool?
            var lowercase: Bool?

            enum CodingKeys: String, CodingKey {
                case type, lowercase
                case cleanText = "clean_text"
                case handleChinese = "handle_chinese_chars"
                case stripAccents = "strip_accents"
            }
        }

        struct Part: Decodable { var type: String }

        var model: Model
        var normalizer: Normalizer?
        var preTokenizer: Part?

        enum CodingKeys: String, CodingKey {
            case model, normalizer
            case preTokenizer = "pre_tokenizer"
        }
    }

    /// Reads a `tokenizer.json` of the uncased BERT kind. Truncation and padding in the file are not applied: the
    /// caller says how long an input may be.
    /// - Throws: `TokenizersError` that names the file and the field.
    public init(contentsOf url: URL) throws {
        let file = try TokenizerFile.decode(File.self, from: url)
        func fault(_ code: TokenizersError.Code, _ message: String) -> TokenizersError {
            TokenizersError(code, file: url.path, message)
        }
        guard file.model.type == "WordPiece" else {
            throw fault(.unsupported, "model.type is \(file.model.type), not WordPiece")
        }
        guard let normalizer = file.normalizer, normalizer.type == "BertNormalizer", normalizer.cleanText != false,
            normalizer.handleChinese != false, normalizer.lowercase == true, normalizer.stripAccents != false,
            file.preTokenizer?.type == "BertPreTokenizer"
        else { throw fault(.unsupported, "only the normalizer and pre_tokenizer of uncased BERT are supported") }
        let prefix = Array(file.model.prefix.utf8)
        var spellings: [Int: String] = [:]
        var ids = ByteTable(minimumCapacity: file.model.vocab.count)
        var continuing = ByteTable(minimumCapacity: file.model.vocab.count)
        var (numbers, continuingNumbers): ([Int32], [Int32]) = ([], [])
        var longest = 0
        for (token, id) in file.model.vocab {
            guard (0..<4 * file.model.vocab.count).contains(id), spellings.updateValue(token, forKey: id) == nil else {
                throw fault(.malformed, "vocab: \"\(token)\" has the id \(id), which is out of range or given twice")
            }
            let bytes = Array(token.utf8)
            longest = max(longest, bytes.count)
            if ids.insert(bytes) == numbers.count { numbers.append(Int32(id)) }
            if !prefix.isEmpty, bytes.starts(with: prefix), bytes.count > prefix.count,
                continuing.insert(bytes.dropFirst(prefix.count)) == continuingNumbers.count
            {
                continuingNumbers.append(Int32(id))
            }
        }
        func special(_ token: String) throws -> Int {
            guard let id = file.model.vocab[token] else { throw fault(.missingToken, "vocab lacks \(token)") }
            return id
        }
        unknown = try special("[UNK]")
        begin = try special("[CLS]")
        end = try special("[SEP]")
        pad = try special("[PAD]")
        vocabularySize = (spellings.keys.max() ?? -1) + 1
        longestPiece = longest
        longestWord = file.model.longestWord
        self.spellings = spellings
        self.ids = ids
        self.numbers = numbers
        self.continuing = continuing
        self.continuingNumbers = continuingNumbers
    }

    public func encode(_ text: String) -> [Int] { pieces(of: text, limit: .max) }

    /// `[CLS]`, the text's pieces, `[SEP]`: at most `maximumLength` ids in all, the text cut at its end.
    public func encode(_ text: String, maximumLength: Int) -> [Int] {
        let room = max(maximumLength - 2, 0)
        return [begin] + pieces(of: text, limit: room).prefix(room) + [end]
    }

    /// All pieces, or at least the first `limit`; every word gives one or more.
    private func pieces(of text: String, limit: Int) -> [Int] {
        let words = BertWords(text, limit: limit)
        var pieces: [Int] = []
        words.bytes.withUnsafeBufferPointer { bytes in
            for range in words.ranges {
                guard pieces.count < limit else { return }
                append(UnsafeBufferPointer(rebasing: bytes[range]), to: &pieces)
            }
        }
        return pieces
    }

    private func append(_ word: UnsafeBufferPointer<UInt8>, to pieces: inout [Int]) {
        let mark = pieces.count
        let length = word.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
        guard length <= longestWord else { return pieces.append(unknown) }
        var start = 0
        while start < word.count {
            var stop = min(word.count, start + longestPiece)
            var found: Int?
            while stop > start {
                // A piece ends where a character does.
                if stop == word.count || word[stop] & 0xC0 != 0x80 {
                    let part = UnsafeBufferPointer(rebasing: word[start..<stop])
                    found =
                        start == 0
                        ? ids.find(part).map { Int(numbers[$0]) }
                        : continuing.find(part).map { Int(continuingNumbers[$0]) }
                    if found != nil { break }
                }
                stop -= 1
            }
            guard let id = found else {
                pieces.removeSubrange(mark...)
                return pieces.append(unknown)
            }
            pieces.append(id)
            start = stop
        }
    }

    /// The words of the ids with single spaces between them. What the normalizer took is gone.
    public func decode(_ ids: [Int]) -> String {
        var text = ""
        for id in ids where id != begin && id != end && id != pad {
            guard let piece = spellings[id] else { continue }
            if piece.hasPrefix("##") {
                text += piece.dropFirst(2)
            } else {
                text += text.isEmpty ? piece : " " + piece
            }
        }
        return text
    }

    public func id(of token: String) -> Int? { ids.find(token.utf8).map { Int(numbers[$0]) } }

    public func token(of id: Int) -> String? { spellings[id] }
}
