import Conversations
import Foundation
import RandomConversations
import Storage
import Testing

/// What every store promises; each test runs with each of them.
@Suite("Conformance of stores")
struct ConformanceTests {
    @Test(
        "random conversations come back as they were, all of them, in order of their ids", arguments: StoreKind.present)
    func roundTrip(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let store = try await folder.open()
        var random = RandomConversation(seed: 5)
        let given = (0..<120).map { random.conversation(index: $0) }
        let summary = try await store.save(given)
        let isRefused = { (c: Conversation) in
            // Of what is not kept only the person has to be somebody.
            ([c.userID] + (c.consent == .none ? [] : c.messages.map(\.id))).contains { $0.utf8.contains(0) }
        }
        let kept = given.filter { !isRefused($0) && $0.consent != .none }.sorted { $0.id < $1.id }
        #expect(summary.added == kept.count)
        #expect(summary.refused.count == given.count(where: isRefused))
        #expect(summary.withoutConsent == given.count { !isRefused($0) && $0.consent == .none })
        #expect(kept.count > 20 && !summary.refused.isEmpty && summary.withoutConsent > 20)
        let read = try await store.all()
        #expect(read.map(\.id) == kept.map(\.id))
        for (a, b) in zip(read, kept) {
            // Compared outside `#expect`, which would print whole conversations.
            let isSame = a == b && a.jsonLine == b.jsonLine
            #expect(isSame, "\(b.jsonLine)")
        }
        // The same again changes nothing but counts as replaced; another instance reads the same.
        let again = try await store.save(kept)
        #expect(again.replaced == kept.count && again.added == 0)
        let isSame = try await folder.open().all() == kept
        #expect(isSame)
        let releasable = try await store.all(consent: .release)
        #expect(releasable.map(\.id) == kept.filter { $0.consent == .release }.map(\.id))
        let messages = kept.reduce(0) { $0 + $1.messages.count }
        let thumbs = kept.flatMap(\.messages).flatMap(\.feedback)
        let counts = try await store.counts()
        #expect(counts.conversations == kept.count)
        #expect(counts.messages == messages)
        #expect(counts.feedback == thumbs.count)
        #expect(counts.likes == thumbs.count { $0.rating == .like })
        #expect(counts.dislikes == thumbs.count { $0.rating == .dislike })
    }

    @Test("one current feedback per person and message, with its history", arguments: StoreKind.present)
    func feedback(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let store = try await folder.open()
        try await store.save(chat("c", of: "u"))
        let first = Feedback(userID: "u", rating: .like)
        let second = Feedback(
            userID: "u", rating: .dislike, reasons: [.offTopic], correction: "behind you", givenAt: folder.now)
        let other = Feedback(userID: "v", comment: "hm")
        try await store.setFeedback(first, on: "2", in: "c")
        folder.advance(10)
        try await store.setFeedback(second, on: "2", in: "c")
        try await store.setFeedback(second, on: "2", in: "c")
        try await store.setFeedback(other, on: "2", in: "c")
        #expect(try await store.conversation(id: "c")?.messages[1].feedback == [second, other])
        let counts = try await store.counts()
        #expect((counts.feedback, counts.likes, counts.dislikes, counts.users) == (2, 0, 1, 2))
        folder.advance(10)
        try await store.retractFeedback(of: "u", on: "2", in: "c")
        try await store.retractFeedback(of: "nobody", on: "2", in: "c")
        #expect(try await store.conversation(id: "c")?.messages[1].feedback == [other])
        let history = try await store.feedbackHistory(of: "2", in: "c")
        #expect(history.map(\.action) == [.given, .given, .given, .retracted])
        #expect(history.map(\.feedback) == [first, second, other, second])
        #expect(
            history.map { $0.recordedAt.timeIntervalSince1970 } == [
                1_700_000_000, 1_700_000_010, 1_700_000_010, 1_700_000_020,
            ])
        let missing = await #expect(throws: StorageError.self) { try await store.setFeedback(first, on: "9", in: "c") }
        #expect(missing?.code == .notFound)
        #expect(missing?.reason == "no message 9 in conversation c")
    }

    @Test("a log that is imported again keeps what was said on the page since", arguments: StoreKind.present)
    func mergeOnSave(_ kind: StoreKind) async throws {
        let store = try await StoreBench(kind).open()
        var log = chat("c", of: "u", consent: .release)
        log.messages[1].feedback = [Feedback(userID: "u", rating: .like)]
        try await store.save(log)
        try await store.setFeedback(Feedback(userID: "v", rating: .dislike), on: "2", in: "c")
        try await store.setConsent(.improve, conversationID: "c")
        log.messages[1].text = "on the shelf"
        log.messages[1].feedback = [Feedback(userID: "u", rating: .dislike)]
        log.messages.removeLast()
        let summary = try await store.save([log])
        #expect(summary.replaced == 1)
        let read = try #require(try await store.conversation(id: "c"))
        #expect(read.messages.map(\.text) == ["where is the kettle", "on the shelf"])
        #expect(read.messages[1].feedback.map(\.rating) == [.dislike, .dislike])
        #expect(read.messages[1].feedback.map(\.userID) == ["u", "v"])
        // The log said `release`; the person has said less since.
        #expect(read.consent == .improve)
        try await store.setConsent(.release, conversationID: "c")
        #expect(try await store.conversation(id: "c")?.consent == .release)
        // Nothing is kept of a conversation once its person allows nothing.
        log.consent = .none
        #expect(try await store.save(log).withoutConsent == 1)
        #expect(try await store.conversation(id: "c") == nil)
        #expect(try await store.counts().messages == 0)
    }

    @Test("who withdraws consent by a log is forgotten, down to the bytes of the file", arguments: StoreKind.present)
    func withdrawn(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        var log = chat("c", of: "u")
        log.messages[0].text = "my secret is plum jam"
        try await store.save([log, chat("d", of: "u")])
        log.consent = .none
        // However odd the messages are by now.
        log.messages[2].id = "1"
        let summary = try await store.save([log, chat("never there", of: "u", consent: .none)])
        #expect((summary.withoutConsent, summary.withdrawn, summary.refused.count) == (2, 1, 0))
        #expect(try await store.all().map(\.id) == ["d"])
        for file in try FileManager.default.contentsOfDirectory(at: bench.folder.url, includingPropertiesForKeys: nil) {
            let bytes = try Data(contentsOf: file)
            #expect(bytes.range(of: Data("plum jam".utf8)) == nil, "\(file.lastPathComponent)")
        }
    }

    @Test("who withdraws by a log that no longer says who they were is forgotten too", arguments: StoreKind.present)
    func withdrawnByNobody(_ kind: StoreKind) async throws {
        let store = try await StoreBench(kind).open()
        let long = String(repeating: "c", count: 800)
        try await store.save([chat("c", of: "u"), chat(long, of: "u"), chat("d", of: "u")])
        let lines = ["c", long].map { #"{"chat_id":"\#($0)","consent":"none","message_history":[]}"# }
        let withdrawals = try lines.map { try Conversation(jsonLine: $0.utf8) }
        let summary = try await store.save(withdrawals)
        #expect((summary.withdrawn, summary.refused.count) == (2, 0))
        // Somebody else's word counts for nothing still.
        #expect(try await store.save(chat("d", of: "v", consent: .none)).refused.count == 1)
        #expect(try await store.all().map(\.id) == ["d"])
    }

    @Test("what one log narrowed, a third mention in the same call does not widen", arguments: StoreKind.present)
    func narrowedOnce(_ kind: StoreKind) async throws {
        let store = try await StoreBench(kind).open()
        var last = chat("c", of: "u", consent: .release)
        last.messages[0].text = "and the teapot"
        last.extra["title"] = .string("tea")
        try await store.save(chat("c", of: "u", consent: .release))
        try await store.save([chat("c", of: "u", consent: .improve), last])
        #expect(try await store.conversation(id: "c")?.consent == .improve)
        #expect(try await store.conversation(id: "c")?.messages[0].text == "and the teapot")
        #expect(try await store.all(consent: .release).isEmpty)
    }

    @Test("what a newer log no longer says is gone down to the bytes of the file", arguments: StoreKind.present)
    func takenOut(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        var log = chat("c", of: "u")
        log.messages[0].text = "my secret is plum jam"
        log.messages[2].text = "more plum jam"
        try await store.save([log, chat("d", of: "u")])
        log.messages[0].text = "(taken out)"
        log.messages.removeLast()
        try await store.save(log)
        for file in try FileManager.default.contentsOfDirectory(at: bench.folder.url, includingPropertiesForKeys: nil) {
            let bytes = try Data(contentsOf: file)
            #expect(bytes.range(of: Data("plum jam".utf8)) == nil, "\(file.lastPathComponent)")
        }
        #expect(try await store.all().map(\.id) == ["c", "d"])
    }

    @Test("an id with a NUL is nobody's, and a text with one is refused, not cut off", arguments: StoreKind.present)
    func ends(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        try await store.save(chat("c", of: "u"))
        let memory = Memory(id: "m", userID: "u", owner: .person, text: "I like tea.", createdAt: bench.now)
        try await store.save(memory)
        try await store.add(Account(name: "ann", role: .rater, passwordHash: "h", createdAt: bench.now))
        #expect(try await store.conversation(id: "c\0d") == nil)
        #expect(try await store.conversations(of: "u\0v").isEmpty)
        #expect(try await store.newestConversation(of: "u\0v") == nil)
        #expect(try await store.memories(of: "u\0v").isEmpty)
        #expect(try await store.account(named: "ann\0") == nil)
        try await store.delete(conversationID: "c\0")
        try await store.forgetMemories(of: "u\0")
        try await store.forget(memory: "m\0", of: "u")
        let odd = Memory(id: "n", userID: "u", owner: .person, text: "tea\0 and gin", createdAt: bench.now)
        let changes: [@Sendable () async throws -> Void] = [
            { _ = try await store.delete(userID: "u\0") }, { try await store.save(odd) },
            { try await store.setFeedback(Feedback(userID: "u"), on: "2\0", in: "c") },
            { try await store.setConsent(.release, conversationID: "c", textVersion: "1\0") },
        ]
        for change in changes { await #expect(throws: StorageError.self) { try await change() } }
        #expect(try await store.conversation(id: "c")?.consent == .improve)
        #expect(try await store.memories(of: "u") == [memory])
        // Whatever else is asked of a database with such a text: an error and no answer about another.
        if let server = store as? PostgresStore {
            let error = await #expect(throws: StorageError.self) {
                try await server.reading { try $0.query("SELECT ?1::text", [.text("u\0v")]) { _ in } }
            }
            #expect(error?.code == .conflict)
        }
    }

    @Test(
        "a server that is set otherwise, and a client in another alphabet, read and write the same",
        .enabled(if: PostgresServer.programs != nil, PostgresServer.absence))
    func otherSettings() async throws {
        let bench = try StoreBench(.postgres)
        let odd = try await PostgresStore(
            at: bench.address + "%20-cbytea_output%3Descape%20-cextra_float_digits%3D-9&client_encoding=LATIN1",
            now: { bench.now })
        var talk = chat("c", of: "u")
        talk.messages[0].text = "Grüße, où est ☕?"
        try await odd.save(talk)
        let memory = Memory(
            id: "m", userID: "u", owner: .person, text: "I like ☕.", createdAt: bench.now + 0.123456,
            vector: [0.5, -1.25, 3e-30])
        try await odd.save(memory)
        let plain = try await bench.open()
        #expect(try await plain.all() == [talk])
        for store in [odd as any SQLStore, plain] { #expect(try await store.memories(of: "u") == [memory]) }
    }

    @Test(
        "the same log again undoes no later vote and touches nothing; a newer one counts", arguments: StoreKind.present)
    func sameLogAgain(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        var log = chat("c", of: "u", consent: .release)
        log.messages[1].feedback = [Feedback(userID: "u", rating: .like), Feedback(userID: "v", rating: .like)]
        try await store.save(log)
        bench.advance(10)
        let later = Feedback(userID: "u", rating: .dislike)
        try await store.setFeedback(later, on: "2", in: "c")
        try await store.retractFeedback(of: "v", on: "2", in: "c")
        bench.advance(10)
        #expect(try await store.save(log).replaced == 1)
        #expect(try await store.conversation(id: "c")?.messages[1].feedback == [later])
        #expect(try await store.feedbackHistory(of: "2", in: "c").count == 4)
        #expect(try await store.all(since: bench.now).isEmpty)
        #expect(try await store.consentHistory(of: "c").isEmpty)
        let newer = Feedback(userID: "u", rating: .like, comment: "fine after all")
        log.messages[1].feedback = [newer]
        try await store.save(log)
        #expect(try await store.conversation(id: "c")?.messages[1].feedback == [newer])
        #expect(try await store.all(since: bench.now).map(\.id) == ["c"])
        // Each of these is a change too.
        let changes: [@Sendable (inout Conversation) -> Void] = [
            { $0.consent = .improve }, { $0.extra["title"] = .string("kettle") }, { $0.messages[0].text = "hm" },
            { $0.messages.swapAt(0, 2) }, { $0.messages.append(Message(id: "4", sender: .bot, text: "bye")) },
            { $0.messages.removeLast() },
        ]
        for change in changes {
            bench.advance(1)
            try await store.save(log)
            #expect(try await store.all(since: bench.now).isEmpty)
            change(&log)
            try await store.save(log)
            #expect(try await store.all(since: bench.now).map(\.id) == ["c"])
        }
    }

    @Test("ids too long for an index are refused by name, and nothing else with them", arguments: StoreKind.present)
    func longIDs(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        // Letters that no compression makes short.
        var random = RandomConversation(seed: 3)
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        func id(_ length: Int) -> String {
            String((0..<length).map { _ in letters.randomElement(using: &random.dice) ?? "a" })
        }
        func voted(_ id: String, _ user: String, _ message: String, _ voter: String) -> Conversation {
            var talk = chat(id, of: user)
            talk.messages[1].id = message
            talk.messages[1].feedback = [Feedback(userID: voter, rating: .like)]
            talk.messages[1].generation = GenerationRecord(model: model)
            return talk
        }
        let good = voted(id(800), id(800), id(800), id(800))
        let summary = try await store.save([
            voted(id(4_000), "u", "2", "v"), voted("a", id(4_000), "2", "v"), voted("b", "u", id(4_000), "v"),
            voted("c", "u", "2", id(801)), good,
        ])
        #expect(summary.added == 1)
        #expect(summary.refused.count == 4)
        #expect(summary.refused.last == "conversation c: an id of more than 800 bytes")
        #expect(try await store.all() == [good])
        #expect(try await store.models().isEmpty)
        try await store.annotate(
            RaterAnnotation(
                conversationID: good.id, messageID: good.messages[1].id, rater: id(800), label: id(800),
                comment: id(5_000), recordedAt: bench.now))
        let voter = id(801)
        await #expect(throws: StorageError.self) {
            try await store.setFeedback(Feedback(userID: voter), on: "1", in: good.id)
        }
        // What nothing is looked up by may be long.
        try await store.record(
            AccessRecord(actor: "op", action: "show", subject: "c", reason: id(5_000), recordedAt: bench.now))
        #expect(try await store.check().isEmpty)
    }

    /// A model's name that no index takes.
    private let model = (0..<900).map { "\($0 * 7_919 % 10_007)" }.joined()

    @Test("messages are appended once, at the end", arguments: StoreKind.present)
    func append(_ kind: StoreKind) async throws {
        let store = try await StoreBench(kind).open()
        try await store.save(Conversation(id: "c", userID: "u"))
        let first = Message(id: "z", sender: .human, text: "hello")
        let second = Message(id: "b", sender: .bot, text: "hi", feedback: [Feedback(userID: "u", rating: .like)])
        try await store.append(first, to: "c")
        try await store.append(second, to: "c")
        try await store.append(second, to: "c")
        #expect(try await store.conversation(id: "c")?.messages == [first, second])
        var changed = first
        changed.text = "hallo"
        let conflict = await #expect(throws: StorageError.self) { try await store.append(changed, to: "c") }
        #expect(conflict?.code == .conflict)
        let missing = await #expect(throws: StorageError.self) { try await store.append(first, to: "none") }
        #expect(missing?.code == .notFound)
    }

    @Test("what changed since, and who is there", arguments: StoreKind.present)
    func sinceAndUsers(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let store = try await folder.open()
        try await store.save([chat("a", of: "u"), chat("b", of: "u"), chat("c", of: "v")])
        folder.advance(100)
        let later = folder.now
        try await store.setFeedback(Feedback(userID: "w", rating: .like), on: "2", in: "b")
        #expect(try await store.all(since: later).map(\.id) == ["b"])
        #expect(try await store.all(since: later.addingTimeInterval(-100)).count == 3)
        #expect(try await store.all(since: later.addingTimeInterval(1)).isEmpty)
        #expect(
            try await store.users()
                == [
                    StoredUser(id: "u", conversations: 2, likes: 0, dislikes: 0),
                    StoredUser(id: "v", conversations: 1, likes: 0, dislikes: 0),
                    StoredUser(id: "w", conversations: 0, likes: 1, dislikes: 0),
                ])
        #expect(try await store.conversations(of: "u").map(\.id) == ["a", "b"])
        try await store.delete(conversationID: "a")
        try await store.delete(conversationID: "never there")
        #expect(try await store.conversations(of: "u").map(\.id) == ["b"])
    }

    @Test("the conversation that a person began last, with all that is in it", arguments: StoreKind.present)
    func newest(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        #expect(try await store.newestConversation(of: "u") == nil)
        let day = Date(timeIntervalSince1970: 1_700_000_000)
        try await store.save([chat("z", of: "u"), chat("y", of: "v", startedAt: day.addingTimeInterval(900))])
        #expect(try await store.newestConversation(of: "u")?.id == "z")
        try await store.save([
            chat("c", of: "u", startedAt: day), chat("b", of: "u", startedAt: day.addingTimeInterval(60)),
            chat("a", of: "u", startedAt: day.addingTimeInterval(60)),
        ])
        try await store.setFeedback(Feedback(userID: "u", rating: .like), on: "2", in: "b")
        // What is touched later did not begin later.
        try await store.setFeedback(Feedback(userID: "u", rating: .like), on: "2", in: "c")
        try await store.setConsent(.release, conversationID: "b")
        let newest = try #require(try await store.newestConversation(of: "u"))
        #expect(newest.id == "b" && newest.consent == .release)
        #expect(try await store.conversation(id: "b") == newest)
        #expect(newest.messages.count == 3 && newest.messages[1].feedback.count == 1)
    }

    @Test(
        "what the safety layers said comes later than the message, and changes nothing else of it",
        arguments: StoreKind.present)
    func safety(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let store = try await folder.open()
        try await store.save(chat("c", of: "u"))
        let before = try #require(try await store.conversation(id: "c"))
        folder.advance(5)
        let decisions = [SafetyDecision(layer: "string_matcher", isUnsafe: true, score: 1)]
        try await store.setSafety(decisions, on: "1", in: "c")
        var expected = before
        expected.messages[0].safety = decisions
        #expect(try await store.conversation(id: "c") == expected)
        #expect(try await store.all(since: folder.now).map(\.id) == ["c"])
        await #expect(throws: StorageError.self) { try await store.setSafety(decisions, on: "9", in: "c") }
    }

    @Test(
        "what a person chose among replies is kept on all of them or on none, and moves into another store",
        arguments: StoreKind.present)
    func choices(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let store = try await folder.open()
        try await store.save(chat("c", of: "u"))
        var expected = try #require(try await store.conversation(id: "c"))
        folder.advance(5)
        let labels = ["1": [ReplyGroup.shown(at: 1)], "2": [Annotation.kept, ReplyGroup.shown(at: 0)]]
        try await store.setAnnotations(labels, in: "c")
        for place in expected.messages.indices {
            expected.messages[place].annotations = labels[expected.messages[place].id] ?? []
        }
        #expect(expected.messages.filter { !$0.annotations.isEmpty }.count == 2)
        #expect(try await store.conversation(id: "c") == expected)
        #expect(try await store.all(since: folder.now).map(\.id) == ["c"])
        await #expect(throws: StorageError.self) { try await store.setAnnotations(["1": [], "9": []], in: "c") }
        #expect(try await store.conversation(id: "c") == expected)
        let other = try StoreBench(.sqlite)
        let copy = try await other.open()
        try await store.copy(into: copy)
        #expect(try await copy.conversation(id: "c") == expected)
    }

    @Test("whose words went into which model is known by person and time", arguments: StoreKind.present)
    func lineage(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let store = try await folder.open()
        func day(_ number: Double) -> Date { Date(timeIntervalSince1970: 86_400 * number) }
        for (id, time) in [("early", 10.0), ("late", 20)] {
            try await store.record(
                DatasetRecord(id: id, path: "d", shape: "loam", conversations: 1, people: 1, createdAt: day(time)),
                people: ["u"])
            try await store.record(ModelRecord(id: "m-" + id, path: "m", datasets: [id], createdAt: day(time + 1)))
        }
        let lineage = try await store.lineage(of: "u")
        #expect(lineage.datasets.map(\.id) == ["early", "late"] && lineage.models.map(\.id) == ["m-early", "m-late"])
        #expect(lineage.models(withWordsOf: day(5)).map(\.id) == ["m-early", "m-late"])
        #expect(lineage.models(withWordsOf: day(15)).map(\.id) == ["m-late"])
        #expect(lineage.models(withWordsOf: day(25)).isEmpty)
        #expect(try await store.lineage(of: "v") == PersonLineage())
    }

    @Test(
        "a deleted person is gone everywhere, also from the bytes of the file, and an old log does not bring them back",
        arguments: StoreKind.present)
    func deletePerson(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let store = try await folder.open()
        var mine = chat("mine", of: "person-to-go", startedAt: folder.now)
        mine.messages[0].text = "my secret is plum jam"
        var others = chat("others", of: "v")
        others.messages[1].feedback = [
            Feedback(userID: "person-to-go", rating: .dislike, comment: "needs more plum jam"),
            Feedback(userID: "v", rating: .like),
        ]
        try await store.save([mine, others])
        folder.advance(60)
        try await store.delete(userID: "person-to-go")
        #expect(try await store.all().map(\.id) == ["others"])
        #expect(try await store.conversation(id: "others")?.messages[1].feedback.map(\.userID) == ["v"])
        #expect(try await store.feedbackHistory(of: "2", in: "others").map(\.feedback.userID) == ["v"])
        #expect(try await store.users().map(\.id) == ["v"])
        // The other's conversation counts as changed: the next export differs.
        #expect(try await store.all(since: folder.now).map(\.id) == ["others"])
        for file in try FileManager.default.contentsOfDirectory(at: folder.folder.url, includingPropertiesForKeys: nil)
        {
            let bytes = try Data(contentsOf: file)
            #expect(bytes.range(of: Data("plum jam".utf8)) == nil, "\(file.lastPathComponent)")
            #expect(bytes.range(of: Data("person-to-go".utf8)) == nil, "\(file.lastPathComponent)")
        }
        let summary = try await store.save([mine, others])
        #expect((summary.deletedPerson, summary.added, summary.replaced) == (1, 0, 1))
        #expect(try await store.conversation(id: "others")?.messages[1].feedback.map(\.userID) == ["v"])
        // Who comes back and starts anew is welcome.
        let new = chat("new", of: "person-to-go", startedAt: folder.now)
        #expect(try await store.save(new).added == 1)
    }

    @Test("another person's conversation under the same id is refused, not overwritten", arguments: StoreKind.present)
    func sameID(_ kind: StoreKind) async throws {
        let store = try await StoreBench(kind).open()
        try await store.save(chat("c", of: "u"))
        let summary = try await store.save([chat("c", of: "v"), chat("d", of: "v")])
        #expect(summary.refused == ["conversation c: another person's has the same id"])
        #expect(summary.added == 1)
        #expect(try await store.conversation(id: "c")?.userID == "u")
        var twice = chat("e", of: "u")
        twice.messages[2].id = "1"
        #expect(try await store.save(twice).refused == ["conversation e: two messages have the id 1"])
    }

    @Test("two writers at once: nothing is lost, readers are not held up", arguments: StoreKind.present)
    func twoWriters(_ kind: StoreKind) async throws {
        let folder = try StoreBench(kind)
        let stores = [try await folder.open(), try await folder.open()]
        try await stores[0].save(chat("shared", of: "u"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (writer, store) in stores.enumerated() {
                group.addTask {
                    for i in 0..<40 {
                        try await store.save(chat("c\(writer)-\(i)", of: "u\(writer)"))
                        try await store.append(
                            Message(id: "w\(writer)-\(i)", sender: .human, text: "\(i)"), to: "shared")
                        try await store.setFeedback(
                            Feedback(userID: "w\(writer)", rating: i % 2 == 0 ? .like : .dislike), on: "2", in: "shared"
                        )
                    }
                }
            }
            group.addTask {
                for _ in 0..<40 { _ = try await stores[0].counts() }
            }
            try await group.waitForAll()
        }
        let counts = try await stores[1].counts()
        #expect(counts.conversations == 81)
        #expect(counts.dislikes == 2)
        let shared = try #require(try await stores[0].conversation(id: "shared"))
        #expect(shared.messages.count == 83)
        #expect(try await stores[1].feedbackHistory(of: "2", in: "shared").count == 80)
    }

    @Test("PostgreSQL is there to be tried", .enabled(if: PostgresServer.programs != nil, PostgresServer.absence))
    func postgresIsThere() throws { _ = try #require(PostgresServer.shared) }

    @Test("a store in memory")
    func inMemory() async throws {
        let store = try SQLiteStore()
        try await store.save(chat("c", of: "u"))
        try await store.delete(userID: "u")
        #expect(try await store.counts().conversations == 0)
    }
}
