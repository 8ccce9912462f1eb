import Foundation

extension PretrainedTokenizer {
    /// Reads the tokenizer of a model folder: `tokenizer.json`, or else `vocab.json` with `merges.txt` as GPT-2 and OPT
    /// have them; `tokenizer_config.json` and `special_tokens_map.json` say what the special tokens are for.
    /// - Throws: `TokenizersError` that names the file and the field.
    public init(folder: URL) throws {
        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
        }
        func read(_ name: String) throws -> JSONField { try JSONField.read(folder.appendingPathComponent(name)) }
        let configurations = try ["tokenizer_config.json", "special_tokens_map.json"].filter(exists).map(read)
        let roles = try SpecialTokenRoles(configurations)
        if exists("tokenizer.json") {
            try self.init(read("tokenizer.json"), roles: roles)
        } else if exists("vocab.json"), exists("merges.txt") {
            try self.init(
                vocabulary: read("vocab.json"), mergesFile: folder.appendingPathComponent("merges.txt"),
                configurations: configurations, roles: roles)
        } else if exists("tokenizer.model") {
            throw TokenizersError(
                .unsupported, file: folder.path,
                "has only SentencePiece's tokenizer.model; transformers' AutoTokenizer writes a tokenizer.json of it")
        } else {
            throw TokenizersError(.file, file: folder.path, "has no tokenizer.json, nor vocab.json with merges.txt")
        }
    }

    /// GPT-2's two files.
    private init(
        vocabulary field: JSONField, mergesFile: URL, configurations: [JSONField], roles: SpecialTokenRoles
    ) throws {
        let configuration = configurations.first ?? JSONField(file: field.file, path: "", value: nil)
        if !configuration["tokenizer_class"].isAbsent {
            let name = try configuration["tokenizer_class"].string()
            guard name == "GPT2Tokenizer" || name == "GPT2TokenizerFast" else {
                throw configuration["tokenizer_class"].fault(
                    .unsupported, "\(name) with vocab.json is not supported; it needs a tokenizer.json")
            }
        }
        let vocabulary = try TokenVocabulary(object: field)
        let mergesField = JSONField(file: mergesFile.path, path: "", value: nil)
        let merges = try BPEMerges.read(lines: try JSONField.bytes(of: mergesFile), mergesField, vocabulary)
        let steps = [
            PreTokenizer.byteLevel(
                addsPrefixSpace: try configuration["add_prefix_space"].bool(default: false), splits: true)
        ]
        var roles = roles
        let usual = "<|endoftext|>"
        if configurations.isEmpty, vocabulary.id(of: usual.utf8) != nil {
            roles = SpecialTokenRoles(begin: usual, end: usual, unknown: usual)
        }
        let tokens = try Self.tokens(vocabulary, configuration, roles)
        var begin: Int?
        if try configuration["add_bos_token"].bool(default: false) {
            begin = roles.begin.flatMap { spelling in
                tokens.first { $0.content == Array(spelling.utf8) }?.id
            }
            guard begin != nil else {
                throw configuration["add_bos_token"].fault(.missingToken, "is true, but there is no bos_token")
            }
        }
        try self.init(
            .bpe(BPEModel(vocabulary: vocabulary, merges: merges, takesBytes: true)), steps: steps, normalizer: nil,
            tokens: tokens, tokensField: configuration["added_tokens_decoder"],
            processor: PostProcessor(begin: begin, end: nil), decoder: .byteLevel, roles: roles)
    }

    /// The special tokens of a configuration, and those that it lists by id.
    private static func tokens(
        _ vocabulary: TokenVocabulary, _ configuration: JSONField, _ roles: SpecialTokenRoles
    ) throws -> [AddedToken] {
        var tokens: [AddedToken] = []
        func add(_ token: AddedToken) {
            if !token.content.isEmpty, !tokens.contains(where: { $0.content == token.content }) { tokens.append(token) }
        }
        let list = configuration["added_tokens_decoder"]
        if !list.isAbsent {
            try list.object(limit: 4096).forEachMember { key, value in
                let entry = JSONField(file: list.file, path: "\(list.path).\(key.string ?? "")", value: value)
                guard let id = key.string.flatMap({ Int($0) }), (0..<1 << 24).contains(id) else {
                    throw entry.fault(.malformed, "should be under an id")
                }
                add(
                    AddedToken(
                        id: id, content: try entry["content"].utf8(),
                        isSingleWord: try entry["single_word"].bool(default: false),
                        stripsLeft: try entry["lstrip"].bool(default: false),
                        stripsRight: try entry["rstrip"].bool(default: false),
                        isSpecial: try entry["special"].bool(default: false)))
            }
            tokens.sort { $0.id < $1.id }
        }
        var next = vocabulary.count + tokens.count { vocabulary.id(of: $0.content) == nil }
        for spelling in [roles.begin, roles.end, roles.unknown, roles.pad].compactMap({ $0 }) {
            let content = Array(spelling.utf8)
            guard !tokens.contains(where: { $0.content == content }) else { continue }
            let known = vocabulary.id(of: content)
            add(AddedToken(id: known.map(Int.init) ?? next, content: content, isSpecial: true))
            if known == nil { next += 1 }
        }
        return tokens
    }
}
