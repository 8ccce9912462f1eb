import Conversations
import Dialogue
import Foundation
import Generation
import HTTPTypes
import Synchronization

/// Continues texts for `/v1/completions`. Nothing of them is kept.
struct TextCompletionService: Sendable {
    let host: ModelHost
    let sampling: Sampling
    let randomness: Randomness

    /// What happens while continuations are written.
    enum Event: Sendable {
        /// More of a choice's text, with its tokens where they are asked for.
        case piece(index: Int, text: String, tokens: [ReplyToken]?)
        case choice(index: Int, CompletionService.Choice)
    }

    /// Carries out a job that `host.takeBeside` has let in; its places are given back at the end.
    /// - Returns: the events; letting go of the stream stops the writing.
    func run(_ job: TextCompletionJob, with completer: GuardedCompleter) -> AsyncThrowingStream<Event, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let choices = try await withThrowingTaskGroup(of: (Int, CompletionService.Choice).self) { group in
                        // Choices of one seeded request differ, and a repeated request repeats them.
                        let seed = job.settings.seed ?? randomness.seed()
                        for (index, one) in job.order.enumerated() {
                            group.addTask {
                                let choice = try await write(
                                    one.prompt, job, seed: seed &+ one.offset, with: completer
                                ) { continuation.yield(.piece(index: index, text: $0, tokens: $1)) }
                                return (index, choice)
                            }
                        }
                        var choices: [(Int, CompletionService.Choice)] = []
                        for try await done in group { choices.append(done) }
                        return choices.sorted { $0.0 < $1.0 }
                    }
                    for (index, choice) in choices { continuation.yield(.choice(index: index, choice)) }
                    await host.give(job.order.count)
                    continuation.finish()
                } catch let error as GenerationError where error.code == .promptTooLong {
                    await host.give(job.order.count)
                    // A chat's would name `messages`, which no request here has.
                    continuation.finish(
                        throwing: ServerError(
                            .badRequest, error.message, param: "prompt", code: "context_length_exceeded"))
                } catch {
                    await host.give(job.order.count)
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func write(
        _ prompt: String, _ job: TextCompletionJob, seed: UInt64, with completer: GuardedCompleter,
        onPiece: @escaping @Sendable (String, [ReplyToken]?) -> Void
    ) async throws -> CompletionService.Choice {
        var sampling = job.settings.sampling(over: sampling)
        sampling.seed = seed
        let isHeld = job.settings.topLogProbabilities != nil
        if job.echoes { onPiece(prompt, nil) }
        let hasShown = Atomic(false)
        let wish = sampling
        let answer = try await host.metrics.measuring(
            { piece in
                guard !isHeld, !piece.isEmpty else { return }
                hasShown.store(true, ordering: .releasing)
                onPiece(piece, nil)
            },
            { try await completer.answer(prompt, sampling: wish, onPiece: $0) })
        try Task.checkCancellation()
        var tokens = answer.tokens
        if let drawn = answer.tokens, isHeld {
            let spelled = SpelledReply(answer.message.text, tokens: drawn)
            tokens = spelled.parts.flatMap { part in
                // Offsets count what is shown.
                part.tokens.enumerated().map { place, token in
                    var token = token
                    token.piece = place == 0 ? part.text : ""
                    return token
                }
            }
            for part in spelled.parts { onPiece(part.text, part.tokens) }
        } else if !hasShown.load(ordering: .acquiring), !answer.message.text.isEmpty {
            onPiece(answer.message.text, nil)
        }
        return CompletionService.Choice(
            text: (job.echoes ? prompt : "") + answer.message.text,
            finishReason: answer.message.isSafetyControlled ? "content_filter" : answer.finishReason,
            tokenCount: answer.tokenCount, promptTokenCount: answer.promptTokenCount,
            cachedTokenCount: answer.cachedTokenCount, tokens: isHeld ? tokens : nil)
    }
}
