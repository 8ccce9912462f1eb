import Foundation

/// Where a store is, as people write it: a file, `postgres://…`, or `none` for one that keeps nothing.
public enum StoreLocation: Sendable, Hashable {
    /// An SQLite file.
    case file(String)
    /// A PostgreSQL database.
    case postgres(String)
    /// Conversations live in memory and end with the process; nothing reaches a disk.
    case memory

    public init(_ text: String) {
        if text == "none" {
            self = .memory
        } else if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            self = .postgres(text)
        } else {
            self = .file(text)
        }
    }

    /// As people write it; of a PostgreSQL database perhaps with a password in it.
    public var text: String {
        switch self {
        case .file(let path): path
        case .postgres(let address): address
        case .memory: "none"
        }
    }

    /// The store for messages: of a PostgreSQL database without user, password and options.
    public var name: String {
        switch self {
        case .file(let path): path
        case .postgres(let address): PostgresStore.name(of: address)
        case .memory: "none"
        }
    }

    /// Opens the store, or makes a new one; an older one is brought up to date.
    /// - Parameter load: How much is written at once; a PostgreSQL server has its own memory for that.
    public func open(for load: WriteLoad = .turns, now: @escaping @Sendable () -> Date = { Date() })
        async throws(StorageError) -> any ConversationStore
    {
        switch self {
        case .file(let path): try SQLiteStore(at: URL(filePath: path), load: load, now: now)
        case .postgres(let address): try await PostgresStore(at: address, now: now)
        case .memory: try SQLiteStore(now: now)
        }
    }

    /// Opens a store that must be there already.
    public func openExisting() async throws(StorageError) -> any ConversationStore {
        if case .file(let path) = self, !FileManager.default.fileExists(atPath: path) {
            throw StorageError(.unavailable, file: path, reason: "no such file")
        }
        return try await open()
    }
}
