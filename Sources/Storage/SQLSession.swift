import Conversations
import Foundation

/// A value that goes into a statement.
public enum SQLValue: Sendable, Hashable {
    case null
    case int(Int64)
    case double(Double)
    case text(String)
    /// JSON text, UTF-8.
    case json([UInt8])
    /// Bytes that are no text.
    case blob([UInt8])

    init(_ value: Int) { self = .int(Int64(value)) }
    init(_ value: Double?) { self = value.map(SQLValue.double) ?? .null }
    init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
}

/// One row of an answer; columns count from 0. Valid only while it is handed over.
public protocol SQLRow {
    func isNull(_ column: Int) -> Bool
    func int(_ column: Int) -> Int
    func double(_ column: Int) -> Double
    func text(_ column: Int) -> String
    /// The bytes of JSON text.
    func bytes(_ column: Int) -> [UInt8]
    /// Bytes that are no text.
    func blob(_ column: Int) -> [UInt8]
}

extension SQLRow {
    func textIfAny(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
    func doubleIfAny(_ column: Int) -> Double? { isNull(column) ? nil : double(column) }
}

/// One connection inside one transaction. All SQL of a store is written once against this; parameters are `?1`, `?2`, …
public protocol SQLSession: AnyObject {
    /// What follows a `SELECT` so that its rows stay as they are until the transaction ends; empty where writers are alone.
    var lockingClause: String { get }
    /// Runs a statement and hands over each row of its answer.
    func query(_ sql: String, _ arguments: [SQLValue], _ row: (any SQLRow) throws -> Void) throws
    /// Adds many rows, the fastest way that the database knows. `target` is a table with the columns to fill, such as
    /// `message (key, id, body)`; `values` holds the rows one after the other. A column gets the same kind of value in
    /// every row, or `null`.
    func insert(into target: String, columns: Int, values: [SQLValue]) throws
}

extension SQLSession {
    func execute(_ sql: String, _ arguments: SQLValue...) throws { try query(sql, arguments) { _ in } }

    /// The first row of an answer, `nil` when there is none.
    func first<R>(_ sql: String, _ arguments: SQLValue..., row: (any SQLRow) throws -> R) throws -> R? {
        var found: R?
        try query(sql, arguments) { if found == nil { found = try row($0) } }
        return found
    }

    func all<R>(_ sql: String, _ arguments: SQLValue..., row: (any SQLRow) throws -> R) throws -> [R] {
        var found: [R] = []
        try query(sql, arguments) { found.append(try row($0)) }
        return found
    }

    /// Rows whose column is one of many keys, asked for a hundred at a time: few statements, each prepared once.
    /// `sql` ends where the list of keys begins.
    func all<R>(_ sql: String, in keys: [String], row: (any SQLRow) throws -> R) throws -> [R] {
        let width = 100
        let list = "(" + (1...width).map { "?\($0)" }.joined(separator: ", ") + ")"
        var found: [R] = []
        var start = 0
        while start < keys.count {
            var chunk = keys[start..<min(start + width, keys.count)].map(SQLValue.text)
            if let last = chunk.last { while chunk.count < width { chunk.append(last) } }
            try query(sql + " " + list, chunk) { found.append(try row($0)) }
            start += width
        }
        return found
    }
}

/// How much of a store a write may touch.
public enum WriteScope: Sendable {
    /// One conversation: such writes may run side by side where the database can.
    case conversation
    /// Anything: alone.
    case store
}

/// A store in some SQL database: it runs transactions, all else is shared.
public protocol SQLStore: OfficeStore, MemoryStore, APIKeyStore {
    /// The store's path or address without any password, for messages.
    var name: String { get }
    var now: @Sendable () -> Date { get }
    /// Runs `body` in a transaction that sees one state of the store. Throws `StorageError`.
    func reading<R: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> R) async throws -> R
    /// Runs `body` in a transaction that is on the disk when this returns, or leaves nothing behind. Throws `StorageError`.
    func writing<R: Sendable>(_ scope: WriteScope, _ body: @escaping @Sendable (any SQLSession) throws -> R)
        async throws -> R
    /// Makes the bytes of what was deleted unreadable, as far as the database can.
    func forgetDeleted() async throws
}
