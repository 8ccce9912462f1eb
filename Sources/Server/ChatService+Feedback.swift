import Conversations
import Foundation
import HTTPTypes
import Storage

extension ChatService {
    // MARK: Feedback

    /// What a page or a client says of a reply.
    struct Opinion: Sendable, Hashable {
        var rating: Rating?
        var reasons: [DislikeReason] = []
        var comment: String?
        var correction: String?
    }

    /// Records a person's opinion of a reply; it takes the place of what the same person said of it before.
    /// - Returns: the message with its feedback, and whether it was kept (counted).
    func setFeedback(
        _ opinion: Opinion, on messageID: String, of userID: String
    ) async throws -> (message: Message, isCounted: Bool) {
        let (conversation, message) = try await reply(messageID, of: userID)
        let feedback = Feedback(
            userID: userID, rating: opinion.rating, reasons: opinion.reasons, comment: opinion.comment,
            correction: opinion.correction, givenAt: now())
        var changed = message
        changed.feedback.removeAll { $0.userID == userID }
        changed.feedback.append(feedback)
        if conversation.consent == .none {
            replace(changed, in: conversation.id)
        } else {
            try await store.setFeedback(feedback, on: messageID, in: conversation.id)
        }
        host.metrics.feedback(opinion.rating, reasons: opinion.reasons)
        return (changed, conversation.consent != .none)
    }

    /// Takes back what a person said of a reply.
    func retractFeedback(on messageID: String, of userID: String) async throws {
        let (conversation, message) = try await reply(messageID, of: userID)
        if conversation.consent == .none {
            var changed = message
            changed.feedback.removeAll { $0.userID == userID }
            replace(changed, in: conversation.id)
        } else {
            try await store.retractFeedback(of: userID, on: messageID, in: conversation.id)
        }
    }

    private func replace(_ message: Message, in id: String) {
        unkept.change(id) { conversation in
            guard let index = conversation.messages.firstIndex(where: { $0.id == message.id }) else { return }
            conversation.messages[index] = message
        }
    }

    func reply(_ messageID: String, of userID: String) async throws -> (Conversation, Message) {
        guard let id = Self.conversationID(ofMessage: messageID) else { throw ServerError.notFound("message") }
        let conversation: Conversation
        do {
            conversation = try await self.conversation(id, of: userID)
        } catch let error as ServerError where error.status == .notFound {
            throw ServerError.notFound("message")
        }
        guard let message = conversation.messages.first(where: { $0.id == messageID }) else {
            throw ServerError.notFound("message")
        }
        guard message.sender == .bot else {
            throw ServerError(.conflict, "Only replies can be rated.", code: "not_a_reply")
        }
        return (conversation, message)
    }

    // MARK: What a person allows

    /// Changes what a person allows, for everything they said so far. `none` takes it out of the store.
    func setConsent(_ consent: Consent, of userID: String) async throws {
        for var conversation in try await conversations(of: userID) where conversation.consent != consent {
            let wasKept = conversation.consent != .none
            conversation.consent = consent
            if consent == .none {
                try await takeOut(conversation.id)
            } else if wasKept {
                try await store.setConsent(consent, conversationID: conversation.id)
            } else {
                try await keep(conversation)
                // A reply may have been finished while the store was writing.
                let late = unkept[conversation.id]?.messages.dropFirst(conversation.messages.count) ?? []
                unkept.remove(conversation.id)
                for message in late { try await store.append(message, to: conversation.id) }
            }
        }
    }

    /// Takes a conversation out of the store; it goes on in memory.
    private func takeOut(_ id: String) async throws {
        // As it is now: a reply may have come while others were taken out.
        guard var conversation = try await store.conversation(id: id) else { return }
        conversation.consent = .none
        unkept.put(conversation)
        do {
            try await store.setConsent(.none, conversationID: id)
        } catch {
            // It is kept still, and must not be shown as if it were not.
            let late = unkept[id]?.messages.dropFirst(conversation.messages.count) ?? []
            unkept.remove(id)
            for message in late { try? await store.append(message, to: id) }
            throw error
        }
    }

    /// Deletes everything of a person, in memory and in the store.
    func forget(_ userID: String) async throws {
        for conversation in unkept.of(userID) { unkept.remove(conversation.id) }
        try await store.delete(userID: userID)
    }
}
