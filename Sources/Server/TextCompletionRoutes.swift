import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// `/v1/completions`.
struct TextCompletionRoutes: Sendable {
    let service: TextCompletionService
    let limits: ServerLimits
    let now: @Sendable () -> Date

    func add(to router: Router<ServerContext>) {
        router.group("v1").post("completions") { request, context in try await complete(request, context) }
    }

    private func complete(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let input = try await JSONBody.read(TextCompletionRequest.self, from: &request, limit: limits.bodyBytes)
        let job = try input.checked(limits)
        let (completer, safety) = try await service.host.takeBeside(count: job.order.count) { models in
            models.completer.map { ($0, models.moderation?.safety) }
        }
        guard ModelHost.names(input.model, completer.modelID) else {
            await service.host.give(job.order.count)
            throw ServerError.unknownModel
        }
        let events = service.run(job, with: GuardedCompleter(completer: completer, safety: safety))
        let format = TextCompletionFormat(
            id: service.randomness.id("cmpl-"), created: Int(now().timeIntervalSince1970), model: completer.modelID)
        guard job.settings.isStreamed else {
            let choices = try await request.whileAwaited(logger: context.logger) {
                var choices: [CompletionService.Choice] = []
                for try await event in events {
                    if case .choice(_, let choice) = event { choices.append(choice) }
                }
                try Task.checkCancellation()
                return choices
            }
            return try JSONBody.response(
                format.completion(
                    choices.enumerated().map { index, choice in
                        TextCompletionFormat.choice(
                            index, choice.text, tokens: choice.tokens, finishReason: choice.finishReason)
                    }, usage: Self.usage(choices, perPrompt: job.settings.count, showsCached: context.isOperator))
            ).closing()
        }
        let chunks = chunks(of: events, job, format, showsCached: context.isOperator)
        return EventStream.response(to: request, chunks, logger: context.logger) { try .init(json: $0.body) }
    }

    private func chunks(
        of events: AsyncThrowingStream<TextCompletionService.Event, any Error>, _ job: TextCompletionJob,
        _ format: TextCompletionFormat, showsCached: Bool
    ) -> AsyncThrowingStream<EventStream.Event, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    var choices: [CompletionService.Choice] = []
                    var shown: [Int: Int] = [:]
                    func send(_ choice: JSONValue) throws {
                        continuation.yield(
                            try .init(json: format.chunk(choice, withNullUsage: job.settings.includesUsage)))
                    }
                    for try await event in events {
                        switch event {
                        case .piece(let index, let text, let tokens):
                            try send(
                                TextCompletionFormat.choice(
                                    index, text, tokens: tokens, start: shown[index, default: 0]))
                            shown[index, default: 0] += text.count
                        case .choice(let index, let choice):
                            try send(TextCompletionFormat.choice(index, "", finishReason: choice.finishReason))
                            choices.append(choice)
                        }
                    }
                    if job.settings.includesUsage {
                        continuation.yield(
                            try .init(
                                json: format.usageChunk(
                                    Self.usage(choices, perPrompt: job.settings.count, showsCached: showsCached))))
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

    /// Continuations of one prompt share it, so it counts once.
    private static func usage(
        _ choices: [CompletionService.Choice], perPrompt count: Int, showsCached: Bool
    ) -> JSONValue {
        let firsts = stride(from: 0, to: choices.count, by: count).map { choices[$0] }
        return CompletionFormat.usage(
            prompt: firsts.reduce(0) { $0 + $1.promptTokenCount },
            cached: showsCached ? firsts.reduce(0) { $0 + $1.cachedTokenCount } : nil,
            written: choices.reduce(0) { $0 + $1.tokenCount })
    }
}
