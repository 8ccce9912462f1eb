import Conversations
import Foundation

/// What stores do inside one transaction: conversations to rows and back.
struct StoreTransaction {
    let session: any SQLSession
    /// When it happens.
    let time: Date
    /// The store's name, for messages.
    let name: String

    /// A conversation's row without its text.
    struct Place {
        var number: Int64
        var userID: String
        var consent: Int
    }

    var seconds: SQLValue { .double(time.timeIntervalSince1970) }

    static func number(_ consent: Consent) -> Int {
        switch consent {
        case .none: 0
        case .improve: 1
        case .release: 2
        }
    }

    static func consent(_ number: Int) -> Consent { number == 2 ? .release : number == 1 ? .improve : .none }

    static func hash(ofPerson userID: String) -> String { StableHash.identifier(of: Array(userID.utf8)) }

    static func hash(ofConversation id: String) -> String { StableHash.identifier(of: Array(id.utf8)) }

    /// First key of a conversation's messages; those of the next one begin at `key(number + 1)`.
    static func key(_ number: Int64) -> Int64 { number * Int64(EncodedConversation.places) }

    // MARK: Finding

    func find(_ conversationID: String) throws -> Place? {
        if conversationID.hasNUL { return nil }
        return try session.first(
            "SELECT number, userID, consent FROM conversation WHERE id = ?1\(session.lockingClause)",
            .text(conversationID)
        ) { Place(number: Int64($0.int(0)), userID: $0.text(1), consent: $0.int(2)) }
    }

    /// Takes hold of several conversations, always in one order: two writers that begin at different ends would each
    /// wait for the other.
    func lock(_ conversationIDs: [String]) throws {
        let ids = Set(conversationIDs)
        if ids.count > 1 { for id in ids.sorted() { _ = try find(id) } }
    }

    func require(_ conversationID: String) throws -> Place {
        guard let place = try find(conversationID) else {
            throw StorageError(.notFound, file: name, reason: "no conversation \(conversationID)")
        }
        return place
    }

    /// Key and text of a message.
    func message(_ id: String, in place: Place) throws -> (key: Int64, body: [UInt8])? {
        if id.hasNUL { return nil }
        return try session.first(
            "SELECT key, body FROM message WHERE key >= ?1 AND key < ?2 AND id = ?3",
            .int(Self.key(place.number)), .int(Self.key(place.number + 1)), .text(id)
        ) { (Int64($0.int(0)), $0.bytes(1)) }
    }

    @discardableResult
    func require(_ messageID: String, in conversationID: String) throws -> (place: Place, key: Int64, body: [UInt8]) {
        if let place = try find(conversationID), let found = try message(messageID, in: place) {
            return (place, found.key, found.body)
        }
        throw StorageError(.notFound, file: name, reason: "no message \(messageID) in conversation \(conversationID)")
    }

    func refuse(ids: [String]) throws {
        if let refusal = EncodedConversation.refusal(ofIDs: ids) {
            throw StorageError(.conflict, file: name, reason: refusal)
        }
    }

    /// For texts that are no key: they may be of any length.
    func refuse(texts: [String]) throws {
        if let refusal = EncodedConversation.refusal(ofTexts: texts) {
            throw StorageError(.conflict, file: name, reason: refusal)
        }
    }

    // MARK: Changing

    func touch(_ number: Int64) throws {
        try session.execute("UPDATE conversation SET changedAt = ?1 WHERE number = ?2", seconds, .int(number))
    }

    /// Makes feedback the current one; the same again changes nothing.
    ///
    /// What comes with a log counts once: a log that is imported again must not undo what the person said since, or took back.
    /// - Returns: whether anything changed.
    @discardableResult
    func set(
        _ feedback: Feedback, body: [UInt8], on messageID: String, in number: Int64, isFromLog: Bool = false
    ) throws -> Bool {
        let old = try session.first(
            "SELECT body FROM feedback WHERE conversation = ?1 AND messageID = ?2 AND userID = ?3",
            .int(number), .text(messageID), .text(feedback.userID)
        ) { $0.bytes(0) }
        if old == body { return false }
        if isFromLog {
            let earlier = try session.all(
                """
                SELECT body FROM feedbackEvent WHERE conversation = ?1 AND messageID = ?2 AND userID = ?3 AND action = ?4
                """, .int(number), .text(messageID), .text(feedback.userID), .text(FeedbackEvent.Action.given.rawValue)
            ) { $0.bytes(0) }
            if earlier.contains(body) { return false }
        }
        let rating: SQLValue = feedback.rating.map { SQLValue($0.rawValue) } ?? .null
        if old == nil {
            // Places keep the order in which people first spoke.
            let last = try session.first(
                "SELECT max(place) FROM feedback WHERE conversation = ?1 AND messageID = ?2", .int(number),
                .text(messageID)
            ) { $0.isNull(0) ? -1 : $0.int(0) }
            try session.execute(
                """
                INSERT INTO feedback (conversation, messageID, userID, place, rating, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                """, .int(number), .text(messageID), .text(feedback.userID), SQLValue((last ?? -1) + 1), rating,
                .json(body))
        } else {
            try session.execute(
                """
                UPDATE feedback SET rating = ?1, body = ?2 WHERE conversation = ?3 AND messageID = ?4 AND userID = ?5
                """, rating, .json(body), .int(number), .text(messageID), .text(feedback.userID))
        }
        try log(.given, body, of: feedback.userID, on: messageID, in: number)
        return true
    }

    func log(_ action: FeedbackEvent.Action, _ body: [UInt8], of userID: String, on messageID: String, in number: Int64)
        throws
    {
        try session.execute(
            """
            INSERT INTO feedbackEvent (conversation, messageID, userID, action, body, recordedAt)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """, .int(number), .text(messageID), .text(userID), .text(action.rawValue), .json(body), seconds)
    }

    /// Deletes a conversation with everything in it.
    func delete(_ number: Int64) throws {
        try session.execute(
            "DELETE FROM message WHERE key >= ?1 AND key < ?2", .int(Self.key(number)), .int(Self.key(number + 1)))
        // The rest hangs on the conversation's row and goes with it.
        try session.execute("DELETE FROM conversation WHERE number = ?1", .int(number))
    }

    /// Deletes a conversation without its person, and remembers that: an old log does not bring it back.
    func delete(_ number: Int64, id: String) throws {
        try delete(number)
        try session.execute(
            """
            INSERT INTO deletedConversation (hash, deletedAt) VALUES (?1, ?2)
            ON CONFLICT (hash) DO UPDATE SET deletedAt = excluded.deletedAt
            """, .text(Self.hash(ofConversation: id)), seconds)
    }

    /// What is said of a message goes with it.
    func delete(messageWithKey key: Int64, id: String, in number: Int64) throws {
        try session.execute("DELETE FROM message WHERE key = ?1", .int(key))
        for table in ["feedback", "feedbackEvent", "annotation"] {
            try session.execute(
                "DELETE FROM \(table) WHERE conversation = ?1 AND messageID = ?2", .int(number), .text(id))
        }
        try session.execute(
            """
            DELETE FROM pairVote WHERE (firstConversation = ?1 AND firstMessage = ?2)
            OR (secondConversation = ?1 AND secondMessage = ?2)
            """, .int(number), .text(id))
        // What was remembered of it repeats what it said.
        try session.execute(
            """
            DELETE FROM memory WHERE messageID = ?1
            AND conversationID = (SELECT id FROM conversation WHERE number = ?2)
            """, .text(id), .int(number))
    }

    // MARK: Reading

    private struct Head {
        var id: String
        var number: Int64
        var consent: Int
        var body: [UInt8]
    }

    /// Conversations by what follows `FROM conversation`, with messages and current feedback.
    func conversations(_ condition: String, _ arguments: [SQLValue]) throws -> [Conversation] {
        try heads(condition, arguments).map { head in
            var conversation = try bare(head)
            let user = conversation.userID
            conversation.messages = try named(head.id) { try messages(of: head.number, user: user) }
            return conversation
        }
    }

    /// The conversation of a person that began last. When one began is in its body, so all heads are read; messages and
    /// feedback, which are nearly all of a store, are read of that one alone.
    func newestConversation(of userID: String) throws -> Conversation? {
        var newest: (number: Int64, conversation: Conversation)?
        for head in try heads("WHERE userID = ?1", [.text(userID)]) {
            let one = try bare(head)
            if let found = newest?.conversation, !found.isOlder(than: one) { continue }
            newest = (head.number, one)
        }
        guard let newest else { return nil }
        var conversation = newest.conversation
        conversation.messages = try named(conversation.id) {
            try messages(of: newest.number, user: newest.conversation.userID)
        }
        return conversation
    }

    private func heads(_ condition: String, _ arguments: [SQLValue]) throws -> [Head] {
        var heads: [Head] = []
        try session.query("SELECT id, number, consent, body FROM conversation \(condition)", arguments) {
            heads.append(Head(id: $0.text(0), number: Int64($0.int(1)), consent: $0.int(2), body: $0.bytes(3)))
        }
        return heads
    }

    /// A conversation without its messages.
    private func bare(_ head: Head) throws -> Conversation {
        var conversation = try named(head.id) { try Conversation(jsonLine: head.body) }
        // The column counts: consent may have been changed since.
        conversation.consent = Self.consent(head.consent)
        return conversation
    }

    /// A record that cannot be read is looked for by its conversation.
    private func named<R>(_ conversationID: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as LogError {
            var fault = StorageError(error, file: name)
            fault.reason = "conversation \(conversationID): \(fault.reason)"
            throw fault
        }
    }

    private func messages(of number: Int64, user: String) throws -> [Message] {
        var feedback: [String.Bytes: [Feedback]] = [:]
        try session.query(
            "SELECT messageID, body FROM feedback WHERE conversation = ?1 ORDER BY messageID, place", [.int(number)]
        ) { feedback[.init($0.text(0)), default: []].append(try Feedback(jsonText: $0.bytes(1))) }
        var messages: [Message] = []
        try session.query(
            "SELECT id, body FROM message WHERE key >= ?1 AND key < ?2 ORDER BY key",
            [.int(Self.key(number)), .int(Self.key(number + 1))]
        ) {
            var message = try Message(jsonText: $0.bytes(1), userID: user)
            message.id = $0.text(0)
            if !feedback.isEmpty { message.feedback = feedback[.init(message.id)] ?? [] }
            messages.append(message)
        }
        return messages
    }

    // MARK: Deleted people and conversations

    /// When a person was deleted, of those who were.
    func deletions(of userIDs: some Sequence<String>) throws -> [String.Bytes: Double] {
        try deletions(of: userIDs, in: "deletedPerson", hashedBy: Self.hash(ofPerson:))
    }

    /// When a conversation was deleted without its person, of those that were.
    func deletions(ofConversations ids: some Sequence<String>) throws -> [String.Bytes: Double] {
        try deletions(of: ids, in: "deletedConversation", hashedBy: Self.hash(ofConversation:))
    }

    private func deletions(
        of ids: some Sequence<String>, in table: String, hashedBy hash: (String) -> String
    ) throws -> [String.Bytes: Double] {
        guard try session.first("SELECT 1 FROM \(table) LIMIT 1", row: { _ in true }) != nil else { return [:] }
        var known: [String: String] = [:]
        for id in ids { known[hash(id)] = id }
        var found: [String.Bytes: Double] = [:]
        let rows = try session.all(
            "SELECT hash, deletedAt FROM \(table) WHERE hash IN", in: known.keys.sorted()
        ) { ($0.text(0), $0.double(1)) }
        for (hash, time) in rows {
            if let id = known[hash] { found[.init(id)] = time }
        }
        return found
    }

    /// A conversation is there again.
    func forgetDeletion(ofConversation id: String) throws {
        try session.execute(
            "DELETE FROM deletedConversation WHERE hash = ?1", .text(Self.hash(ofConversation: id)))
    }
}
