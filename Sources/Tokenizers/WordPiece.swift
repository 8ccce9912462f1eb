import Foundation

/// The tokenizer of BERT's encoders: each word becomes the longest piece of the vocabulary that begins it, then the
/// longest that carries on, and so on; a word that cannot be covered becomes `[UNK]`.
///
/// A `PretrainedTokenizer` that knows the four special tokens of an encoder and cuts its inputs to length.
public struct WordPiece: Tokenizer {
    /// `[UNK]`, `[CLS]`, `[SEP]`, `[PAD]`.
    public let unknown: Int
    public let begin: Int
    public let end: Int
    public let pad: Int
    private let tokenizer: PretrainedTokenizer

    /// Reads a `tokenizer.json` of BERT's kind. Truncation and padding in the file are not applied: the caller says how
    /// long an input may be.
    /// - Throws: `TokenizersError` that names the file and the field.
    public init(contentsOf url: URL) throws {
        let file = try JSONField.read(url)
        let type = try file["model"].type()
        guard type == "WordPiece" else {
            throw file["model"]["type"].fault(.unsupported, "is \(type), not WordPiece")
        }
        guard !file["pre_tokenizer"].isAbsent, try file["pre_tokenizer"].type() == "BertPreTokenizer" else {
            throw file["pre_tokenizer"].fault(.unsupported, "only BertPreTokenizer is supported here")
        }
        let tokenizer = try PretrainedTokenizer(file, roles: SpecialTokenRoles())
        func special(_ token: String) throws -> Int {
            guard let id = tokenizer.id(of: token) else {
                throw file["model"]["vocab"].fault(.missingToken, "lacks \(token)")
            }
            return id
        }
        unknown = try special("[UNK]")
        begin = try special("[CLS]")
        end = try special("[SEP]")
        pad = try special("[PAD]")
        self.tokenizer = tokenizer
    }

    public var vocabularySize: Int { tokenizer.vocabularySize }
    public var specialTokens: [Int: String] { tokenizer.specialTokens }

    public func encode(_ text: String, parsing: AddedTokenParsing) -> [Int] { tokenizer.encode(text, parsing: parsing) }

    /// `[CLS]`, the text's pieces, `[SEP]`: at most `maximumLength` ids in all, the text cut at its end.
    public func encode(_ text: String, maximumLength: Int) -> [Int] {
        let room = max(maximumLength - 2, 0)
        // Of a book, an encoder sees the first page: words end at spaces, so a text can be cut there.
        var length = 16 * room
        while length < text.utf8.count {
            let bytes = text.utf8.prefix(length)
            if let space = bytes.lastIndex(of: 0x20) {
                let pieces = tokenizer.encode(String(text[..<space]))
                if pieces.count >= room { return [begin] + pieces.prefix(room) + [end] }
            }
            length = max(length * 4, 256)
        }
        return [begin] + (room > 0 ? tokenizer.encode(text).prefix(room) : []) + [end]
    }

    /// The words of the ids with single spaces between them. What the normalizer took is gone.
    public func decode(_ ids: [Int]) -> String { tokenizer.decode(ids) }

    public func streamingDecoder() -> StreamingDecoder { tokenizer.streamingDecoder() }

    public func bytes(of id: Int) -> ArraySlice<UInt8> { tokenizer.bytes(of: id) }

    public func id(of token: String) -> Int? { tokenizer.id(of: token) }

    public func token(of id: Int) -> String? { tokenizer.token(of: id) }
}
