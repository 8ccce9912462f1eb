import Conversations
import Foundation
import Storage
import Testing

@testable import Improvement

@Suite("Logs into the store")
struct LogImporterTests {
    private func log(_ conversations: [Conversation]) throws -> URL {
        let file = FileManager.default.temporaryDirectory.appending(path: "loam-import-\(UUID().uuidString).jsonl")
        try Data(conversations.map { $0.jsonLine + "\n" }.joined().utf8).write(to: file)
        return file
    }

    @Test("a consent that was withdrawn since takes away what is held, and counts as none")
    func withdrawn() async throws {
        func chat(_ id: String, _ consent: Consent) -> Conversation {
            Conversation(
                id: id, userID: "u-\(id)",
                messages: [
                    Message(id: "1", sender: .human, text: "hi"),
                    Message(
                        id: "2", sender: .bot, text: "hello", feedback: [Feedback(userID: "u-\(id)", rating: .like)]),
                ], consent: consent)
        }
        let store = try SQLiteStore()
        let importer = LogImporter(format: .loam)
        let first = try log([chat("a", .improve), chat("b", .improve), chat("c", .none)])
        defer { try? FileManager.default.removeItem(at: first) }
        let before = try await importer.importing(first, into: store)
        #expect((before.kept, before.messages, before.likes, before.people.count) == (2, 4, 2, 2))
        #expect(before.reasons == ["no consent": 1])
        let second = try log([chat("a", .none), chat("b", .improve)])
        defer { try? FileManager.default.removeItem(at: second) }
        let after = try await importer.importing(second, into: store)
        #expect((after.kept, after.messages, after.likes) == (1, 2, 1))
        #expect(after.people == ["u-b"] && after.reasons == ["no consent": 1])
        #expect(try await store.conversation(id: "a") == nil)
        #expect(try await store.counts().messages == 2)
    }

    @Test("a later line of the same file takes consent back, however the file is read", arguments: [false, true])
    func withdrawnInOneFile(isStrict: Bool) async throws {
        func chat(_ consent: Consent) -> Conversation {
            Conversation(
                id: "a", userID: "u", messages: [Message(id: "1", sender: .human, text: "hi")], consent: consent)
        }
        let store = try SQLiteStore()
        let file = try log([chat(.improve), chat(.none)])
        defer { try? FileManager.default.removeItem(at: file) }
        let counts = try await LogImporter(format: .loam, isStrict: isStrict).importing(file, into: store)
        #expect(counts.reasons == ["no consent": 1])
        #expect(try await store.conversation(id: "a") == nil)
        // The first line is of what was deleted, what came after the second is a repetition: neither brings it back.
        let longer = try log([chat(.improve), chat(.none), chat(.improve), chat(.none)])
        defer { try? FileManager.default.removeItem(at: longer) }
        let again = try await LogImporter(format: .loam).importing(longer, into: store)
        #expect(again.reasons == ["conversation was deleted": 1, "no consent": 1, "duplicate": 2])
        #expect(try await store.conversation(id: "a") == nil)
    }

    @Test("a conversation that was deleted since is passed over, and counted")
    func deletedSince() async throws {
        let chats = ["a", "b", "c"].map {
            Conversation(id: $0, userID: "u", messages: [Message(id: "1", sender: .human, text: "hi")])
        }
        let store = try SQLiteStore()
        let importer = LogImporter(format: .loam)
        let file = try log(chats)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try await importer.importing(file, into: store).kept == 3)
        try await store.delete(conversationID: "a")
        try await store.setConsent(.none, conversationID: "b")
        let again = try await importer.importing(file, into: store)
        #expect(again.kept == 1 && again.reasons == ["conversation was deleted": 2])
        #expect(try await store.counts().conversations == 1)
        // Whose person allows it again is imported again.
        try await store.save(chats[1])
        #expect(try await importer.importing(file, into: store).reasons == ["conversation was deleted": 1])
    }
}
