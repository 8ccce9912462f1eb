import Conversations
import Foundation
import GRDB

/// A store in one SQLite file (with its `-wal` and `-shm` beside it while it is open).
///
/// Several processes may use the same file: readers never wait, writers wait for each other up to a time-out. A write
/// that has returned survives the end of the process and of the machine's power.
public struct SQLiteStore: ConversationStore {
    /// The store's path, for messages.
    let file: String
    let database: any DatabaseWriter
    let now: @Sendable () -> Date

    /// Opens a store, or makes a new one; an older one is brought up to date.
    ///
    /// `busyTimeout` is how long a write waits for another process, in seconds.
    public init(
        at url: URL, busyTimeout: TimeInterval = 10, now: @escaping @Sendable () -> Date = { Date() }
    ) throws(StorageError) {
        file = url.relativePath
        self.now = now
        do {
            try Self.checkFile(url, busyTimeout: busyTimeout)
            database = try DatabasePool(path: url.path, configuration: Self.configuration(busyTimeout))
            // The pool lowers this on opening; a vote that was acknowledged must survive a power cut too.
            try database.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
            try Self.migrate(database, file: file)
        } catch {
            throw StorageError(error, file: url.relativePath)
        }
    }

    /// A store that lives in memory and ends with the value: for trying things out and for tests.
    public init(now: @escaping @Sendable () -> Date = { Date() }) throws(StorageError) {
        file = "memory"
        self.now = now
        do {
            database = try DatabaseQueue(configuration: Self.configuration(1))
            try Self.migrate(database, file: file)
        } catch {
            throw StorageError(error, file: "memory")
        }
    }

    private static func configuration(_ busyTimeout: TimeInterval) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { db in
            // What is deleted is overwritten, not only forgotten.
            try db.execute(sql: "PRAGMA secure_delete = ON")
        }
        return configuration
    }

    /// Looks at a file before anything is written to it: opening a stranger's database would change it.
    private static func checkFile(_ url: URL, busyTimeout: TimeInterval) throws {
        let file = url.relativePath
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            let folder = url.deletingLastPathComponent()
            guard FileManager.default.fileExists(atPath: folder.path) else {
                throw StorageError(.unavailable, file: file, reason: "its folder does not exist")
            }
            return
        }
        if isDirectory.boolValue {
            throw StorageError(.unavailable, file: file, reason: "is a directory, expected a file")
        }
        let handle = try FileHandle(forReadingFrom: url)
        defer { try? handle.close() }
        let head = try handle.read(upToCount: 16) ?? Data()
        if head.isEmpty { return }
        guard head == Data("SQLite format 3\0".utf8) else {
            throw StorageError(.notADatabase, file: file, reason: "not a database")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(busyTimeout)
        try DatabaseQueue(path: url.path, configuration: configuration).read { db in
            let id = try Int32.fetchOne(db, sql: "PRAGMA application_id")
            let hasTables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0 > 0
            if hasTables, id != StoreSchema.applicationID {
                throw StorageError(.notAStore, file: file, reason: "a database, but not a store of Loam")
            }
        }
    }

    private static func migrate(_ database: any DatabaseWriter, file: String) throws {
        let migrator = StoreSchema.migrator
        if try database.read(migrator.hasBeenSuperseded) {
            throw StorageError(
                .newerSchema, file: file,
                reason: "written by a newer version of Loam; use that version, or another store")
        }
        try migrator.migrate(database)
    }

    /// Runs `body` in a transaction that may write, and gives its errors in the store's words.
    func write<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        do {
            return try await database.write(body)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw StorageError(error, file: file)
        }
    }

    func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        do {
            return try await database.read(body)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw StorageError(error, file: file)
        }
    }

    // MARK: Reading

    public func conversation(id: String) async throws -> Conversation? {
        try await read { db in try StoredRows.conversations(db, where: "id = ?", [id]).first }
    }

    public func conversations(of userID: String) async throws -> [Conversation] {
        try await read { db in try StoredRows.conversations(db, where: "userID = ? ORDER BY id", [userID]) }
    }

    public func page(after id: String?, limit: Int, consent: Consent, since: Date?) async throws -> [Conversation] {
        try await read { db in
            try StoredRows.conversations(
                db,
                where:
                    "(?1 IS NULL OR id > ?1) AND consent >= ?2 AND (?3 IS NULL OR changedAt >= ?3) ORDER BY id LIMIT ?4",
                [id, StoredRows.number(consent), since?.timeIntervalSince1970, limit])
        }
    }

    public func feedbackHistory(of messageID: String, in conversationID: String) async throws -> [FeedbackEvent] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT action, body, recordedAt FROM feedbackEvent WHERE conversationID = ? AND messageID = ? ORDER BY id",
                arguments: [conversationID, messageID]
            ).map { row in
                FeedbackEvent(
                    action: FeedbackEvent.Action(rawValue: row["action"]) ?? .given,
                    feedback: try Feedback(jsonText: Array(row["body"] as Data)),
                    recordedAt: Date(timeIntervalSince1970: row["recordedAt"]))
            }
        }
    }

    public func counts() async throws -> StoreCounts {
        try await read { db in
            func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: sql) ?? 0 }
            return StoreCounts(
                conversations: try count("SELECT count(*) FROM conversation"),
                messages: try count("SELECT count(*) FROM message"),
                feedback: try count("SELECT count(*) FROM feedback"),
                likes: try count("SELECT count(*) FROM feedback WHERE rating = 1"),
                dislikes: try count("SELECT count(*) FROM feedback WHERE rating = -1"),
                users: try count(
                    "SELECT count(*) FROM (SELECT userID FROM conversation UNION SELECT userID FROM feedback)"))
        }
    }

    public func users() async throws -> [StoredUser] {
        try await read { db in
            let sql = """
                SELECT userID, sum(conversations) AS conversations, sum(likes) AS likes, sum(dislikes) AS dislikes FROM (
                    SELECT userID, 1 AS conversations, 0 AS likes, 0 AS dislikes FROM conversation
                    UNION ALL
                    SELECT userID, 0, ifnull(rating = 1, 0), ifnull(rating = -1, 0) FROM feedback
                ) GROUP BY userID ORDER BY userID
                """
            return try Row.fetchAll(db, sql: sql).map { row in
                StoredUser(
                    id: row["userID"], conversations: row["conversations"], likes: row["likes"],
                    dislikes: row["dislikes"])
            }
        }
    }
}
