import Conversations
import Evaluation
import Foundation
import Storage

/// Looks at a live trial again and again and stops it as soon as a guard-rail says so.
public struct TrialWatch: Sendable {
    public let store: any ConversationStore
    public let assignment: ArmAssignment
    /// When the trial began.
    public let start: Date
    /// Chance that a harmless model is ever stopped, by whichever guard-rail.
    public let level: Double
    public let window: TrialPeople.Window
    public let now: @Sendable () -> Date

    public init(
        store: any ConversationStore, assignment: ArmAssignment, start: Date, level: Double,
        window: TrialPeople.Window = .init(), now: @escaping @Sendable () -> Date
    ) {
        self.store = store
        self.assignment = assignment
        self.start = start
        self.level = level
        self.window = window
        self.now = now
    }

    /// How the trial stands, by the conversations that people allowed to be kept; `nil` while an arm has nobody yet.
    /// - Throws: what the store throws.
    public func look() async throws -> LiveComparison? {
        var conversations: [Conversation] = []
        for try await conversation in store.conversations(consent: .improve, since: start) {
            // Only what the comparison reads stays in memory: no text of anybody.
            conversations.append(conversation.withoutTexts)
        }
        let people = TrialPeople(
            conversations, assignment: assignment, start: start, now: now(), window: window
        ).people
        do {
            return try LiveComparison(
                people, base: assignment.arms[0].model, trial: assignment.arms[1].model,
                block: assignment.block, level: level)
        } catch let error as EvaluationError where error.code == .empty {
            return nil
        }
    }

    /// Looks every so often until a guard-rail stops the trial or the task is cancelled.
    /// - Parameters:
    ///   - onFailure: A look that failed; the next one comes all the same.
    ///   - onStop: What to do then, once.
    public func run(
        every pause: Duration, onFailure: @Sendable (any Error) -> Void,
        onStop: @Sendable (LiveComparison) async -> Void
    ) async {
        while !Task.isCancelled {
            do {
                if let comparison = try await look(), comparison.mustStop {
                    await onStop(comparison)
                    return
                }
            } catch is CancellationError {
                return
            } catch {
                onFailure(error)
            }
            try? await Task.sleep(for: pause)
        }
    }
}

extension Conversation {
    fileprivate var withoutTexts: Conversation {
        var copy = self
        copy.messages = messages.filter { $0.sender == .bot }.map { message in
            Message(
                id: message.id, sender: .bot, text: "", sentAt: message.sentAt,
                feedback: message.feedback.map {
                    Feedback(userID: $0.userID, rating: $0.rating, reasons: $0.reasons, givenAt: $0.givenAt)
                },
                // Which model spoke: what the serving one said before or after the trial is not the arm's.
                generation: message.generation.map { GenerationRecord(model: $0.model) },
                interactionFailure: message.interactionFailure)
        }
        return copy
    }
}
