import Conversations
import Foundation
import Testing

/// `loam chat` as a person types it, with the bundled model and a real store.
@Suite("Terminal chat")
struct TerminalChats {
    @Test("thumbs, reasons, a correction and its taking back land in the store as the session says")
    func wholeChat() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-chat-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = folder.appending(path: "chats.sqlite").path
        let result = try LoamProcess.run(
            ["chat", "--model", "Models/loam-sample", "--store", store, "--seed", "3"],
            input: """
                /good
                hello there
                /bad off topic
                you could have said hello back
                how are you ?
                /good
                /undo
                /godo
                what do you like ?
                /say i like walking by the river
                /quit

                """)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("There is no reply to judge yet."))
        #expect(result.output.contains("Taken back."))
        #expect(result.output.contains("There is no /godo. /good"))

        let log = folder.appending(path: "out")
        let export = try LoamProcess.run(["export", "--to", "loam", "--store", store, "--out", log.path])
        #expect(export.status == 0, "\(export.errors)")
        let files = try FileManager.default.contentsOfDirectory(at: log, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "jsonl" }
        let lines = try files.flatMap { try String(contentsOf: $0, encoding: .utf8).split(separator: "\n") }
        #expect(lines.count == 1)
        let line = String(lines.first ?? "")
        // The correction is feedback on the reply and no turn of the conversation.
        #expect(line.contains("\"is_dislike_feedback\":true"))
        #expect(line.contains("you could have said hello back"))
        #expect(line.contains("i like walking by the river"))
        #expect(line.contains("off_topic"))
        #expect(!line.contains("/godo"), "a mistyped command is not said to the bot")
        // The one like was taken back.
        #expect(!line.contains("\"is_liked\":true"))
        #expect(!line.contains("\"rating\":1"))
    }

    @Test("the bot that ships says its replies as flags wish, whatever its modules' style would")
    func drawing() throws {
        let folder = try TemporaryFolder()
        func reply(_ more: [String]) throws -> String {
            let result = try LoamProcess.run(
                ["chat", "--model", "Models/loam-base", "--no-memory", "--store", folder("\(UUID()).sqlite")]
                    + ["--temperature", "0"] + more,
                input: "Hi! How are you today?\n/quit\n")
            #expect(result.status == 0, "\(result.errors)")
            let line = result.output.split(separator: "\n").first { $0.contains("bot> ") }
            return line.map { String($0.split(separator: "bot> ", maxSplits: 1).last ?? "") } ?? ""
        }
        let (whole, short) = (try reply([]), try reply(["--max-tokens", "3"]))
        #expect(!short.isEmpty && short.count < whole.count && whole.hasPrefix(short), "\(whole) | \(short)")
    }

    @Test("memories last across chats, are shown with their source, edited and erased; the inside of a turn is shown")
    func memories() throws {
        let folder = try TemporaryFolder()
        let store = folder("chats.sqlite")
        func chat(_ lines: String...) throws -> String {
            let result = try LoamProcess.run(
                ["chat", "--model", "Models/loam-sample", "--store", store, "--look-inside"],
                input: lines.joined(separator: "\n") + "\n")
            #expect(result.status == 0, "\(result.errors)")
            return result.output
        }
        let first = try chat("i have a dog .", "/memory", "/quit")
        #expect(first.contains("| module vrm by loam-sample"))
        #expect(first.contains("1. you: I have a dog. (from m0 of t-"))
        let second = try chat(
            "/memory 1 I have two dogs", "/memory", "/forget 2", "/forget all", "/memory", "/look", "/quit")
        #expect(second.contains("1. you: I have two dogs"))
        #expect(second.contains("There is no memory 2.") && second.contains("All forgotten."))
        #expect(second.contains("Nothing is remembered.") && second.contains("There is no reply to look into yet."))
    }

    @Test("own documents are indexed, unchanged ones passed over, gone ones taken out")
    func index() throws {
        let folder = try TemporaryFolder()
        let documents = folder.url.appending(path: "docs")
        try FileManager.default.createDirectory(at: documents, withIntermediateDirectories: true)
        try Data("# Tea\nPour hot water.".utf8).write(to: documents.appending(path: "tea.md"))
        try Data([0xFF]).write(to: documents.appending(path: "bad.txt"))
        func index() throws -> String {
            let result = try LoamProcess.run(["index", documents.path, "--store", folder("s.sqlite")])
            #expect(result.status == 0, "\(result.errors)")
            return result.output
        }
        #expect(try index().hasPrefix("1 indexed, 0 unchanged, 0 removed, 1 skipped"))
        #expect(try index().hasPrefix("0 indexed, 1 unchanged, 0 removed, 1 skipped"))
        try FileManager.default.removeItem(at: documents.appending(path: "tea.md"))
        #expect(try index().hasPrefix("0 indexed, 0 unchanged, 1 removed, 1 skipped"))
        #expect(try LoamProcess.run(["index", folder("none")]).status == 2)
    }
}
