import Conversations
import Foundation
import GRDB

/// Conversations to rows and back.
enum StoredRows {
    static func number(_ consent: Consent) -> Int {
        switch consent {
        case .none: 0
        case .improve: 1
        case .release: 2
        }
    }

    static func hash(ofPerson userID: String) -> String { StableHash.identifier(of: Array(userID.utf8)) }

    static func body(of message: Message, user: String) -> Data {
        var bare = message
        bare.feedback = []
        return Data(bare.jsonText(userID: user))
    }

    /// Why ids cannot be kept, `nil` when they can: SQLite ends a text at a NUL, and two ids would become one.
    static func refusal(ofIDs ids: [String]) -> String? {
        if ids.contains(where: { $0.utf8.contains(0) }) { return "an id with a NUL character" }
        return nil
    }

    private static func refusal(of conversation: Conversation) -> String? {
        let ids = conversation.messages.map(\.id)
        let users = conversation.messages.flatMap { $0.feedback.map(\.userID) }
        if let refusal = refusal(ofIDs: [conversation.id, conversation.userID] + ids + users) { return refusal }
        // Compared as bytes, as SQLite does: Swift calls some different spellings equal.
        var seen: Set<[UInt8]> = []
        if let twice = ids.first(where: { !seen.insert(Array($0.utf8)).inserted }) {
            return "two messages have the id \(twice)"
        }
        return nil
    }

    // MARK: Writing

    static func save(_ conversation: Conversation, _ db: Database, at time: Date, into summary: inout SaveSummary)
        throws
    {
        if let refusal = refusal(of: conversation) {
            summary.refused.append("conversation \(conversation.id): \(refusal)")
            return
        }
        let found = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT userID, consent FROM conversation WHERE id = ?"),
            arguments: [conversation.id])
        if let found, found["userID"] != conversation.userID {
            summary.refused.append("conversation \(conversation.id): another person's has the same id")
            return
        }
        guard conversation.consent != .none else {
            summary.withoutConsent += 1
            try db.execute(sql: "DELETE FROM conversation WHERE id = ?", arguments: [conversation.id])
            return
        }
        if try isOfDeletedPerson(conversation, db) {
            summary.deletedPerson += 1
            return
        }
        var bare = conversation
        bare.messages = []
        let body = Data(bare.jsonLine.utf8)
        // Fetched before the rows change; a new conversation has none.
        var bodies: [String: (position: Int, body: Data)] = [:]
        if let found {
            summary.replaced += 1
            let consent = min(number(conversation.consent), found["consent"])
            try db.execute(
                sql: "UPDATE conversation SET consent = ?, changedAt = ?, body = ? WHERE id = ?",
                arguments: [consent, time.timeIntervalSince1970, body, conversation.id])
            let rows = try Row.fetchAll(
                db, sql: "SELECT id, position, body FROM message WHERE conversationID = ?", arguments: [conversation.id]
            )
            for row in rows { bodies[row["id"]] = (row["position"], row["body"]) }
        } else {
            summary.added += 1
            try db.cachedStatement(sql: "INSERT INTO conversation VALUES (?, ?, ?, ?, ?)").execute(arguments: [
                conversation.id, conversation.userID, number(conversation.consent), time.timeIntervalSince1970, body,
            ])
        }
        for (position, message) in conversation.messages.enumerated() {
            let body = Self.body(of: message, user: conversation.userID)
            if let old = bodies.removeValue(forKey: message.id) {
                if old.position != position || old.body != body {
                    try db.execute(
                        sql: "UPDATE message SET position = ?, body = ? WHERE conversationID = ? AND id = ?",
                        arguments: [position, body, conversation.id, message.id])
                }
            } else {
                try insert(message, body, position: position, in: conversation.id, db)
            }
            for feedback in message.feedback where try !isOfDeletedPerson(feedback, in: conversation, db) {
                try set(feedback, on: message.id, in: conversation.id, db, at: time)
            }
        }
        for id in bodies.keys {
            try db.execute(
                sql: "DELETE FROM message WHERE conversationID = ? AND id = ?", arguments: [conversation.id, id])
        }
    }

    /// Whether a conversation belongs to someone who was deleted after it began. One that says no beginning is taken for an
    /// old one.
    private static func isOfDeletedPerson(_ conversation: Conversation, _ db: Database) throws -> Bool {
        try isDeleted(conversation.userID, before: conversation.startedAt, db)
    }

    private static func isOfDeletedPerson(_ feedback: Feedback, in conversation: Conversation, _ db: Database) throws
        -> Bool
    {
        // The person of the conversation was looked up already.
        if feedback.userID == conversation.userID { return false }
        return try isDeleted(feedback.userID, before: feedback.givenAt, db)
    }

    private static func isDeleted(_ userID: String, before date: Date?, _ db: Database) throws -> Bool {
        let deletedAt = try Double.fetchOne(
            db.cachedStatement(sql: "SELECT deletedAt FROM deletedPerson WHERE hash = ?"),
            arguments: [hash(ofPerson: userID)])
        guard let deletedAt else { return false }
        return date.map { $0.timeIntervalSince1970 < deletedAt } ?? true
    }

    static func insert(_ message: Message, _ body: Data, position: Int, in conversationID: String, _ db: Database)
        throws
    {
        try db.cachedStatement(sql: "INSERT INTO message VALUES (?, ?, ?, ?)").execute(arguments: [
            conversationID, message.id, position, body,
        ])
    }

    /// Makes feedback the current one; the same again changes nothing.
    static func set(
        _ feedback: Feedback, on messageID: String, in conversationID: String, _ db: Database, at time: Date
    ) throws {
        let body = Data(feedback.jsonText)
        let old = try Data.fetchOne(
            db.cachedStatement(
                sql: "SELECT body FROM feedback WHERE conversationID = ? AND messageID = ? AND userID = ?"),
            arguments: [conversationID, messageID, feedback.userID])
        if old == body { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO feedback VALUES (?, ?, ?, ?, ?) ON CONFLICT (conversationID, messageID, userID)
                DO UPDATE SET rating = excluded.rating, body = excluded.body
                """
        ).execute(arguments: [conversationID, messageID, feedback.userID, feedback.rating?.rawValue, body])
        try log(.given, body, of: feedback.userID, on: messageID, in: conversationID, db, at: time)
    }

    static func log(
        _ action: FeedbackEvent.Action, _ body: Data, of userID: String, on messageID: String,
        in conversationID: String,
        _ db: Database, at time: Date
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO feedbackEvent (conversationID, messageID, userID, action, body, recordedAt)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [conversationID, messageID, userID, action.rawValue, body, time.timeIntervalSince1970])
    }

    static func touch(_ conversationID: String, _ db: Database, at time: Date) throws {
        try db.execute(
            sql: "UPDATE conversation SET changedAt = ? WHERE id = ?",
            arguments: [time.timeIntervalSince1970, conversationID])
    }

    // MARK: Reading

    /// Conversations by a condition on their table, with messages and current feedback.
    static func conversations(_ db: Database, where condition: String, _ arguments: StatementArguments) throws
        -> [Conversation]
    {
        try Row.fetchAll(db, sql: "SELECT id, consent, body FROM conversation WHERE \(condition)", arguments: arguments)
            .map { row in
                var conversation = try Conversation(jsonLine: Array(row["body"] as Data))
                // The columns count: consent may have been changed since.
                conversation.consent = row["consent"] == 2 ? .release : .improve
                conversation.messages = try messages(of: row["id"], user: conversation.userID, db)
                return conversation
            }
    }

    /// One message without its feedback, `nil` when there is none.
    static func message(_ id: String, in conversationID: String, _ db: Database) throws -> Message? {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT message.body, conversation.userID FROM message JOIN conversation
                    ON conversation.id = message.conversationID WHERE message.conversationID = ? AND message.id = ?
                    """), arguments: [conversationID, id])
        guard let row else { return nil }
        var message = try Message(jsonText: Array(row["body"] as Data), userID: row["userID"])
        message.id = id
        return message
    }

    private static func messages(of conversationID: String, user: String, _ db: Database) throws -> [Message] {
        var feedback: [String: [Feedback]] = [:]
        // In the order in which people first spoke.
        let given = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT messageID, body FROM feedback WHERE conversationID = ? ORDER BY rowid"),
            arguments: [conversationID])
        while let row = try given.next() {
            feedback[row["messageID"], default: []].append(try Feedback(jsonText: Array(row["body"] as Data)))
        }
        var messages: [Message] = []
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT id, body FROM message WHERE conversationID = ? ORDER BY position"),
            arguments: [conversationID])
        while let row = try rows.next() {
            var message = try Message(jsonText: Array(row["body"] as Data), userID: user)
            message.id = row["id"]
            message.feedback = feedback[message.id] ?? []
            messages.append(message)
        }
        return messages
    }
}
