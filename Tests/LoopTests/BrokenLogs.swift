import Foundation
import Testing

/// Broken logs end in one clear line with file, line and field and exit status 2, or in a named count of what was
/// skipped; nothing that was in the store before is lost.
@Suite("Broken logs")
struct BrokenLogs {
    let folder: TemporaryFolder
    /// One good conversation with a vote each way.
    static let good =
        #"{"chat_id":"c1","user_pseudo_id":"u1","message_history":[{"sender":"human","human_message_id":"m1","text":"hello"},{"sender":"bot","bot_message_id":"m2","text":"hi there","is_liked":true},{"sender":"human","human_message_id":"m3","text":"do you like tea"},{"sender":"bot","bot_message_id":"m4","text":"go away","is_disliked":true}]}"#

    init() throws { folder = try TemporaryFolder() }

    private func importing(_ file: String, _ extra: [String] = [], format: String = "loam") throws -> LoamProcess.Result
    {
        try LoamProcess.run(["import", "--from", format, file, "--store", folder("store.sqlite")] + extra)
    }

    @Test("a truncated line is skipped by name, the rest is kept")
    func truncated() throws {
        let file = try folder.write(
            Self.good + "\n" + #"{"chat_id":"c2","user_pseudo_id":"u2","message_hist"#, to: "log.jsonl")
        let result = try importing(file)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("log.jsonl:2"))
        #expect(result.output.contains("1 conversation"))
        let strict = try importing(file, ["--strict"])
        #expect(strict.status == 2)
        #expect(strict.errors.contains("log.jsonl:2"))
    }

    @Test("a wrong type names file, line and field")
    func wrongType() throws {
        let bad = Self.good.replacingOccurrences(of: #""text":"hi there""#, with: #""text":17"#)
        let result = try importing(try folder.write(bad + "\n" + Self.good + "\n", to: "log.jsonl"))
        #expect(result.status == 0)
        #expect(result.errors.contains("log.jsonl:1"))
        #expect(result.errors.contains("text"))
    }

    @Test("a line of 100 MB is skipped by name without being held")
    func hugeLine() throws {
        let file = folder("log.jsonl")
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: file))
        let block = Data(repeating: UInt8(ascii: "a"), count: 1 << 20)
        for _ in 0..<100 { try handle.write(contentsOf: block) }
        try handle.write(contentsOf: Data(("\n" + Self.good + "\n").utf8))
        try handle.close()
        let result = try importing(file)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("log.jsonl:1"))
        #expect(result.output.contains("1 conversation"))
    }

    @Test("invalid UTF-8 is skipped by name")
    func invalidUTF8() throws {
        let file = folder.url.appending(path: "log.jsonl")
        try
            (Data(#"{"chat_id":"c0","user_pseudo_id":""#.utf8) + Data([0xFF, 0xFE, 0xC0]) + Data("\"}\n".utf8)
            + Data((Self.good + "\n").utf8)).write(to: file)
        let result = try importing(file.path)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("log.jsonl:1"))
        #expect(result.errors.lowercased().contains("utf-8"))
    }

    @Test("an empty file, a missing file, a folder and an unknown format end with status 2")
    func nothingToRead() throws {
        let empty = try importing(try folder.write("", to: "empty.jsonl"))
        #expect(empty.status == 2)
        #expect(empty.errors.contains("empty.jsonl"))
        let missing = try importing(folder("nowhere.jsonl"))
        #expect(missing.status == 2)
        #expect(missing.errors.contains("nowhere.jsonl"))
        #expect(try importing(folder.url.path).status == 2)
        let format = try importing(try folder.write(Self.good, to: "log.jsonl"), format: "carrier-pigeon")
        #expect(format.status == 2)
        #expect(format.errors.contains("carrier-pigeon"))
    }

    @Test("a broken file takes nothing from a store")
    func nothingIsLost() throws {
        #expect(try importing(try folder.write(Self.good + "\n", to: "good.jsonl")).status == 0)
        let strict = try importing(try folder.write("{\n", to: "bad.jsonl"), ["--strict"])
        #expect(strict.status == 2)
        let out = try LoamProcess.run([
            "export", "--to", "loam", "--store", folder("store.sqlite"), "--out", folder("out"),
        ])
        #expect(out.status == 0, "\(out.errors)")
        let lines = try String(contentsOfFile: folder("out/conversations.jsonl"), encoding: .utf8)
        #expect(lines.contains("hi there"))
    }

    /// The loop itself on logs from which nothing can be learnt: one line, status 2.
    @Test(
        "a log without votes, of one user, or with all votes equal",
        arguments: [("without votes", "no votes"), ("one user", "1 user"), ("all equal", "all ")])
    func nothingToLearn(_ kind: String, _ expected: String) throws {
        var log = ""
        for index in 0..<40 {
            var line = Self.good.replacingOccurrences(of: "c1", with: "c\(index)")
            if kind != "one user" { line = line.replacingOccurrences(of: "u1", with: "u\(index)") }
            if kind == "without votes" {
                line = line.replacingOccurrences(of: #","is_liked":true"#, with: "")
                    .replacingOccurrences(of: #","is_disliked":true"#, with: "")
            }
            if kind == "all equal" { line = line.replacingOccurrences(of: "is_disliked", with: "is_liked") }
            log += line + "\n"
        }
        let result = try LoamProcess.run([
            "improve", "--log", try folder.write(log, to: "log.jsonl"), "--from", "loam", "--model",
            "Models/loam-sample",
            "--out", folder("run"), "--registry", folder("registry"),
        ])
        #expect(result.status == 2, "\(result.errors)")
        let last = try #require(result.errors.split(separator: "\n").last)
        #expect(last.contains(expected) && last.contains("log.jsonl"), "\(last)")
    }
}
