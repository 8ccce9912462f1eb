import CPostgres
import Foundation

/// What PostgreSQL, or the way to it, had to say.
struct PostgresError: Error, Sendable {
    /// Five characters; empty when the connection itself failed, but for one that a password would have opened.
    var sqlState: String
    var message: String
    /// The connection is gone: what was under way may or may not have happened, and nothing of it was acknowledged.
    var isDisconnection: Bool
}

/// One connection to a PostgreSQL server, used by one thread at a time.
///
/// Statements are prepared once per connection; texts and numbers travel as text, bulk rows as binary COPY.
final class PostgresConnection: SQLSession, @unchecked Sendable {
    private let handle: OpaquePointer
    private var prepared: [String: String] = [:]
    /// Whether the transaction under way may write.
    private(set) var isWriting = false

    /// Connects, and waits for that as long as the address says (`connect_timeout`).
    init(address: String) throws {
        guard let handle = PQconnectdb(address) else {
            throw PostgresError(sqlState: "", message: "no memory for a connection", isDisconnection: true)
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            var fault = PostgresConnection.fault(handle, nil)
            // libpq has no state while connecting. But a server that asked for a password was reached, and refused
            // what it got.
            if PQconnectionNeedsPassword(handle) == 1 || PQconnectionUsedPassword(handle) == 1 {
                fault.sqlState = "28P01"
                fault.isDisconnection = false
            }
            PQfinish(handle)
            throw fault
        }
        // From here on `deinit` closes it, also when something below fails.
        self.handle = handle
        // What a server, a role or the environment may have set otherwise: texts pass as their bytes, bytes come as
        // hexadecimal digits, and numbers with all of theirs.
        try run("SELECT set_config('client_encoding', current_setting('server_encoding'), false)")
        try run("SET bytea_output = 'hex'")
        try run("SET extra_float_digits = 1")
        try run("SET client_min_messages = warning")
        try run("SET lock_timeout = '10s'")
        // A transaction that a process left behind must not hold its locks for ever.
        try run("SET idle_in_transaction_session_timeout = '10min'")
    }

    deinit { PQfinish(handle) }

    var isAlive: Bool { PQstatus(handle) == CONNECTION_OK }

    var lockingClause: String { isWriting ? " FOR UPDATE" : "" }

    // MARK: Transactions

    func begin(writing: Bool) throws {
        try run(writing ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        isWriting = writing
    }

    func commit() throws {
        defer { isWriting = false }
        let result = PQexec(handle, "COMMIT")
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw Self.fault(handle, result) }
        // A transaction that had failed before answers a commit with ROLLBACK, without an error.
        guard String(cString: PQcmdStatus(result)) == "COMMIT" else {
            throw PostgresError(sqlState: "25P02", message: "the transaction was rolled back", isDisconnection: false)
        }
    }

    func rollback() {
        isWriting = false
        try? run("ROLLBACK")
    }

    /// Runs statements without parameters.
    func run(_ sql: String) throws {
        let result = PQexec(handle, sql)
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return
        default: throw Self.fault(handle, result)
        }
    }

    // MARK: Statements

    func query(_ sql: String, _ arguments: [SQLValue], _ row: (any SQLRow) throws -> Void) throws {
        for case .text(let text) in arguments where text.hasNUL {
            // libpq would end it there and another text would be kept or looked for; in the server's words for it.
            throw PostgresError(sqlState: "22021", message: "a text with a NUL character", isDisconnection: false)
        }
        let name = try prepare(sql)
        // All values in one buffer, each ended by a NUL; offsets first, since the buffer moves as it grows.
        var buffer: [UInt8] = []
        let offsets = arguments.map { value -> Int? in
            if case .null = value { return nil }
            let start = buffer.count
            switch value {
            case .null: break
            case .int(let value): buffer.append(contentsOf: String(value).utf8)
            case .double(let value): buffer.append(contentsOf: value.description.utf8)
            case .text(let text): buffer.append(contentsOf: text.utf8)
            case .json(let bytes): buffer.append(contentsOf: bytes)
            case .blob(let bytes):
                buffer.append(contentsOf: "\\x".utf8)
                for byte in bytes {
                    buffer.append(Self.digits[Int(byte >> 4)])
                    buffer.append(Self.digits[Int(byte & 15)])
                }
            }
            buffer.append(0)
            return start
        }
        let result = buffer.withUnsafeBytes { bytes in
            let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = offsets.map { offset in offset.flatMap { base?.advanced(by: $0) } }
            return PQexecPrepared(handle, name, Int32(values.count), values, nil, nil, 0)
        }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK: return
        case PGRES_TUPLES_OK:
            guard let result else { return }
            for index in 0..<PQntuples(result) { try row(PostgresRow(result: result, row: index)) }
        default: throw Self.fault(handle, result)
        }
    }

    private func prepare(_ sql: String) throws -> String {
        if let name = prepared[sql] { return name }
        let name = "s\(prepared.count)"
        let result = PQprepare(handle, name, sql.replacing("?", with: "$"), 0, nil)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw Self.fault(handle, result) }
        prepared[sql] = name
        return name
    }

    func insert(into target: String, columns: Int, values: [SQLValue]) throws {
        guard !values.isEmpty else { return }
        do {
            let result = PQexec(handle, "COPY \(target) FROM STDIN (FORMAT binary)")
            defer { PQclear(result) }
            guard PQresultStatus(result) == PGRES_COPY_IN else { throw Self.fault(handle, result) }
        }
        var buffer = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [UInt8](repeating: 0, count: 8)
        buffer.reserveCapacity(1 << 20)
        var at = 0
        var sent = true
        while at < values.count, sent {
            Self.append(Int16(columns), to: &buffer)
            for value in values[at..<at + columns] { Self.append(value, to: &buffer) }
            at += columns
            if buffer.count >= 1 << 19 {
                sent = send(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        Self.append(Int16(-1), to: &buffer)
        sent = sent && send(buffer) && PQputCopyEnd(handle, nil) == 1
        // Answers are read to the end in any case: the connection is of no use before.
        var fault: PostgresError?
        if !sent { fault = Self.fault(handle, nil) }
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_COPY_IN {
                PQputCopyEnd(handle, "given up")
            } else if PQresultStatus(result) != PGRES_COMMAND_OK {
                fault = Self.fault(handle, result)
            }
            if !isAlive { break }
        }
        if let fault { throw fault }
    }

    private func send(_ buffer: [UInt8]) -> Bool {
        buffer.withUnsafeBytes {
            PQputCopyData(handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count)) == 1
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func append(_ value: SQLValue, to buffer: inout [UInt8]) {
        switch value {
        case .null: append(Int32(-1), to: &buffer)
        case .int(let value):
            append(Int32(8), to: &buffer)
            append(value, to: &buffer)
        case .double(let value):
            append(Int32(8), to: &buffer)
            append(Int64(bitPattern: value.bitPattern), to: &buffer)
        case .text(let text):
            append(Int32(text.utf8.count), to: &buffer)
            buffer.append(contentsOf: text.utf8)
        case .json(let bytes), .blob(let bytes):
            append(Int32(bytes.count), to: &buffer)
            buffer.append(contentsOf: bytes)
        }
    }

    private static func append(_ value: some FixedWidthInteger, to buffer: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { buffer.append(contentsOf: $0) }
    }

    private static func fault(_ handle: OpaquePointer, _ result: OpaquePointer?) -> PostgresError {
        let field = { (code: Int32) in PQresultErrorField(result, code).map { String(cString: $0) } }
        let state = result == nil ? "" : field(67) ?? ""  // PG_DIAG_SQLSTATE is 'C'
        // The primary message alone: details and hints may quote what was being stored.
        let primary = result == nil ? nil : field(77)  // PG_DIAG_MESSAGE_PRIMARY is 'M'
        let message = primary ?? String(cString: PQerrorMessage(handle))
        return PostgresError(
            sqlState: state,
            message: message.split(whereSeparator: \.isNewline).joined(separator: "; "),
            // A server that shuts down says so before the connection breaks (57P01 to 57P03); what has no state comes from
            // libpq itself, which means that nobody answered.
            isDisconnection: state.isEmpty || state.hasPrefix("57P0") || state.hasPrefix("08"))
    }
}

private struct PostgresRow: SQLRow {
    let result: OpaquePointer
    let row: Int32

    private func raw(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        let count = Int(PQgetlength(result, row, Int32(column)))
        guard let start = PQgetvalue(result, row, Int32(column)) else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return UnsafeBufferPointer(
            start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count)
    }

    func isNull(_ column: Int) -> Bool { PQgetisnull(result, row, Int32(column)) == 1 }
    func text(_ column: Int) -> String { String(decoding: raw(column), as: UTF8.self) }
    func bytes(_ column: Int) -> [UInt8] { Array(raw(column)) }

    /// `\x` and two digits a byte.
    func blob(_ column: Int) -> [UInt8] {
        let digits = raw(column).dropFirst(2).map { $0 > 0x39 ? ($0 | 0x20) - 0x57 : $0 - 0x30 }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    func double(_ column: Int) -> Double { Double(text(column)) ?? 0 }
    func int(_ column: Int) -> Int { Int(text(column)) ?? 0 }
}
