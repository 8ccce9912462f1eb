import Conversations
import Foundation
import HTTPTypes
import Hummingbird

/// What the page talks to: a person's conversations, thumbs and choices. A person is the bearer of an anonymous cookie.
struct PersonRoutes: Sendable {
    let chat: ChatService
    let host: ModelHost
    let limits: ServerLimits
    let randomness: Randomness
    let messages: RequestBound
    let now: @Sendable () -> Date

    func add(to router: Router<ServerContext>) {
        let api = router.group("api")
        api.get("session") { request, _ in try await session(request) }
        api.post("conversations") { request, _ in try await open(request) }
        api.get("conversations/:id") { request, context in
            let person = try person(request, or: "conversation")
            let conversation = try await chat.conversation(try context.parameters.require("id"), of: person.userID)
            return try JSONBody.response(ConversationView(conversation))
        }
        api.post("conversations/:id/messages") { request, context in try await say(request, context) }
        api.post("conversations/:id/reply") { request, context in try await answer(request, context) }
        api.put("messages/:id/feedback") { request, context in try await setFeedback(request, context) }
        api.delete("messages/:id/feedback") { request, context in
            let person = try person(request, or: "message")
            try await chat.retractFeedback(on: try context.parameters.require("id"), of: person.userID)
            return Response(status: .noContent)
        }
        api.get("me/memories") { request, _ in try await memories(request) }
        api.put("me/memories/:id") { request, context in try await editMemory(request, context) }
        api.delete("me/memories/:id") { request, context in
            let person = try person(request, or: "memory")
            try await chat.forget(memory: try context.parameters.require("id"), of: person.userID)
            return Response(status: .noContent)
        }
        api.delete("me/memories") { request, _ in
            let person = try person(request, or: "memory")
            try await chat.forgetMemories(of: person.userID)
            return Response(status: .noContent)
        }
        api.get("me") { request, _ in try await export(request) }
        api.put("me/consent") { request, _ in try await setConsent(request) }
        api.delete("me") { request, _ in try await forget(request) }
    }

    private func person(_ request: Request, or what: String) throws -> Person {
        guard let person = Person(of: request) else { throw ServerError.notFound(what) }
        return person
    }

    // MARK: The page begins

    private func session(_ request: Request) async throws -> Response {
        var latest: Conversation?
        if let person = Person(of: request) { latest = try await chat.conversations(of: person.userID).last }
        let state = await host.stateName
        return try JSONBody.response(
            SessionView(
                model: .init(id: await host.modelID, ready: state == "ready", state: state),
                conversation: latest.map(ConversationView.init), consent: latest?.consent,
                reasons: DislikeReason.offered.map(\.rawValue),
                limits: .init(messageCharacters: limits.messageCharacters)))
    }

    private struct ConsentInput: Decodable { var consent: Consent }

    private func open(_ request: Request) async throws -> Response {
        var request = request
        let input = try await JSONBody.read(ConsentInput.self, from: &request, limit: limits.bodyBytes)
        let person = Person(of: request) ?? Person(randomBytes: randomness.bytes)
        let conversation = try await chat.open(for: person.userID, consent: input.consent)
        var response = try JSONBody.response(ConversationView(conversation), status: .created)
        response.setCookie(person.cookie(isKept: input.consent != .none))
        return response
    }

    // MARK: Talking

    private struct SayInput: Decodable { var text: String }

    private func say(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "conversation")
        let input = try await JSONBody.read(SayInput.self, from: &request, limit: limits.bodyBytes)
        try await passBound(person)
        let events = try await chat.say(input.text, in: try context.parameters.require("id"), of: person.userID)
        return stream(events, to: request, person, context)
    }

    private func answer(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "conversation")
        struct Nothing: Decodable {}
        _ = try await JSONBody.read(Nothing.self, from: &request, limit: limits.bodyBytes)
        try await passBound(person)
        let events = try await chat.answer(try context.parameters.require("id"), of: person.userID)
        return stream(events, to: request, person, context)
    }

    private func passBound(_ person: Person) async throws {
        guard let wait = await messages.take(person.userID, at: now()) else { return }
        host.metrics.refused(by: .person)
        throw ServerError.tooMany(retryAfter: wait)
    }

    private struct Piece: Encodable { var text: String }

    private func stream(
        _ events: AsyncThrowingStream<ChatService.Event, any Error>, to request: Request, _ person: Person,
        _ context: ServerContext
    ) -> Response {
        let logger = context.logger
        let lines = events.map { event -> EventStream.Event in
            switch event {
            case .message(let message):
                try .init(name: "message", json: MessageView(message, for: person.userID, isCounted: false))
            case .piece(let text): try .init(name: "piece", json: Piece(text: text))
            case .reply(let message):
                try .init(name: "reply", json: MessageView(message, for: person.userID, isCounted: false))
            }
        }
        return EventStream.response(to: request, lines, logger: logger) {
            try EventStream.Event(name: "error", json: $0.body)
        }
    }

    // MARK: Memories

    private struct MemoryView: Encodable {
        var id: String
        var owner: String
        var text: String
        var conversationID: String?
        var messageID: String?

        init(_ memory: Memory) {
            (id, owner, text) = (memory.id, memory.owner.sender.rawValue, memory.text)
            (conversationID, messageID) = (memory.conversationID, memory.messageID)
        }

        enum CodingKeys: String, CodingKey {
            case id, owner, text
            case conversationID = "conversation_id"
            case messageID = "message_id"
        }
    }

    private func memories(_ request: Request) async throws -> Response {
        let person = try person(request, or: "memory")
        return try JSONBody.response(["memories": await chat.memories(of: person.userID).map(MemoryView.init)])
    }

    private struct MemoryInput: Decodable { var text: String }

    private func editMemory(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "memory")
        let input = try await JSONBody.read(MemoryInput.self, from: &request, limit: limits.bodyBytes)
        let memory = try await chat.edit(
            memory: try context.parameters.require("id"), of: person.userID, to: input.text)
        return try JSONBody.response(MemoryView(memory))
    }

    // MARK: Thumbs

    private func setFeedback(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "message")
        let input = try await JSONBody.read(FeedbackInput.self, from: &request, limit: limits.bodyBytes)
        let (message, isCounted) = try await chat.setFeedback(
            try input.checked(limits), on: try context.parameters.require("id"), of: person.userID)
        guard let view = MessageView(message, for: person.userID, isCounted: isCounted).feedback else {
            throw ServerError.unexpected
        }
        return try JSONBody.response(view)
    }

    // MARK: Choices

    private func export(_ request: Request) async throws -> Response {
        let person = try person(request, or: "person")
        let all = try await chat.conversations(of: person.userID)
        var response = try JSONBody.response(
            ExportView(person: person.userID, exportedAt: now(), conversations: all.map(ConversationView.init)))
        response.headers[.contentDisposition] = "attachment; filename=\"loam-my-data.json\""
        return response
    }

    private func setConsent(_ request: Request) async throws -> Response {
        var request = request
        let person = try person(request, or: "person")
        let input = try await JSONBody.read(ConsentInput.self, from: &request, limit: limits.bodyBytes)
        try await chat.setConsent(input.consent, of: person.userID)
        var response = try JSONBody.response(["consent": input.consent.rawValue])
        response.setCookie(person.cookie(isKept: input.consent != .none))
        return response
    }

    private func forget(_ request: Request) async throws -> Response {
        if let person = Person(of: request) { try await chat.forget(person.userID) }
        var response = Response(status: .noContent)
        response.setCookie(Person.forgotten)
        return response
    }
}
