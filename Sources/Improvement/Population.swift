import Foundation
import Statistics
import Training

/// Replies that nobody voted on, as one population: the reward model learnt among replies that people did vote on, of which far more are
/// bad, and would take good replies for bad here.
struct Population: Sendable {
    /// `nil` where the model does not know what share of its votes were on good replies, or the replies are too few to tell.
    private let shift: PriorShift?

    /// Fewer replies than this say too little of how many are good.
    static let fewest = 50

    /// - Parameter probabilities: of good, by the reward model.
    init(_ probabilities: [Double], of model: RewardModel) {
        guard let trained = model.training.goodShare, probabilities.count >= Self.fewest else {
            shift = nil
            return
        }
        shift = try? PriorShift(probabilities: probabilities, trained: trained)
    }

    /// The probability that a reply of this population is good.
    func probability(_ probability: Double) -> Double { shift?.probability(probability) ?? probability }

    /// For the report: how many are good, as far as can be told.
    func figures(_ name: String) -> [StageOutcome.Figure] {
        shift.map { [.init("good \(name), estimated", String(format: "%.1f %%", 100 * $0.prior))] } ?? []
    }
}
