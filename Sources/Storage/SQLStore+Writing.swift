import Conversations
import Foundation

extension SQLStore {
    func change<R: Sendable>(
        _ scope: WriteScope = .conversation, _ body: @escaping @Sendable (StoreTransaction) throws -> R
    ) async throws -> R {
        let (time, name) = (now(), name)
        return try await writing(scope) { try body(StoreTransaction(session: $0, time: time, name: name)) }
    }

    @discardableResult
    public func save(_ conversations: [EncodedConversation]) async throws -> SaveSummary {
        try await save(conversations, isFromLog: false)
    }

    @discardableResult
    public func saveFromLog(_ conversations: [EncodedConversation]) async throws -> SaveSummary {
        try await save(conversations, isFromLog: true)
    }

    private func save(_ conversations: [EncodedConversation], isFromLog: Bool) async throws -> SaveSummary {
        if conversations.isEmpty { return SaveSummary() }
        let (summary, hasErased) = try await change(.store) { try $0.save(conversations, isFromLog: isFromLog) }
        if hasErased { try await forgetDeleted() }
        return summary
    }

    public func append(_ message: Message, to conversationID: String) async throws {
        try await change { store in
            let place = try store.require(conversationID)
            try store.refuse(ids: [message.id] + message.feedback.map(\.userID))
            let body = EncodedConversation.body(of: message, user: place.userID)
            if let there = try store.message(message.id, in: place) {
                if there.body == body { return }
                throw StorageError(.conflict, file: name, reason: "another message has the id \(message.id)")
            }
            let (first, end) = (StoreTransaction.key(place.number), StoreTransaction.key(place.number + 1))
            let key = try store.session.first(
                "SELECT max(key) FROM message WHERE key >= ?1 AND key < ?2", .int(first), .int(end)
            ) { $0.isNull(0) ? first : Int64($0.int(0)) + 1 }
            guard let key, key < end else {
                throw StorageError(.conflict, file: name, reason: "conversation \(conversationID) is full")
            }
            try store.session.execute(
                "INSERT INTO message (key, id, body) VALUES (?1, ?2, ?3)", .int(key), .text(message.id), .json(body))
            for feedback in message.feedback {
                try store.set(feedback, body: feedback.jsonText, on: message.id, in: place.number)
            }
            if let model = message.generation?.model { try store.note(models: [model]) }
            try store.touch(place.number)
        }
    }

    public func setSafety(_ decisions: [SafetyDecision], on messageID: String, in conversationID: String) async throws {
        try await change { store in
            let (place, key, old) = try store.require(messageID, in: conversationID)
            var message = try Message(jsonText: old, userID: place.userID)
            guard message.safety != decisions else { return }
            message.safety = decisions
            message.id = messageID
            let body = EncodedConversation.body(of: message, user: place.userID)
            try store.session.execute("UPDATE message SET body = ?1 WHERE key = ?2", .json(body), .int(key))
            try store.touch(place.number)
        }
    }

    public func setAnnotations(_ annotations: [String: [Annotation]], in conversationID: String) async throws {
        try await change { store in
            var isChanged = false
            for (messageID, labels) in annotations.sorted(by: { $0.key < $1.key }) {
                let (place, key, old) = try store.require(messageID, in: conversationID)
                var message = try Message(jsonText: old, userID: place.userID)
                guard message.annotations != labels else { continue }
                message.annotations = labels
                message.id = messageID
                let body = EncodedConversation.body(of: message, user: place.userID)
                try store.session.execute("UPDATE message SET body = ?1 WHERE key = ?2", .json(body), .int(key))
                isChanged = true
            }
            if isChanged { try store.touch(try store.require(conversationID).number) }
        }
    }

    public func setFeedback(_ feedback: Feedback, on messageID: String, in conversationID: String) async throws {
        try await change { store in
            let place = try store.require(messageID, in: conversationID).place
            try store.refuse(ids: [feedback.userID])
            try store.set(feedback, body: feedback.jsonText, on: messageID, in: place.number)
            try store.touch(place.number)
        }
    }

    public func retractFeedback(of userID: String, on messageID: String, in conversationID: String) async throws {
        try await change { store in
            let place = try store.require(messageID, in: conversationID).place
            try store.refuse(texts: [userID])
            let condition = "WHERE conversation = ?1 AND messageID = ?2 AND userID = ?3"
            let body = try store.session.first(
                "SELECT body FROM feedback \(condition)", .int(place.number), .text(messageID), .text(userID)
            ) { $0.bytes(0) }
            guard let body else { return }
            try store.session.execute(
                "DELETE FROM feedback \(condition)", .int(place.number), .text(messageID), .text(userID))
            try store.log(.retracted, body, of: userID, on: messageID, in: place.number)
            try store.touch(place.number)
        }
    }

    public func setConsent(_ consent: Consent, conversationID: String, textVersion: String?) async throws {
        if consent == .none { return try await delete(conversationID: conversationID) }
        try await change { store in
            let place = try store.require(conversationID)
            try store.refuse(texts: [textVersion ?? ""])
            try store.session.execute(
                "UPDATE conversation SET consent = ?1, changedAt = ?2 WHERE number = ?3",
                SQLValue(StoreTransaction.number(consent)), store.seconds, .int(place.number))
            try store.noteConsent(consent, textVersion: textVersion, in: place)
        }
    }

    public func annotate(_ annotation: RaterAnnotation) async throws {
        try await change { try $0.annotate(annotation) }
    }

    // MARK: Deleting

    public func delete(conversationID: String) async throws {
        try await change { store in
            if let place = try store.find(conversationID) { try store.delete(place.number, id: conversationID) }
        }
        try await forgetDeleted()
    }

    @discardableResult
    public func delete(userID: String) async throws -> DeletionReport {
        let report = try await change(.store) { store in
            let session = store.session
            try store.refuse(texts: [userID])
            var report = DeletionReport()
            (report.datasets, report.models) = try store.lineage(of: userID)
            // Others' conversations that this person voted in are changed: the next export must not carry the votes on.
            try session.execute(
                """
                UPDATE conversation SET changedAt = ?1 WHERE userID <> ?2
                AND number IN (SELECT conversation FROM feedback WHERE userID = ?2)
                """, store.seconds, .text(userID))
            let own = try session.all("SELECT number FROM conversation WHERE userID = ?1", .text(userID)) {
                Int64($0.int(0))
            }
            report.conversations = own.count
            for number in own { try store.delete(number) }
            func remove(_ table: String, _ column: String) throws -> Int {
                let count = try session.first("SELECT count(*) FROM \(table) WHERE \(column) = ?1", .text(userID)) {
                    $0.int(0)
                }
                try session.execute("DELETE FROM \(table) WHERE \(column) = ?1", .text(userID))
                return count ?? 0
            }
            report.feedback = try remove("feedback", "userID")
            _ = try remove("feedbackEvent", "userID")
            report.memories = try remove("memory", "userID")
            report.annotations = try remove("annotation", "rater")
            report.annotations += try remove("pairVote", "rater")
            _ = try remove("goldAnswer", "rater")
            try session.execute(
                """
                INSERT INTO deletedPerson (hash, deletedAt) VALUES (?1, ?2)
                ON CONFLICT (hash) DO UPDATE SET deletedAt = excluded.deletedAt
                """, .text(StoreTransaction.hash(ofPerson: userID)), store.seconds)
            return report
        }
        try await forgetDeleted()
        return report
    }

    public func deleteConversations(untouchedSince date: Date) async throws -> Int {
        let count = try await change(.store) { store in
            let old = try store.session.all(
                "SELECT number, id FROM conversation WHERE changedAt < ?1", .double(date.timeIntervalSince1970)
            ) { (Int64($0.int(0)), $0.text(1)) }
            for (number, id) in old { try store.delete(number, id: id) }
            return old.count
        }
        if count > 0 { try await forgetDeleted() }
        return count
    }

    // MARK: Records

    public func record(_ access: AccessRecord) async throws {
        try await change { store in
            try store.refuse(texts: [access.actor, access.action, access.subject, access.reason])
            try store.session.execute(
                "INSERT INTO access (actor, action, subject, reason, recordedAt) VALUES (?1, ?2, ?3, ?4, ?5)",
                .text(access.actor), .text(access.action), .text(access.subject), .text(access.reason),
                .double(access.recordedAt.timeIntervalSince1970))
        }
    }

    public func record(_ dataset: DatasetRecord, people: Set<String>) async throws {
        try await change(.store) { store in
            try store.session.execute("DELETE FROM dataset WHERE id = ?1", .text(dataset.id))
            try store.session.execute(
                """
                INSERT INTO dataset (id, path, shape, conversations, people, createdAt)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                """, .text(dataset.id), .text(dataset.path), .text(dataset.shape), SQLValue(dataset.conversations),
                SQLValue(dataset.people), .double(dataset.createdAt.timeIntervalSince1970))
            let hashes = people.map(StoreTransaction.hash(ofPerson:)).sorted()
            try store.session.insert(
                into: "datasetPerson (hash, dataset)", columns: 2,
                values: hashes.flatMap { [SQLValue.text($0), .text(dataset.id)] })
        }
    }

    public func record(_ model: ModelRecord) async throws {
        try await change(.store) { store in
            try store.session.execute("DELETE FROM trainedModel WHERE id = ?1", .text(model.id))
            try store.session.execute(
                "INSERT INTO trainedModel (id, path, createdAt) VALUES (?1, ?2, ?3)", .text(model.id),
                .text(model.path), .double(model.createdAt.timeIntervalSince1970))
            try store.session.insert(
                into: "modelDataset (dataset, model)", columns: 2,
                values: Set(model.datasets).sorted().flatMap { [SQLValue.text($0), .text(model.id)] })
        }
    }
}
