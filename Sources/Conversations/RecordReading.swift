/// One record cut out of a file, not yet parsed: a line, or an element of an array.
struct RawRecord {
    enum Content {
        /// The record's bytes, valid UTF-8.
        case bytes([UInt8])
        /// Longer than the cap: `length` bytes, which were passed over.
        case tooLong(length: Int)
        /// Not UTF-8: the first bad byte's offset in the file, from 0.
        case invalidUTF8(offset: Int)
    }

    /// Line on which it begins, from 1.
    var line: Int
    /// Offset in bytes of its beginning in the file, from 0.
    var offset: Int
    /// Its place in an array, from 0; `nil` for a line.
    var element: Int?
    var content: Content
}

/// Cuts a file into records.
protocol RecordReader: ~Copyable {
    /// The next record, `nil` at the end. Throws when the file as a whole cannot be read on.
    mutating func nextRecord() throws(LogError) -> RawRecord?
}

/// Collects the bytes of one record up to a cap; what is above the cap is counted and dropped.
struct RecordBuffer {
    private let cap: Int
    private var bytes: [UInt8] = []
    private(set) var length = 0

    init(cap: Int) { self.cap = cap }

    var isEmpty: Bool { length == 0 }

    mutating func append(_ piece: ArraySlice<UInt8>) {
        length += piece.count
        if length <= cap {
            bytes.append(contentsOf: piece)
        } else if !bytes.isEmpty {
            // Give the memory back at once: it is not wanted any more.
            bytes = []
        }
    }

    /// The record so far, and an empty buffer.
    mutating func take(line: Int, offset: Int, element: Int? = nil) -> RawRecord {
        defer {
            bytes = []
            length = 0
        }
        if length > cap {
            return RawRecord(line: line, offset: offset, element: element, content: .tooLong(length: length))
        }
        if let bad = bytes.withUnsafeBufferPointer(UTF8Check.firstInvalidByte) {
            return RawRecord(line: line, offset: offset, element: element, content: .invalidUTF8(offset: offset + bad))
        }
        return RawRecord(line: line, offset: offset, element: element, content: .bytes(bytes))
    }
}
