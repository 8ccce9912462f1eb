import Conversations
import Testing

@Suite("Several replies to one message, and what the person made of them")
struct ReplyGroupTests {
    private func talk(_ replies: [Message], then rest: [Message] = []) -> Conversation {
        Conversation(id: "c", userID: "u", messages: [Message(id: "q", sender: .human, text: "hi")] + replies + rest)
    }

    private func reply(_ id: String, labels: [Annotation] = []) -> Message {
        Message(id: id, sender: .bot, text: "text \(id)", parentID: "q", annotations: labels)
    }

    private func labelled(_ conversation: Conversation, _ labels: [String: [Annotation]]) -> Conversation {
        var conversation = conversation
        for place in conversation.messages.indices {
            if let found = labels[conversation.messages[place].id] {
                conversation.messages[place].annotations = found
            }
        }
        return conversation
    }

    @Test("the newest reply counts until the person goes back to another, and that survives writing and reading")
    func keeping() throws {
        let three = talk([reply("a"), reply("b"), reply("c")])
        let group = try #require(three.replyGroup(of: "a"))
        #expect(group.replies.map(\.id) == ["a", "b", "c"] && group.keptReply.id == "c" && group.comparison == nil)
        #expect(three.mainLine.messages.map(\.id) == ["q", "c"])
        var back = labelled(three, group.labels(keeping: "a"))
        #expect(back.mainLine.messages.map(\.id) == ["q", "a"])
        back = labelled(back, try #require(back.replyGroup(of: "a")).labels(keeping: "b"))
        #expect(back.mainLine.messages.map(\.id) == ["q", "b"])
        #expect(back.messages.flatMap(\.annotations) == [.kept])
        let read = try Conversation(jsonLine: Array(back.jsonLine.utf8))
        #expect(read.mainLine.messages.map(\.id) == ["q", "b"] && read.messages == back.messages)
        // Going back alone prefers nothing; going on from there does.
        #expect(back.replyPairs.isEmpty)
        back.messages.append(Message(id: "q2", sender: .human, text: "so", parentID: "b"))
        #expect(back.mainLine.messages.map(\.id) == ["q", "b", "q2"])
        #expect(back.line(to: "a")?.messages.map(\.id) == ["q", "a"])
        #expect(back.replyPairs.map(\.evidence) == [.kept, .kept])
        #expect(back.replyPairs.map(\.chosen) == ["text b", "text b"])
        #expect(back.replyGroup(of: "c")?.keptReply.id == "b")
        #expect(back.replyGroup(of: "q") == nil && back.replyGroup(of: "none") == nil && back.line(to: "none") == nil)
    }

    @Test("two side by side: open, then a winner that the exporters find, or both bad")
    func choosing() throws {
        // Drawn first, shown on the right.
        let two = talk([
            reply("a", labels: [ReplyGroup.shown(at: 1)]), reply("b", labels: [ReplyGroup.shown(at: 0)]),
        ])
        let group = try #require(two.replyGroup(of: "b"))
        #expect(group.comparison == .init(order: ["b", "a"], outcome: .open))
        #expect(two.replyPairs.isEmpty)
        #expect(group.labels(choosing: .open).isEmpty && group.labels(choosing: .preferred("q")).isEmpty)

        let chosen = labelled(two, group.labels(choosing: .preferred("a")))
        let after = try #require(chosen.replyGroup(of: "a"))
        #expect(after.comparison == .init(order: ["b", "a"], outcome: .preferred("a")) && after.keptReply.id == "a")
        #expect(chosen.replyPairs.map(\.evidence) == [.battle])
        #expect(chosen.replyPairs.map(\.chosen) == ["text a"] && chosen.replyPairs.map(\.rejected) == ["text b"])

        // A change of mind leaves nothing of the first choice.
        let other = labelled(chosen, after.labels(choosing: .preferred("b")))
        #expect(other.replyPairs.map(\.chosen) == ["text b"] && other.mainLine.messages.last?.id == "b")

        var bad = labelled(two, group.labels(choosing: .bothBad))
        #expect(bad.replyGroup(of: "a")?.comparison?.outcome == .bothBad)
        #expect(bad.mainLine.messages.last?.id == "b")
        bad.messages.append(Message(id: "q2", sender: .human, text: "so", parentID: "b"))
        #expect(bad.replyPairs.isEmpty, "going on from one of two bad replies says nothing for it")
    }
}
