import Foundation

/// Reads a text file line by line in constant memory: one piece of the file and one line, each with a cap.
///
/// Takes `\n` and `\r\n`, a byte order mark at the beginning and a last line without an end. A line above the cap or
/// with bytes that are not UTF-8 is reported in its place, and reading goes on after it.
public struct LineReader: ~Copyable {
    /// What stood on a line.
    public enum Content: Sendable, Hashable {
        /// The line's bytes without its end; valid UTF-8.
        case bytes([UInt8])
        /// Longer than the cap: `length` bytes, which were passed over.
        case tooLong(length: Int)
        /// Not UTF-8: the first bad byte's offset in the file, from 0.
        case invalidUTF8(offset: Int)
    }

    /// One line of the file.
    public struct Line: Sendable, Hashable {
        /// From 1.
        public var number: Int
        /// Offset in bytes of its beginning in the file, from 0.
        public var offset: Int
        public var content: Content

        /// The line as text; `nil` when it is too long or not UTF-8.
        public var text: String? {
            if case .bytes(let bytes) = content { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    /// 16 MiB.
    public static let defaultMaximumLength = 16 * 1024 * 1024

    private let source: ByteSource
    private var piece: [UInt8] = []
    /// Where the next byte stands in `piece`.
    private var position = 0
    /// Offset in the file of the beginning of `piece`.
    private var pieceOffset = 0
    private var lineNumber = 0
    private var pending: RecordBuffer
    private var isAtEnd = false

    /// Opens a file. Throws `LogError` when it is missing, a directory or may not be read.
    public init(_ url: URL, maximumLength: Int = LineReader.defaultMaximumLength) throws(LogError) {
        source = try ByteSource(url)
        pending = RecordBuffer(cap: maximumLength)
    }

    /// The next line, `nil` at the end.
    public mutating func next() throws(LogError) -> Line? {
        guard let record = try nextRecord() else { return nil }
        let content: Content =
            switch record.content {
            case .bytes(let bytes): .bytes(bytes)
            case .tooLong(let length): .tooLong(length: length)
            case .invalidUTF8(let offset): .invalidUTF8(offset: offset)
            }
        return Line(number: record.line, offset: record.offset, content: content)
    }
}

extension LineReader: RecordReader {
    mutating func nextRecord() throws(LogError) -> RawRecord? {
        if isAtEnd { return nil }
        var start = pieceOffset + position
        while true {
            if position == piece.count {
                pieceOffset += piece.count
                piece = try source.next()
                position = 0
                if pieceOffset == 0 {
                    position = try byteOrderMark(of: piece, file: source.file)
                    start = position
                }
                if piece.isEmpty {
                    isAtEnd = true
                    if pending.isEmpty { return nil }
                    lineNumber += 1
                    return pending.take(line: lineNumber, offset: start)
                }
            }
            guard let end = indexOfNewline() else {
                pending.append(piece[position...])
                position = piece.count
                continue
            }
            pending.append(piece[position..<end])
            position = end + 1
            lineNumber += 1
            var record = pending.take(line: lineNumber, offset: start)
            if case .bytes(var bytes) = record.content, bytes.last == 0x0D {
                bytes.removeLast()
                record.content = .bytes(bytes)
            }
            return record
        }
    }

    private func indexOfNewline() -> Int? {
        piece.withUnsafeBytes { buffer -> Int? in
            guard let base = buffer.baseAddress,
                let found = memchr(base + position, 0x0A, buffer.count - position)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}

/// How many bytes a UTF-8 byte order mark takes at the beginning of a file. UTF-16 is refused by name: its bytes would
/// otherwise be reported line by line as something else.
func byteOrderMark(of piece: [UInt8], file: String) throws(LogError) -> Int {
    if piece.starts(with: [0xEF, 0xBB, 0xBF]) { return 3 }
    if piece.starts(with: [0xFF, 0xFE]) || piece.starts(with: [0xFE, 0xFF]) {
        throw LogError(.invalidUTF8, file: file, reason: "is UTF-16, expected UTF-8")
    }
    return 0
}
