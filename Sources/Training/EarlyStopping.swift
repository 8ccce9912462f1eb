/// Ends a run when a figure no longer gets better, and goes back to the weights that had the best.
public struct EarlyStopping: Sendable, Hashable, Codable {
    /// Which way is better.
    public enum Goal: String, Sendable, Hashable, Codable {
        case lower, higher
    }

    /// A figure of `metrics.jsonl` by its name, most often one of the evaluation: `eval/ppl`.
    public var metric: String
    public var goal: Goal
    /// Evaluations in a row without improvement after which the run ends.
    public var patience: Int
    /// Less than this is no improvement; in the figure's unit.
    public var minimumImprovement: Double

    public init(metric: String, goal: Goal = .lower, patience: Int = 3, minimumImprovement: Double = 0) {
        self.metric = metric
        self.goal = goal
        self.patience = patience
        self.minimumImprovement = minimumImprovement
    }

    enum CodingKeys: String, CodingKey {
        case metric, goal, patience
        case minimumImprovement = "minimum_improvement"
    }

    /// What is known so far: a part of the checkpoint.
    struct State: Sendable, Hashable, Codable {
        var best: Double?
        /// Steps done when it was found.
        var bestStep: Int?
        /// Evaluations since then.
        var misses = 0
        /// Whether the run has ended.
        var hasStopped = false

        /// Takes note of an evaluation.
        /// - Returns: Whether it is the best so far.
        mutating func note(_ value: Double, step: Int, rule: EarlyStopping) -> Bool {
            let gain = best.map { rule.goal == .lower ? $0 - value : value - $0 }
            // Infinities and NaN are never an improvement on a number.
            guard value.isFinite, gain.map({ $0 > rule.minimumImprovement }) ?? true else {
                misses += 1
                hasStopped = misses >= rule.patience
                return false
            }
            (best, bestStep, misses) = (value, step, 0)
            return true
        }
    }
}
