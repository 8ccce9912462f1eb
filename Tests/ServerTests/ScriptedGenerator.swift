import Conversations
import Foundation
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
        let pieces = try script(turns, sampling)
        do {
            for piece in pieces {
                if pause > .zero { try await Task.sleep(for: pause) }
                try Task.checkCancellation()
                onPiece?(piece)
            }
        } catch {
            record.withLock { $0.isCancelled = true }
            throw error
        }
        return Reply(text: pieces.joined(), finishReason: "stop", tokenCount: pieces.count, meanLogProbability: -1)
    }

    func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] {
        var replies: [Reply] = []
        for history in histories { replies.append(try await reply(to: history, sampling: sampling, onPiece: nil)) }
        return replies
    }
}
