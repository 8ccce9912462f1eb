import Conversations
import Foundation
import GRDB

/// A store in one SQLite file (with its `-wal` and `-shm` beside it while it is open).
///
/// Several processes may use the same file: readers never wait, writers wait for each other up to a time-out. A write
/// that has returned survives the end of the process and of the machine's power.
/// A new file may be read by its owner only.
public struct SQLiteStore: SQLStore {
    /// The store's path, for messages.
    public let name: String
    let database: any DatabaseWriter
    public let now: @Sendable () -> Date

    /// Opens a store, or makes a new one; an older one is brought up to date.
    ///
    /// - Parameters:
    ///   - load: How much is written at once.
    ///   - busyTimeout: How long a write waits for another process, in seconds.
    public init(
        at url: URL, load: WriteLoad = .turns, busyTimeout: TimeInterval = 10,
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws(StorageError) {
        name = url.relativePath
        self.now = now
        do {
            try Self.checkFile(url, busyTimeout: busyTimeout)
            database = try DatabasePool(path: url.path, configuration: Self.configuration(busyTimeout))
            try database.writeWithoutTransaction { db in
                // The pool lowers this on opening; a vote that was acknowledged must survive a power cut too.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                // Pages are moved from the journal into the file every 64 MB: each is then written twice and not many times.
                try db.execute(
                    sql: "PRAGMA cache_size = -\(load.pageCacheBytes / 1024); PRAGMA wal_autocheckpoint = 16384")
            }
            try Self.migrate(database, file: name)
        } catch {
            throw StorageError(error, file: url.relativePath)
        }
    }

    /// A store that lives in memory and ends with the value: for trying things out and for tests.
    public init(now: @escaping @Sendable () -> Date = { Date() }) throws(StorageError) {
        name = "memory"
        self.now = now
        do {
            database = try DatabaseQueue(configuration: Self.configuration(1))
            try Self.migrate(database, file: name)
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
            makePrivate(url)
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

    /// Makes the file of a new store before SQLite does, which would leave it to the process's umask who may read what
    /// people said; `-wal` and `-shm` take the mode of the file. Never over a file that is there: its mode is the
    /// operator's.
    private static func makePrivate(_ url: URL) {
        let descriptor = url.path.withCString { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
        // What prevents it prevents SQLite too, which says why.
        if descriptor >= 0 { close(descriptor) }
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

    var file: String { name }

    /// Runs `body` in a transaction that may write, on the database itself.
    func write<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        do {
            return try await database.write(body)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw StorageError(error, file: name)
        }
    }

    func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        do {
            return try await database.read(body)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw StorageError(error, file: name)
        }
    }

    public func writing<R: Sendable>(
        _ scope: WriteScope, _ body: @escaping @Sendable (any SQLSession) throws -> R
    ) async throws -> R {
        // SQLite has one writer at a time, whatever the scope.
        try await write { try body(SQLiteSession($0)) }
    }

    public func reading<R: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> R) async throws -> R {
        try await read { try body(SQLiteSession($0)) }
    }

    /// Moves the journal into the file and empties it, so that nothing deleted is left in it. While another process reads,
    /// that cannot be done; the next one to close the store does it.
    public func forgetDeleted() async throws {
        do {
            _ = try await database.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {
            return
        } catch {
            throw StorageError(error, file: name)
        }
    }

    /// SQLite's own look at the file's pages, then that of every store.
    public func check() async throws -> [String] {
        let pages: [String]
        do {
            pages = try await database.read { db in
                try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
            }
        } catch {
            throw StorageError(error, file: name)
        }
        return pages + (try await checkRows())
    }
}
