import Conversations
import Foundation
import GRDB

extension SQLiteStore {
    @discardableResult
    public func save(_ conversations: [Conversation]) async throws -> SaveSummary {
        let time = now()
        return try await write { db in
            var summary = SaveSummary()
            for conversation in conversations {
                try StoredRows.save(conversation, db, at: time, into: &summary)
            }
            return summary
        }
    }

    public func append(_ message: Message, to conversationID: String) async throws {
        let (time, file) = (now(), file)
        try await write { db in
            let user = try Self.user(of: conversationID, db, file: file)
            if let refusal = StoredRows.refusal(ofIDs: [message.id] + message.feedback.map(\.userID)) {
                throw StorageError(.conflict, file: file, reason: refusal)
            }
            let body = StoredRows.body(of: message, user: user)
            let there = try Data.fetchOne(
                db, sql: "SELECT body FROM message WHERE conversationID = ? AND id = ?",
                arguments: [conversationID, message.id])
            if let there {
                if there == body { return }
                throw StorageError(.conflict, file: file, reason: "another message has the id \(message.id)")
            }
            let position =
                try Int.fetchOne(
                    db, sql: "SELECT max(position) + 1 FROM message WHERE conversationID = ?",
                    arguments: [conversationID])
                ?? 0
            try StoredRows.insert(message, body, position: position, in: conversationID, db)
            for feedback in message.feedback {
                try StoredRows.set(feedback, on: message.id, in: conversationID, db, at: time)
            }
            try StoredRows.touch(conversationID, db, at: time)
        }
    }

    public func setSafety(_ decisions: [SafetyDecision], on messageID: String, in conversationID: String) async throws {
        let (time, file) = (now(), file)
        try await write { db in
            try Self.requireMessage(messageID, in: conversationID, db, file: file)
            guard var message = try StoredRows.message(messageID, in: conversationID, db) else { return }
            guard message.safety != decisions else { return }
            message.safety = decisions
            let body = StoredRows.body(of: message, user: try Self.user(of: conversationID, db, file: file))
            try db.execute(
                sql: "UPDATE message SET body = ? WHERE conversationID = ? AND id = ?",
                arguments: [body, conversationID, messageID])
            try StoredRows.touch(conversationID, db, at: time)
        }
    }

    public func setFeedback(_ feedback: Feedback, on messageID: String, in conversationID: String) async throws {
        let (time, file) = (now(), file)
        try await write { db in
            try Self.requireMessage(messageID, in: conversationID, db, file: file)
            if let refusal = StoredRows.refusal(ofIDs: [feedback.userID]) {
                throw StorageError(.conflict, file: file, reason: refusal)
            }
            try StoredRows.set(feedback, on: messageID, in: conversationID, db, at: time)
            try StoredRows.touch(conversationID, db, at: time)
        }
    }

    public func retractFeedback(of userID: String, on messageID: String, in conversationID: String) async throws {
        let (time, file) = (now(), file)
        try await write { db in
            try Self.requireMessage(messageID, in: conversationID, db, file: file)
            let key: StatementArguments = [conversationID, messageID, userID]
            let condition = "WHERE conversationID = ? AND messageID = ? AND userID = ?"
            guard let body = try Data.fetchOne(db, sql: "SELECT body FROM feedback \(condition)", arguments: key) else {
                return
            }
            try db.execute(sql: "DELETE FROM feedback \(condition)", arguments: key)
            try StoredRows.log(.retracted, body, of: userID, on: messageID, in: conversationID, db, at: time)
            try StoredRows.touch(conversationID, db, at: time)
        }
    }

    public func setConsent(_ consent: Consent, conversationID: String) async throws {
        if consent == .none { return try await delete(conversationID: conversationID) }
        let (time, file) = (now(), file)
        try await write { db in
            _ = try Self.user(of: conversationID, db, file: file)
            try db.execute(
                sql: "UPDATE conversation SET consent = ?, changedAt = ? WHERE id = ?",
                arguments: [StoredRows.number(consent), time.timeIntervalSince1970, conversationID])
        }
    }

    public func delete(conversationID: String) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM conversation WHERE id = ?", arguments: [conversationID])
        }
        try await emptyJournal()
    }

    public func delete(userID: String) async throws {
        let time = now()
        try await write { db in
            // Others' conversations that this person voted in are changed: the next export must not carry the votes on.
            try db.execute(
                sql: """
                    UPDATE conversation SET changedAt = ? WHERE userID <> ?
                    AND id IN (SELECT conversationID FROM feedback WHERE userID = ?)
                    """, arguments: [time.timeIntervalSince1970, userID, userID])
            try db.execute(sql: "DELETE FROM feedback WHERE userID = ?", arguments: [userID])
            try db.execute(sql: "DELETE FROM feedbackEvent WHERE userID = ?", arguments: [userID])
            try db.execute(sql: "DELETE FROM memory WHERE userID = ?", arguments: [userID])
            try db.execute(sql: "DELETE FROM conversation WHERE userID = ?", arguments: [userID])
            try db.execute(
                sql: "INSERT INTO deletedPerson VALUES (?, ?) ON CONFLICT DO UPDATE SET deletedAt = excluded.deletedAt",
                arguments: [StoredRows.hash(ofPerson: userID), time.timeIntervalSince1970])
        }
        try await emptyJournal()
    }

    /// Moves the journal into the file and empties it, so that nothing deleted is left in it. While another process reads,
    /// that cannot be done; the next one to close the store does it.
    func emptyJournal() async throws {
        do {
            _ = try await database.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {
            return
        } catch {
            throw StorageError(error, file: file)
        }
    }

    private static func user(of conversationID: String, _ db: Database, file: String) throws -> String {
        let user = try String.fetchOne(
            db, sql: "SELECT userID FROM conversation WHERE id = ?", arguments: [conversationID])
        guard let user else {
            throw StorageError(.notFound, file: file, reason: "no conversation \(conversationID)")
        }
        return user
    }

    private static func requireMessage(_ messageID: String, in conversationID: String, _ db: Database, file: String)
        throws
    {
        let isThere = try Bool.fetchOne(
            db, sql: "SELECT 1 FROM message WHERE conversationID = ? AND id = ?",
            arguments: [conversationID, messageID])
        guard isThere == true else {
            throw StorageError(
                .notFound, file: file, reason: "no message \(messageID) in conversation \(conversationID)")
        }
    }
}
