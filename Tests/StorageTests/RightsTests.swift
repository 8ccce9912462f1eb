import Conversations
import Foundation
import RandomConversations
import Storage
import Testing

@Suite("A person's rights, raters, lineage")
struct RightsTests {
    private func dataset(_ id: String, at date: Date) -> DatasetRecord {
        DatasetRecord(id: id, path: "data/\(id)", shape: "trl-kto", conversations: 2, people: 2, createdAt: date)
    }

    @Test("what a person allowed, when, and by which text", arguments: StoreKind.present)
    func consent(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        var log = chat("c", of: "u", consent: .release)
        try await store.save(log)
        #expect(try await store.consentHistory(of: "c").isEmpty)
        bench.advance(5)
        try await store.setConsent(.improve, conversationID: "c", textVersion: "2024-03")
        bench.advance(5)
        try await store.setConsent(.release, conversationID: "c", textVersion: "2024-04")
        bench.advance(5)
        // A log that says less counts, with no text.
        log.consent = .improve
        try await store.save(log)
        let start = Date(timeIntervalSince1970: 1_700_000_000)
        let expected = [
            ConsentEvent(consent: .improve, textVersion: "2024-03", recordedAt: start + 5),
            ConsentEvent(consent: .release, textVersion: "2024-04", recordedAt: start + 10),
            ConsentEvent(consent: .improve, recordedAt: start + 15),
        ]
        #expect(try await store.consentHistory(of: "c") == expected)
        try await store.setConsent(.none, conversationID: "c")
        #expect(try await store.conversation(id: "c") == nil)
        #expect(try await store.consentHistory(of: "c").isEmpty)
    }

    @Test("raters: one word per rater, message and label", arguments: StoreKind.present)
    func raters(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        try await store.save(chat("c", of: "u"))
        func word(_ rater: String, _ value: Double?, _ comment: String? = nil) -> RaterAnnotation {
            RaterAnnotation(
                conversationID: "c", messageID: "2", rater: rater, label: "off_topic", value: value, comment: comment,
                recordedAt: bench.now)
        }
        try await store.annotate(word("r2", 1))
        try await store.annotate(word("r1", 0, "hm"))
        bench.advance(1)
        let last = word("r2", nil, "on second thoughts")
        try await store.annotate(last)
        let read = try await store.annotations(of: "c")
        #expect(read.map(\.rater) == ["r1", "r2"])
        #expect(read[1] == last)
        let missing = RaterAnnotation(
            conversationID: "c", messageID: "9", rater: "r", label: "off_topic", recordedAt: bench.now)
        await #expect(throws: StorageError.self) { try await store.annotate(missing) }
        // A message that an import takes away takes its words with it.
        var shorter = chat("c", of: "u")
        shorter.messages.remove(at: 1)
        try await store.save(shorter)
        #expect(try await store.annotations(of: "c").isEmpty)
        #expect(try await store.check().isEmpty)
    }

    @Test("everything of a person comes out, and is gone when they are deleted", arguments: StoreKind.present)
    func rights(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        var others = chat("others", of: "v")
        let vote = Feedback(userID: "u", rating: .dislike, comment: "no")
        others.messages[1].feedback = [vote]
        try await store.save([chat("b", of: "u"), chat("a", of: "u"), others])
        try await store.setConsent(.release, conversationID: "a", textVersion: "1")
        try await store.setFeedback(Feedback(userID: "u", rating: .like), on: "2", in: "b")
        try await store.annotate(
            RaterAnnotation(
                conversationID: "others", messageID: "2", rater: "u", label: "good", value: 1, recordedAt: bench.now))
        let early = dataset("d1", at: bench.now)
        bench.advance(10)
        let late = dataset("d2", at: bench.now)
        try await store.record(early, people: ["u", "v"])
        try await store.record(late, people: ["v"])
        let first = ModelRecord(id: "m1", path: "models/m1", datasets: ["d1", "d2"], createdAt: bench.now)
        let second = ModelRecord(id: "m2", path: "models/m2", datasets: ["d2"], createdAt: bench.now)
        try await store.record(first)
        try await store.record(second)
        try await store.record(second)

        let data = try await store.personalData(of: "u")
        #expect(data.conversations.map(\.id) == ["a", "b"])
        #expect(data.feedback.map(\.conversationID) == ["others", "b"])
        #expect(data.feedback[0].event.feedback == vote)
        #expect(data.annotations.map(\.label) == ["good"])
        #expect(data.consent.keys.sorted() == ["a"])
        #expect(data.consent["a"]?.map(\.consent) == [Consent.release])
        #expect(data.datasets == [early])
        #expect(data.models == [first])

        let report = try await store.delete(userID: "u")
        #expect(report.conversations == 2)
        #expect(report.feedback == 1)
        #expect(report.annotations == 1)
        #expect(report.datasets == [early])
        #expect(report.models == [first])
        let after = try await store.personalData(of: "u")
        #expect(after.conversations.isEmpty)
        #expect(after.feedback.isEmpty)
        #expect(after.annotations.isEmpty)
        #expect(try await store.all().map(\.id) == ["others"])
        #expect(try await store.conversation(id: "others")?.messages[1].feedback.isEmpty == true)
        #expect(try await store.delete(userID: "nobody").conversations == 0)
        #expect(try await store.check().isEmpty)
    }

    @Test("what a rater said comes out with the rest of them", arguments: StoreKind.present)
    func raterData(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        try await store.save([chat("a", of: "u"), chat("b", of: "v")])
        func vote(_ rater: String) -> PairVote {
            PairVote(
                pair: "p", rater: rater, first: .init(conversationID: "a", messageID: "2", model: "m1"),
                second: .init(conversationID: "b", model: "m2"), question: "prefer", choice: .second,
                comment: "says \(rater)", recordedAt: bench.now)
        }
        func answer(_ rater: String) -> GoldAnswer {
            GoldAnswer(rater: rater, item: "g", isRight: rater == "ann", recordedAt: bench.now)
        }
        for rater in ["ann", "bob"] {
            try await store.record(vote(rater))
            try await store.record(answer(rater))
        }
        let data = try await store.personalData(of: "ann")
        #expect(data.pairVotes == [vote("ann")])
        #expect(data.goldAnswers == [answer("ann")])
        let lines = data.jsonLines
        #expect(lines.contains("says ann") && !lines.contains("says bob"))
        #expect(lines.contains(#""kind":"pair_vote""#) && lines.contains(#""kind":"gold_answer""#))
        try await store.delete(userID: "ann")
        let after = try await store.personalData(of: "ann")
        #expect(after.pairVotes.isEmpty && after.goldAnswers.isEmpty)
    }

    @Test("looks at a person's texts come out with the rest of them", arguments: StoreKind.present)
    func looks(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        try await store.save([chat("a", of: "u"), chat("b", of: "v")])
        func look(_ action: String, _ subject: String) -> AccessRecord {
            AccessRecord(
                actor: "op", action: action, subject: subject, reason: "a complaint about \(subject)",
                recordedAt: bench.now)
        }
        func hash(_ person: String) -> String { StableHash.identifier(of: Array(person.utf8)) }
        let (shown, exported) = (look("show", "a"), look("person", hash("u")))
        // Others' texts, and what is no look at a text though its subject is called the same.
        let others = [look("show", "b"), look("forgive_rater", "a"), look("person", hash("w"))]
        for record in [shown] + others + [exported] { try await store.record(record) }
        let data = try await store.personalData(of: "u")
        #expect(data.accesses == [shown, exported])
        let lines = data.jsonLines
        #expect(lines.contains(#""kind":"access""#) && lines.contains("a complaint about a"))
        #expect(!lines.contains(#""subject":"b""#))
        // The look for somebody of whom nothing is held is no reason to say that something is.
        #expect(try await store.personalData(of: "w").jsonLines.isEmpty)
    }

    @Test(
        "what was deleted alone does not come back with an old log; its person may allow it again",
        arguments: StoreKind.present)
    func deletedAlone(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        let log = ["deleted", "kept", "taken back", "told by a log"].map { chat($0, of: "u") }
        #expect(try await store.saveFromLog(log).added == 4)
        bench.advance(10)
        try await store.delete(conversationID: "deleted")
        try await store.delete(conversationID: "never there")
        try await store.setConsent(.none, conversationID: "taken back")
        let telling = try await store.saveFromLog([chat("told by a log", of: "u", consent: .none)])
        #expect((telling.withdrawn, telling.deletedConversation) == (1, 0))
        // Another process knows it too.
        let again = try await bench.open().saveFromLog(log + [chat("never there", of: "u")])
        #expect((again.deletedConversation, again.added, again.replaced) == (3, 1, 1))
        #expect(try await store.all().map(\.id) == ["kept", "never there"])
        // What the second line of one call takes back its third does not bring.
        let lines = [Consent.improve, .none, .improve].map { chat("thrice", of: "u", consent: $0) }
        let summary = try await store.saveFromLog(lines)
        #expect((summary.added, summary.withdrawn, summary.deletedConversation) == (1, 1, 1))
        // As the server does when a person allows it again; from then on a log counts as before.
        #expect(try await store.save(chat("taken back", of: "u")).added == 1)
        let third = try await store.saveFromLog(log)
        #expect((third.deletedConversation, third.replaced) == (2, 2))
        // What began afterwards is another one under the same id.
        #expect(try await store.saveFromLog([chat("deleted", of: "u", startedAt: bench.now)]).added == 1)
        #expect(try await store.all().map(\.id) == ["deleted", "kept", "never there", "taken back"])
        #expect(try await store.check().isEmpty)
    }

    @Test("a retention window ends", arguments: StoreKind.present)
    func retention(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        try await store.save([chat("old", of: "u"), chat("touched", of: "u")])
        bench.advance(100)
        let edge = bench.now
        try await store.append(Message(id: "9", sender: .human, text: "still here"), to: "touched")
        try await store.save(chat("new", of: "v"))
        #expect(try await store.deleteConversations(untouchedSince: edge) == 1)
        #expect(try await store.deleteConversations(untouchedSince: edge) == 0)
        #expect(try await store.saveFromLog([chat("old", of: "u")]).deletedConversation == 1)
        #expect(try await store.all().map(\.id) == ["new", "touched"])
        #expect(try await store.counts().messages == 7)
    }

    @Test("looks at raw text, and models that were seen", arguments: StoreKind.present)
    func records(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        let looks = (0..<3).map {
            AccessRecord(
                actor: "op\($0)", action: "show", subject: "c", reason: "a complaint",
                recordedAt: bench.now + Double($0))
        }
        for look in looks { try await store.record(look) }
        #expect(try await store.accesses(since: nil) == looks)
        #expect(try await store.accesses(since: bench.now + 1) == Array(looks.dropFirst()))
        var log = chat("c", of: "u")
        log.messages[1].generation = GenerationRecord(model: "m1")
        try await store.save(log)
        let start = bench.now
        bench.advance(7)
        try await store.append(
            Message(id: "4", sender: .bot, text: "bye", generation: GenerationRecord(model: "m2")), to: "c")
        try await store.append(
            Message(id: "5", sender: .bot, text: "bye", generation: GenerationRecord(model: "m1")), to: "c")
        let expected = [
            ModelSighting(model: "m1", firstAt: start, lastAt: start + 7),
            ModelSighting(model: "m2", firstAt: start + 7, lastAt: start + 7),
        ]
        #expect(try await store.models() == expected)
    }

    @Test("a store is copied into one of the other kind with all that is in it", arguments: StoreKind.present)
    func copy(_ kind: StoreKind) async throws {
        let from = try StoreBench(kind)
        let to = try StoreBench(StoreKind.present.last { $0 != kind } ?? kind)
        let (source, target) = (try await from.open(), try await to.open())
        var random = RandomConversation(seed: 11)
        try await source.save((0..<60).map { random.conversation(index: $0) })
        try await source.save(chat("c", of: "u"))
        try await source.setFeedback(Feedback(userID: "u", rating: .like), on: "2", in: "c")
        from.advance(3)
        try await source.setFeedback(Feedback(userID: "u", rating: .dislike), on: "2", in: "c")
        try await source.setConsent(.release, conversationID: "c", textVersion: "7")
        try await source.annotate(
            RaterAnnotation(
                conversationID: "c", messageID: "2", rater: "r", label: "good", value: 0.5, recordedAt: from.now))
        try await source.record(dataset("d", at: from.now), people: ["u"])
        try await source.record(ModelRecord(id: "m", path: "p", datasets: ["d"], createdAt: from.now))
        try await source.save(chat("alone", of: "u"))
        try await source.delete(conversationID: "alone")
        try await source.save(chat("gone", of: "w", startedAt: from.now))
        from.advance(1)
        try await source.delete(userID: "w")
        to.advance(1000)
        try await source.copy(into: target)
        let (before, after) = (try await source.all(), try await target.all())
        let isSame = before == after
        #expect(isSame && before.count > 20)
        let counts = try await source.counts()
        #expect(try await target.counts() == counts)
        let history = try await source.feedbackHistory(of: "2", in: "c")
        #expect(history.count == 2)
        #expect(try await target.feedbackHistory(of: "2", in: "c") == history)
        let consentHistory = try await source.consentHistory(of: "c")
        #expect(try await target.consentHistory(of: "c") == consentHistory)
        let annotations = try await source.annotations(of: "c")
        #expect(try await target.annotations(of: "c") == annotations)
        let data = try await source.personalData(of: "u")
        let copied = try await target.personalData(of: "u")
        #expect(copied.datasets == data.datasets)
        #expect(copied.models == data.models)
        #expect(try await target.save(chat("gone", of: "w", startedAt: from.now - 1)).deletedPerson == 1)
        #expect(try await target.saveFromLog([chat("alone", of: "u")]).deletedConversation == 1)
        #expect(try await target.check().isEmpty)
        // Times are copied too: the retention window does not begin again.
        #expect(try await target.all(since: from.now).isEmpty)
        // A store that holds something is not written over.
        let error = await #expect(throws: StorageError.self) { try await source.copy(into: target) }
        #expect(error?.code == .conflict)
    }
}
