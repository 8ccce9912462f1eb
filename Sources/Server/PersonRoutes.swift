import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import Storage

/// What the page talks to: a person's conversations, thumbs and choices. A person is the bearer of an anonymous cookie.
struct PersonRoutes: Sendable {
    let chat: ChatService
    let host: ModelHost
    let limits: ServerLimits
    let randomness: Randomness
    let messages: RequestBound
    /// How often one address may begin a conversation.
    let openings: RequestBound
    /// Whether people reach the server by TLS alone: the cookie then never travels in the clear.
    let isSecure: Bool
    let now: @Sendable () -> Date

    func add(to router: Router<ServerContext>) {
        let api = router.group("api")
        api.get("session") { request, _ in try await session(request) }
        api.post("conversations") { request, context in try await open(request, context) }
        api.get("conversations/:id") { request, context in
            let person = try person(request, or: "conversation")
            let conversation = try await chat.conversation(try context.parameters.require("id"), of: person.userID)
            return try JSONBody.response(await view(of: conversation))
        }
        api.get("conversations") { request, _ in try await list(request) }
        api.post("conversations/:id/messages") { request, context in try await say(request, context) }
        api.post("conversations/:id/reply") { request, context in try await answer(request, context) }
        api.post("messages/:id/regenerate") { request, context in try await regenerate(request, context) }
        api.put("messages/:id/kept") { request, context in try await keep(request, context) }
        api.put("messages/:id/choice") { request, context in try await choose(request, context) }
        api.put("messages/:id/dispute") { request, context in try await dispute(request, context) }
        api.get("messages/:id/inside") { request, context in
            let person = try person(request, or: "message")
            return try JSONBody.response(
                await chat.inside(try context.parameters.require("id"), of: person.userID))
        }
        api.put("messages/:id/feedback") { request, context in try await setFeedback(request, context) }
        api.delete("messages/:id/feedback") { request, context in
            let person = try person(request, or: "message")
            try await chat.retractFeedback(on: try context.parameters.require("id"), of: person.userID)
            return Response(status: .noContent)
        }
        api.get("me/contribution") { request, _ in
            let person = try person(request, or: "person")
            return try JSONBody.response(await chat.contribution(of: person.userID))
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
        if let person = Person(of: request) { latest = try await chat.newestConversation(of: person.userID) }
        var shown: ConversationView?
        if let latest { shown = try await view(of: latest) }
        let state = await host.stateName
        return try JSONBody.response(
            SessionView(
                model: .init(id: await host.modelID, ready: state == "ready", state: state),
                conversation: shown, consent: latest?.consent,
                reasons: DislikeReason.offered.map(\.rawValue),
                limits: .init(messageCharacters: limits.messageCharacters)))
    }

    /// With what became of the votes in it.
    private func view(of conversation: Conversation) async throws -> ConversationView {
        ConversationView(
            conversation, lineage: try await chat.lineage(of: conversation.userID), limits: limits)
    }

    private func list(_ request: Request) async throws -> Response {
        var lines: [ConversationLine] = []
        if let person = Person(of: request) {
            // Newest first, and no more than somebody looks through.
            lines = try await chat.conversations(of: person.userID).suffix(200).reversed().map(ConversationLine.init)
        }
        return try JSONBody.response(["conversations": lines])
    }

    private struct ConsentInput: Decodable { var consent: Consent }

    private func open(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let input = try await JSONBody.read(ConsentInput.self, from: &request, limit: limits.bodyBytes)
        // By address: whoever has no cookie yet is anybody.
        if let wait = await openings.take(context.network, at: now()) {
            host.metrics.refused(by: .address)
            throw ServerError.tooMany(retryAfter: wait)
        }
        let person = Person(of: request) ?? Person(randomBytes: randomness.bytes)
        let conversation = try await chat.open(for: person.userID, consent: input.consent)
        var response = try JSONBody.response(
            ConversationView(conversation, lineage: .init(), limits: limits), status: .created)
        response.setCookie(person.cookie(isKept: input.consent != .none, isSecure: isSecure))
        return response
    }

    // MARK: Talking

    private struct SayInput: Decodable { var text: String }

    private func say(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "conversation")
        let input = try await JSONBody.read(SayInput.self, from: &request, limit: limits.bodyBytes)
        let id = try context.parameters.require("id")
        try await passBound(person, in: id)
        let events = try await chat.say(input.text, in: id, of: person.userID)
        return stream(events, to: request, person, context)
    }

    /// A body with nothing to say: its type alone keeps foreign forms out.
    private struct Nothing: Decodable {}

    private func answer(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "conversation")
        _ = try await JSONBody.read(Nothing.self, from: &request, limit: limits.bodyBytes)
        let id = try context.parameters.require("id")
        try await passBound(person, in: id)
        let events = try await chat.answer(id, of: person.userID)
        return stream(events, to: request, person, context)
    }

    private func regenerate(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "message")
        _ = try await JSONBody.read(Nothing.self, from: &request, limit: limits.bodyBytes)
        let id = try context.parameters.require("id")
        guard let conversationID = ChatService.conversationID(ofMessage: id) else {
            throw ServerError.notFound("message")
        }
        try await passBound(person, in: conversationID, or: "message")
        let events = try await chat.regenerate(id, of: person.userID)
        return stream(events, to: request, person, context)
    }

    // MARK: Choosing among replies

    private func keep(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "message")
        _ = try await JSONBody.read(Nothing.self, from: &request, limit: limits.bodyBytes)
        let (conversation, group) = try await chat.keep(try context.parameters.require("id"), of: person.userID)
        return try await response(group, in: conversation)
    }

    private struct ChoiceInput: Decodable {
        /// True: the reply in the path is the better one; false: both are bad.
        var better: Bool
    }

    private func choose(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "message")
        let input = try await JSONBody.read(ChoiceInput.self, from: &request, limit: limits.bodyBytes)
        let (conversation, group) = try await chat.choose(
            try context.parameters.require("id"), isBetter: input.better, of: person.userID)
        return try await response(group, in: conversation)
    }

    private func response(_ group: ReplyGroup, in conversation: Conversation) async throws -> Response {
        let lineage = try await chat.lineage(of: conversation.userID)
        return try JSONBody.response(
            ReplyReader(conversation, lineage: lineage, limits: limits).view(of: group))
    }

    private struct DisputeInput: Decodable {
        /// True: what I said was fine; false: the safety reply was right.
        var fine: Bool
    }

    private func dispute(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let person = try person(request, or: "message")
        let input = try await JSONBody.read(DisputeInput.self, from: &request, limit: limits.bodyBytes)
        let (message, isCounted) = try await chat.setVerdict(
            agrees: !input.fine, on: try context.parameters.require("id"), of: person.userID)
        guard let view = MessageView(message, for: person.userID, isCounted: isCounted).feedback else {
            throw ServerError.unexpected
        }
        return try JSONBody.response(view)
    }

    /// - Parameters:
    ///   - id: the conversation that something is said in. It must be the person's: were a bound held for every made-up cookie,
    ///     there would soon be no room for those of people.
    ///   - what: what is not found where it is not theirs.
    private func passBound(_ person: Person, in id: String, or what: String = "conversation") async throws {
        guard try await chat.has(id, of: person.userID) else { throw ServerError.notFound(what) }
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
            case .reply(let group, let conversation):
                try .init(name: "reply", json: ReplyReader(conversation, limits: limits).view(of: group))
            }
        }
        return EventStream.response(to: request, lines, logger: logger) {
            try EventStream.Event(name: "error", json: $0.body)
        }
    }

    // MARK: Memories

    private func memories(_ request: Request) async throws -> Response {
        let person = try person(request, or: "memory")
        return try JSONBody.response(["memories": await chat.memoryViews(of: person.userID)])
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
        var response = try JSONBody.response(await chat.export(of: person.userID))
        response.headers[.contentDisposition] = "attachment; filename=\"loam-my-data.json\""
        return response
    }

    private func setConsent(_ request: Request) async throws -> Response {
        var request = request
        let person = try person(request, or: "person")
        let input = try await JSONBody.read(ConsentInput.self, from: &request, limit: limits.bodyBytes)
        try await chat.setConsent(input.consent, of: person.userID)
        var response = try JSONBody.response(["consent": input.consent.rawValue])
        response.setCookie(person.cookie(isKept: input.consent != .none, isSecure: isSecure))
        return response
    }

    private func forget(_ request: Request) async throws -> Response {
        if let person = Person(of: request) { try await chat.forget(person.userID) }
        var response = Response(status: .noContent)
        response.setCookie(Person.forgotten(isSecure: isSecure))
        return response
    }
}
