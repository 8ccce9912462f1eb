import Conversations
import Foundation
import GRDB

/// People's memories in the store. They go with the person, and with the conversation that they came up in.
extension SQLiteStore: MemoryStore {
    public func memories(of userID: String) async throws -> [Memory] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM memory WHERE userID = ? ORDER BY createdAt, id", arguments: [userID]
            ).map(Self.memory)
        }
    }

    public func save(_ memory: Memory) async throws {
        let file = file
        try await write { db in
            let ids = [memory.id, memory.userID, memory.conversationID, memory.messageID].compactMap { $0 }
            if let refusal = StoredRows.refusal(ofIDs: ids) {
                throw StorageError(.conflict, file: file, reason: refusal)
            }
            let owner = try String.fetchOne(
                db, sql: "SELECT userID FROM memory WHERE id = ?", arguments: [memory.id])
            if let owner, owner != memory.userID {
                throw StorageError(.conflict, file: file, reason: "another person's memory has the id \(memory.id)")
            }
            if let source = memory.conversationID {
                let user = try String.fetchOne(
                    db, sql: "SELECT userID FROM conversation WHERE id = ?", arguments: [source])
                guard user == memory.userID else {
                    throw StorageError(
                        .notFound, file: file, reason: "no conversation \(source) of this memory's person")
                }
            }
            try db.execute(
                sql: """
                    INSERT INTO memory VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
                    owner = excluded.owner, text = excluded.text, conversationID = excluded.conversationID,
                    messageID = excluded.messageID, changedAt = excluded.changedAt, usedAt = excluded.usedAt,
                    vector = excluded.vector
                    """,
                arguments: [
                    memory.id, memory.userID, memory.owner.rawValue, memory.text, memory.conversationID,
                    memory.messageID, memory.createdAt.timeIntervalSince1970, memory.changedAt.timeIntervalSince1970,
                    memory.usedAt?.timeIntervalSince1970, memory.vector.map(Self.bytes),
                ])
        }
    }

    public func forget(memory id: String, of userID: String) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM memory WHERE id = ? AND userID = ?", arguments: [id, userID])
        }
        try await emptyJournal()
    }

    public func forgetMemories(of userID: String) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM memory WHERE userID = ?", arguments: [userID])
        }
        try await emptyJournal()
    }

    private static func memory(_ row: Row) -> Memory {
        Memory(
            id: row["id"], userID: row["userID"], owner: Memory.Owner(rawValue: row["owner"]) ?? .person,
            text: row["text"], conversationID: row["conversationID"], messageID: row["messageID"],
            createdAt: Date(timeIntervalSince1970: row["createdAt"]),
            changedAt: Date(timeIntervalSince1970: row["changedAt"]),
            usedAt: (row["usedAt"] as Double?).map(Date.init(timeIntervalSince1970:)),
            vector: (row["vector"] as Data?).map(numbers))
    }

    /// Little-endian float32, whatever the machine.
    static func bytes(_ vector: [Float]) -> Data {
        var data = Data(capacity: vector.count * 4)
        for number in vector {
            withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }

    static func numbers(_ data: Data) -> [Float] {
        data.withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }
}
