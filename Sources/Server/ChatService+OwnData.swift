import Conversations
import Dialogue
import Foundation
import HTTPTypes
import Storage

extension ChatService {
    // MARK: Safety replies

    /// Records whether a person agrees that what they had said was unsafe, as feedback of its own kind on the safety reply.
    func setVerdict(
        agrees: Bool, on messageID: String, of userID: String
    ) async throws -> (message: Message, isCounted: Bool) {
        let (_, message) = try await reply(messageID, of: userID)
        guard message.canBeDisputed else {
            throw ServerError(.conflict, "This is no safety reply to what you said.", code: "not_a_safety_reply")
        }
        let reason = agrees ? DislikeReason.agreesSensitive : .disagreesSensitive
        return try await setFeedback(Opinion(reasons: [reason]), on: messageID, of: userID)
    }

    // MARK: What a person may know

    /// What made a reply.
    func inside(_ messageID: String, of userID: String) async throws -> InsideView {
        let (conversation, message) = try await reply(messageID, of: userID)
        return InsideView(message, answering: conversation.line(to: messageID)?.messages.dropLast().last)
    }

    /// Which models learnt from a person.
    func lineage(of userID: String) async throws -> PersonLineage { try await store.lineage(of: userID) }

    /// What a person's votes came to.
    func contribution(of userID: String) async throws -> ContributionView {
        ContributionView(try await conversations(of: userID), lineage: try await lineage(of: userID))
    }

    /// What the bot remembers of a person, each with the message that it came from.
    func memoryViews(of userID: String) async throws -> [MemoryView] {
        let memories = try await memories(of: userID)
        guard !memories.isEmpty else { return [] }
        let wanted = Set(memories.compactMap(\.messageID))
        var sources: [String: Message] = [:]
        for conversation in try await conversations(of: userID) {
            for message in conversation.messages where wanted.contains(message.id) { sources[message.id] = message }
        }
        return memories.map { MemoryView($0, source: $0.messageID.flatMap { sources[$0] }) }
    }

    /// Everything of a person.
    func export(of userID: String) async throws -> ExportView {
        let all = try await conversations(of: userID)
        let lineage = try await lineage(of: userID)
        return ExportView(
            person: userID, exportedAt: now(),
            conversations: all.map { .init($0, lineage: lineage, limits: limits) },
            memories: try await memories(of: userID).map { MemoryView($0) },
            contribution: ContributionView(all, lineage: lineage))
    }
}

extension Message {
    /// A safety reply to what a person said, and not to what the model would have said.
    var canBeDisputed: Bool {
        isSafetyControlled && interactionFailure != "unsafe_BlenderBot3" && interactionFailure != "unsafe_model_crash"
    }
}
