/// A text cut into pieces, on its way through the pre-tokenizers.
struct WordPieces {
    struct Piece {
        var start: Int
        var end: Int
        /// How many bytes at its front stem from the very beginning of what was encoded (see `NormalizedText.origin`).
        var origin: Int
    }

    var bytes: [UInt8] = []
    var pieces: [Piece] = []

    // Room for the next step.
    private var spareBytes: [UInt8] = []
    private var sparePieces: [Piece] = []
    private var marks: [(range: Range<Int>, isMatch: Bool)] = []

    /// Begins anew with one piece.
    mutating func reset(_ text: UnsafeBufferPointer<UInt8>, origin: Int) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: text)
        pieces.removeAll(keepingCapacity: true)
        if !text.isEmpty { pieces.append(Piece(start: 0, end: text.count, origin: origin)) }
    }

    /// Cuts every piece at what `find` finds in it.
    @inline(__always)
    mutating func split(
        _ behavior: SplitBehavior, isInverted: Bool = false,
        _ find: (_ text: UnsafeBufferPointer<UInt8>, _ found: (Range<Int>) -> Void) -> Void
    ) {
        sparePieces.removeAll(keepingCapacity: true)
        bytes.withUnsafeBufferPointer { text in
            for piece in pieces {
                marks.removeAll(keepingCapacity: true)
                let part = UnsafeBufferPointer(rebasing: text[piece.start..<piece.end])
                var end = 0
                find(part) { match in
                    if end < match.lowerBound { marks.append((end..<match.lowerBound, isInverted)) }
                    marks.append((match, !isInverted))
                    end = match.upperBound
                }
                if end < part.count { marks.append((end..<part.count, isInverted)) }
                behavior.join(&marks)
                for mark in marks where !mark.range.isEmpty {
                    sparePieces.append(
                        Piece(
                            start: piece.start + mark.range.lowerBound, end: piece.start + mark.range.upperBound,
                            origin: min(max(piece.origin - mark.range.lowerBound, 0), mark.range.count)))
                }
            }
        }
        swap(&pieces, &sparePieces)
    }

    /// Writes every piece anew; `body` appends it and returns how much of it stems from the beginning.
    mutating func rewrite(
        _ body: (_ text: UnsafeBufferPointer<UInt8>, _ origin: Int, _ output: inout [UInt8]) -> Int
    ) {
        spareBytes.removeAll(keepingCapacity: true)
        bytes.withUnsafeBufferPointer { text in
            for index in pieces.indices {
                let piece = pieces[index]
                let start = spareBytes.count
                let origin = body(
                    UnsafeBufferPointer(rebasing: text[piece.start..<piece.end]), piece.origin, &spareBytes)
                pieces[index] = Piece(start: start, end: spareBytes.count, origin: origin)
            }
        }
        swap(&bytes, &spareBytes)
    }
}

/// What becomes of the delimiters that a text is split at.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    /// Neighbouring delimiters stay together.
    case contiguous = "Contiguous"

    init(_ field: JSONField) throws {
        let name = try field.string()
        guard let behavior = SplitBehavior(rawValue: name) else {
            throw field.fault(.unsupported, "the behavior \(name) is not supported")
        }
        self = behavior
    }

    /// Joins or drops the parts of a text, which are delimiters and what lies between, in their order.
    func join(_ marks: inout [(range: Range<Int>, isMatch: Bool)]) {
        switch self {
        case .isolated: return
        case .removed: marks.removeAll { $0.isMatch }
        case .contiguous:
            var count = 0
            var previous = false
            for mark in marks {
                if mark.isMatch == previous, count > 0 {
                    marks[count - 1].range = marks[count - 1].range.lowerBound..<mark.range.upperBound
                } else {
                    marks[count] = mark
                    count += 1
                }
                previous = mark.isMatch
            }
            marks.removeSubrange(count...)
        case .mergedWithPrevious:
            var count = 0
            var previous = false
            for mark in marks {
                if mark.isMatch, !previous, count > 0 {
                    marks[count - 1].range = marks[count - 1].range.lowerBound..<mark.range.upperBound
                } else {
                    marks[count] = mark
                    count += 1
                }
                previous = mark.isMatch
            }
            marks.removeSubrange(count...)
        case .mergedWithNext:
            // From the end to the front, so `count` marks the first that stays.
            var count = marks.count
            var previous = false
            for mark in marks.reversed() {
                if mark.isMatch, !previous, count < marks.count {
                    marks[count].range = mark.range.lowerBound..<marks[count].range.upperBound
                } else {
                    count -= 1
                    marks[count] = mark
                }
                previous = mark.isMatch
            }
            marks.removeSubrange(..<count)
        }
    }
}
