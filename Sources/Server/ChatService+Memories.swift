import Conversations
import Dialogue
import Foundation
import HTTPTypes

extension ChatService {
    // MARK: Memories

    /// What the bot remembers of a person, oldest first; empty where it has no memory.
    func memories(of userID: String) async throws -> [Memory] {
        await settle(userID)
        return try await bank()?.memories(of: userID) ?? []
    }

    /// Changes the words of a memory at its person's wish.
    /// - Throws: `ServerError` 404 for an unknown memory and for somebody else's; 409 for words that may not be kept.
    func edit(memory id: String, of userID: String, to text: String) async throws -> Memory {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty, text.unicodeScalars.count <= 500 else {
            throw ServerError.invalid("text", "'text' must have 1 to 500 characters.")
        }
        // What goes on after the last reply might put other words in the place of these.
        await settle(userID)
        guard let agent = await agent(),
            try await agent.memories?.memories(of: userID).contains(where: { $0.id == id }) == true
        else { throw ServerError.notFound("memory") }
        if let refusal = try await agent.edit(memory: id, of: userID, to: text) {
            throw ServerError(.conflict, "This cannot be remembered (\(refusal)).", param: "text", code: "not_kept")
        }
        guard let memory = try await agent.memories?.memories(of: userID).first(where: { $0.id == id }) else {
            throw ServerError.notFound("memory")
        }
        return memory
    }

    /// Forgets one memory; an unknown one, or somebody else's, is none.
    func forget(memory id: String, of userID: String) async throws {
        await settle(userID)
        guard try await bank()?.forget(id, of: userID) == true else { throw ServerError.notFound("memory") }
    }

    /// Forgets all that the bot remembers of a person.
    func forgetMemories(of userID: String) async throws {
        await settle(userID)
        try await bank()?.forgetAll(of: userID)
    }

    private func agent() async -> DialogueAgent? {
        if case .ready(let answerer) = await host.state { answerer.remembering } else { nil }
    }

    private func bank() async -> MemoryBank? { await agent()?.memories }
}
