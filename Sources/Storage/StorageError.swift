import Conversations
import GRDB

/// Why a store cannot be opened, or cannot do what it was asked.
///
/// Says which file and what is wrong; never what was being stored, which may be private.
public struct StorageError: InputFault, Sendable, Hashable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// Another process kept the store locked for longer than the time-out.
        case locked
        /// The file is not a database, or is damaged.
        case notADatabase = "not_a_database"
        /// The file is a database, but not one of Loam.
        case notAStore = "not_a_store"
        /// A newer version of Loam wrote it.
        case newerSchema = "newer_schema"
        /// The file cannot be opened or written.
        case unavailable
        /// No such conversation or message.
        case notFound = "not_found"
        /// Something else is already there under that id.
        case conflict
        /// The server does not answer, or went away.
        case unreachable
        /// A record of the store cannot be read.
        case damagedRecord = "damaged_record"
        /// The database failed: a full disk, for instance.
        case failed
    }

    public var code: Code
    /// The store's path.
    public var file: String
    public var reason: String

    public init(_ code: Code, file: String, reason: String) {
        self.code = code
        self.file = file
        self.reason = reason
    }

    public var isInputAtFault: Bool {
        switch code {
        case .notADatabase, .notAStore, .newerSchema, .unavailable, .notFound, .conflict: true
        case .locked, .unreachable, .damagedRecord, .failed: false
        }
    }

    public var description: String { "\(file): \(reason)" }

    /// Any error that came out of the database, in the store's words.
    init(_ error: any Error, file: String) {
        switch error {
        case let error as StorageError: self = error
        case let error as LogError:
            self.init(
                .damagedRecord, file: file, reason: "a record cannot be read: \(error.field ?? ""): \(error.reason)")
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                self.init(.locked, file: file, reason: "locked by another process; try again when it has finished")
            case .SQLITE_NOTADB, .SQLITE_CORRUPT:
                self.init(.notADatabase, file: file, reason: "not a database, or damaged (\(error.message ?? ""))")
            case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
                self.init(.unavailable, file: file, reason: "cannot be opened for writing (\(error.message ?? ""))")
            default:
                self.init(
                    .failed, file: file,
                    reason: "\(error.message ?? "failed") (SQLite \(error.extendedResultCode.rawValue))")
            }
        case let error as PostgresError: self.init(error, file: file)
        default: self.init(.failed, file: file, reason: "\(error)")
        }
    }

    private init(_ error: PostgresError, file: String) {
        switch error.sqlState {
        // The lock's time-out, a deadlock, a server with no connection left.
        case "55P03", "40P01", "53300":
            self.init(.locked, file: file, reason: "locked by another process; try again when it has finished")
        case "3D000", "28000", "28P01", "42501":
            self.init(.unavailable, file: file, reason: "cannot be opened (\(error.message))")
        // A text that no database takes.
        case "22021": self.init(.conflict, file: file, reason: error.message)
        case _ where error.isDisconnection:
            self.init(.unreachable, file: file, reason: "the server cannot be reached (\(error.message))")
        default:
            self.init(.failed, file: file, reason: "\(error.message) (PostgreSQL \(error.sqlState))")
        }
    }
}
