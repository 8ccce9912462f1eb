/// A text on its way through the normalizers.
struct NormalizedText {
    var bytes: [UInt8] = []
    /// How many bytes at the front stem from the very beginning of what was encoded: `Metaspace` with the scheme `first`
    /// puts its mark only before a piece that begins there. 0 when none do.
    var origin = 0

    /// Begins anew with a piece of a text; `isFirst` when it begins where the text does.
    mutating func reset(_ piece: UnsafeBufferPointer<UInt8>, isFirst: Bool) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: piece)
        origin = isFirst && !piece.isEmpty ? piece.scalar(at: 0).length : 0
    }
}

extension NormalizedText {
    /// Replaces the text by what `body` writes for each scalar.
    /// - Parameter spare: room that is used and left empty.
    @inline(__always)
    mutating func rewrite(
        _ spare: inout [UInt8], _ body: (_ value: UInt32, _ length: Int, _ output: inout [UInt8]) -> Void
    ) {
        spare.removeAll(keepingCapacity: true)
        var newOrigin = 0
        bytes.withUnsafeBufferPointer { text in
            var place = 0
            while place < text.count {
                let (value, length) = text.scalar(at: place)
                body(value, length, &spare)
                place += length
                if place <= origin { newOrigin = spare.count }
            }
        }
        swap(&bytes, &spare)
        origin = newOrigin
    }
}
