import Foundation

/// Cuts a file that is one JSON array into its elements, one after the other, in constant memory.
///
/// It only follows quotes and brackets; whether an element is well-formed is for the parser to say.
struct ArrayElementReader: ~Copyable, RecordReader {
    private enum State { case beforeArray, beforeFirst, beforeElement, inElement, afterElement, afterArray, failed }

    private let source: ByteSource
    private var piece: [UInt8] = []
    private var position = 0
    private var pieceOffset = 0
    private var line = 1
    private var element = 0
    private var state = State.beforeArray
    private var pending: RecordBuffer

    init(_ url: URL, maximumLength: Int = LineReader.defaultMaximumLength) throws(LogError) {
        source = try ByteSource(url)
        pending = RecordBuffer(cap: maximumLength)
    }

    private func fault(_ reason: String) -> LogError {
        LogError(.invalidJSON, file: source.file, line: line, field: "[\(element)]", reason: reason)
    }

    mutating func nextRecord() throws(LogError) -> RawRecord? {
        if state == .failed { return nil }
        do throws(LogError) {
            return try scan()
        } catch {
            // There is no way to find the next element: what follows a fault is never read as if nothing had happened.
            state = .failed
            throw error
        }
    }

    private mutating func scan() throws(LogError) -> RawRecord? {
        var depth = 0
        var inString = false
        var isEscaped = false
        var start = 0
        var startLine = line
        while true {
            while position == piece.count {
                if try refill() { continue }
                switch state {
                case .afterArray: return nil
                case .beforeArray: throw LogError(.emptyFile, file: source.file, reason: "the file is empty")
                default: throw fault("expected the end of the array, found the end of the file; it is cut off")
                }
            }
            if state == .inElement {
                // The inner loop: to the end of the element or of the piece.
                let from = position
                var hasEnded = false
                var at = position
                var newLines = 0
                piece.withUnsafeBufferPointer { bytes in
                    while at < bytes.count {
                        let byte = bytes[at]
                        if inString {
                            if isEscaped {
                                isEscaped = false
                            } else if byte == UInt8(ascii: "\\") {
                                isEscaped = true
                            } else if byte == UInt8(ascii: "\"") {
                                inString = false
                            }
                        } else {
                            switch byte {
                            case UInt8(ascii: "\""): inString = true
                            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                            case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","):
                                if depth == 0 {
                                    hasEnded = true
                                    return
                                }
                                if byte != UInt8(ascii: ",") { depth -= 1 }
                            default: break
                            }
                        }
                        if byte == 0x0A { newLines += 1 }
                        at += 1
                    }
                }
                position = at
                line += newLines
                pending.append(piece[from..<position])
                if hasEnded {
                    state = .afterElement
                    defer { element += 1 }
                    return pending.take(line: startLine, offset: start, element: element)
                }
                continue
            }
            let byte = piece[position]
            if byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A {
                if byte == 0x0A { line += 1 }
                position += 1
                continue
            }
            switch (state, byte) {
            case (.beforeArray, UInt8(ascii: "[")): state = .beforeFirst
            case (.beforeArray, _):
                throw LogError(
                    .invalidJSON, file: source.file, line: line, reason: "expected a JSON array, found another value")
            case (.beforeFirst, UInt8(ascii: "]")), (.afterElement, UInt8(ascii: "]")): state = .afterArray
            case (.afterElement, UInt8(ascii: ",")): state = .beforeElement
            case (.beforeElement, UInt8(ascii: ",")), (.beforeElement, UInt8(ascii: "]")),
                (.beforeFirst, UInt8(ascii: ",")):
                throw fault("expected an element, found '\(Character(Unicode.Scalar(byte)))'")
            case (.beforeFirst, _), (.beforeElement, _):
                state = .inElement
                start = pieceOffset + position
                startLine = line
                continue
            case (.afterArray, _): throw fault("expected the end of the file after the array, found more")
            default: throw fault("expected ',' or ']'")
            }
            position += 1
        }
    }

    /// Reads the next piece; false at the end of the file.
    private mutating func refill() throws(LogError) -> Bool {
        pieceOffset += piece.count
        piece = try source.next()
        position = pieceOffset == 0 ? try byteOrderMark(of: piece, file: source.file) : 0
        return !piece.isEmpty
    }
}
