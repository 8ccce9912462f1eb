import Foundation
import Testing

@testable import Deidentification

@Suite("The key and its file")
struct KeyTests {
    /// A folder of its own for each test.
    static func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(path: "loam-key-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    @Test("made once, for its owner alone, and read again")
    func made() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "key")
        var random = SystemRandomNumberGenerator()
        let first = try DeidentificationKey.loadOrCreate(at: file, using: &random)
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        let second = try DeidentificationKey.loadOrCreate(at: file, using: &random)
        let text = "mail jo@example.com"
        #expect(
            try Deidentifier(key: first).deidentify(text: text, scope: "s").0
                == Deidentifier(key: second).deidentify(text: text, scope: "s").0)
        let hex = try String(contentsOf: file, encoding: .utf8)
        #expect(hex.utf8.count == 65)
        #expect(!"\(first)".contains(hex.prefix(8)))
    }

    @Test("refused: readable by others, damaged, short, absent; the message names the file")
    func refused() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "key")
        func write(_ text: String, mode: Int) throws {
            try Data(text.utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        }
        let good = String(repeating: "ab", count: 32)
        for (text, mode, part) in [
            (good, 0o644, "644"), ("xyz", 0o600, "hexadecimal"), ("abcd", 0o600, "32 hexadecimal"),
        ] {
            try write(text, mode: mode)
            let error = #expect(throws: DeidentificationError.self) { try DeidentificationKey(contentsOf: file) }
            #expect(error?.description.contains(part) == true)
            #expect(error?.description.contains(file.path) == true)
        }
        #expect(throws: DeidentificationError.self) {
            try DeidentificationKey(contentsOf: folder.appending(path: "none"))
        }
        #expect(throws: DeidentificationError.self) { try DeidentificationKey(bytes: [1, 2, 3]) }
    }
}
