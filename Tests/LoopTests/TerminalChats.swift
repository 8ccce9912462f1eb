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
                what do you like ?
                /say i like walking by the river
                /quit

                """)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("There is no reply to judge yet."))
        #expect(result.output.contains("Taken back."))

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
        // The one like was taken back.
        #expect(!line.contains("\"is_liked\":true"))
        #expect(!line.contains("\"rating\":1"))
    }
}
