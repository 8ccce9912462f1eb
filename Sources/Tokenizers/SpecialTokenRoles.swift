import Foundation

/// The tokens that a model folder names for a purpose, in `tokenizer_config.json` or `special_tokens_map.json`. Each is
/// the spelling of a token; `PretrainedTokenizer.id(of:)` has its id.
public struct SpecialTokenRoles: Sendable, Hashable {
    /// Begins a text.
    public var begin: String?
    /// Ends a text or a turn.
    public var end: String?
    /// Fills up the shorter rows of a batch.
    public var pad: String?
    /// Stands for what has no token.
    public var unknown: String?

    public init(begin: String? = nil, end: String? = nil, pad: String? = nil, unknown: String? = nil) {
        self.begin = begin
        self.end = end
        self.pad = pad
        self.unknown = unknown
    }

    init(_ files: [JSONField]) throws {
        func spelling(_ name: String) throws -> String? {
            for file in files where !file[name].isAbsent {
                return try Self.content(file[name])
            }
            return nil
        }
        begin = try spelling("bos_token")
        end = try spelling("eos_token")
        pad = try spelling("pad_token")
        unknown = try spelling("unk_token")
    }

    /// A token is written as a text or as an object with its content.
    private static func content(_ field: JSONField) throws -> String {
        field.value?.kind == .object ? try field["content"].string() : try field.string()
    }
}
