import LanguageModels
import Torch

/// Tells what texts were judged for, on the features of the reward model's own head: a second task that shapes the encoder while it is
/// trained (Caruana 1997), and is forgotten afterwards.
struct Aspects {
    /// `[aspects, features]` and `[aspects]`, of zeros to begin with.
    let head: Linear
    /// For each example the aspect's place, −100 where it has none.
    private let places: [Int]

    /// `nil` where the examples name fewer than two aspects.
    init?(of examples: [RewardExample], features: Int, device: Device) throws {
        let names = Set(examples.compactMap(\.judgedFor)).sorted()
        guard names.count > 1 else { return nil }
        let place = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
        places = examples.map { $0.judgedFor.flatMap { place[$0] } ?? -100 }
        head = Linear(
            weight: Parameter(try Tensor.zeros([names.count, features], device: device)),
            bias: Parameter(try Tensor.zeros([names.count], device: device)))
    }

    /// Cross-entropy of a batch's texts that have an aspect, over the whole batch's number; `nil` where none has.
    func loss(_ features: Tensor, of part: [Int]) throws -> Tensor? {
        let wanted = part.map { places[$0] }
        guard wanted.contains(where: { $0 >= 0 }) else { return nil }
        return try head(features).crossEntropy(targets: Tensor(wanted, device: features.device)).sum()
            * (1 / Double(part.count))
    }
}
