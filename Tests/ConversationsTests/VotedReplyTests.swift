import Conversations
import Testing

@Suite("Voted replies and splits")
struct VotedReplyTests {
    private let conversation = Conversation(
        id: "c", userID: "u",
        messages: [
            Message(id: "1", sender: .human, text: "hello"),
            Message(
                id: "2", sender: .bot, text: "first try",
                feedback: [Feedback(userID: "u", rating: .dislike, reasons: [.other])]),
            Message(
                id: "3", sender: .bot, text: "second try", parentID: "1",
                feedback: [
                    Feedback(userID: "u", rating: .like), Feedback(userID: "v", rating: .dislike, correction: "hi"),
                ]),
            Message(id: "4", sender: .human, text: "you should greet", isDislikeFeedback: true),
            Message(
                id: "5", sender: .bot, text: "sorry", feedback: [Feedback(userID: "u", rating: .like)],
                isSafetyControlled: true),
            Message(id: "6", sender: .human, text: "", parentID: "3"),
            Message(id: "7", sender: .human, text: "go on", parentID: "6"),
            Message(
                id: "8", sender: .bot, text: "tea?", parentID: "nowhere",
                feedback: [Feedback(userID: "u", comment: "nice")]),
        ])

    @Test("one for each feedback on a reply of the model, with the path that led to it")
    func votedReplies() {
        let replies = conversation.votedReplies
        #expect(replies.map(\.messageID) == ["2", "3", "3", "8"])
        #expect(replies.map(\.userID) == ["u", "u", "v", "u"])
        #expect(replies.map(\.rating) == [.dislike, .like, .dislike, nil])
        #expect(replies.map(\.index) == [1, 2, 2, 7])
        #expect(replies[0].context == [Turn(.human, "hello")])
        // The sibling is not part of the second try's past.
        #expect(replies[1].context == [Turn(.human, "hello")])
        #expect(replies[2].correction == "hi")
        #expect(replies[0].reasons == [.other])
        // Feedback turns and empty messages are no turns; an unknown parent means the message before.
        #expect(replies[3].context == [Turn(.human, "hello"), Turn(.bot, "second try"), Turn(.human, "go on")])
        #expect(replies[3].comment == "nice")
    }

    @Test("turns before any place, also beyond the end and with ids that make a circle")
    func turns() {
        #expect(conversation.turns(before: 0).isEmpty)
        #expect(conversation.turns(before: 8).last == Turn(.bot, "tea?"))
        #expect(conversation.turns(before: 99) == conversation.turns(before: 8))
        let circle = Conversation(
            id: "c", userID: "u",
            messages: [
                Message(id: "a", sender: .human, text: "1", parentID: "b"),
                Message(id: "b", sender: .bot, text: "2", parentID: "b"),
            ])
        #expect(circle.turns(before: 2) == [Turn(.human, "1"), Turn(.bot, "2")])
    }

    @Test("a person is in exactly one part, in the asked shares, whoever else is there")
    func split() throws {
        let split = try UserSplit([("train", 0.9), ("valid", 0.05), ("test", 0.05)])
        let users = (0..<20_000).map { "user-\($0)" }
        let parts = split.split(users + users, by: { $0 })
        #expect(parts.map(\.count).reduce(0, +) == 40_000)
        let sets = parts.map(Set.init)
        #expect(sets[0].union(sets[1]).union(sets[2]).count == sets[0].count + sets[1].count + sets[2].count)
        // 4 standard deviations of a binomial share over 20,000 people: 0.9 %, 0.6 %.
        let shares = sets.map { Double($0.count) / 20_000 }
        #expect(abs(shares[0] - 0.9) < 0.009)
        #expect(abs(shares[1] - 0.05) < 0.0065)
        // Fixed for ever: computed once, by Python, from the definition of the hash.
        #expect(StableHash.identifier(of: Array("abc".utf8)) == "25d29c6c03b29423702e5c150085ced9")
        let thirds = try UserSplit([("a", 0.34), ("b", 0.33), ("c", 0.33)])
        #expect((0..<12).map { thirds.part(of: "user-\($0)") }.joined() == "acbbbaababbc")
        // Another salt is another split, and a larger training part only adds people to it.
        let other = try UserSplit([("train", 0.5), ("test", 0.5)], salt: "other")
        let half = try UserSplit([("train", 0.5), ("test", 0.5)])
        let agree = users.count { other.index(of: $0) == half.index(of: $0) }
        let agreement = Double(agree) / 20_000
        #expect(abs(agreement - 0.5) < 0.015)
        #expect(users.allSatisfy { half.index(of: $0) == 1 || split.index(of: $0) == 0 })
    }

    @Test("shares that make no split")
    func invalid() {
        #expect(throws: UserSplit.Invalid.self) { try UserSplit([]) }
        #expect(throws: UserSplit.Invalid.self) { try UserSplit([("a", 0.7), ("b", 0.4)]) }
        #expect(throws: UserSplit.Invalid.self) { try UserSplit([("a", -1)]) }
        #expect(throws: UserSplit.Invalid.self) { try UserSplit([("a", .nan)]) }
        #expect(throws: UserSplit.Invalid.self) { try UserSplit([("a", 0.5), ("a", 0.5)]) }
    }
}
