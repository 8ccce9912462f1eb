import Foundation

/// A file that is there while `body` runs.
func withFile<R>(_ bytes: some Collection<UInt8>, named name: String = "log.jsonl", _ body: (URL) throws -> R) throws
    -> R
{
    let folder = FileManager.default.temporaryDirectory.appending(path: "loam-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: name)
    try Data(bytes).write(to: file)
    return try body(file)
}

func withFile<R>(_ text: String, named name: String = "log.jsonl", _ body: (URL) throws -> R) throws -> R {
    try withFile(Array(text.utf8), named: name, body)
}
