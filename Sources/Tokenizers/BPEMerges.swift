/// A merge of two tokens into one.
struct BPEMerge: Sendable {
    var left: Int32
    var right: Int32
    var id: Int32
}

/// Reads the merges of BPE.
enum BPEMerges {
    /// More merges than any published vocabulary has (Gemma's has about 500,000).
    private static let mostMerges = 1 << 22

    /// The `merges` of a model: `["a b", …]` in older files, `[["a", "b"], …]` in newer ones.
    /// - Parameter prefixLength: bytes of the mark of continuing tokens, which a merge drops from its right part.
    static func read(_ field: JSONField, _ vocabulary: TokenVocabulary, prefixLength: Int) throws -> [BPEMerge] {
        let list = try field.array(limit: mostMerges)
        var merges: [BPEMerge] = []
        merges.reserveCapacity(list.count)
        var number = 0
        try list.forEachElement { entry in
            var parts: [[UInt8]] = []
            if let line = entry.utf8 {
                // A line of a `merges.txt` may still be here.
                if line.starts(with: Array("#version".utf8)) { return }
                parts = line.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
            } else if entry.kind == .array, entry.count == 2 {
                entry.forEachElement { if let part = $0.utf8 { parts.append(part) } }
            }
            try add(parts, number, field, vocabulary, prefixLength, &merges)
            number += 1
        }
        return merges
    }

    /// The lines of a `merges.txt`.
    static func read(lines text: [UInt8], _ field: JSONField, _ vocabulary: TokenVocabulary) throws -> [BPEMerge] {
        var merges: [BPEMerge] = []
        var number = 0
        for line in text.split(separator: 0x0A, omittingEmptySubsequences: true) {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty || line.starts(with: Array("#version".utf8)) { continue }
            guard number < mostMerges else { throw field.fault(.unsupported, "has more than \(mostMerges) lines") }
            let parts = line.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
            try add(parts, number, field, vocabulary, 0, &merges)
            number += 1
        }
        return merges
    }

    private static func add(
        _ parts: [[UInt8]], _ number: Int, _ field: JSONField, _ vocabulary: TokenVocabulary, _ prefixLength: Int,
        _ merges: inout [BPEMerge]
    ) throws {
        guard parts.count == 2 else { throw field.fault(.malformed, "entry \(number) is not a pair") }
        guard let left = vocabulary.id(of: parts[0]), let right = vocabulary.id(of: parts[1]),
            let made = vocabulary.id(of: parts[0] + parts[1].dropFirst(prefixLength))
        else {
            let names = parts.map { "\"\(String(decoding: $0.prefix(64), as: UTF8.self))\"" }.joined(separator: " + ")
            throw field.fault(.malformed, "entry \(number): \(names) is not in the vocabulary")
        }
        merges.append(BPEMerge(left: left, right: right, id: made))
    }
}
