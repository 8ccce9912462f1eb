import Foundation

/// One safetensors file, mapped and checked. Reading a tensor costs no copy.
public struct SafeTensorsFile: Sendable {
    public let url: URL
    /// Types, shapes and places.
    public let header: SafeTensorsHeader
    private let mapping: MappedFile

    /// Names in the order of their bytes in the file.
    public var names: [String] { header.names }
    /// The file's `__metadata__`.
    public var metadata: [String: String] { header.metadata }

    /// Maps the file and checks its whole header.
    /// - Throws: `ModelFormatsError`: `unreadable`, or `malformed` with what is wrong and where.
    public init(_ url: URL) throws {
        self.url = url
        mapping = try MappedFile(url)
        header = try SafeTensorsHeader(mapping.bytes, fileSize: mapping.bytes.count, file: url.path)
    }

    /// Type, shape and place of one tensor; `nil` when the file has none of that name.
    public func entry(_ name: String) -> SafeTensorsHeader.Entry? { header.entries[name] }

    /// Lends the bytes of one tensor: dense, row-major, little endian, not necessarily aligned to the element's size.
    /// They must not be kept beyond `body`.
    /// - Throws: `ModelFormatsError` with code `missing`, or what `body` throws.
    public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard let entry = entry(name) else {
            throw ModelFormatsError(.missing, file: url.path, "no tensor \"\(name)\"")
        }
        let range = (header.bufferStart + entry.range.lowerBound)..<(header.bufferStart + entry.range.upperBound)
        return try withExtendedLifetime(mapping) {
            try body(UnsafeRawBufferPointer(rebasing: mapping.bytes[range]))
        }
    }
}
