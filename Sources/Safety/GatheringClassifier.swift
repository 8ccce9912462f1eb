import Conversations

/// A classifier whose callers, where several come while it reads, are read together in its next pass.
///
/// An encoder reads 32 short texts in much less time than one after the other, and a server's people do not wait for each other. Nobody
/// waits for company either: whoever finds it idle is read at once.
public actor GatheringClassifier: TextClassifier {
    private struct Caller {
        let pairs: [(context: [Turn], text: String)]
        let answer: CheckedContinuation<[Double], any Error>
    }

    /// What reads.
    nonisolated let reader: any TextClassifier
    private let most: Int
    private var waiting: [Caller] = []
    private var isReading = false

    /// - Parameters:
    ///   - reader: what reads; asked by one pass at a time.
    ///   - most: texts of several callers in one pass; a caller's own are never divided.
    public init(_ reader: any TextClassifier, most: Int = 64) {
        self.reader = reader
        self.most = most
    }

    /// - Throws: what the reader throws for these texts; those of other callers make no difference.
    public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        guard !pairs.isEmpty else { return [] }
        return try await withCheckedThrowingContinuation { answer in
            waiting.append(Caller(pairs: pairs, answer: answer))
            guard !isReading else { return }
            isReading = true
            Task { await readAll() }
        }
    }

    /// Callers whose pass has not begun.
    var waitingCount: Int { waiting.count }

    private func readAll() async {
        while !waiting.isEmpty {
            var (count, texts) = (1, waiting[0].pairs.count)
            while count < waiting.count, texts + waiting[count].pairs.count <= most {
                texts += waiting[count].pairs.count
                count += 1
            }
            let together = Array(waiting.prefix(count))
            waiting.removeFirst(count)
            do {
                let scores = try await scores(of: together.flatMap(\.pairs))
                var start = 0
                for caller in together {
                    caller.answer.resume(returning: Array(scores[start..<start + caller.pairs.count]))
                    start += caller.pairs.count
                }
            } catch  where together.count > 1 {
                // One caller's text is at fault: each is read by itself, so that the others get their answer.
                for caller in together {
                    do {
                        caller.answer.resume(returning: try await self.scores(of: caller.pairs))
                    } catch {
                        caller.answer.resume(throwing: error)
                    }
                }
            } catch {
                together[0].answer.resume(throwing: error)
            }
        }
        isReading = false
    }

    private func scores(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        let scores = try await reader.probabilities(of: pairs)
        guard scores.count == pairs.count else {
            throw SafetyError(.shape, "\(scores.count) scores for \(pairs.count) texts")
        }
        // NaN is on no side of a threshold: such a score would let every text pass.
        guard scores.allSatisfy(\.isFinite) else {
            throw SafetyError(.shape, "a safety classifier gave a score that is no number")
        }
        return scores
    }
}
