import Conversations
import Foundation

extension StoreTransaction {
    /// Rows that wait to be added together.
    private struct Rows {
        var conversations: [SQLValue] = []
        var messages: [SQLValue] = []
        var feedback: [SQLValue] = []
        var events: [SQLValue] = []
        var numbers: [String.Bytes: Int64] = [:]
    }

    /// Adds or replaces conversations; `ConversationStore.save` and `saveFromLog` say with what care.
    /// - Returns: what became of them, and whether anything that was there is gone by that.
    func save(
        _ conversations: [EncodedConversation], isFromLog: Bool = false
    ) throws -> (summary: SaveSummary, hasErased: Bool) {
        var summary = SaveSummary()
        var hasErased = false
        var there: [String.Bytes: Place] = [:]
        let rows = try session.all(
            "SELECT id, number, userID, consent FROM conversation WHERE id IN",
            in: conversations.filter { $0.refusal == nil }.map(\.id)
        ) { ($0.text(0), Place(number: Int64($0.int(1)), userID: $0.text(2), consent: $0.int(3))) }
        for (id, place) in rows { there[.init(id)] = place }
        let deleted = try deletions(
            of: conversations.map(\.userID) + conversations.flatMap { $0.feedback.map(\.feedback.userID) })
        var buried = try deletions(ofConversations: conversations.map(\.id))
        var next = try session.first("SELECT max(number) FROM conversation") { $0.isNull(0) ? 1 : Int64($0.int(0)) + 1 }
        var waiting = Rows()
        var models: Set<String> = []
        for conversation in conversations {
            if let refusal = conversation.refusal {
                summary.refused.append("conversation \(conversation.id): \(refusal)")
                continue
            }
            let id = String.Bytes(conversation.id)
            if waiting.numbers[id] != nil {
                // The same id twice in one call: the second one finds the first.
                try add(&waiting)
                there[id] = try find(conversation.id)
            }
            let found = there[id]
            // A log that takes consent back may have taken out who the person was, too.
            let isTakenBack = conversation.consent == .none && conversation.isOfNobody
            if let found, !found.userID.utf8.elementsEqual(conversation.userID.utf8), !isTakenBack {
                summary.refused.append("conversation \(conversation.id): another person's has the same id")
                continue
            }
            guard conversation.consent != .none else {
                summary.withoutConsent += 1
                if let found {
                    summary.withdrawn += 1
                    hasErased = true
                    try delete(found.number, id: conversation.id)
                    buried[id] = time.timeIntervalSince1970
                    there[id] = nil
                }
                continue
            }
            if let time = deleted[.init(conversation.userID)], Self.isBefore(conversation.startedAt, time) {
                summary.deletedPerson += 1
                continue
            }
            if found == nil, let deletedAt = buried[id] {
                if isFromLog, Self.isBefore(conversation.startedAt, deletedAt) {
                    summary.deletedConversation += 1
                    continue
                }
                // Its person allows it again, or another one came by the same id.
                try forgetDeletion(ofConversation: conversation.id)
                buried[id] = nil
            }
            let voices = conversation.feedback.filter { voice in
                // The conversation's own person was looked at already.
                if voice.feedback.userID == conversation.userID { return true }
                guard let time = deleted[.init(voice.feedback.userID)] else { return true }
                return !Self.isBefore(voice.feedback.givenAt, time)
            }
            models.formUnion(conversation.models)
            if let found {
                summary.replaced += 1
                if try replace(found, with: conversation, voices) { hasErased = true }
                // A third one of this id in the same call must not widen what the second one narrowed.
                there[id]?.consent = min(found.consent, Self.number(conversation.consent))
            } else {
                summary.added += 1
                let number = next ?? 1
                next = number + 1
                queue(conversation, voices, as: number, in: &waiting)
            }
        }
        try add(&waiting)
        try note(models: models)
        return (summary, hasErased)
    }

    /// What says no time is taken for old.
    private static func isBefore(_ date: Date?, _ time: Double) -> Bool {
        date.map { $0.timeIntervalSince1970 < time } ?? true
    }

    private func queue(
        _ conversation: EncodedConversation, _ voices: [EncodedConversation.Voice], as number: Int64,
        in rows: inout Rows
    ) {
        rows.numbers[.init(conversation.id)] = number
        rows.conversations += [
            .int(number), .text(conversation.id), .text(conversation.userID),
            SQLValue(Self.number(conversation.consent)), seconds, .json(conversation.body),
        ]
        var key = Self.key(number)
        for message in conversation.messages {
            rows.messages.append(.int(key))
            rows.messages.append(.text(message.id))
            rows.messages.append(.json(message.body))
            key += 1
        }
        var seen: Set<[String.Bytes]> = []
        for (place, voice) in voices.enumerated() {
            let message = conversation.messages[voice.place].id
            // Of two by one person on one message the last counts, and both are history.
            let later = voices.dropFirst(place + 1).last {
                $0.place == voice.place && $0.feedback.userID.utf8.elementsEqual(voice.feedback.userID.utf8)
            }
            if seen.insert([.init(message), .init(voice.feedback.userID)]).inserted {
                let last = later ?? voice
                rows.feedback += [
                    .int(number), .text(message), .text(voice.feedback.userID), SQLValue(place),
                    last.feedback.rating.map { SQLValue($0.rawValue) } ?? .null, .json(last.body),
                ]
            }
            rows.events += [
                .int(number), .text(message), .text(voice.feedback.userID),
                .text(FeedbackEvent.Action.given.rawValue), .json(voice.body), seconds,
            ]
        }
    }

    private func add(_ rows: inout Rows) throws {
        guard !rows.conversations.isEmpty else { return }
        try session.insert(
            into: "conversation (number, id, userID, consent, changedAt, body)", columns: 6,
            values: rows.conversations)
        try session.insert(into: "message (key, id, body)", columns: 3, values: rows.messages)
        try session.insert(
            into: "feedback (conversation, messageID, userID, place, rating, body)", columns: 6, values: rows.feedback)
        try session.insert(
            into: "feedbackEvent (conversation, messageID, userID, action, body, recordedAt)", columns: 6,
            values: rows.events)
        rows = Rows()
    }

    /// Puts a conversation in the place of the one that is there; it counts as touched when anything changed by that.
    /// - Returns: whether a message, or anything in one or beside them, is there no longer.
    private func replace(
        _ found: Place, with conversation: EncodedConversation, _ voices: [EncodedConversation.Voice]
    ) throws -> Bool {
        let said = Self.number(conversation.consent)
        if said < found.consent {
            try noteConsent(Self.consent(said), textVersion: nil, in: found)
        }
        let head = try session.first("SELECT body FROM conversation WHERE number = ?1", .int(found.number)) {
            $0.bytes(0)
        }
        var hasErased = head != conversation.body
        var isTouched = said < found.consent || hasErased
        if isTouched {
            try session.execute(
                "UPDATE conversation SET consent = ?1, body = ?2 WHERE number = ?3",
                SQLValue(min(said, found.consent)), .json(conversation.body), .int(found.number))
        }
        let first = Self.key(found.number)
        var old: [String.Bytes: (key: Int64, body: [UInt8])] = [:]
        try session.query(
            "SELECT id, key, body FROM message WHERE key >= ?1 AND key < ?2",
            [.int(first), .int(Self.key(found.number + 1))]
        ) { old[.init($0.text(0))] = (Int64($0.int(1)), $0.bytes(2)) }
        var (moved, added, changed): ([Int64], [SQLValue], [(Int64, [UInt8])]) = ([], [], [])
        for (place, message) in conversation.messages.enumerated() {
            let key = first + Int64(place)
            guard let before = old.removeValue(forKey: .init(message.id)) else {
                added += [.int(key), .text(message.id), .json(message.body)]
                continue
            }
            if before.key == key {
                if before.body != message.body { changed.append((key, message.body)) }
            } else {
                // Taken out and put in again: two messages that change places would collide otherwise.
                if before.body != message.body { hasErased = true }
                moved.append(before.key)
                added += [.int(key), .text(message.id), .json(message.body)]
            }
        }
        // What is left in `old` the log no longer has.
        if !(old.isEmpty && moved.isEmpty && added.isEmpty && changed.isEmpty) { isTouched = true }
        if !(old.isEmpty && changed.isEmpty) { hasErased = true }
        for (id, row) in old {
            try delete(messageWithKey: row.key, id: id.text, in: found.number)
        }
        for key in moved { try session.execute("DELETE FROM message WHERE key = ?1", .int(key)) }
        for (key, body) in changed {
            try session.execute("UPDATE message SET body = ?1 WHERE key = ?2", .json(body), .int(key))
        }
        try session.insert(into: "message (key, id, body)", columns: 3, values: added)
        for voice in voices {
            let isNew = try set(
                voice.feedback, body: voice.body, on: conversation.messages[voice.place].id, in: found.number,
                isFromLog: true)
            if isNew { isTouched = true }
        }
        if isTouched { try touch(found.number) }
        return hasErased
    }

    /// Longest name of a model that is noted, in bytes: PostgreSQL's indexes take no more than about 2,700.
    private static let longestModel = 2_000

    /// Remembers when a model's replies were first and last seen.
    func note(models: Set<String>) throws {
        for model in models.sorted() where !model.utf8.contains(0) && model.utf8.count <= Self.longestModel {
            try session.execute(
                """
                INSERT INTO modelSeen (model, firstAt, lastAt) VALUES (?1, ?2, ?2)
                ON CONFLICT (model) DO UPDATE SET lastAt = excluded.lastAt
                """, .text(model), seconds)
        }
    }

    func noteConsent(_ consent: Consent, textVersion: String?, in place: Place) throws {
        try session.execute(
            "INSERT INTO consentEvent (conversation, consent, textVersion, recordedAt) VALUES (?1, ?2, ?3, ?4)",
            .int(place.number), SQLValue(Self.number(consent)), SQLValue(textVersion), seconds)
    }
}
