import Conversations
import Foundation
import GRDB
import Storage
import Testing

/// The store as a file: crashes, other writers, other files, other versions.
@Suite("The store's file")
struct StoreFileTests {
    @Test("what a write has returned from is in the files, whatever becomes of the process")
    func durability() async throws {
        let folder = try StoreFolder()
        let store = try folder.store()
        try await store.save((0..<50).map { chat("c\($0)", of: "u") })
        try await store.setFeedback(Feedback(userID: "u", rating: .like), on: "2", in: "c7")
        // The files as a kill at this moment would leave them: the store is open, nothing is closed or moved together.
        let image = folder.url.appending(path: "after-the-kill.sqlite")
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: folder.file.path + suffix, toPath: image.path + suffix)
        }
        let after = try folder.store(at: image)
        #expect(try await after.counts().conversations == 50)
        #expect(try await after.conversation(id: "c7")?.messages[1].feedback.first?.rating == .like)
        #expect(try await store.counts() == after.counts())
        // A journal that was torn in the middle of its last transaction loses that one and nothing else.
        let torn = folder.url.appending(path: "torn.sqlite")
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: folder.file.path + suffix, toPath: torn.path + suffix)
        }
        let journal = try FileHandle(forUpdating: URL(filePath: torn.path + "-wal"))
        let size = try journal.seekToEnd()
        try journal.truncate(atOffset: size - 100)
        try journal.close()
        let rest = try folder.store(at: torn)
        #expect(try await rest.counts().conversations == 50)
        #expect(try await rest.counts().likes == 0)
    }

    @Test("a locked store: one clear error after the time-out, and it works again afterwards")
    func locked() async throws {
        let folder = try StoreFolder()
        let store = try folder.store(busyTimeout: 0.2)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: folder.file.path, configuration: configuration)
        try await other.writeWithoutTransaction { db in try db.execute(sql: "BEGIN IMMEDIATE") }
        let start = ContinuousClock.now
        let error = await #expect(throws: StorageError.self) { try await store.save(chat("c", of: "u")) }
        #expect(error?.code == .locked)
        #expect(error?.isInputAtFault == false)
        #expect(
            error?.description
                == "\(folder.file.relativePath): locked by another process; try again when it has finished")
        #expect(ContinuousClock.now - start < .seconds(4))
        #expect(try await store.counts().conversations == 0)
        try await other.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
        try await store.save(chat("c", of: "u"))
        #expect(try await store.counts().conversations == 1)
    }

    @Test("the files of a new store are its owner's alone; those of an older one stay as they are")
    func modes() async throws {
        func bits(of file: URL) throws -> [Int?] {
            try ["", "-wal", "-shm"].map {
                let attributes = try FileManager.default.attributesOfItem(atPath: file.path + $0)
                return (attributes[.posixPermissions] as? NSNumber)?.intValue
            }
        }
        let folder = try StoreFolder()
        let store = try folder.store()
        try await store.save(chat("c", of: "u"))
        #expect(try bits(of: folder.file) == [0o600, 0o600, 0o600])
        let older = folder.url.appending(path: "older.sqlite")
        try Data().write(to: older)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: older.path)
        let other = try folder.store(at: older)
        try await other.save(chat("c", of: "u"))
        #expect(try bits(of: older) == [0o640, 0o640, 0o640])
        // Both are open until here: the files beside a store go when it is closed.
        for one in [store, other] { #expect(try await one.counts().conversations == 1) }
    }

    @Test("files that are no store are refused by name and left as they are")
    func otherFiles() async throws {
        let folder = try StoreFolder()
        func code(of file: URL) -> StorageError.Code? {
            #expect(throws: StorageError.self) { try folder.store(at: file) }?.code
        }
        let text = folder.url.appending(path: "notes.txt")
        try Data("these are notes, longer than a head".utf8).write(to: text)
        #expect(code(of: text) == .notADatabase)
        let short = folder.url.appending(path: "short")
        try Data("x".utf8).write(to: short)
        #expect(code(of: short) == .notADatabase)
        let damaged = folder.url.appending(path: "damaged.sqlite")
        try (Data("SQLite format 3\0".utf8) + Data(repeating: 7, count: 5000)).write(to: damaged)
        #expect(code(of: damaged) == .notADatabase)
        #expect(code(of: folder.url) == .unavailable)
        #expect(code(of: folder.url.appending(path: "none/store.sqlite")) == .unavailable)
        let stranger = folder.url.appending(path: "stranger.sqlite")
        try await DatabaseQueue(path: stranger.path).write { db in try db.execute(sql: "CREATE TABLE song (title TEXT)")
        }
        let before = try Data(contentsOf: stranger)
        #expect(code(of: stranger) == .notAStore)
        #expect(try Data(contentsOf: stranger) == before)
        let empty = folder.url.appending(path: "empty.sqlite")
        try Data().write(to: empty)
        #expect(try await folder.store(at: empty).counts().conversations == 0)
    }

    @Test("a store of an older version is brought up to date with all that is in it")
    func olderVersion() async throws {
        let folder = try StoreFolder()
        // As the first version made it, here with what that kept: bodies in the words of the log.
        var migrator = DatabaseMigrator()
        let names = ["1 conversations, messages, feedback", "2 deleted people"]
        migrator.registerMigration(names[0]) { db in
            try db.execute(sql: Self.firstTables)
        }
        let queue = try DatabaseQueue(path: folder.file.path)
        try migrator.migrate(queue)
        var given = (0..<3).map { chat("c\($0)", of: "u\($0 % 2)", consent: $0 == 1 ? .release : .improve) }
        let vote = Feedback(userID: "v", rating: .dislike, comment: "hm")
        let bare = given
        try await queue.write { db in
            for conversation in bare.reversed() {
                var empty = conversation
                empty.messages = []
                try db.execute(
                    sql: "INSERT INTO conversation VALUES (?, ?, ?, 1700000000, ?)",
                    arguments: [
                        conversation.id, conversation.userID, conversation.consent == .release ? 2 : 1,
                        Data(empty.jsonLine.utf8),
                    ])
                for (place, message) in conversation.messages.enumerated().reversed() {
                    try db.execute(
                        sql: "INSERT INTO message VALUES (?, ?, ?, ?)",
                        arguments: [
                            conversation.id, message.id, place, Data(message.jsonText(userID: conversation.userID)),
                        ])
                }
            }
            try db.execute(
                sql: "INSERT INTO feedback VALUES ('c1', '2', 'v', -1, ?)", arguments: [Data(vote.jsonText)])
            try db.execute(
                sql: "INSERT INTO feedbackEvent VALUES (7, 'c1', '2', 'v', 'given', ?, 1700000000)",
                arguments: [Data(vote.jsonText)])
        }
        let store = try folder.store()
        given[1].messages[1].feedback = [vote]
        #expect(try await store.all() == given)
        #expect(try await store.feedbackHistory(of: "2", in: "c1").map(\.feedback) == [vote])
        #expect(try await store.check().isEmpty)
        try await store.delete(userID: "u1")
        #expect(try await store.all().map(\.id) == ["c0", "c2"])
        #expect(try await store.save([chat("c1", of: "u1")]).deletedPerson == 1)
        #expect(try await store.save([chat("c3", of: "u1", startedAt: folder.now + 1)]).added == 1)
        try await store.delete(conversationID: "c0")
        #expect(try await store.saveFromLog([chat("c0", of: "u0")]).deletedConversation == 1)
    }

    private static let firstTables = """
        PRAGMA application_id = 1282367853;
        CREATE TABLE conversation (
            id TEXT NOT NULL PRIMARY KEY, userID TEXT NOT NULL, consent INTEGER NOT NULL, changedAt REAL NOT NULL,
            body BLOB NOT NULL
        );
        CREATE INDEX conversationUser ON conversation(userID);
        CREATE TABLE message (
            conversationID TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE, id TEXT NOT NULL,
            position INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (conversationID, id)
        );
        CREATE TABLE feedback (
            conversationID TEXT NOT NULL, messageID TEXT NOT NULL, userID TEXT NOT NULL, rating INTEGER,
            body BLOB NOT NULL, PRIMARY KEY (conversationID, messageID, userID),
            FOREIGN KEY (conversationID, messageID) REFERENCES message(conversationID, id) ON DELETE CASCADE
        );
        CREATE INDEX feedbackUser ON feedback(userID);
        CREATE TABLE feedbackEvent (
            id INTEGER PRIMARY KEY AUTOINCREMENT, conversationID TEXT NOT NULL, messageID TEXT NOT NULL,
            userID TEXT NOT NULL, action TEXT NOT NULL, body BLOB NOT NULL, recordedAt REAL NOT NULL,
            FOREIGN KEY (conversationID, messageID) REFERENCES message(conversationID, id) ON DELETE CASCADE
        );
        CREATE INDEX feedbackEventMessage ON feedbackEvent(conversationID, messageID);
        CREATE INDEX feedbackEventUser ON feedbackEvent(userID);
        """

    @Test("a store of a newer version is refused")
    func newerVersion() async throws {
        let folder = try StoreFolder()
        try await folder.store().save(chat("c", of: "u"))
        try await DatabaseQueue(path: folder.file.path).write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 things to come')")
        }
        let error = #expect(throws: StorageError.self) { try folder.store() }
        #expect(error?.code == .newerSchema)
    }

    @Test("a damaged record is an error that names it, not a crash")
    func damagedRecord() async throws {
        let folder = try StoreFolder()
        let store = try folder.store()
        try await store.save(chat("c", of: "u"))
        try await DatabaseQueue(path: folder.file.path).write { db in
            try db.execute(sql: "UPDATE message SET body = x'7B7D' WHERE id = '2'")
        }
        let error = await #expect(throws: StorageError.self) { try await store.conversation(id: "c") }
        #expect(error?.code == .damagedRecord)
        #expect(error?.reason.contains("message.sender: missing") == true)
        // Among thousands: which one.
        let all = await #expect(throws: StorageError.self) { try await store.all() }
        #expect(all?.reason == "conversation c: a record cannot be read: message.sender: missing")
        let newest = await #expect(throws: StorageError.self) { try await store.newestConversation(of: "u") }
        #expect(newest == all)
        #expect(try await store.check() == ["conversation c: a record cannot be read: message.sender: missing"])
    }
}
