import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// The API that OpenAI's clients speak, and `/v1/feedback` beside it.
struct OpenAIRoutes: Sendable {
    let completions: CompletionService
    let host: ModelHost
    let limits: ServerLimits
    let startedAt: Date

    func add(to router: Router<ServerContext>) {
        let api = router.group("v1")
        api.get("models") { _, _ in
            let models = await host.ids.map { CompletionFormat.model($0, created: unix(startedAt)) }
            return try JSONBody.response(JSONValue.object(["object": .string("list"), "data": .array(models)]))
        }
        // An id may hold slashes ("team/model"), so the rest of the path is the id.
        api.get("models/**") { _, context in
            let id = context.parameters.getCatchAll().joined(separator: "/").removingPercentEncoding ?? ""
            guard await host.ids.contains(id) else { throw ServerError.unknownModel }
            return try JSONBody.response(CompletionFormat.model(id, created: unix(startedAt)))
        }
        api.post("chat/completions") { request, context in try await complete(request, context) }
        api.post("feedback") { request, _ in try await feedback(request) }
    }

    private func unix(_ date: Date) -> Int { Int(date.timeIntervalSince1970) }

    // MARK: Completions

    private func complete(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let input = try await JSONBody.read(CompletionRequest.self, from: &request, limit: limits.bodyBytes)
        let job = try input.checked(limits)
        let answerer = try await host.take(job.count)
        // The model may be changed meanwhile: what answers is what `take` gave.
        guard ModelHost.names(input.model, answerer.modelID) else {
            await host.give(job.count)
            throw ServerError.unknownModel
        }
        let id = completions.randomness.id("chatcmpl-")
        let format = CompletionFormat(
            id: id, created: unix(completions.now()), model: answerer.modelID,
            showsCached: context.isOperator)
        let events = completions.run(job, id: id, with: answerer)
        guard job.isStreamed else {
            let choices = try await request.whileAwaited(logger: context.logger) {
                var choices: [CompletionService.Choice] = []
                for try await event in events {
                    if case .choice(_, let choice) = event { choices.append(choice) }
                }
                try Task.checkCancellation()
                return choices
            }
            return try JSONBody.response(format.completion(choices)).closing()
        }
        let chunks = chunks(of: events, job, format)
        return EventStream.response(to: request, chunks, logger: context.logger) { try .init(json: $0.body) }
    }

    /// The stream to the letter: a first delta with the role, deltas with content, a last empty one with the reason.
    private func chunks(
        of events: AsyncThrowingStream<CompletionService.Event, any Error>, _ job: CompletionJob,
        _ format: CompletionFormat
    ) -> AsyncThrowingStream<EventStream.Event, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    var choices: [CompletionService.Choice] = []
                    func send(
                        _ index: Int, _ delta: [String: JSONValue], _ tokens: [ReplyToken]? = nil,
                        reason: String? = nil
                    ) throws {
                        let chunk = format.chunk(
                            index: index, delta, tokens: tokens, finishReason: reason,
                            withNullUsage: job.includesUsage)
                        continuation.yield(try .init(json: chunk))
                    }
                    for index in 0..<job.count {
                        try send(index, ["role": .string("assistant"), "content": .string("")])
                    }
                    for try await event in events {
                        switch event {
                        case .piece(let index, let text, let tokens):
                            try send(index, ["content": .string(text)], tokens)
                        case .choice(let index, let choice):
                            try send(index, [:], reason: choice.finishReason)
                            choices.append(choice)
                        }
                    }
                    if job.includesUsage {
                        continuation.yield(try .init(json: format.usageChunk(choices)))
                    }
                    continuation.yield(.init(data: "[DONE]"))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    // MARK: Feedback

    private struct FeedbackRequest: Decodable {
        var messageID: String
        /// Who judges; the completion's own `safety_identifier` where it is left out.
        var user: String?
        /// True takes back what this person said of the completion.
        var retract: Bool?

        enum CodingKeys: String, CodingKey {
            case user, retract
            case messageID = "message_id"
        }
    }

    private struct Both: Decodable {
        var about: FeedbackRequest
        var input: FeedbackInput

        init(from decoder: any Decoder) throws {
            about = try FeedbackRequest(from: decoder)
            input = try FeedbackInput(from: decoder)
        }
    }

    private func feedback(_ request: Request) async throws -> Response {
        var request = request
        let both = try await JSONBody.read(Both.self, from: &request, limit: limits.bodyBytes)
        let opinion = both.about.retract == true ? nil : try both.input.checked(limits)
        let feedback = try await completions.setFeedback(opinion, on: both.about.messageID, by: both.about.user)
        let view = feedback.map { FeedbackView($0, isCounted: true, model: nil) }
        return try JSONBody.response(FeedbackAnswer(messageID: both.about.messageID, feedback: view))
    }

    private struct FeedbackAnswer: Encodable {
        var object = "feedback"
        var messageID: String
        var feedback: FeedbackView?

        enum CodingKeys: String, CodingKey {
            case object, feedback
            case messageID = "message_id"
        }
    }
}
