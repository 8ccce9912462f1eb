/// A conversation as text for a model, in which every piece knows who wrote it.
///
/// Only what the template wrote may become a special token. A tokenizer that supports it encodes `text` as one string and
/// matches special tokens inside `specialTokenRanges` alone; `encode(specialTokens:text:)` does that for any tokenizer
/// whose plain encoding never yields special tokens. Encoding the `parts` one by one would be wrong: byte-level BPE merges
/// across their borders (a template's newline and the newlines that begin a message are often one token), and then the
/// ids differ from transformers', which encodes the whole string. Cut at special tokens alone, the ids are the same as
/// transformers' wherever no content spells a special token.
///
/// Added tokens that are not special but steer the model (Qwen's `<tool_call>`, `<think>`) should be held to the same
/// ranges. Added tokens that are nothing but white space (Gemma's runs of newlines) are no control tokens: match them
/// everywhere.
public struct RenderedPrompt: Sendable, Hashable {
    /// A piece of the text from one source.
    public struct Part: Sendable, Hashable {
        public var text: String
        /// Whether the template wrote it; otherwise it comes from a message, a tool or a document.
        public var isTemplate: Bool
    }

    /// All of it: what transformers' `apply_chat_template` gives with `tokenize=False`.
    public let text: String
    /// The stretches that the template wrote, in bytes of UTF-8: where special tokens may stand, each wholly inside one.
    public let specialTokenRanges: [Range<Int>]
    /// What the model says, by the template's `{% generation %}` blocks, in bytes of UTF-8; for training on replies only.
    public let generationRanges: [Range<Int>]

    private init(text: String, specialTokenRanges: [Range<Int>], generationRanges: [Range<Int>]) {
        self.text = text
        self.specialTokenRanges = specialTokenRanges
        self.generationRanges = generationRanges
    }

    init(_ output: TracedText, generations: [Range<Int>]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(output.count + output.count / 8)
        var marks: [Int] = []
        let wanted = Set(generations.flatMap { [$0.lowerBound, $0.upperBound] } + output.runs.map(\.end))
        var places: [Int: Int] = [0: 0]
        for (index, scalar) in output.scalars.enumerated() {
            if wanted.contains(index) { places[index] = bytes.count }
            if scalar.isASCII {
                bytes.append(UInt8(scalar.value))
            } else {
                bytes.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        places[output.count] = bytes.count
        marks = output.runs.map { places[$0.end] ?? 0 }
        var start = 0
        var ranges: [Range<Int>] = []
        for (run, end) in zip(output.runs, marks) {
            if run.origin == .template { ranges.append(start..<end) }
            start = end
        }
        text = String(decoding: bytes, as: UTF8.self)
        specialTokenRanges = ranges
        generationRanges = generations.map { (places[$0.lowerBound] ?? 0)..<(places[$0.upperBound] ?? 0) }
    }

    /// The text in pieces, one after the other; neighbours are of different sources.
    public var parts: [Part] {
        let bytes = Array(text.utf8)
        func part(_ range: Range<Int>, _ isTemplate: Bool) -> Part {
            Part(text: String(decoding: bytes[range], as: UTF8.self), isTemplate: isTemplate)
        }
        var parts: [Part] = []
        var start = 0
        for range in specialTokenRanges {
            if range.lowerBound > start { parts.append(part(start..<range.lowerBound, false)) }
            parts.append(part(range, true))
            start = range.upperBound
        }
        if start < bytes.count { parts.append(part(start..<bytes.count, false)) }
        return parts
    }

    /// A stretch of the text between special tokens, or one of them.
    struct Piece {
        /// In bytes of UTF-8.
        var range: Range<Int>
        /// The id of a special token; `nil` for plain text.
        var special: Int?
    }

    /// The text cut at the special tokens that the template spells.
    /// - Parameter specialTokens: spelling and id. Where several fit, the one that begins first, and of those the longest.
    func pieces(specialTokens: [String: Int]) -> [Piece] {
        let bytes = Array(text.utf8)
        let spellings = specialTokens.filter { !$0.key.isEmpty }.map { (bytes: Array($0.key.utf8), id: $0.value) }
        let byFirst = Dictionary(grouping: spellings) { $0.bytes[0] }
            .mapValues { $0.sorted { $0.bytes.count > $1.bytes.count } }
        var pieces: [Piece] = []
        var start = 0
        func flush(to end: Int) {
            if end > start { pieces.append(Piece(range: start..<end, special: nil)) }
        }
        for range in specialTokenRanges {
            var index = range.lowerBound
            while index < range.upperBound {
                let found = byFirst[bytes[index]]?.first {
                    index + $0.bytes.count <= range.upperBound && bytes[index...].starts(with: $0.bytes)
                }
                guard let found else {
                    index += 1
                    continue
                }
                flush(to: index)
                pieces.append(Piece(range: index..<(index + found.bytes.count), special: found.id))
                index += found.bytes.count
                start = index
            }
        }
        flush(to: bytes.count)
        return pieces
    }

    /// The prompt's ids: special tokens where the template spells them, everything else as plain text.
    /// - Parameters:
    ///   - specialTokens: as for `pieces`.
    ///   - encode: the ids of plain text; must not yield a special token, whatever the text says.
    public func encode(specialTokens: [String: Int], text encode: (String) throws -> [Int]) rethrows -> [Int] {
        let bytes = Array(text.utf8)
        return try pieces(specialTokens: specialTokens).flatMap { piece in
            try piece.special.map { [$0] } ?? encode(String(decoding: bytes[piece.range], as: UTF8.self))
        }
    }

    /// Where the last piece that the template did not write ends, in bytes of UTF-8.
    var contentEnd: Int {
        let count = text.utf8.count
        guard let last = specialTokenRanges.last, last.upperBound == count else { return count }
        return last.lowerBound
    }

    /// A part of the text, in bytes of UTF-8, that begins and ends between characters.
    func part(_ range: Range<Int>) -> RenderedPrompt {
        func shifted(_ ranges: [Range<Int>]) -> [Range<Int>] {
            ranges.map { $0.clamped(to: range) }.filter { !$0.isEmpty }
                .map { ($0.lowerBound - range.lowerBound)..<($0.upperBound - range.lowerBound) }
        }
        return RenderedPrompt(
            text: String(decoding: Array(text.utf8)[range], as: UTF8.self),
            specialTokenRanges: shifted(specialTokenRanges), generationRanges: shifted(generationRanges))
    }

    /// The prompt's ids by a tokenizer that can be told where special tokens may stand.
    public func encode(with tokenizer: some SpecialTokenEncoding) throws -> [Int] {
        try tokenizer.encode(text, specialTokenRanges: specialTokenRanges)
    }
}

/// A tokenizer that can be told where special tokens may stand.
public protocol SpecialTokenEncoding {
    /// The ids of a text, as one string; a special token is matched only where it lies wholly inside one of the ranges.
    /// - Parameter specialTokenRanges: ascending and apart from each other, in bytes of UTF-8.
    func encode(_ text: String, specialTokenRanges: [Range<Int>]) throws -> [Int]
}
