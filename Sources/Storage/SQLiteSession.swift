import Foundation
import GRDB
import GRDBSQLite

/// Statements on one SQLite connection. Values are bound without a detour: this runs for every message of a log.
final class SQLiteSession: SQLSession {
    private let database: Database

    var lockingClause: String { "" }

    init(_ database: Database) { self.database = database }

    func query(_ sql: String, _ arguments: [SQLValue], _ row: (any SQLRow) throws -> Void) throws {
        let statement = try database.cachedStatement(sql: sql).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in arguments.enumerated() { try bind(value, at: Int32(index + 1), of: statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try row(SQLiteRow(statement: statement))
            case SQLITE_DONE: return
            default: throw fault()
            }
        }
    }

    func insert(into target: String, columns: Int, values: [SQLValue]) throws {
        guard !values.isEmpty else { return }
        let marks = (1...columns).map { "?\($0)" }.joined(separator: ", ")
        let statement = try database.cachedStatement(sql: "INSERT INTO \(target) VALUES (\(marks))").sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        var at = 0
        while at < values.count {
            for column in 0..<columns { try bind(values[at + column], at: Int32(column + 1), of: statement) }
            guard sqlite3_step(statement) == SQLITE_DONE, sqlite3_reset(statement) == SQLITE_OK else { throw fault() }
            at += columns
        }
    }

    private func bind(_ value: SQLValue, at index: Int32, of statement: OpaquePointer) throws {
        // SQLite copies the bytes before the call returns.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let status: Int32
        switch value {
        case .null: status = sqlite3_bind_null(statement, index)
        case .int(let value): status = sqlite3_bind_int64(statement, index, value)
        case .double(let value): status = sqlite3_bind_double(statement, index, value)
        case .text(var text):
            status = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    guard let base = $0.baseAddress else { return sqlite3_bind_text(statement, index, "", 0, nil) }
                    return sqlite3_bind_text(statement, index, base, Int32($0.count), copied)
                }
            }
        case .json(let bytes), .blob(let bytes):
            status = bytes.withUnsafeBytes {
                $0.isEmpty
                    ? sqlite3_bind_zeroblob(statement, index, 0)
                    : sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), copied)
            }
        }
        guard status == SQLITE_OK else { throw fault() }
    }

    private func fault() -> DatabaseError {
        let connection = database.sqliteConnection
        return DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: sqlite3_errmsg(connection).map { String(cString: $0) })
    }
}

private struct SQLiteRow: SQLRow {
    let statement: OpaquePointer

    func isNull(_ column: Int) -> Bool { sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL }
    func int(_ column: Int) -> Int { Int(sqlite3_column_int64(statement, Int32(column))) }
    func double(_ column: Int) -> Double { sqlite3_column_double(statement, Int32(column)) }

    func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(statement, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func blob(_ column: Int) -> [UInt8] { bytes(column) }

    func bytes(_ column: Int) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, Int32(column)) else { return [] }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
