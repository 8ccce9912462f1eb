import Foundation

/// The tokenizer of a published model, read from its `tokenizer.json`: every kind that today's open decoders and BERT's
/// family use. Ids and texts equal those of Hugging Face tokenizers.
///
/// Byte-level BPE (GPT-2, OPT, Llama 3, Qwen), BPE with SentencePiece's conventions (Llama 2, Mistral, Gemma), WordPiece
/// (BERT) and Unigram (T5, XLM-R), with their normalizers, pre-tokenizers, post-processors, decoders and added tokens.
/// What a file asks for and this type does not do is refused by name when it is read. Truncation and padding in a file
/// are not applied: the caller says how long an input may be.
///
/// Copies share one cache of words; calls from many tasks do not wait for each other.
public struct PretrainedTokenizer: Tokenizer {
    enum Model: Sendable {
        case bpe(BPEModel)
        case unigram(UnigramModel)
        case wordPiece(WordPieceModel)

        var vocabulary: TokenVocabulary {
            switch self {
            case .bpe(let model): model.vocabulary
            case .unigram(let model): model.vocabulary
            case .wordPiece(let model): model.vocabulary
            }
        }
    }

    public let vocabularySize: Int
    public let specialTokens: [Int: String]
    /// The tokens that a model's configuration names for a purpose.
    public let roles: SpecialTokenRoles
    let model: Model
    let added: AddedTokens
    let normalizer: Normalizer?
    let cutting: WordCutting
    private let processor: PostProcessor
    private let decoder: TokenDecoder
    private let pool = WorkspacePool()

    /// Reads a `tokenizer.json`.
    /// - Throws: `TokenizersError` that names the file and the field.
    public init(file url: URL) throws {
        try self.init(JSONField.read(url), roles: SpecialTokenRoles())
    }

    init(_ file: JSONField, roles: SpecialTokenRoles) throws {
        if !file["version"].isAbsent, try file["version"].string() != "1.0" {
            throw file["version"].fault(.unsupported, "\(try file["version"].string()) is not supported, only 1.0")
        }
        let steps = try PreTokenizer.read(file["pre_tokenizer"])
        let model = try Self.model(file["model"], steps)
        try self.init(
            model, steps: steps, normalizer: try Normalizer.read(file["normalizer"]),
            tokens: try AddedToken.read(file["added_tokens"]), tokensField: file["added_tokens"],
            processor: try PostProcessor(file["post_processor"]), decoder: try TokenDecoder(file["decoder"]),
            roles: roles)
    }

    init(
        _ model: Model, steps: [PreTokenizer], normalizer: Normalizer?, tokens: [AddedToken], tokensField: JSONField,
        processor: PostProcessor, decoder: TokenDecoder, roles: SpecialTokenRoles
    ) throws {
        self.model = model
        self.normalizer = normalizer
        self.processor = processor
        self.decoder = decoder
        added = try AddedTokens(tokens, tokensField, model.vocabulary, normalizer: normalizer)
        var takesBytes = false
        if case .bpe(let model) = model { takesBytes = model.takesBytes }
        cutting = WordCutting(steps, takesBytes: takesBytes)
        specialTokens = Dictionary(
            added.tokens.filter(\.isSpecial).map { ($0.id, String(decoding: $0.content, as: UTF8.self)) },
            uniquingKeysWith: { first, _ in first })
        vocabularySize = max(model.vocabulary.bound, (added.tokens.map(\.id).max() ?? -1) + 1)
        self.roles = roles
        guard processor.largestID < vocabularySize else {
            throw TokenizersError(
                .malformed, file: tokensField.file, "post_processor: id \(processor.largestID) is not in the vocabulary"
            )
        }
    }

    private static func model(_ field: JSONField, _ steps: [PreTokenizer]) throws -> Model {
        // Older files leave the type out; only a few fields tell the kinds apart then.
        let type =
            if !field["type"].isAbsent { try field.type() } else if !field["merges"].isAbsent {
                "BPE"
            } else if !field[
                "max_input_chars_per_word"
            ].isAbsent { "WordPiece" } else { "Unigram" }
        switch type {
        case "BPE": return .bpe(try BPEModel(field, takesBytes: WordCutting.givesBytes(steps)))
        case "Unigram": return .unigram(try UnigramModel(field))
        case "WordPiece": return .wordPiece(try WordPieceModel(field))
        default: throw field["type"].fault(.unsupported, "the model \(type) is not supported")
        }
    }

    public func encode(_ text: String, parsing: AddedTokenParsing) -> [Int] {
        encode(text, finding: AddedTokenSearch(parsing), isBeginning: true)
    }

    /// - Parameters:
    ///   - search: which added tokens are looked for.
    ///   - isBeginning: whether the model sees nothing before this text; only there does a tokenizer that marks the
    ///     beginning (`Metaspace` with the scheme `first`) write its mark.
    func encode(_ text: String, finding search: AddedTokenSearch, isBeginning: Bool) -> [Int] {
        var text = text
        return text.withUTF8 { bytes in
            var ids: [Int] = []
            ids.reserveCapacity(bytes.count / 3 + 1)
            pool.lend { workspace in
                added.split(bytes, search, inNormalized: false) { range, token in
                    if let token { return ids.append(token) }
                    normalize(
                        UnsafeBufferPointer(rebasing: bytes[range]), isFirst: isBeginning && range.lowerBound == 0,
                        search, workspace, &ids)
                }
            }
            return ids
        }
    }

    /// The ids of a text.
    /// - Parameters:
    ///   - parsing: which added tokens are looked for in the text.
    ///   - addingSpecialTokens: with the tokens that the model expects around a text, such as `[CLS]` and `[SEP]` or `<s>`.
    public func encode(
        _ text: String, parsing: AddedTokenParsing = .ordinary, addingSpecialTokens: Bool
    ) -> [Int] {
        let ids = encode(text, parsing: parsing)
        return addingSpecialTokens ? processor.process(ids) : ids
    }

    /// Added tokens that steer the model, special or not (Qwen's `<think>` is not), by spelling: what only a template may write.
    /// Those that are only text (`AddedToken.isText`) are not among them.
    public var controlTokens: [String: Int] {
        Dictionary(
            added.tokens.filter { !$0.isText }.map { (String(decoding: $0.content, as: UTF8.self), $0.id) }
                .filter { !$0.0.allSatisfy(\.isWhitespace) }, uniquingKeysWith: { first, _ in first })
    }

    /// How many ids `addingSpecialTokens` adds.
    public var specialTokenCount: Int { processor.count }

    /// Normalizes a piece between added tokens and encodes it.
    private func normalize(
        _ piece: UnsafeBufferPointer<UInt8>, isFirst: Bool, _ search: AddedTokenSearch, _ workspace: Workspace,
        _ ids: inout [Int]
    ) {
        guard let normalizer else {
            let origin = isFirst ? piece.scalar(at: 0).length : 0
            return split(piece, origin: origin, search, workspace, &ids)
        }
        // Taken out of the workspace while it is in use, so that nobody else writes to it.
        var text = NormalizedText()
        swap(&text, &workspace.normalized)
        text.reset(piece, isFirst: isFirst)
        normalizer.apply(&text, &workspace.spare)
        text.bytes.withUnsafeBufferPointer { split($0, origin: text.origin, search, workspace, &ids) }
        swap(&text, &workspace.normalized)
    }

    /// Looks for added tokens in normalized text and encodes what lies between.
    @inline(__always)
    private func split(
        _ text: UnsafeBufferPointer<UInt8>, origin: Int, _ search: AddedTokenSearch, _ workspace: Workspace,
        _ ids: inout [Int]
    ) {
        added.split(text, search, inNormalized: true) { range, token in
            if let token { return ids.append(token) }
            let part = UnsafeBufferPointer(rebasing: text[range])
            let origin = min(max(origin - range.lowerBound, 0), part.count)
            switch model {
            case .bpe(let model):
                cutting.forEachWord(in: part, origin: origin, workspace) { model.encode($0, workspace, into: &ids) }
            case .unigram(let model):
                cutting.forEachWord(in: part, origin: origin, workspace) { model.encode($0, workspace, into: &ids) }
            case .wordPiece(let model):
                cutting.forEachWord(in: part, origin: origin, workspace) { model.encode($0, workspace, into: &ids) }
            }
        }
    }

    public func decode(_ ids: [Int]) -> String { decode(ids, skippingSpecialTokens: true) }

    /// The text of the ids; unknown ids are skipped.
    ///
    /// Special tokens that a file marks `normalized` are skipped too, where Hugging Face tokenizers 0.23 shows them in their
    /// normalized spelling: what controls a model is not for people to read.
    public func decode(_ ids: [Int], skippingSpecialTokens: Bool) -> String {
        var bytes: [UInt8] = []
        // The two commonest decoders need no state between tokens.
        if decoder.isByteLevel {
            forEachSpelling(of: ids, skippingSpecialTokens) { ByteAlphabet.append(bytesOf: $0, to: &bytes) }
            return String(decoding: bytes, as: UTF8.self)
        }
        if let metaspace = decoder.metaspace {
            var isFirst = true
            forEachSpelling(of: ids, skippingSpecialTokens) { token in
                Metaspace.append(token, metaspace.sign, dropsSigns: isFirst && metaspace.dropsFirst, to: &bytes)
                isFirst = false
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        var run = DecodingRun(decoder)
        for id in ids {
            guard let token = spelling(of: id, skippingSpecialTokens: skippingSpecialTokens) else { continue }
            bytes += run.append(token)
        }
        bytes += run.finish()
        return String(decoding: bytes, as: UTF8.self)
    }

    @inline(__always)
    private func forEachSpelling(
        of ids: [Int], _ skippingSpecialTokens: Bool, _ body: (ArraySlice<UInt8>) -> Void
    ) {
        for id in ids where !(skippingSpecialTokens && specialTokens[id] != nil) {
            if let token = added.spelling(of: id) {
                body(token[...])
            } else if let token = model.vocabulary.spelling(of: id) {
                body(token)
            }
        }
    }

    public func streamingDecoder() -> StreamingDecoder { streamingDecoder(skippingSpecialTokens: true) }

    public func streamingDecoder(skippingSpecialTokens: Bool) -> StreamingDecoder {
        StreamingDecoder(DecodingRun(decoder)) { id in
            spelling(of: id, skippingSpecialTokens: skippingSpecialTokens)
        }
    }

    public func bytes(of id: Int) -> ArraySlice<UInt8> {
        guard let token = spelling(of: id, skippingSpecialTokens: true) else { return [] }
        return decoder.bytes(of: token)[...]
    }

    private func spelling(of id: Int, skippingSpecialTokens: Bool) -> [UInt8]? {
        if let token = added.token(of: id) {
            return skippingSpecialTokens && token.isSpecial ? nil : added.spelling(of: id)
        }
        return model.vocabulary.spelling(of: id).map(Array.init)
    }

    public func id(of token: String) -> Int? {
        let bytes = Array(token.utf8)
        return added.id(of: bytes) ?? model.vocabulary.id(of: bytes).map(Int.init)
    }

    public func token(of id: Int) -> String? {
        (added.token(of: id)?.content ?? model.vocabulary.spelling(of: id).map(Array.init))
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
