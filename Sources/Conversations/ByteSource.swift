import Foundation

/// A file read piece by piece: never more of it in memory than one piece.
struct ByteSource: ~Copyable {
    /// Path as given, for messages.
    let file: String
    private let handle: FileHandle
    private let pieceSize: Int

    /// Opens a file. Throws `LogError` when it is missing, a directory or may not be read.
    init(_ url: URL, pieceSize: Int = 256 * 1024) throws(LogError) {
        file = url.relativePath
        self.pieceSize = pieceSize
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            throw LogError(.unreadableFile, file: file, reason: "no such file")
        }
        if isDirectory.boolValue {
            throw LogError(.unreadableFile, file: file, reason: "is a directory, expected a file")
        }
        guard let handle = FileHandle(forReadingAtPath: url.path) else {
            throw LogError(.unreadableFile, file: file, reason: "may not be read")
        }
        self.handle = handle
    }

    deinit { try? handle.close() }

    /// The next piece; empty at the end.
    func next() throws(LogError) -> [UInt8] {
        do {
            return try handle.read(upToCount: pieceSize).map { [UInt8]($0) } ?? []
        } catch {
            throw LogError(.failed, file: file, reason: "reading failed: \(error.localizedDescription)")
        }
    }
}
