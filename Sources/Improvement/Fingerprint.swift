import Conversations
import Foundation
import Hashing

/// SHA-256 of what made something: the loop's way to say "the same input", in lineage and in `done.json`.
enum Fingerprint {
    /// Of several parts, each with its length before it, so that `["ab", "c"]` and `["a", "bc"]` differ.
    static func of(_ parts: [String]) -> String {
        var hash = SHA256()
        for part in parts {
            let bytes = Data(part.utf8)
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update($0) }
            hash.update(bytes)
        }
        return hash.finalize().hex
    }

    /// Of a file's bytes, read in pieces.
    static func of(file: URL) throws -> String {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        var hash = SHA256()
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { hash.update(piece) }
        return hash.finalize().hex
    }

    /// Of a log: of its bytes, or of a folder's files with their names.
    static func of(log: URL) throws -> String {
        let files = try LogFormat.files(at: log)
        if files == [log] { return try of(file: log) }
        return try of(files.flatMap { [$0.lastPathComponent, try of(file: $0)] })
    }

    /// Of a model folder's weights alone; `nil` where there are none.
    static func of(weights folder: URL) throws -> String? {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
            .filter { $0.hasSuffix(".safetensors") }.sorted()
        if names.isEmpty { return nil }
        return try of(names.flatMap { [$0, try of(file: folder.appending(path: $0))] })
    }

    /// Of a model folder: the weights, the configuration, the tokenizer and its template, not its card or dates.
    static func of(model folder: URL) throws -> String {
        let kinds = [".safetensors", ".json", ".jinja", "merges.txt"]
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { name in kinds.contains(where: name.hasSuffix) }.sorted()
        return try of(names.flatMap { [$0, try of(file: folder.appending(path: $0))] })
    }
}
