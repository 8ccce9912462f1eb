import Conversations
import Foundation

/// People's memories in the store. They go with the person, and with the conversation or message they came up in.
extension SQLStore {
    public func memories(of userID: String) async throws -> [Memory] {
        if userID.hasNUL { return [] }
        return try await look { try $0.memories(of: userID) }
    }

    public func save(_ memory: Memory) async throws {
        try await change { store in
            let session = store.session
            try store.refuse(ids: [memory.id, memory.userID, memory.conversationID ?? "", memory.messageID ?? ""])
            try store.refuse(texts: [memory.text])
            let owner = try session.first("SELECT userID FROM memory WHERE id = ?1", .text(memory.id)) { $0.text(0) }
            if let owner, owner != memory.userID {
                throw StorageError(.conflict, file: name, reason: "another person's memory has the id \(memory.id)")
            }
            if let source = memory.conversationID {
                guard try store.find(source)?.userID == memory.userID else {
                    throw StorageError(
                        .notFound, file: name, reason: "no conversation \(source) of this memory's person")
                }
            }
            try session.execute(
                """
                INSERT INTO memory (id, userID, owner, text, conversationID, messageID, createdAt, changedAt, usedAt, vector)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO UPDATE SET
                owner = excluded.owner, text = excluded.text, conversationID = excluded.conversationID,
                messageID = excluded.messageID, changedAt = excluded.changedAt, usedAt = excluded.usedAt,
                vector = excluded.vector
                """, .text(memory.id), .text(memory.userID), .text(memory.owner.rawValue), .text(memory.text),
                SQLValue(memory.conversationID), SQLValue(memory.messageID),
                .double(memory.createdAt.timeIntervalSince1970), .double(memory.changedAt.timeIntervalSince1970),
                SQLValue(memory.usedAt?.timeIntervalSince1970),
                memory.vector.map { .blob($0.littleEndianBytes) } ?? .null)
        }
    }

    public func forget(memory id: String, of userID: String) async throws {
        if id.hasNUL || userID.hasNUL { return }
        try await change { store in
            try store.session.execute("DELETE FROM memory WHERE id = ?1 AND userID = ?2", .text(id), .text(userID))
        }
        try await forgetDeleted()
    }

    public func forgetMemories(of userID: String) async throws {
        if userID.hasNUL { return }
        try await change { try $0.session.execute("DELETE FROM memory WHERE userID = ?1", .text(userID)) }
        try await forgetDeleted()
    }
}

extension StoreTransaction {
    func memories(of userID: String) throws -> [Memory] {
        try session.all(
            """
            SELECT id, userID, owner, text, conversationID, messageID, createdAt, changedAt, usedAt, vector FROM memory
            WHERE userID = ?1 ORDER BY createdAt, id
            """, .text(userID)
        ) {
            Memory(
                id: $0.text(0), userID: $0.text(1), owner: Memory.Owner(rawValue: $0.text(2)) ?? .person,
                text: $0.text(3), conversationID: $0.textIfAny(4), messageID: $0.textIfAny(5),
                createdAt: Date(timeIntervalSince1970: $0.double(6)),
                changedAt: Date(timeIntervalSince1970: $0.double(7)),
                usedAt: $0.doubleIfAny(8).map(Date.init(timeIntervalSince1970:)),
                vector: $0.isNull(9) ? nil : [Float](littleEndianBytes: $0.blob(9)))
        }
    }
}

extension [Float] {
    /// Four bytes a number, whatever the machine.
    fileprivate var littleEndianBytes: [UInt8] {
        flatMap { number in Swift.withUnsafeBytes(of: number.bitPattern.littleEndian) { [UInt8]($0) } }
    }

    fileprivate init(littleEndianBytes bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }
}
