import Conversations
import Foundation
import Storage
import Testing

@testable import Server

@Suite("Server: what a person allows is changed while the talk goes on, or the store fails")
struct ConsentChangeTests {
    /// A store, and what a test has happen before each change of consent in it.
    private struct HookedStore: ConversationStore {
        let base: any ConversationStore
        let beforeConsent: @Sendable (String) async throws -> Void

        func setConsent(_ consent: Consent, conversationID: String, textVersion: String?) async throws {
            try await beforeConsent(conversationID)
            try await base.setConsent(consent, conversationID: conversationID, textVersion: textVersion)
        }

        func save(_ conversations: [EncodedConversation]) async throws -> SaveSummary {
            try await base.save(conversations)
        }
        func conversation(id: String) async throws -> Conversation? { try await base.conversation(id: id) }
        func conversations(of userID: String) async throws -> [Conversation] {
            try await base.conversations(of: userID)
        }
        func newestConversation(of userID: String) async throws -> Conversation? {
            try await base.newestConversation(of: userID)
        }
        func page(after id: String?, limit: Int, consent: Consent, since: Date?) async throws -> [Conversation] {
            try await base.page(after: id, limit: limit, consent: consent, since: since)
        }
        func append(_ message: Message, to conversationID: String) async throws {
            try await base.append(message, to: conversationID)
        }
        func setSafety(
            _ decisions: [SafetyDecision], on messageID: String, in conversationID: String
        ) async throws {
            try await base.setSafety(decisions, on: messageID, in: conversationID)
        }
        func setAnnotations(_ annotations: [String: [Annotation]], in conversationID: String) async throws {
            try await base.setAnnotations(annotations, in: conversationID)
        }
        func setFeedback(_ feedback: Feedback, on messageID: String, in conversationID: String) async throws {
            try await base.setFeedback(feedback, on: messageID, in: conversationID)
        }
        func retractFeedback(of userID: String, on messageID: String, in conversationID: String) async throws {
            try await base.retractFeedback(of: userID, on: messageID, in: conversationID)
        }
        func feedbackHistory(of messageID: String, in conversationID: String) async throws -> [FeedbackEvent] {
            try await base.feedbackHistory(of: messageID, in: conversationID)
        }
        func consentHistory(of conversationID: String) async throws -> [ConsentEvent] {
            try await base.consentHistory(of: conversationID)
        }
        func annotate(_ annotation: RaterAnnotation) async throws { try await base.annotate(annotation) }
        func annotations(of conversationID: String) async throws -> [RaterAnnotation] {
            try await base.annotations(of: conversationID)
        }
        func delete(conversationID: String) async throws { try await base.delete(conversationID: conversationID) }
        func delete(userID: String) async throws -> DeletionReport { try await base.delete(userID: userID) }
        func deleteConversations(untouchedSince date: Date) async throws -> Int {
            try await base.deleteConversations(untouchedSince: date)
        }
        func lineage(of userID: String) async throws -> PersonLineage { try await base.lineage(of: userID) }
        func personalData(of userID: String) async throws -> PersonalData {
            try await base.personalData(of: userID)
        }
        func record(_ access: AccessRecord) async throws { try await base.record(access) }
        func accesses(since: Date?) async throws -> [AccessRecord] { try await base.accesses(since: since) }
        func record(_ dataset: DatasetRecord, people: Set<String>) async throws {
            try await base.record(dataset, people: people)
        }
        func record(_ model: ModelRecord) async throws { try await base.record(model) }
        func models() async throws -> [ModelSighting] { try await base.models() }
        func check() async throws -> [String] { try await base.check() }
        func counts() async throws -> StoreCounts { try await base.counts() }
        func users() async throws -> [StoredUser] { try await base.users() }
    }

    /// Ann's conversations in a store, the older one first.
    private func fill(_ store: any ConversationStore, _ ids: [String]) async throws {
        for (number, id) in ids.enumerated() {
            let message = Message(id: id + ".m1", sender: .human, text: "Hi")
            try await store.save(
                Conversation(
                    id: id, userID: "ann", messages: [message],
                    startedAt: Date(timeIntervalSince1970: Double(number + 1) * 1000)))
        }
    }

    private func chat(_ store: any ConversationStore, _ bench: Workbench) -> ChatService {
        let clock = bench.clock
        return ChatService(
            store: store, host: bench.host, sampling: Sampling(), limits: ServerLimits(), randomness: .system,
            now: { clock.now })
    }

    @Test("a reply that comes while consent is taken back, conversation by conversation, is not lost")
    func saidMeanwhile() async throws {
        let bench = try Workbench()
        let base = bench.store
        try await fill(base, ["a", "b"])
        let store = HookedStore(base: base) { id in
            if id == "a" { try await base.append(Message(id: "b.m2", sender: .bot, text: "Hello"), to: "b") }
        }
        let chat = chat(store, bench)
        try await chat.setConsent(.none, of: "ann")
        let left = try await chat.conversation("b", of: "ann")
        #expect(left.consent == .none && left.messages.map(\.text) == ["Hi", "Hello"])
        #expect(try await base.conversation(id: "b") == nil)
    }

    @Test("a conversation that could not be taken out of the store is not shown as if it were")
    func stillKept() async throws {
        let bench = try Workbench()
        try await fill(bench.store, ["a"])
        let chat = chat(HookedStore(base: bench.store) { _ in throw ServerError.unexpected }, bench)
        await #expect(throws: ServerError.self) { try await chat.setConsent(.none, of: "ann") }
        let all = try await chat.conversations(of: "ann")
        #expect(all.map(\.consent) == [.improve])
    }
}
