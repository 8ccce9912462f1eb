import Foundation

/// A store in a PostgreSQL database (12 or later), through libpq.
///
/// All tables lie in the first schema of the search path, so several stores can share a database
/// (`postgres://host/db?options=-csearch_path%3Dname`). Many processes may use one store: writes to different conversations
/// run side by side, imports and deletions of people alone. A write that has returned is as safe as the server's
/// `synchronous_commit` makes it, which by default means on the disk.
public struct PostgresStore: SQLStore {
    public let name: String
    public let now: @Sendable () -> Date
    private let pool: PostgresPool

    /// Connects to a store, or makes a new one; an older one is brought up to date.
    ///
    /// - Parameters:
    ///   - address: `postgres://user@host:port/database`; a password is better left to `PGPASSWORD` or `~/.pgpass`.
    ///   - connections: at most so many at once.
    public init(
        at address: String, connections: Int = 8, now: @escaping @Sendable () -> Date = { Date() }
    ) async throws(StorageError) {
        name = Self.name(of: address)
        self.now = now
        // A server that does not answer is a fault after ten seconds, unless the address says otherwise.
        let timed =
            address.contains("connect_timeout")
            ? address : address + (address.contains("?") ? "&" : "?") + "connect_timeout=10"
        pool = PostgresPool(address: timed, limit: connections)
        do {
            let name = name
            try await pool.transaction(writing: true) { try PostgresSchema.migrate($0, store: name) }
        } catch {
            throw StorageError(error, file: name)
        }
    }

    /// The address without user, password and options.
    static func name(of address: String) -> String {
        guard let scheme = address.range(of: "://") else { return "postgres" }
        var rest = address[scheme.upperBound...]
        if let options = rest.firstIndex(of: "?") { rest = rest[..<options] }
        // The last one, wherever it stands: a password may hold an unquoted "/" or "@".
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        // What follows a host is a port. Anything else may be the beginning of a password that holds a "?".
        let host = rest.prefix { $0 != "/" }
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]"),
            !host[host.index(after: colon)...].allSatisfy(\.isNumber)
        {
            return "postgres"
        }
        return "postgres://\(rest)"
    }

    public func reading<R: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> R) async throws -> R {
        do {
            return try await pool.transaction(writing: false) { try body($0) }
        } catch {
            throw StorageError(error, file: name)
        }
    }

    public func writing<R: Sendable>(
        _ scope: WriteScope, _ body: @escaping @Sendable (any SQLSession) throws -> R
    ) async throws -> R {
        do {
            return try await pool.transaction(writing: true) { connection in
                switch scope {
                case .conversation: try PostgresSchema.lock(connection, exclusively: false)
                case .store: try PostgresSchema.lock(connection, exclusively: true)
                }
                return try body(connection)
            }
        } catch {
            throw StorageError(error, file: name)
        }
    }

    /// PostgreSQL gives the room of deleted rows to new ones after its next vacuum, which runs by itself; bytes in its
    /// journal and in backups are the operator's to expire.
    public func forgetDeleted() async throws {}
}
