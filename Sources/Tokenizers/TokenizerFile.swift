import Foundation

/// The parts of `tokenizer.json` that byte-level BPE needs, and those that would change ids if passed over.
struct TokenizerFile: Decodable {
    struct AddedToken: Decodable {
        var id: Int
        var content: String
        var special: Bool
    }

    struct Part: Decodable {
        var type: String
        var addPrefixSpace: Bool?
        var useRegex: Bool?

        enum CodingKeys: String, CodingKey {
            case type
            case addPrefixSpace = "add_prefix_space"
            case useRegex = "use_regex"
        }
    }

    struct Model: Decodable {
        var type: String?
        var vocab: [String: Int]
        var merges: Merges
        var dropout: Double?
        var continuingPrefix: String?
        var endSuffix: String?
        var byteFallback: Bool?
        var ignoreMerges: Bool?

        enum CodingKeys: String, CodingKey {
            case type, vocab, merges, dropout
            case continuingPrefix = "continuing_subword_prefix"
            case endSuffix = "end_of_word_suffix"
            case byteFallback = "byte_fallback"
            case ignoreMerges = "ignore_merges"
        }
    }

    /// `["a b", …]` in older files, `[["a", "b"], …]` in newer ones.
    struct Merges: Decodable {
        var pairs: [(left: String, right: String)]

        init(from decoder: any Decoder) throws {
            let box = try decoder.singleValueContainer()
            let lists =
                if let lists = try? box.decode([[String]].self) { lists } else {
                    try box.decode([String].self).map { line in
                        line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                    }
                }
            pairs = try lists.enumerated().map { number, list in
                guard list.count == 2 else {
                    throw DecodingError.dataCorruptedError(in: box, debugDescription: "merge \(number) is not a pair")
                }
                return (list[0], list[1])
            }
        }
    }

    var addedTokens: [AddedToken]
    var normalizer: Part?
    var preTokenizer: Part?
    var decoder: Part?
    var model: Model

    enum CodingKeys: String, CodingKey {
        case normalizer, decoder, model
        case addedTokens = "added_tokens"
        case preTokenizer = "pre_tokenizer"
    }

    init(_ url: URL) throws {
        self = try TokenizerFile.decode(TokenizerFile.self, from: url)
    }

    /// Reads any JSON file with errors that name the file and the field.
    static func decode<T: Decodable>(_ type: T.Type, from url: URL) throws -> T {
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw TokenizersError(.file, file: url.path, "cannot be read")
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            let (context, what): (DecodingError.Context, String) =
                switch error {
                case .keyNotFound(let key, let context): (context, "lacks \"\(key.stringValue)\"")
                case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
                    (context, "should be of type \(type)")
                // Foundation says no more than this, of broken JSON and of a fraction where a whole number belongs.
                case .dataCorrupted(let context) where context.codingPath.isEmpty:
                    (context, "is not valid JSON, or has a number that is not whole")
                case .dataCorrupted(let context): (context, context.debugDescription)
                @unknown default: (.init(codingPath: [], debugDescription: ""), "\(error)")
                }
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw TokenizersError(.malformed, file: url.path, "\(path.isEmpty ? "the file" : path): \(what)")
        }
    }

    /// Why byte-level BPE cannot stand for this file; `nil` when it can.
    var refusal: String? {
        if let type = model.type, type != "BPE" { return "model.type is \(type), not BPE" }
        if let normalizer { return "normalizer: \(normalizer.type) is not supported" }
        guard let preTokenizer, preTokenizer.type == "ByteLevel" else {
            return "pre_tokenizer: \(preTokenizer?.type ?? "none") is not supported, only ByteLevel"
        }
        if preTokenizer.addPrefixSpace == true { return "pre_tokenizer.add_prefix_space is not supported" }
        if preTokenizer.useRegex == false { return "pre_tokenizer.use_regex false is not supported" }
        if let decoder, decoder.type != "ByteLevel" { return "decoder: \(decoder.type) is not supported" }
        if let dropout = model.dropout, dropout > 0 { return "model.dropout is not supported" }
        if model.continuingPrefix?.isEmpty == false { return "model.continuing_subword_prefix is not supported" }
        if model.endSuffix?.isEmpty == false { return "model.end_of_word_suffix is not supported" }
        if model.byteFallback == true { return "model.byte_fallback is not supported" }
        if model.ignoreMerges == true { return "model.ignore_merges is not supported" }
        return nil
    }
}
