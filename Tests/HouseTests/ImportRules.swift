import Foundation
import Testing

/// SwiftPM lets a target import whatever happens to be built beside it. These tests hold every source file to the table
/// of imports: the same table that `Package.swift` builds from, read here out of its text.
@Suite("House: who may import whom")
struct ImportRules {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Modules from outside and the only rooms that may see them.
    static let outside: [String: Set<String>] = [
        "GRDB": ["Storage"], "GRDBSQLite": ["Storage"],
        "SQLite3": [],
        "Hummingbird": ["Server"], "HummingbirdCore": ["Server"], "HummingbirdTLS": ["Server"],
        "NIOCore": ["Server", "Remote"],
        "HTTPTypes": ["Server"], "AsyncHTTPClient": ["Remote"], "NIOHTTP1": ["Remote"],
        "ServiceLifecycle": ["Server"],
        "Logging": ["Server", "loam"],
        "ArgumentParser": ["loam"], "Yams": ["loam"],
        "CTorch": ["Torch"],
        "CMPI": ["Training"],
    ]

    /// What anyone may import: the language's own libraries.
    static let common: Set<String> = [
        "Foundation", "FoundationEssentials", "Dispatch", "Synchronization", "Swift", "Glibc", "Darwin", "Musl",
    ]

    struct Room {
        var name: String
        var allowed: Set<String>
    }

    static func rooms() throws -> [Room] {
        let manifest = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
        let start = try #require(manifest.range(of: "let rooms:"))
        let end = try #require(manifest.range(of: "// `LOAM_ONLY=", range: start.upperBound..<manifest.endIndex))
        let table = manifest[start.upperBound..<end.lowerBound]
        // A row is ("Name", ["Import", …], …): the first string after a parenthesis, then the list that follows it.
        return table.matches(of: /\(\s*"(\w+)",\s*\[([^\]]*)\]/).map { row in
            Room(
                name: String(row.1),
                allowed: Set(row.2.matches(of: /"(\w+)"/).map { String($0.1) }))
        }
    }

    /// The module names that a source file imports.
    static func imports(of source: String) -> Set<String> {
        var found: Set<String> = []
        for line in source.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let at = words.firstIndex(of: "import"),
                words[..<at].allSatisfy({
                    $0.hasPrefix("@") || $0 == "public" || $0 == "internal" || $0 == "private" || $0 == "fileprivate"
                }),
                at + 1 < words.count
            else { continue }
            let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "typealias", "let", "var"]
            let name = kinds.contains(words[at + 1]) && at + 2 < words.count ? words[at + 2] : words[at + 1]
            found.insert(String(name.split(separator: ".")[0]))
        }
        return found
    }

    static func swiftFiles(in folder: URL) -> [URL] {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (files?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "swift" }
    }

    @Test("the table itself can be read")
    func tableIsRead() throws {
        let rooms = try Self.rooms()
        #expect(rooms.count >= 15)
        let training = try #require(rooms.first { $0.name == "Training" })
        #expect(training.allowed.contains("Torch"))
        #expect(!training.allowed.contains("Server"))
    }

    @Test("a forbidden import is seen")
    func forbiddenImportIsSeen() {
        let source =
            "// import Nothing\nimport Foundation\n@testable import Torch\nimport struct GRDB.Row\npublic import CTorch\n"
        #expect(Self.imports(of: source) == ["Foundation", "Torch", "GRDB", "CTorch"])
    }

    @Test("every source file keeps to the table")
    func sourcesKeepToTheTable() throws {
        let rooms = try Self.rooms()
        let names = Set(rooms.map(\.name) + ["CTorch", "CPostgres", "CCrypto", "loam"])
        var read = 0
        for room in rooms {
            for file in Self.swiftFiles(in: Self.root.appending(path: "Sources/\(room.name)")) {
                read += 1
                let source = try String(contentsOf: file, encoding: .utf8)
                for module in Self.imports(of: source).subtracting(Self.common) {
                    if names.contains(module) {
                        #expect(
                            room.allowed.contains(module) || module == room.name,
                            "\(file.lastPathComponent) of \(room.name) may not import \(module)")
                    } else {
                        let may = Self.outside[module]
                        #expect(
                            may?.contains(room.name) == true,
                            "\(file.lastPathComponent) of \(room.name) may not import \(module) from outside")
                    }
                }
            }
        }
        #expect(read > 50)
    }

    @Test("Server and Training never meet, and only four rooms and the loop see torch")
    func tableIsTheDesign() throws {
        let rooms = try Self.rooms()
        func allowed(_ name: String) throws -> Set<String> { try #require(rooms.first { $0.name == name }).allowed }
        #expect(try !allowed("Server").contains("Training"))
        #expect(try !allowed("Training").contains("Server"))
        let seesTorch = Set(rooms.filter { $0.allowed.contains("Torch") }.map(\.name))
        #expect(seesTorch == ["LanguageModels", "Generation", "Training", "Improvement"])
    }
}
