import Foundation

/// Files that are written line by line under other names and appear whole at the end.
final class DatasetFiles {
    private struct Open {
        var handle: FileHandle
        var buffer: [UInt8] = []
    }

    private let folder: URL
    private var open: [String: Open] = [:]
    private(set) var lines = 0

    init(_ folder: URL) throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func half(_ name: String) -> URL { folder.appending(path: name + ".part") }

    private func make(_ name: String) throws -> Open {
        let half = half(name)
        guard FileManager.default.createFile(atPath: half.path, contents: nil),
            let handle = FileHandle(forWritingAtPath: half.path)
        else { throw ImprovementError.folder(half.path, "may not be written") }
        return Open(handle: handle)
    }

    func write(_ line: String, to name: String) throws {
        var file = try open.removeValue(forKey: name) ?? make(name)
        file.buffer.append(contentsOf: line.utf8)
        file.buffer.append(0x0A)
        if file.buffer.count >= 1 << 16 {
            try file.handle.write(contentsOf: Data(file.buffer))
            file.buffer.removeAll(keepingCapacity: true)
        }
        open[name] = file
        lines += 1
    }

    /// Gives the files their names; those of `always` are made even when nothing was written to them.
    /// - Returns: all names in order.
    func close(always names: [String]) throws -> [String] {
        for name in names where open[name] == nil { open[name] = try make(name) }
        let all = open.keys.sorted()
        for name in all {
            guard let file = open[name] else { continue }
            try file.handle.write(contentsOf: Data(file.buffer))
            try file.handle.synchronize()
            try file.handle.close()
        }
        for name in all {
            let whole = folder.appending(path: name)
            guard rename(half(name).path, whole.path) == 0 else {
                throw ImprovementError.folder(whole.path, "may not be written")
            }
        }
        open = [:]
        return all
    }
}
