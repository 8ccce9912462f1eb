import Conversations
import Foundation
import Storage
import Testing

@Suite("Accounts, raters' choices and the operator's list")
struct OfficeTests {
    @Test(
        "accounts and sessions: names are unique, sessions end with time, password and account",
        arguments: StoreKind.present)
    func accounts(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        let ann = Account(name: "ann", role: .operator, passwordHash: "h1", createdAt: bench.now)
        let bob = Account(name: "bob", role: .rater, passwordHash: "h2", createdAt: bench.now)
        #expect(try await store.accounts().isEmpty)
        try await store.add(bob)
        try await store.add(ann)
        #expect(try await store.accounts() == [ann, bob])
        let taken = await #expect(throws: StorageError.self) { try await store.add(ann) }
        #expect(taken?.code == .conflict)
        func session(_ hash: String, _ account: String, _ seconds: Double) -> AccountSession {
            AccountSession(hash: hash, account: account, createdAt: bench.now, expiresAt: bench.now + seconds)
        }
        try await store.add(session("s1", "ann", 10))
        try await store.add(session("s2", "ann", 100))
        try await store.add(session("s3", "bob", 100))
        await #expect(throws: StorageError.self) { try await store.add(session("s4", "nobody", 100)) }
        #expect(try await store.session(hash: "s1")?.account == ann)
        #expect(try await store.session(hash: "s4") == nil)
        bench.advance(10)
        #expect(try await store.session(hash: "s1") == nil)
        #expect(try await bench.open().session(hash: "s2")?.session.account == "ann")
        try await store.setPasswordHash("h3", of: "ann")
        #expect(try await store.account(named: "ann")?.passwordHash == "h3")
        #expect(try await store.session(hash: "s2") == nil)
        #expect(try await store.session(hash: "s3")?.account == bob)
        let unknown = await #expect(throws: StorageError.self) { try await store.setPasswordHash("h", of: "nobody") }
        #expect(unknown?.code == .notFound)
        try await store.add(session("s5", "bob", 100))
        try await store.endSession(hash: "s3")
        #expect(try await store.session(hash: "s3") == nil)
        #expect(try await store.removeAccount(named: "bob"))
        #expect(try await !store.removeAccount(named: "bob"))
        #expect(try await store.session(hash: "s5") == nil)
        // Signing in is what clears away sessions that are over.
        try await store.add(session("s6", "ann", 1))
        bench.advance(2)
        try await store.add(session("s7", "ann", 10))
        #expect(try await store.session(hash: "s7")?.account.name == "ann")
    }

    private func vote(_ pair: String, _ rater: String, _ choice: PairVote.Choice, at date: Date, message: String? = nil)
        -> PairVote
    {
        PairVote(
            pair: pair, rater: rater, first: .init(conversationID: "a", messageID: message, model: "m1"),
            second: .init(conversationID: "b", messageID: message, model: "m2"), question: "prefer", choice: choice,
            comment: choice == .tie ? "both fine" : nil, recordedAt: date)
    }

    @Test(
        "choices between two: one per pair and rater, gone with either side and with the rater",
        arguments: StoreKind.present)
    func pairs(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        for id in ["a", "b"] { try await store.save(chat(id, of: "u-\(id)")) }
        try await store.record(vote("p", "r1", .first, at: bench.now))
        try await store.record(vote("p", "r2", .tie, at: bench.now + 1))
        try await store.record(vote("q", "r1", .second, at: bench.now + 2, message: "2"))
        try await store.record(vote("p", "r1", .second, at: bench.now + 3))
        let expected = [
            vote("p", "r2", .tie, at: bench.now + 1), vote("q", "r1", .second, at: bench.now + 2, message: "2"),
            vote("p", "r1", .second, at: bench.now + 3),
        ]
        #expect(try await store.pairVotes() == expected)
        await #expect(throws: StorageError.self) {
            try await store.record(vote("p", "r", .tie, at: bench.now, message: "9"))
        }
        // A message that a later log no longer has takes what was said of it along.
        var shorter = chat("b", of: "u-b")
        shorter.messages.remove(at: 1)
        try await store.save(shorter)
        #expect(try await store.pairVotes().map(\.pair) == ["p", "p"])
        #expect(try await store.delete(userID: "r2").annotations == 1)
        #expect(try await store.pairVotes().map(\.rater) == ["r1"])
        try await store.delete(conversationID: "a")
        #expect(try await store.pairVotes().isEmpty)
        #expect(try await store.check().isEmpty)
    }

    @Test("raters who see the same two on other sides do not wait for each other", arguments: StoreKind.present)
    func bothOrders(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let stores = [try await bench.open(), try await bench.open()]
        for id in ["a", "b"] { try await stores[0].save(chat(id, of: "u-\(id)")) }
        let now = bench.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (rater, store) in stores.enumerated() {
                group.addTask {
                    let ids = rater == 0 ? ["a", "b"] : ["b", "a"]
                    for number in 0..<80 {
                        try await store.record(
                            PairVote(
                                pair: "p\(number)", rater: "r\(rater)",
                                first: .init(conversationID: ids[0], model: "m"),
                                second: .init(conversationID: ids[1], model: "m"), question: "prefer", choice: .tie,
                                recordedAt: now))
                        try await store.annotate(
                            ids.map {
                                RaterAnnotation(
                                    conversationID: $0, messageID: "2", rater: "r\(rater)", label: "l\(number)",
                                    value: 1, recordedAt: now)
                            })
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await stores[0].pairVotes().count == 160)
    }

    @Test("several words of a rater come whole or not at all", arguments: StoreKind.present)
    func annotations(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        try await store.save(chat("c", of: "u"))
        func word(_ label: String, _ value: Double, on message: String = "2") -> RaterAnnotation {
            RaterAnnotation(
                conversationID: "c", messageID: message, rater: "r", label: label, value: value, recordedAt: bench.now)
        }
        try await store.annotate([word("good", 0), word("off_topic", 1)])
        #expect(try await store.annotations(label: "off_topic") == [word("off_topic", 1)])
        await #expect(throws: StorageError.self) {
            try await store.annotate([word("off_topic", 0), word("good", 1, on: "9")])
        }
        #expect(try await store.annotations(of: "c") == [word("good", 0), word("off_topic", 1)])
    }

    @Test("known answers: the first try counts", arguments: StoreKind.present)
    func gold(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        func answer(_ rater: String, _ item: String, _ isRight: Bool) -> GoldAnswer {
            GoldAnswer(rater: rater, item: item, isRight: isRight, recordedAt: bench.now)
        }
        try await store.record(answer("r1", "g1", false))
        bench.advance(1)
        try await store.record(answer("r1", "g1", true))
        try await store.record(answer("r2", "g1", true))
        #expect(try await store.goldAnswers().map { "\($0.rater) \($0.isRight)" } == ["r1 false", "r2 true"])
        try await store.forgetGoldAnswers(of: "r1")
        #expect(try await store.goldAnswers().map(\.rater) == ["r2"])
    }

    @Test("the latest touched first, a page at a time, thumbs down alone where asked", arguments: StoreKind.present)
    func latest(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        for id in ["a", "b", "c", "d"] {
            // Two at a time have the same moment.
            if id == "c" { bench.advance(5) }
            try await store.save(chat(id, of: "u-\(id)"))
        }
        bench.advance(5)
        try await store.setFeedback(Feedback(userID: "u-a", rating: .dislike), on: "2", in: "a")
        try await store.setFeedback(Feedback(userID: "u-b", rating: .like), on: "2", in: "b")
        var seen: [String] = []
        var place: TouchedConversation.Place?
        while true {
            let page = try await store.latest(after: place, limit: 3, since: nil, isDisliked: false)
            seen += page.map(\.conversation.id)
            guard let last = page.last else { break }
            place = last.place
        }
        #expect(seen == ["b", "a", "d", "c"])
        let disliked = try await store.latest(after: nil, limit: 9, since: nil, isDisliked: true)
        #expect(disliked.map(\.conversation.id) == ["a"])
        #expect(disliked.first?.conversation.messages[1].feedback.first?.rating == .dislike)
        let recent = try await store.latest(after: nil, limit: 9, since: bench.now - 1, isDisliked: false)
        #expect(recent.map(\.conversation.id) == ["b", "a"])
        for number in 1...3 {
            try await store.record(
                AccessRecord(actor: "o", action: "show", subject: "\(number)", reason: "r", recordedAt: bench.now))
        }
        #expect(try await store.latestAccesses(limit: 2).map(\.subject) == ["3", "2"])
    }

    @Test(
        "accounts, choices and known answers go along when a store is copied; sessions do not",
        arguments: StoreKind.present)
    func copy(_ kind: StoreKind) async throws {
        let bench = try StoreBench(kind)
        let store = try await bench.open()
        for id in ["a", "b"] { try await store.save(chat(id, of: "u-\(id)")) }
        let ann = Account(name: "ann", role: .rater, passwordHash: "h", createdAt: bench.now)
        try await store.add(ann)
        try await store.add(
            AccountSession(hash: "s", account: "ann", createdAt: bench.now, expiresAt: bench.now + 60))
        try await store.record(vote("p", "ann", .first, at: bench.now))
        try await store.record(GoldAnswer(rater: "ann", item: "g", isRight: true, recordedAt: bench.now))
        let other = try StoreBench(.sqlite)
        let copy = try await other.open()
        try await store.copy(into: copy)
        #expect(try await copy.accounts() == [ann])
        #expect(try await copy.pairVotes() == [vote("p", "ann", .first, at: bench.now)])
        #expect(try await copy.goldAnswers().map(\.item) == ["g"])
        #expect(try await copy.session(hash: "s") == nil)
    }
}
