import Foundation

/// A file that is written beside its place and moved there when all of it is there: whoever reads the same file sees it as it was
/// until then, and what is cut off, or fails half way, leaves it as it was.
struct WholeFile {
    let handle: FileHandle
    private let place: String
    /// Where it is written; `nil` for a device or a pipe, which is written to as it is.
    private let half: String?

    /// - Throws: `ImprovementFault` that names the file where it may not be written.
    init(_ path: String) throws {
        var status = stat()
        let isThere = stat(path, &status) == 0
        guard !isThere || status.st_mode & S_IFMT == S_IFREG else {
            guard let handle = FileHandle(forWritingAtPath: path) else { throw ImprovementFault.unwritable(path) }
            self.handle = handle
            self.place = path
            self.half = nil
            return
        }
        // A link stays one; what it leads to is written.
        let target = isThere ? URL(filePath: path).resolvingSymlinksInPath().path : path
        let part = target + ".part"
        guard FileManager.default.createFile(atPath: part, contents: nil),
            let handle = FileHandle(forWritingAtPath: part)
        else { throw ImprovementFault.unwritable(path) }
        // Who could not read the file before cannot read the new one.
        if isThere { chmod(part, status.st_mode & 0o777) }
        self.handle = handle
        self.place = target
        self.half = part
    }

    /// Puts what was written in its place.
    func close() throws {
        try handle.close()
        guard let half else { return }
        guard rename(half, place) == 0 else { throw ImprovementFault.unwritable(place) }
    }

    /// Leaves the place as it was.
    func discard() {
        try? handle.close()
        if let half { unlink(half) }
    }
}
