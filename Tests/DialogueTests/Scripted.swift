import Conversations
import Dialogue
import Foundation
import Synchronization

/// A `TextGenerator` whose replies are written in the test: one list of pieces per call; the last one stays.
final class ScriptedGenerator: TextGenerator {
    struct Failure: Error {}

    let modelID = "scripted-1"
    private let script: [[String]]
    private let fails: Bool
    private let log: EventLog
    private let record = Mutex((calls: [Sampling](), turns: [Turn]()))

    init(_ script: [String]..., fails: Bool = false, log: EventLog = EventLog()) {
        self.script = script
        self.fails = fails
        self.log = log
    }

    var calls: [Sampling] { record.withLock { $0.calls } }
    var turns: [Turn] { record.withLock { $0.turns } }

    func reply(to turns: [Turn], sampling: Sampling, onPiece: (@Sendable (String) -> Void)?) async throws -> Reply {
        let call = record.withLock { record in
            record.calls.append(sampling)
            record.turns = turns
            return record.calls.count - 1
        }
        if fails { throw Failure() }
        let pieces = script[min(call, script.count - 1)]
        for piece in pieces {
            log.add("draw \(piece)")
            onPiece?(piece)
        }
        return Reply(
            text: pieces.joined(), finishReason: "length", tokenCount: pieces.count, meanLogProbability: -0.5)
    }

    func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] {
        var replies: [Reply] = []
        for history in histories { replies.append(try await reply(to: history, sampling: sampling, onPiece: nil)) }
        return replies
    }
}

/// What happened, in order.
final class EventLog: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// Finds every text unsafe that has the word "spider" in it.
struct SpiderCheck: SafetyCheck {
    var canned: String?
    var log = EventLog()

    func check(person text: String, context: [Turn]) async throws -> SafetyOutcome {
        log.add("check person \(text) after \(context.count)")
        return outcome(text)
    }

    func check(reply text: String, context: [Turn]) async throws -> SafetyOutcome {
        log.add("check reply \(text) after \(context.count)")
        return outcome(text)
    }

    private func outcome(_ text: String) -> SafetyOutcome {
        let isUnsafe = text.contains("spider")
        return SafetyOutcome(
            decisions: [SafetyDecision(layer: "spider", isUnsafe: isUnsafe)], isUnsafe: isUnsafe, cannedReply: canned)
    }
}

/// A conversation in which the person and the bot take turns, the person first.
func talk(_ texts: String...) -> Conversation {
    Conversation(
        id: "c", userID: "ann",
        messages: texts.enumerated().map { place, text in
            Message(id: "m\(place)", sender: place.isMultiple(of: 2) ? .human : .bot, text: text)
        })
}
