import Foundation

/// Writes safetensors files, byte for byte as the reference writer does.
public enum SafeTensorsWriter {
    /// One tensor to write: `bytes` dense, row-major, little endian.
    public typealias Item = (name: String, dtype: SafeTensorsDType, shape: [Int], bytes: Data)

    /// Writes a whole file at once or not at all (a temporary file beside it, then a rename).
    ///
    /// Tensors are laid out by falling alignment, then by name, so the same content always makes the same file.
    /// - Parameter metadata: the file's `__metadata__`; `format` is set to `pt` unless given, without which
    ///   transformers refuses the file.
    /// - Throws: `ModelFormatsError`: `argument` when a size or name is wrong, `unwritable` when the disk refuses.
    public static func write(_ tensors: [Item], metadata: [String: String] = [:], to url: URL) throws {
        var names: Set<String> = []
        for tensor in tensors {
            func argument(_ message: String) -> ModelFormatsError {
                .init(.argument, file: url.path, "tensor \"\(tensor.name)\" \(message)")
            }
            guard tensor.name != "__metadata__", names.insert(tensor.name).inserted else {
                throw argument("is given twice, or has the reserved name")
            }
            guard let size = tensor.dtype.byteCount(of: tensor.shape), size == tensor.bytes.count else {
                throw argument("of \(tensor.dtype.rawValue) \(tensor.shape) comes with \(tensor.bytes.count) bytes")
            }
        }
        let order = tensors.sorted { a, b in
            a.dtype.rank != b.dtype.rank
                ? a.dtype.rank > b.dtype.rank : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
        }
        var header = "{\"__metadata__\":{"
        let notes = metadata.merging(["format": "pt"]) { given, _ in given }.sorted { a, b in
            a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
        }
        header += notes.map { "\(quote($0.key)):\(quote($0.value))" }.joined(separator: ",") + "}"
        var offset = 0
        for tensor in order {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + tensor.bytes.count
            header += ",\(quote(tensor.name)):{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":[\(shape)],"
            header += "\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        header += "}"
        var head = Array(header.utf8)
        while head.count % 8 != 0 { head.append(0x20) }
        guard head.count <= SafeTensorsHeader.maximumLength else {
            throw ModelFormatsError(.argument, file: url.path, "the header would be longer than the format allows")
        }
        let length = withUnsafeBytes(of: UInt64(head.count).littleEndian) { Array($0) }
        try AtomicFile.write(to: url) { append in
            try (length + head).withUnsafeBytes { try append($0) }
            for tensor in order {
                try tensor.bytes.withUnsafeBytes { try append($0) }
            }
        }
    }

    /// A JSON string literal.
    private static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{8}": result += "\\b"
            case "\u{C}": result += "\\f"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
