import Conversations
import Foundation
import Generation
import Synchronization

/// A `TextGenerator` whose replies are written in the test: pieces with an optional pause before each.
final class ScriptedGenerator: TextGenerator {
    struct Failure: Error {}

    let modelID: String
    private let pause: Duration
    private let script: @Sendable ([Turn], Sampling) throws -> [String]
    private let record = Mutex((calls: 0, isCancelled: false, sampling: Sampling(), turns: [Turn]()))

    init(
        modelID: String = "scripted-1", pause: Duration = .zero,
        script: @escaping @Sendable ([Turn], Sampling) throws -> [String] = { turns, _ in
            ["You", " said", " “\(turns.last?.text ?? "")”."]
        }
    ) {
        self.modelID = modelID
        self.pause = pause
        self.script = script
    }

    var calls: Int { record.withLock { $0.calls } }
    var wasCancelled: Bool { record.withLock { $0.isCancelled } }
    var lastSampling: Sampling { record.withLock { $0.sampling } }
    var lastTurns: [Turn] { record.withLock { $0.turns } }

    func reply(to turns: [Turn], sampling: Sampling, onPiece: (@Sendable (String) -> Void)?) async throws -> Reply {
        record.withLock {
            $0.calls += 1
            $0.sampling = sampling
            $0.turns = turns
        }
        var stops = StopStrings(sampling.stops)
        var tokens: [ReplyToken] = []
        do {
            for (index, piece) in try script(turns, sampling).enumerated() where !stops.isStopped {
                if pause > .zero { try await Task.sleep(for: pause) }
                try Task.checkCancellation()
                let shown = stops.feed(piece)
                if !shown.isEmpty { onPiece?(shown) }
                let candidate = ReplyToken.Candidate(bytes: Array(piece.utf8), logProbability: -0.5 * Double(index))
                let top = Array(repeating: candidate, count: sampling.topLogProbabilities ?? 0)
                tokens.append(ReplyToken(id: index, drawn: candidate, top: top, piece: shown))
            }
        } catch {
            record.withLock { $0.isCancelled = true }
            throw error
        }
        let rest = stops.finish()
        if !rest.isEmpty { onPiece?(rest) }
        return Reply(
            text: tokens.map(\.piece).joined() + rest, finishReason: "stop", tokenCount: tokens.count,
            meanLogProbability: -1, promptTokenCount: turns.reduce(0) { $0 + $1.text.split(separator: " ").count },
            tokens: sampling.topLogProbabilities == nil ? nil : tokens)
    }

    func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] {
        var replies: [Reply] = []
        for history in histories { replies.append(try await reply(to: history, sampling: sampling, onPiece: nil)) }
        return replies
    }
}
