import Conversations
import Foundation

/// What raters say, and the list of conversations that operators read.
extension SQLStore {
    public func annotate(_ annotations: [RaterAnnotation]) async throws {
        if annotations.isEmpty { return }
        try await change { store in
            try store.lock(annotations.map(\.conversationID))
            for annotation in annotations { try store.annotate(annotation) }
        }
    }

    public func annotations(label: String) async throws -> [RaterAnnotation] {
        try await look { try $0.annotations("label = ?1", label) }
    }

    public func record(_ vote: PairVote) async throws {
        try await change { store in
            try store.refuse(ids: [vote.pair, vote.rater])
            try store.refuse(texts: [vote.question, vote.comment ?? ""])
            try store.lock([vote.first.conversationID, vote.second.conversationID])
            let places = try [vote.first, vote.second].map { side in
                if let message = side.messageID {
                    return try store.require(message, in: side.conversationID).place
                }
                return try store.require(side.conversationID)
            }
            try store.session.execute(
                """
                INSERT INTO pairVote (pair, rater, firstConversation, firstMessage, firstModel, secondConversation,
                secondMessage, secondModel, question, choice, comment, recordedAt)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (pair, rater) DO UPDATE SET
                firstConversation = excluded.firstConversation, firstMessage = excluded.firstMessage,
                firstModel = excluded.firstModel, secondConversation = excluded.secondConversation,
                secondMessage = excluded.secondMessage, secondModel = excluded.secondModel,
                question = excluded.question, choice = excluded.choice, comment = excluded.comment,
                recordedAt = excluded.recordedAt
                """, .text(vote.pair), .text(vote.rater), .int(places[0].number), SQLValue(vote.first.messageID),
                .text(vote.first.model), .int(places[1].number), SQLValue(vote.second.messageID),
                .text(vote.second.model), .text(vote.question), SQLValue(vote.choice.rawValue),
                SQLValue(vote.comment), .double(vote.recordedAt.timeIntervalSince1970))
        }
    }

    public func pairVotes() async throws -> [PairVote] {
        try await look { try $0.pairVotes("", []) }
    }

    public func record(_ answer: GoldAnswer) async throws {
        try await change { store in
            try store.refuse(ids: [answer.rater, answer.item])
            try store.session.execute(
                """
                INSERT INTO goldAnswer (rater, item, isRight, recordedAt) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (rater, item) DO NOTHING
                """, .text(answer.rater), .text(answer.item), SQLValue(answer.isRight ? 1 : 0),
                .double(answer.recordedAt.timeIntervalSince1970))
        }
    }

    public func goldAnswers() async throws -> [GoldAnswer] {
        try await look { try $0.goldAnswers("", []) }
    }

    public func forgetGoldAnswers(of rater: String) async throws {
        try await change { try $0.session.execute("DELETE FROM goldAnswer WHERE rater = ?1", .text(rater)) }
    }

    public func latest(
        after place: TouchedConversation.Place?, limit: Int, since: Date?, isDisliked: Bool
    ) async throws -> [TouchedConversation] {
        try await look { store in
            var conditions = ["consent >= 1"]
            var arguments = [SQLValue(limit)]
            if let since {
                arguments.append(.double(since.timeIntervalSince1970))
                conditions.append("changedAt >= ?\(arguments.count)")
            }
            if let place {
                arguments += [.double(place.touched), .int(place.number)]
                let (touched, number) = ("?\(arguments.count - 1)", "?\(arguments.count)")
                conditions.append("(changedAt < \(touched) OR (changedAt = \(touched) AND number < \(number)))")
            }
            if isDisliked {
                conditions.append(
                    "EXISTS (SELECT 1 FROM feedback WHERE feedback.conversation = number AND feedback.rating = -1)")
            }
            var places: [TouchedConversation.Place] = []
            try store.session.query(
                """
                SELECT changedAt, number FROM conversation WHERE \(conditions.joined(separator: " AND "))
                ORDER BY changedAt DESC, number DESC LIMIT ?1
                """, arguments
            ) { places.append(.init(touched: $0.double(0), number: Int64($0.int(1)))) }
            return try places.flatMap { place in
                try store.conversations("WHERE number = ?1", [.int(place.number)])
                    .map { TouchedConversation(place: place, conversation: $0) }
            }
        }
    }

    public func latestAccesses(limit: Int) async throws -> [AccessRecord] {
        try await look { store in
            try store.session.all(
                "SELECT actor, action, subject, reason, recordedAt FROM access ORDER BY id DESC LIMIT ?1",
                SQLValue(limit)
            ) {
                AccessRecord(
                    actor: $0.text(0), action: $0.text(1), subject: $0.text(2), reason: $0.text(3),
                    recordedAt: Date(timeIntervalSince1970: $0.double(4)))
            }
        }
    }
}

extension StoreTransaction {
    /// Choices between two, oldest first; `condition` is empty or begins with `WHERE`.
    func pairVotes(_ condition: String, _ arguments: [SQLValue]) throws -> [PairVote] {
        var votes: [PairVote] = []
        try session.query(
            """
            SELECT pair, rater, a.id, firstMessage, firstModel, b.id, secondMessage, secondModel, question, choice,
            comment, recordedAt FROM pairVote
            JOIN conversation a ON a.number = firstConversation JOIN conversation b ON b.number = secondConversation
            \(condition) ORDER BY recordedAt, pair, rater
            """, arguments
        ) {
            votes.append(
                PairVote(
                    pair: $0.text(0), rater: $0.text(1),
                    first: .init(conversationID: $0.text(2), messageID: $0.textIfAny(3), model: $0.text(4)),
                    second: .init(conversationID: $0.text(5), messageID: $0.textIfAny(6), model: $0.text(7)),
                    question: $0.text(8), choice: PairVote.Choice(rawValue: $0.int(9)) ?? .tie,
                    comment: $0.textIfAny(10), recordedAt: Date(timeIntervalSince1970: $0.double(11))))
        }
        return votes
    }

    /// Answers to known questions, oldest first; `condition` is empty or begins with `WHERE`.
    func goldAnswers(_ condition: String, _ arguments: [SQLValue]) throws -> [GoldAnswer] {
        var answers: [GoldAnswer] = []
        try session.query(
            "SELECT rater, item, isRight, recordedAt FROM goldAnswer \(condition) ORDER BY recordedAt, rater, item",
            arguments
        ) {
            answers.append(
                GoldAnswer(
                    rater: $0.text(0), item: $0.text(1), isRight: $0.int(2) == 1,
                    recordedAt: Date(timeIntervalSince1970: $0.double(3))))
        }
        return answers
    }

    /// Makes this the rater's current word on a message and label.
    func annotate(_ annotation: RaterAnnotation) throws {
        let place = try require(annotation.messageID, in: annotation.conversationID).place
        try refuse(ids: [annotation.rater, annotation.label])
        try refuse(texts: [annotation.comment ?? ""])
        try session.execute(
            """
            INSERT INTO annotation (conversation, messageID, rater, label, value, comment, recordedAt)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (conversation, messageID, rater, label)
            DO UPDATE SET value = excluded.value, comment = excluded.comment, recordedAt = excluded.recordedAt
            """, .int(place.number), .text(annotation.messageID), .text(annotation.rater), .text(annotation.label),
            SQLValue(annotation.value), SQLValue(annotation.comment),
            .double(annotation.recordedAt.timeIntervalSince1970))
        try touch(place.number)
    }
}
