import Conversations
import Dialogue
import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// `/v1/embeddings`, `/v1/moderations` and `/v1/rewards`: models that read and do not write.
struct SideModelRoutes: Sendable {
    let host: ModelHost
    let limits: ServerLimits
    let randomness: Randomness

    func add(to router: Router<ServerContext>) {
        let api = router.group("v1")
        api.post("embeddings") { request, _ in try await embed(request) }
        api.post("moderations") { request, _ in try await moderate(request) }
        api.post("rewards") { request, _ in try await reward(request) }
    }

    private func embed(_ request: Request) async throws -> Response {
        var request = request
        let input = try await JSONBody.read(EmbeddingRequest.self, from: &request, limit: limits.bodyBytes)
        let texts = try input.input.texts("input", limit: limits.textsPerRequest)
        if let dimensions = input.dimensions, dimensions < 1 {
            throw ServerError.invalid("dimensions", "'dimensions' must be at least 1.")
        }
        let answer = try await host.withPlace {
            $0.embedding
        } to: { model in
            guard input.model == model.id else { throw ServerError.unknownModel }
            guard input.dimensions ?? 1 <= model.encoder.dimension else {
                throw ServerError.invalid(
                    "dimensions", "'dimensions' must be at most \(model.encoder.dimension), what the model has.")
            }
            let counts = texts.map(model.tokenCount)
            if let place = counts.firstIndex(where: { $0 > model.maximumTokens }) {
                throw ServerError(
                    .badRequest,
                    "Text \(place) of 'input' has \(counts[place]) tokens; the model reads \(model.maximumTokens).",
                    param: "input", code: "context_length_exceeded")
            }
            let vectors = try await model.encoder.encode(texts)
            return EmbeddingAnswer(
                vectors.map { EmbeddingRequest.shortened($0, to: input.dimensions) }, input.encodingFormat ?? .float,
                model: model.id, tokens: counts.reduce(0, +))
        }
        return try JSONBody.response(answer)
    }

    private struct ModerationRequest: Decodable {
        var model: String?
        var input: TextInput
    }

    private func moderate(_ request: Request) async throws -> Response {
        var request = request
        let input = try await JSONBody.read(ModerationRequest.self, from: &request, limit: limits.bodyBytes)
        let texts = try input.input.texts("input", limit: limits.moderatedTexts)
        let answer = try await host.withPlace {
            $0.moderation
        } to: { model in
            // OpenAI's own names are what their clients ask for by default.
            guard
                input.model.map({ $0 == model.id || $0.hasPrefix("omni-moderation") || $0.hasPrefix("text-moderation") }
                )
                    ?? true
            else { throw ServerError.unknownModel }
            var results: [ModerationResult] = []
            for text in texts {
                results.append(ModerationResult(try await model.safety.check(person: text, context: []).decisions))
            }
            return ModerationAnswer(id: randomness.id("modr-"), model: model.id, results: results)
        }
        return try JSONBody.response(answer)
    }

    private func reward(_ request: Request) async throws -> Response {
        var request = request
        let input = try await JSONBody.read(RewardRequest.self, from: &request, limit: limits.bodyBytes)
        let (context, replies) = try input.checked()
        let answer = try await host.withPlace {
            $0.reward
        } to: { judge in
            guard input.model ?? judge.id == judge.id else { throw ServerError.unknownModel }
            return RewardAnswer(
                model: judge.id, try await judge.model.probabilities(of: replies.map { (context, $0) }))
        }
        return try JSONBody.response(answer)
    }
}

extension ModelHost {
    /// Takes a place for a model beside the one that talks, works with it and gives the place back.
    nonisolated func withPlace<Model: Sendable, Result: Sendable>(
        _ find: @Sendable (SideModels) -> Model?, to work: (Model) async throws -> Result
    ) async throws -> Result {
        let model = try await takeBeside(find)
        do {
            let result = try await work(model)
            await give()
            return result
        } catch {
            await give()
            throw error
        }
    }
}
