import Conversations

/// Makes the calls of a turn: those of one step at once.
struct TurnRunner: Sendable {
    let writers: ModuleWriters
    let safety: (any SafetyCheck)?
    let privacy: (any PrivacyCheck)?
    let memories: MemoryBank?
    let search: PassageSearch?
    let userID: String

    /// The answers to calls, in order.
    /// - Parameter onPiece: for each call, where its pieces go.
    /// - Throws: `CancellationError`; what the safety check throws for a text that was to be said; and a writer's error
    ///   where no reply of the step could be written.
    func answers(
        to calls: [TurnCall], onPiece: @escaping @Sendable (Int) -> (@Sendable (String) -> Void)?
    ) async throws -> [TurnAnswer] {
        let results = try await withThrowingTaskGroup(of: (Int, Result<TurnAnswer, any Error>).self) { group in
            for (place, call) in calls.enumerated() {
                group.addTask {
                    do {
                        return (place, .success(try await answer(to: call, onPiece: onPiece(place))))
                    } catch let error as CancellationError {
                        throw error
                    } catch {
                        return (place, .failure(error))
                    }
                }
            }
            var results = [Result<TurnAnswer, any Error>?](repeating: nil, count: calls.count)
            for try await (place, result) in group { results[place] = result }
            return results.compactMap { $0 }
        }
        try Task.checkCancellation()
        var replies = (written: 0, failure: (any Error)?.none)
        var answers: [TurnAnswer] = []
        for (call, result) in zip(calls, results) {
            switch (call, result) {
            case (.write(let asked), .success(let answer)) where asked.module.isReply:
                replies.written += 1
                answers.append(answer)
            case (_, .success(let answer)): answers.append(answer)
            case (.write(let asked), .failure(let error)) where asked.module.isReply:
                replies.failure = error
                answers.append(.failure(Self.line(error)))
            case (.check(.person), .failure(let error)), (.check(.reply), .failure(let error)):
                // Nothing is said that was not looked at.
                throw error
            case (_, .failure(let error)): answers.append(.failure(Self.line(error)))
            }
        }
        if replies.written == 0, let failure = replies.failure { throw failure }
        return answers
    }

    /// An error as one short line: errors may carry whole pages.
    private static func line(_ error: any Error) -> String {
        String("\(error)".split(whereSeparator: \.isNewline).joined(separator: " ").prefix(300))
    }

    private func answer(to call: TurnCall, onPiece: (@Sendable (String) -> Void)?) async throws -> TurnAnswer {
        switch call {
        case .recall(let text):
            guard let memories else { return .recollection(Recollection()) }
            return .recollection(try await memories.recollect(text, of: userID))
        case .write(let call):
            return .output(try await writers[call.module].output(for: call, onPiece: onPiece))
        case .search(let query, let count):
            guard let search else { return .failure("no search is set up") }
            return .found(try await search.findings(for: query, count: count))
        case .check(let text): return .verdict(try await verdict(on: text))
        }
    }

    func verdict(on text: CheckedText) async throws -> SafetyOutcome {
        switch text {
        case .person(let text, let context):
            return try await safety?.check(person: text, context: context) ?? SafetyOutcome()
        case .reply(let text, let context):
            return try await safety?.check(reply: text, context: context) ?? SafetyOutcome()
        case .query(let text), .memory(let text):
            var outcome = try await safety?.check(leaving: text) ?? SafetyOutcome()
            if let found = privacy?.identifiers(in: text), !found.isEmpty {
                outcome.isUnsafe = true
                outcome.decisions.append(
                    SafetyDecision(layer: "privacy", isUnsafe: true, category: found.joined(separator: ", ")))
            }
            return outcome
        }
    }
}
