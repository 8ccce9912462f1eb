import Conversations
import Dialogue
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

@Suite("Server: what the bot remembers, and how it takes a complaint")
struct MemoryRoutesTests {
    private func bench() async throws -> Workbench {
        let bench = try Workbench()
        var plan = TurnPlan.plain
        plan.memory = .decide
        plan.memoryWriter = .rule
        await bench.host.become(
            .ready(
                DialogueAgent(
                    writers: ModuleWriters(ChatWriter(bench.generator)), plan: plan,
                    memories: MemoryBank(store: bench.store, encoder: nil))))
        return bench
    }

    @Test("memories are seen, edited and erased by their person and by nobody else")
    func memories() async throws {
        let bench = try await bench()
        try await bench.server.application().test(.router) { client in
            let (ann, bob) = (Browser(client), Browser(client))
            for browser in [ann, bob] {
                _ = try await browser.send(.post, "/api/conversations", #"{"consent":"improve"}"#)
            }
            let id = try #require(
                try await ann.send(.post, "/api/conversations", #"{"consent":"improve"}"#).object["id"] as? String)
            _ = try await ann.send(.post, "/api/conversations/\(id)/messages", #"{"text":"I have a dog named Rex."}"#)
            let listed = try await ann.send(.get, "/api/me/memories")
            let memories = try #require(listed.object["memories"] as? [any Sendable])
            #expect(memories.count == 1)
            let memory = try #require(memories.first as? [String: any Sendable])
            #expect(memory["text"] as? String == "I have a dog named Rex." && memory["owner"] as? String == "human")
            #expect(memory["conversation_id"] as? String == id && memory["message_id"] != nil)
            let memoryID = try #require(memory["id"] as? String)
            #expect(
                (try await bob.send(.get, "/api/me/memories").object["memories"] as? [any Sendable])?.isEmpty == true)
            #expect(try await bob.send(.delete, "/api/me/memories/\(memoryID)").status == .notFound)
            #expect(try await bob.send(.put, "/api/me/memories/\(memoryID)", #"{"text":"x"}"#).status == .notFound)
            let edited = try await ann.send(.put, "/api/me/memories/\(memoryID)", #"{"text":"I have a cat."}"#)
            #expect(edited.object["text"] as? String == "I have a cat.")
            #expect(try await ann.send(.delete, "/api/me/memories/\(memoryID)").status == .noContent)
            #expect(
                (try await ann.send(.get, "/api/me/memories").object["memories"] as? [any Sendable])?.isEmpty == true)
        }
    }

    /// Takes its time over the conversation `a`.
    private struct SlowToRemember: Answerer {
        let sheet: LogSheet
        let modelID = "slow-1"

        func answer(
            _ conversation: Conversation, sampling: Sampling, onPiece: @escaping @Sendable (String) -> Void
        ) async throws -> Answer {
            throw CancellationError()
        }

        func replied(in conversation: Conversation) async {
            if conversation.id == "a" { try? await Task.sleep(for: .milliseconds(300)) }
            sheet.add(conversation.id)
        }
    }

    @Test("after two talks of one person at once, what they look at or erase waits until both are remembered")
    func twoTalks() async throws {
        let (bench, sheet) = (try Workbench(), LogSheet())
        for id in ["a", "b"] {
            await bench.server.chat.remember(
                Conversation(id: id, userID: "ann"), with: SlowToRemember(sheet: sheet))
        }
        await bench.server.chat.settle("ann")
        #expect(sheet.text == "a\nb")
    }

    @Test("the answer after a complaint is feedback on the reply, and gets thanks")
    func complaint() async throws {
        let bench = try await bench()
        try await bench.server.application().test(.router) { client in
            let browser = Browser(client)
            let id = try #require(
                try await browser.send(.post, "/api/conversations", #"{"consent":"improve"}"#).object["id"] as? String)
            for text in ["When do you open?", "That's not what I asked.", "You should have said: at nine"] {
                _ = try await browser.send(.post, "/api/conversations/\(id)/messages", #"{"text":"\#(text)"}"#)
            }
            let messages = try #require(try await bench.store.conversation(id: id)).messages
            #expect(messages.count == 6 && messages[3].asksAbout == messages[1].id)
            #expect(messages[4].isDislikeFeedback && messages[5].text == CannedReplies().toFeedback)
            #expect(messages[1].feedback.map(\.correction) == ["at nine"])
            #expect(messages[1].feedback.map(\.reasons) == [[.offTopic]])
            #expect(bench.generator.calls == 1)
        }
    }
}
