import Conversations
import Foundation

extension SQLStore {
    func look<R: Sendable>(_ body: @escaping @Sendable (StoreTransaction) throws -> R) async throws -> R {
        let name = name
        return try await reading { try body(StoreTransaction(session: $0, time: .distantPast, name: name)) }
    }

    public func conversation(id: String) async throws -> Conversation? {
        if id.hasNUL { return nil }
        return try await look { try $0.conversations("WHERE id = ?1", [.text(id)]).first }
    }

    public func conversations(of userID: String) async throws -> [Conversation] {
        if userID.hasNUL { return [] }
        return try await look { try $0.conversations("WHERE userID = ?1 ORDER BY id", [.text(userID)]) }
    }

    public func newestConversation(of userID: String) async throws -> Conversation? {
        if userID.hasNUL { return nil }
        return try await look { try $0.newestConversation(of: userID) }
    }

    public func page(after id: String?, limit: Int, consent: Consent, since: Date?) async throws -> [Conversation] {
        try await look { store in
            var conditions = ["consent >= ?1"]
            var arguments = [SQLValue(StoreTransaction.number(consent)), SQLValue(limit)]
            if let id {
                arguments.append(.text(id))
                conditions.append("id > ?\(arguments.count)")
            }
            if let since {
                arguments.append(.double(since.timeIntervalSince1970))
                conditions.append("changedAt >= ?\(arguments.count)")
            }
            return try store.conversations(
                "WHERE \(conditions.joined(separator: " AND ")) ORDER BY id LIMIT ?2", arguments)
        }
    }

    public func feedbackHistory(of messageID: String, in conversationID: String) async throws -> [FeedbackEvent] {
        try await look { store in
            guard let place = try store.find(conversationID) else { return [] }
            return try store.session.all(
                """
                SELECT action, body, recordedAt FROM feedbackEvent WHERE conversation = ?1 AND messageID = ?2
                ORDER BY id
                """, .int(place.number), .text(messageID)
            ) { try Self.event($0, at: 0) }
        }
    }

    private static func event(_ row: any SQLRow, at column: Int) throws -> FeedbackEvent {
        FeedbackEvent(
            action: FeedbackEvent.Action(rawValue: row.text(column)) ?? .given,
            feedback: try Feedback(jsonText: row.bytes(column + 1)),
            recordedAt: Date(timeIntervalSince1970: row.double(column + 2)))
    }

    public func consentHistory(of conversationID: String) async throws -> [ConsentEvent] {
        try await look { store in
            guard let place = try store.find(conversationID) else { return [] }
            return try store.consentEvents(of: place.number)
        }
    }

    public func annotations(of conversationID: String) async throws -> [RaterAnnotation] {
        try await look { try $0.annotations("conversation.id = ?1", conversationID) }
    }

    public func lineage(of userID: String) async throws -> PersonLineage {
        try await look { store in
            let (datasets, models) = try store.lineage(of: userID)
            return PersonLineage(datasets: datasets, models: models)
        }
    }

    public func personalData(of userID: String) async throws -> PersonalData {
        try await look { store in
            let session = store.session
            let voices = try session.all(
                """
                SELECT conversation.id, messageID, action, feedbackEvent.body, recordedAt FROM feedbackEvent
                JOIN conversation ON conversation.number = feedbackEvent.conversation
                WHERE feedbackEvent.userID = ?1 ORDER BY feedbackEvent.id
                """, .text(userID)
            ) {
                PersonalData.Voice(conversationID: $0.text(0), messageID: $0.text(1), event: try Self.event($0, at: 2))
            }
            var consent: [String: [ConsentEvent]] = [:]
            let own = try session.all("SELECT number, id FROM conversation WHERE userID = ?1", .text(userID)) {
                (Int64($0.int(0)), $0.text(1))
            }
            for (number, id) in own {
                let events = try store.consentEvents(of: number)
                if !events.isEmpty { consent[id] = events }
            }
            let (datasets, models) = try store.lineage(of: userID)
            return PersonalData(
                userID: userID,
                conversations: try store.conversations("WHERE userID = ?1 ORDER BY id", [.text(userID)]),
                feedback: voices, annotations: try store.annotations("rater = ?1", userID), consent: consent,
                datasets: datasets, models: models, memories: try store.memories(of: userID),
                pairVotes: try store.pairVotes("WHERE rater = ?1", [.text(userID)]),
                goldAnswers: try store.goldAnswers("WHERE rater = ?1", [.text(userID)]),
                accesses: try store.accesses(toTextsOf: userID))
        }
    }

    public func accesses(since: Date?) async throws -> [AccessRecord] {
        try await look { store in
            try store.accesses("recordedAt >= ?1", [.double(since?.timeIntervalSince1970 ?? -1e12)])
        }
    }

    public func models() async throws -> [ModelSighting] {
        try await look { store in
            try store.session.all("SELECT model, firstAt, lastAt FROM modelSeen ORDER BY model") {
                ModelSighting(
                    model: $0.text(0), firstAt: Date(timeIntervalSince1970: $0.double(1)),
                    lastAt: Date(timeIntervalSince1970: $0.double(2)))
            }
        }
    }

    public func counts() async throws -> StoreCounts {
        try await look { store in
            func count(_ sql: String) throws -> Int { try store.session.first(sql) { $0.int(0) } ?? 0 }
            return StoreCounts(
                conversations: try count("SELECT count(*) FROM conversation"),
                messages: try count("SELECT count(*) FROM message"),
                feedback: try count("SELECT count(*) FROM feedback"),
                likes: try count("SELECT count(*) FROM feedback WHERE rating = 1"),
                dislikes: try count("SELECT count(*) FROM feedback WHERE rating = -1"),
                users: try count(
                    "SELECT count(*) FROM (SELECT userID FROM conversation UNION SELECT userID FROM feedback) AS u"))
        }
    }

    public func users() async throws -> [StoredUser] {
        try await look { store in
            let sql = """
                SELECT userID, sum(conversations), sum(likes), sum(dislikes) FROM (
                    SELECT userID, 1 AS conversations, 0 AS likes, 0 AS dislikes FROM conversation
                    UNION ALL
                    SELECT userID, 0, CASE WHEN rating = 1 THEN 1 ELSE 0 END, CASE WHEN rating = -1 THEN 1 ELSE 0 END
                    FROM feedback
                ) AS voices GROUP BY userID ORDER BY userID
                """
            return try store.session.all(sql) {
                StoredUser(id: $0.text(0), conversations: $0.int(1), likes: $0.int(2), dislikes: $0.int(3))
            }
        }
    }

    public func check() async throws -> [String] { try await checkRows() }

    /// Every record can be read, and nothing hangs in the air.
    func checkRows() async throws -> [String] {
        var faults = try await look { try $0.looseEnds() }
        var last: String?
        while true {
            let after = last
            let page = try await look { store in
                try store.session.all(
                    "SELECT id FROM conversation WHERE id > ?1 ORDER BY id LIMIT 200", .text(after ?? "")
                ) { $0.text(0) }
            }
            guard let end = page.last else { return faults }
            for id in page {
                do {
                    _ = try await conversation(id: id)
                } catch let error as StorageError where error.code == .damagedRecord {
                    faults.append(error.reason)
                }
            }
            last = end
        }
    }
}

extension StoreTransaction {
    func consentEvents(of number: Int64) throws -> [ConsentEvent] {
        try session.all(
            "SELECT consent, textVersion, recordedAt FROM consentEvent WHERE conversation = ?1 ORDER BY id",
            .int(number)
        ) {
            ConsentEvent(
                consent: Self.consent($0.int(0)), textVersion: $0.textIfAny(1),
                recordedAt: Date(timeIntervalSince1970: $0.double(2)))
        }
    }

    func accesses(_ condition: String, _ arguments: [SQLValue]) throws -> [AccessRecord] {
        var found: [AccessRecord] = []
        try session.query(
            "SELECT actor, action, subject, reason, recordedAt FROM access WHERE \(condition) ORDER BY id", arguments
        ) {
            found.append(
                AccessRecord(
                    actor: $0.text(0), action: $0.text(1), subject: $0.text(2), reason: $0.text(3),
                    recordedAt: Date(timeIntervalSince1970: $0.double(4))))
        }
        return found
    }

    /// Looks at a person's conversations, as far as they are there still, and at everything of them. By what was done,
    /// since the subject of other entries may be a name that is some conversation's id too.
    func accesses(toTextsOf userID: String) throws -> [AccessRecord] {
        try accesses(
            """
            subject = ?1 OR (action = 'show' AND subject IN (SELECT id FROM conversation WHERE userID = ?2))
            """, [.text(Self.hash(ofPerson: userID)), .text(userID)])
    }

    func annotations(_ condition: String, _ argument: String) throws -> [RaterAnnotation] {
        try session.all(
            """
            SELECT conversation.id, messageID, rater, label, value, comment, recordedAt FROM annotation
            JOIN conversation ON conversation.number = annotation.conversation
            WHERE \(condition) ORDER BY conversation.id, messageID, rater, label
            """, .text(argument)
        ) {
            RaterAnnotation(
                conversationID: $0.text(0), messageID: $0.text(1), rater: $0.text(2), label: $0.text(3),
                value: $0.doubleIfAny(4), comment: $0.textIfAny(5),
                recordedAt: Date(timeIntervalSince1970: $0.double(6)))
        }
    }

    /// Data sets that hold a person's words, and the models that learnt from those.
    func lineage(of userID: String) throws -> ([DatasetRecord], [ModelRecord]) {
        let hash = SQLValue.text(Self.hash(ofPerson: userID))
        let datasets = try session.all(
            """
            SELECT id, path, shape, conversations, people, createdAt FROM dataset
            WHERE id IN (SELECT dataset FROM datasetPerson WHERE hash = ?1) ORDER BY createdAt, id
            """, hash
        ) {
            DatasetRecord(
                id: $0.text(0), path: $0.text(1), shape: $0.text(2), conversations: $0.int(3), people: $0.int(4),
                createdAt: Date(timeIntervalSince1970: $0.double(5)))
        }
        var models = try session.all(
            """
            SELECT id, path, createdAt FROM trainedModel WHERE id IN (
                SELECT model FROM modelDataset WHERE dataset IN (SELECT dataset FROM datasetPerson WHERE hash = ?1)
            ) ORDER BY createdAt, id
            """, hash
        ) {
            ModelRecord(
                id: $0.text(0), path: $0.text(1), datasets: [],
                createdAt: Date(timeIntervalSince1970: $0.double(2)))
        }
        for index in models.indices {
            models[index].datasets = try session.all(
                "SELECT dataset FROM modelDataset WHERE model = ?1 ORDER BY dataset", .text(models[index].id)
            ) { $0.text(0) }
        }
        return (datasets, models)
    }

    /// Rows that belong to nothing.
    func looseEnds() throws -> [String] {
        var faults: [String] = []
        func count(_ what: String, _ sql: String) throws {
            let count = try session.first(sql) { $0.int(0) } ?? 0
            if count > 0 { faults.append("\(count) \(what)") }
        }
        try count(
            "messages without their conversation",
            """
            SELECT count(*) FROM message
            WHERE NOT EXISTS (SELECT 1 FROM conversation WHERE number = message.key / \(EncodedConversation.places))
            """)
        // A count and not NOT EXISTS: that one PostgreSQL turns into a join of whole tables, which takes minutes before it has
        // statistics; so each row asks for its conversation's few messages by key.
        for (what, table) in [("votes", "feedback"), ("past votes", "feedbackEvent"), ("annotations", "annotation")] {
            try count(
                "\(what) without their message",
                """
                SELECT count(*) FROM \(table) WHERE 0 = (
                    SELECT count(*) FROM message WHERE message.id = \(table).messageID
                    AND key >= \(table).conversation * \(EncodedConversation.places)
                    AND key < (\(table).conversation + 1) * \(EncodedConversation.places))
                """)
        }
        return faults
    }
}
