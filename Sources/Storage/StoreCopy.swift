import Foundation

extension ConversationStore {
    /// Copies everything into a store that is empty, of whatever kind, in one transaction there: all of it or nothing.
    /// - Returns: rows copied.
    @discardableResult
    public func copy(into target: any ConversationStore) async throws -> Int {
        guard let from = self as? any SQLStore, let to = target as? any SQLStore else {
            throw StorageError(.failed, file: "copy", reason: "one of the stores is not in a database")
        }
        return try await from.copyRows(into: to)
    }
}

extension SQLStore {
    func copyRows(into target: any SQLStore) async throws -> Int {
        let name = target.name
        // Tables in an order in which none refers to a later one; each is read a piece at a time.
        return try await reading { source in
            // The target's transaction lives on its own thread while this one reads.
            let pipe = RowPipe()
            let writing = Task {
                do {
                    return try await target.writing(.store) { try Self.add(from: pipe, to: $0, name: name) }
                } catch {
                    pipe.close()
                    throw error
                }
            }
            do {
                if pipe.waitUntilOpen() {
                    for table in StoreTable.all { try table.read(source) { pipe.put($0) } }
                }
                pipe.finish(nil)
            } catch {
                pipe.finish(error)
            }
            return writing
        }.value
    }

    private static func add(from pipe: RowPipe, to session: any SQLSession, name: String) throws -> Int {
        for table in StoreTable.all
        where try session.first("SELECT 1 FROM \(table.name) LIMIT 1", row: { _ in true }) != nil {
            throw StorageError(.conflict, file: name, reason: "not empty; copy into a new store")
        }
        pipe.open()
        var count = 0
        while let piece = pipe.take() {
            try session.insert(into: piece.target, columns: piece.columns, values: piece.values)
            count += piece.values.count / piece.columns
        }
        if let fault = pipe.fault { throw fault }
        return count
    }
}

/// A table of a store by its columns, the same in every database.
struct StoreTable: Sendable {
    enum Kind: Sendable { case int, double, text, json, blob }

    /// Rows on their way.
    struct Piece: Sendable {
        var target: String
        var columns: Int
        var values: [SQLValue]
    }

    var name: String
    var columns: [(name: String, kind: Kind)]
    /// What the rows are in order of.
    var order: String

    static let all: [StoreTable] = [
        StoreTable(
            name: "conversation",
            columns: [
                ("number", .int), ("id", .text), ("userID", .text), ("consent", .int), ("changedAt", .double),
                ("body", .json),
            ], order: "number"),
        StoreTable(name: "message", columns: [("key", .int), ("id", .text), ("body", .json)], order: "key"),
        StoreTable(
            name: "feedback",
            columns: [
                ("conversation", .int), ("messageID", .text), ("userID", .text), ("place", .int), ("rating", .int),
                ("body", .json),
            ], order: "conversation"),
        // Without their own numbers: the order is what counts.
        StoreTable(
            name: "feedbackEvent",
            columns: [
                ("conversation", .int), ("messageID", .text), ("userID", .text), ("action", .text), ("body", .json),
                ("recordedAt", .double),
            ], order: "id"),
        StoreTable(name: "deletedPerson", columns: [("hash", .text), ("deletedAt", .double)], order: "hash"),
        StoreTable(name: "deletedConversation", columns: [("hash", .text), ("deletedAt", .double)], order: "hash"),
        StoreTable(
            name: "consentEvent",
            columns: [("conversation", .int), ("consent", .int), ("textVersion", .text), ("recordedAt", .double)],
            order: "id"),
        StoreTable(
            name: "annotation",
            columns: [
                ("conversation", .int), ("messageID", .text), ("rater", .text), ("label", .text), ("value", .double),
                ("comment", .text), ("recordedAt", .double),
            ], order: "conversation"),
        StoreTable(
            name: "modelSeen", columns: [("model", .text), ("firstAt", .double), ("lastAt", .double)], order: "model"),
        StoreTable(
            name: "memory",
            columns: [
                ("id", .text), ("userID", .text), ("owner", .text), ("text", .text), ("conversationID", .text),
                ("messageID", .text), ("createdAt", .double), ("changedAt", .double), ("usedAt", .double),
                ("vector", .blob),
            ], order: "id"),
        StoreTable(
            name: "dataset",
            columns: [
                ("id", .text), ("path", .text), ("shape", .text), ("conversations", .int), ("people", .int),
                ("createdAt", .double),
            ], order: "id"),
        StoreTable(name: "datasetPerson", columns: [("hash", .text), ("dataset", .text)], order: "hash"),
        StoreTable(
            name: "trainedModel", columns: [("id", .text), ("path", .text), ("createdAt", .double)], order: "id"),
        StoreTable(name: "modelDataset", columns: [("dataset", .text), ("model", .text)], order: "dataset"),
        // Sessions stay behind: everybody signs in again.
        StoreTable(
            name: "account",
            columns: [("name", .text), ("role", .text), ("passwordHash", .text), ("createdAt", .double)], order: "name"),
        StoreTable(
            name: "pairVote",
            columns: [
                ("pair", .text), ("rater", .text), ("firstConversation", .int), ("firstMessage", .text),
                ("firstModel", .text), ("secondConversation", .int), ("secondMessage", .text), ("secondModel", .text),
                ("question", .text), ("choice", .int), ("comment", .text), ("recordedAt", .double),
            ], order: "pair"),
        StoreTable(
            name: "goldAnswer",
            columns: [("rater", .text), ("item", .text), ("isRight", .int), ("recordedAt", .double)], order: "rater"),
        StoreTable(
            name: "access",
            columns: [
                ("actor", .text), ("action", .text), ("subject", .text), ("reason", .text), ("recordedAt", .double),
            ], order: "id"),
        StoreTable(
            name: "apiKey",
            columns: [
                ("id", .text), ("name", .text), ("hash", .text), ("hint", .text), ("role", .text),
                ("createdAt", .double), ("revokedAt", .double),
            ], order: "id"),
    ]

    /// Reads all rows, a few thousand values at a time.
    func read(_ session: any SQLSession, _ body: (Piece) -> Bool) throws {
        struct Stopped: Error {}
        let names = columns.map(\.name).joined(separator: ", ")
        var piece = Piece(target: "\(name) (\(names))", columns: columns.count, values: [])
        // Large tables in ranges of their key, so that no database gathers millions of rows for one answer.
        func pass(_ condition: String, _ arguments: [SQLValue]) throws {
            try session.query("SELECT \(names) FROM \(name) \(condition) ORDER BY \(order)", arguments) { row in
                for (index, column) in columns.enumerated() {
                    if row.isNull(index) {
                        piece.values.append(.null)
                        continue
                    }
                    switch column.kind {
                    case .int: piece.values.append(SQLValue(row.int(index)))
                    case .double: piece.values.append(.double(row.double(index)))
                    case .text: piece.values.append(.text(row.text(index)))
                    case .blob: piece.values.append(.blob(row.blob(index)))
                    case .json: piece.values.append(.json(row.bytes(index)))
                    }
                }
                if piece.values.count >= 8_192 {
                    guard body(piece) else { throw Stopped() }
                    piece.values.removeAll(keepingCapacity: true)
                }
            }
        }
        let step: Int64 = name == "message" ? 200 * Int64(EncodedConversation.places) : 5_000
        if ["conversation", "message", "feedbackEvent"].contains(name) {
            let edges = try session.first("SELECT min(\(order)), max(\(order)) FROM \(name)") {
                $0.isNull(0) ? nil : (Int64($0.int(0)), Int64($0.int(1)))
            }
            if let (low, high) = edges ?? nil {
                var start = low
                while start <= high {
                    try pass("WHERE \(order) >= ?1 AND \(order) < ?2", [.int(start), .int(start + step)])
                    start += step
                }
            }
        } else {
            try pass("", [])
        }
        if !piece.values.isEmpty { _ = body(piece) }
    }
}

/// Hands pieces from the thread that reads to the one that writes; at most a few wait.
private final class RowPipe: @unchecked Sendable {
    private let condition = NSCondition()
    private var pieces: [StoreTable.Piece] = []
    private var isOpen: Bool?
    private var isFinished = false
    private(set) var fault: (any Error)?

    func open() { set(true) }
    func close() { set(false) }

    private func set(_ open: Bool) {
        condition.withLock {
            isOpen = open
            condition.broadcast()
        }
    }

    /// Whether the writer wants anything.
    func waitUntilOpen() -> Bool {
        condition.withLock {
            while isOpen == nil { condition.wait() }
            return isOpen == true
        }
    }

    func put(_ piece: StoreTable.Piece) -> Bool {
        condition.withLock {
            while pieces.count >= 8, isOpen == true { condition.wait() }
            guard isOpen == true else { return false }
            pieces.append(piece)
            condition.broadcast()
            return true
        }
    }

    func take() -> StoreTable.Piece? {
        condition.withLock {
            while pieces.isEmpty, !isFinished { condition.wait() }
            defer { condition.broadcast() }
            return pieces.isEmpty ? nil : pieces.removeFirst()
        }
    }

    func finish(_ error: (any Error)?) {
        condition.withLock {
            isFinished = true
            fault = error
            condition.broadcast()
        }
    }
}
