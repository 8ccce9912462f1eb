/// How the best of several replies is chosen by a scorer (ParlAI's rerankers).
public enum BestOf: Sendable, Hashable {
    /// By the scorer alone.
    case score
    /// By the scorer's number plus the reply's own log-probability.
    case sum
    /// Those that the scorer gives `bound` or more first; within both groups by their own log-probability.
    case hardChoice(bound: Double)

    /// The places of the candidates, best first; equal ones keep their order.
    /// - Parameters:
    ///   - scores: the scorer's numbers, larger is better; one that is not a number comes last.
    ///   - logProbabilities: of the candidates under the model that wrote them.
    public func order(scores: [Double], logProbabilities: [Double]) -> [Int] {
        func key(_ index: Int) -> (Double, Double) {
            let score = scores[index].isNaN ? -.infinity : scores[index]
            return switch self {
            case .score: (score, 0)
            case .sum: (score + logProbabilities[index], 0)
            case .hardChoice(let bound): (score >= bound ? 1 : 0, logProbabilities[index])
            }
        }
        return scores.indices.sorted { a, b in
            let (first, second) = (key(a), key(b))
            return first == second ? a < b : first > second
        }
    }
}
