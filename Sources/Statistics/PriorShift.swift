import Foundation

/// Probabilities that were learnt where so many cases are positive, made those of a population where more or fewer are.
///
/// The population's share of positives is found from the probabilities alone, by the EM of Saerens, Latinne and Decaestecker (2002,
/// "Adjusting the outputs of a classifier to new a priori probabilities", Neural Computation 14(1)): what a case looks like must only
/// depend on whether it is positive, and the probabilities must be calibrated where they were learnt. Less sharp than they should be, they
/// drive the share to one end; it is therefore kept within bounds.
public struct PriorShift: Sendable, Hashable {
    /// Share of positives where the probabilities were learnt.
    public let trained: Double
    /// Share of positives in the population, estimated.
    public let prior: Double

    /// - Parameters:
    ///   - probabilities: Of the population's cases, as learnt.
    ///   - trained: Share of positives where they were learnt, between 0 and 1.
    ///   - bounds: What the estimate is kept within.
    /// - Throws: `StatisticsError` when there are no probabilities, one is none, or `trained` is not between 0 and 1.
    public init(probabilities: [Double], trained: Double, bounds: ClosedRange<Double> = 0.02...0.98) throws {
        guard !probabilities.isEmpty else {
            throw StatisticsError(.tooFew, "there are no probabilities to find a population's share in")
        }
        if let row = probabilities.firstIndex(where: { !($0 >= 0 && $0 <= 1) }) {
            throw StatisticsError(.value, "\(probabilities[row]), number \(row), is not a probability")
        }
        guard trained > 0, trained < 1 else {
            throw StatisticsError(.value, "the share \(trained) must be between 0 and 1")
        }
        self.trained = trained
        var prior = trained
        for _ in 0..<1_000 {
            let sum = probabilities.reduce(0) { $0 + Self.shifted($1, from: trained, to: prior) }
            let next = min(max(sum / Double(probabilities.count), bounds.lowerBound), bounds.upperBound)
            let step = abs(next - prior)
            prior = next
            if step < 1e-7 { break }
        }
        self.prior = prior
    }

    /// The probability of a case of the population.
    /// - Parameter probability: As learnt.
    public func probability(_ probability: Double) -> Double {
        Self.shifted(probability, from: trained, to: prior)
    }

    /// The probability of a case, were the share of positives `prior` and not `trained`, by Bayes.
    public static func shifted(_ probability: Double, from trained: Double, to prior: Double) -> Double {
        let up = probability * prior / trained
        let down = (1 - probability) * (1 - prior) / (1 - trained)
        // Both are 0 only where a probability of 0 or 1 meets a prior that rules it out; the case then stays as it was.
        return up + down > 0 ? up / (up + down) : probability
    }
}
