/// The head of a safetensors file, checked: every tensor's type, shape and place.
///
/// The format: eight bytes, little endian, say how long the JSON is that follows; then a dense buffer, to whose start
/// the offsets are relative. Nothing in a header is believed: lengths and products are checked for overflow, and the
/// tensors together must cover the buffer once, without holes or overlaps.
public struct SafeTensorsHeader: Sendable {
    /// Longest header that is read, in bytes, as in the reference reader.
    public static let maximumLength = 100_000_000

    /// One tensor's place.
    public struct Entry: Sendable, Hashable {
        public let dtype: SafeTensorsDType
        public let shape: [Int]
        /// Bytes from the start of the buffer.
        public let range: Range<Int>
    }

    /// Every tensor by name. Names that are canonically equivalent Unicode count as the same name.
    public let entries: [String: Entry]
    /// Names in the order of their bytes in the file.
    public let names: [String]
    /// The file's `__metadata__`.
    public let metadata: [String: String]
    /// Where the buffer starts, in bytes from the start of the file.
    public let bufferStart: Int

    /// Reads and checks the head of a file.
    /// - Parameters:
    ///   - bytes: the whole file, or at least its head.
    ///   - fileSize: length of the whole file in bytes.
    ///   - file: the name to use in errors.
    /// - Throws: `ModelFormatsError` with code `malformed`.
    public init(_ bytes: UnsafeRawBufferPointer, fileSize: Int, file: String) throws {
        func malformed(_ message: String) -> ModelFormatsError { .init(.malformed, file: file, message) }
        guard bytes.count >= 8, fileSize >= 8 else { throw malformed("too short for a safetensors file") }
        let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard declared <= UInt64(Self.maximumLength) else {
            throw malformed("the header claims \(declared) bytes; at most \(Self.maximumLength) are allowed")
        }
        let length = Int(declared)
        guard length <= min(bytes.count, fileSize) - 8 else {
            throw malformed("the header claims \(length) bytes, the file has only \(fileSize - 8) after its length")
        }
        var scanner = HeaderScanner(UnsafeRawBufferPointer(rebasing: bytes[8..<(8 + length)]))
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        do throws(HeaderScanner.Fault) {
            // The reference reader wants '{' first; padding may only follow.
            guard length > 0, bytes[8] == UInt8(ascii: "{") else { throw scanner.fault("expected '{'") }
            try scanner.expect("{")
            var seenMetadata = false
            if !scanner.take("}") {
                repeat {
                    let name = try scanner.string()
                    try scanner.expect(":")
                    if name == "__metadata__" {
                        guard !seenMetadata else { throw scanner.fault("__metadata__ occurs twice") }
                        seenMetadata = true
                        metadata = try Self.metadata(&scanner)
                    } else {
                        guard entries[name] == nil else { throw scanner.fault("tensor \"\(name)\" occurs twice") }
                        entries[name] = try Self.entry(&scanner, name: name)
                    }
                } while scanner.take(",")
                try scanner.expect("}")
            }
            guard scanner.isAtEnd() else { throw scanner.fault("something follows the closing brace") }
        } catch {
            throw malformed(error.message)
        }
        let order = entries.sorted { a, b in
            let (x, y) = (a.value.range, b.value.range)
            return (x.lowerBound, x.upperBound, a.key) < (y.lowerBound, y.upperBound, b.key)
        }
        var end = 0
        for (name, entry) in order {
            guard entry.range.lowerBound == end else {
                let fault = entry.range.lowerBound > end ? "leaves a hole before it" : "overlaps another"
                throw malformed("tensor \"\(name)\" \(fault): it begins at \(entry.range.lowerBound), not \(end)")
            }
            end = entry.range.upperBound
        }
        let buffer = fileSize - 8 - length
        guard end == buffer else {
            throw malformed("the tensors take \(end) bytes, the file holds \(buffer)")
        }
        self.entries = entries
        self.metadata = metadata
        self.names = order.map(\.key)
        self.bufferStart = 8 + length
    }

    private static func metadata(_ scanner: inout HeaderScanner) throws(HeaderScanner.Fault) -> [String: String] {
        var values: [String: String] = [:]
        try scanner.expect("{")
        if scanner.take("}") { return values }
        repeat {
            let key = try scanner.string()
            try scanner.expect(":")
            guard values.updateValue(try scanner.string(), forKey: key) == nil else {
                throw scanner.fault("__metadata__ has \"\(key)\" twice")
            }
        } while scanner.take(",")
        try scanner.expect("}")
        return values
    }

    private static func entry(_ scanner: inout HeaderScanner, name: String) throws(HeaderScanner.Fault) -> Entry {
        var dtype: SafeTensorsDType?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.expect("{")
        repeat {
            let field = try scanner.string()
            try scanner.expect(":")
            switch field {
            case "dtype" where dtype == nil:
                let spelling = try scanner.string()
                guard let known = SafeTensorsDType(rawValue: spelling) else {
                    throw scanner.fault("tensor \"\(name)\" has the unknown dtype \"\(spelling)\"")
                }
                dtype = known
            case "shape" where shape == nil: shape = try scanner.numbers(limit: 64)
            case "data_offsets" where offsets == nil: offsets = try scanner.numbers(limit: 2)
            case "dtype", "shape", "data_offsets":
                throw scanner.fault("tensor \"\(name)\" has \"\(field)\" twice")
            default: throw scanner.fault("tensor \"\(name)\" has the unknown field \"\(field)\"")
            }
        } while scanner.take(",")
        try scanner.expect("}")
        guard let dtype, let shape, let offsets, offsets.count == 2 else {
            throw scanner.fault("tensor \"\(name)\" lacks dtype, shape or two data_offsets")
        }
        guard offsets[0] <= offsets[1] else { throw scanner.fault("tensor \"\(name)\" ends before it begins") }
        guard let size = dtype.byteCount(of: shape) else {
            throw scanner.fault("tensor \"\(name)\" is too large: \(shape)")
        }
        guard size == offsets[1] - offsets[0] else {
            throw scanner.fault(
                "tensor \"\(name)\" of \(dtype.rawValue) \(shape) needs \(size) bytes, has \(offsets[1] - offsets[0])")
        }
        return Entry(dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
    }
}
