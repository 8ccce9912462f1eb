/// The special tokens that a tokenizer puts around a text: the `post_processor` of `tokenizer.json`.
struct PostProcessor: Sendable {
    private enum Piece {
        case text
        case ids([Int])
    }

    /// What stands where around one text; a text may stand several times.
    private var pieces: [Piece] = [.text]

    init() {}

    /// One token before the text and one after.
    init(begin: Int?, end: Int?) {
        pieces = [.ids(begin.map { [$0] } ?? []), .text, .ids(end.map { [$0] } ?? [])]
    }

    /// - Parameter field: the post-processor of a file; without one nothing is added.
    init(_ field: JSONField, depth: Int = 0) throws {
        guard !field.isAbsent else { return }
        switch try field.type() {
        case "ByteLevel": break  // moves offsets only
        case "BertProcessing", "RobertaProcessing":
            func id(_ name: String) throws -> Int {
                let pair = try field[name].elements(limit: 2)
                guard pair.count == 2 else { throw field[name].fault(.malformed, "should be a token with its id") }
                return try pair[1].int()
            }
            pieces = [.ids([try id("cls")]), .text, .ids([try id("sep")])]
        case "TemplateProcessing": pieces = try Self.template(field)
        case "Sequence":
            guard depth < 8 else { throw field.fault(.unsupported, "sequences are nested too deeply") }
            for part in try field["processors"].elements(limit: 64) {
                let next = try PostProcessor(part, depth: depth + 1)
                pieces = next.pieces.flatMap { piece -> [Piece] in
                    if case .text = piece { return pieces }
                    return [piece]
                }
                guard pieces.count <= 1024 else { throw field.fault(.unsupported, "adds too many tokens") }
            }
        case let other: throw field.fault(.unsupported, "the post-processor \(other) is not supported")
        }
    }

    private static func template(_ field: JSONField) throws -> [Piece] {
        try field["single"].elements(limit: 256).map { part in
            if !part["Sequence"].isAbsent {
                let id = try part["Sequence"]["id"].string()
                guard id == "A" else {
                    throw part["Sequence"]["id"].fault(.unsupported, "\(id) is not supported, only A")
                }
                return .text
            }
            let name = try part["SpecialToken"]["id"].string()
            return .ids(try field["special_tokens"][name]["ids"].elements(limit: 256).map { try $0.int() })
        }
    }

    /// How many ids are added to a text.
    var count: Int {
        pieces.reduce(0) { sum, piece in
            if case .ids(let ids) = piece { return sum + ids.count }
            return sum
        }
    }

    /// The largest id that is added; −1 when there is none.
    var largestID: Int {
        pieces.reduce(-1) { largest, piece in
            if case .ids(let ids) = piece { return max(largest, ids.max() ?? -1) }
            return largest
        }
    }

    /// The ids of a text with those around them.
    func process(_ ids: [Int]) -> [Int] {
        pieces.flatMap { piece in
            switch piece {
            case .text: ids
            case .ids(let added): added
            }
        }
    }
}
