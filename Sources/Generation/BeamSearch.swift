import Foundation

/// Beam search as ParlAI has it (`TreeSearch`, `BeamSearch`), with which BB3's 3B model writes: log-probabilities in,
/// hypotheses out; it knows no model.
///
/// A hypothesis that ends is set aside with its score divided by ((2 + tokens) / 6)^`lengthPenalty`, tokens with the end
/// (ParlAI's reading of Wu et al. 2016, arXiv 1609.08144, which counts the begin token too); its place in the beam goes to
/// the next best. The search is over once the best continuation of some step was an end and as many hypotheses as the
/// beam is wide have ended. Where none ends before the limit the best one is taken as it stands; ParlAI writes the end
/// over its last token, which this does not.
public struct BeamSearch: Sendable {
    /// A finished hypothesis.
    public struct Hypothesis: Sendable, Hashable {
        /// Without the end.
        public var ids: [Int]
        /// Whether an end came, or the limit.
        public var ended: Bool
        /// Sum over the tokens, the end included, in nats.
        public var logProbability: Double
        /// `logProbability` with the length penalty, by which hypotheses are compared.
        public var score: Double

        /// The end included.
        public var tokenCount: Int { ids.count + (ended ? 1 : 0) }
    }

    private struct Row {
        var ids: [Int] = []
        var logProbability = 0.0
    }

    /// Hypotheses kept side by side.
    public let size: Int
    public let rules: DrawingRules
    public let lengthPenalty: Double
    /// Tokens of the context, for n-gram blocking.
    public let prompt: [Int]
    private var rows = [Row()]
    private var finished: [Hypothesis] = []
    private var steps = 0
    private var hasEndOnTop = false

    public init(size: Int, rules: DrawingRules, lengthPenalty: Double = 0.65, prompt: [Int] = []) {
        self.size = max(size, 1)
        self.rules = rules
        self.lengthPenalty = lengthPenalty
        self.prompt = prompt
    }

    /// The hypotheses that go on, each as its tokens so far: one empty one at the beginning.
    public var live: [[Int]] { rows.map(\.ids) }

    public var isDone: Bool {
        rows.isEmpty || steps >= rules.maximumTokens || (hasEndOnTop && finished.count >= size)
    }

    /// Takes the next token of every hypothesis.
    /// - Parameter logProbabilities: a row for each of `live`; penalties may have been taken off already.
    /// - Returns: for each of the new `live`, the place of the hypothesis that it goes on from.
    public mutating func advance(_ logProbabilities: [[Float]]) -> [Int] {
        var best: [(row: Int, id: Int, score: Double)] = []
        for (index, row) in rows.enumerated() {
            var values = logProbabilities[index]
            LogitAdjustments.forbid(rules.forbidden(after: row.ids, prompt: prompt), in: &values)
            // Of equal scores the earlier hypothesis goes first, then the lower id.
            for (id, value) in values.enumerated() where value > -.infinity {
                let score = row.logProbability + Double(value)
                guard best.count < size || score > best[best.count - 1].score else { continue }
                let place = best.lastIndex { $0.score >= score }.map { $0 + 1 } ?? 0
                best.insert((index, id, score), at: place)
                if best.count > size { best.removeLast() }
            }
        }
        steps += 1
        var next: [Row] = []
        var parents: [Int] = []
        for (rank, candidate) in best.enumerated() {
            let ids = rows[candidate.row].ids
            if rules.endIDs.contains(candidate.id) {
                finished.append(hypothesis(ids, ended: true, candidate.score))
                if rank == 0 { hasEndOnTop = true }
            } else {
                next.append(Row(ids: ids + [candidate.id], logProbability: candidate.score))
                parents.append(candidate.row)
            }
        }
        let before = rows.first
        rows = next
        // Nobody ended it: the best is taken as it stands.
        if isDone, finished.isEmpty, let row = rows.first ?? before {
            finished.append(hypothesis(row.ids, ended: false, row.logProbability))
        }
        return parents
    }

    /// The finished hypotheses, best first.
    public var hypotheses: [Hypothesis] {
        finished.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }.map(\.element)
    }

    private func hypothesis(_ ids: [Int], ended: Bool, _ logProbability: Double) -> Hypothesis {
        let tokens = ids.count + (ended ? 1 : 0)
        return Hypothesis(
            ids: ids, ended: ended, logProbability: logProbability,
            score: logProbability / pow(Double(2 + tokens) / 6, lengthPenalty))
    }
}
