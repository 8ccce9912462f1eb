import Foundation

/// Writes a CSV piece by piece: a file of ten million lines needs no copy in memory, and appears whole or not at all.
struct CSVSink {
    private let url: URL
    private let draft: URL
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var isFirstField = true

    /// - Throws: `TrustError` when the file cannot be made.
    init(_ url: URL) throws {
        self.url = url
        draft = url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).part")
        guard FileManager.default.createFile(atPath: draft.path, contents: nil),
            let handle = FileHandle(forWritingAtPath: draft.path)
        else { throw TrustError(.file, "cannot write \(url.lastPathComponent)") }
        self.handle = handle
        buffer.reserveCapacity(1 << 20)
    }

    mutating func field(_ text: String) {
        var copy = text
        copy.withUTF8 { field($0) }
    }

    mutating func field(_ text: UnsafeBufferPointer<UInt8>) {
        separate()
        let needsQuotes = text.contains { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }
        guard needsQuotes else { return buffer.append(contentsOf: text) }
        buffer.append(0x22)
        for byte in text {
            if byte == 0x22 { buffer.append(0x22) }
            buffer.append(byte)
        }
        buffer.append(0x22)
    }

    /// A number between 0 and 1 with six decimals; an empty field for what is not a number.
    mutating func field(_ share: Double) {
        guard !share.isNaN else { return field("") }
        separate()
        var rest = Int((min(max(share, 0), 1) * 1e6).rounded())
        buffer.append(rest == 1_000_000 ? 0x31 : 0x30)
        rest %= 1_000_000
        buffer.append(0x2e)
        var unit = 100_000
        while unit > 0 {
            buffer.append(0x30 + UInt8(rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    mutating func field(_ number: Int) { field(String(number)) }

    mutating func endLine() throws {
        buffer.append(0x0d)
        buffer.append(0x0a)
        isFirstField = true
        if buffer.count > 1 << 20 { try flush() }
    }

    /// Puts the finished file in its place.
    mutating func close() throws {
        try flush()
        try? handle.close()
        guard rename(draft.path, url.path) == 0 else {
            throw TrustError(.file, "cannot write \(url.lastPathComponent): \(String(cString: strerror(errno)))")
        }
    }

    private mutating func separate() {
        if !isFirstField { buffer.append(0x2c) }
        isFirstField = false
    }

    private mutating func flush() throws {
        do {
            try handle.write(contentsOf: buffer)
        } catch {
            throw TrustError(.file, "cannot write \(url.lastPathComponent): \(error.localizedDescription)")
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
