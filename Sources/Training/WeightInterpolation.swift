import LanguageModels
import Torch

/// The weights that a run starts from, kept so that it can end part of the way to where training went (linear interpolation
/// towards the initialisation, Ramé et al. 2024, arXiv 2406.16768; Wortsman et al. 2022, arXiv 2109.01903).
///
/// What training on few examples teaches goes one way, what it breaks by the way goes many small ones: half the way keeps
/// most of the first and little of the second.
public struct WeightInterpolation {
    private var parameters: [(name: String, parameter: Parameter)]
    private var start: [Tensor]

    /// Copies the weights as they are now.
    public init(of model: any LanguageModels.Decoder) throws {
        parameters = model.namedParameters
        start = try parameters.map { try $0.parameter.value.detach().clone() }
    }

    /// Takes in what learns beside the model and is to end as far on the way, a head that reads its states say.
    /// Its weights are copied as they are now.
    public mutating func add(_ others: [(name: String, parameter: Parameter)]) throws {
        start += try others.map { try $0.parameter.value.detach().clone() }
        parameters += others
    }

    /// Sets the weights to `start + share · (weights − start)`.
    /// - Parameter share: 1 leaves them as training left them, 0 undoes it.
    /// - Throws: `TrainingError` where the share is outside 0…1.
    public func end(after share: Double) throws {
        guard share >= 0, share <= 1 else {
            throw TrainingError(.options, "interpolation must be between 0 and 1, is \(share)")
        }
        guard share < 1 else { return }
        try withoutGradients {
            for (from, item) in zip(start, parameters) {
                let weights = item.parameter.value
                try weights.copy(from: from + (weights - from) * share)
            }
        }
    }
}
