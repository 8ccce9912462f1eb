import Torch

/// Drops a share of what it is given, while learning, and makes up for it in the rest (Srivastava et al. 2014).
///
/// What is dropped follows from the model's seed of the pass and the place's number alone, so a part that is computed again
/// for its gradient drops the same, and a run that is cut and resumed goes on as one uncut.
struct Dropout: Sendable {
    /// The seed of the present pass, shared by all places of a model; without one nothing is dropped.
    final class Seed: @unchecked Sendable {
        var value: UInt64?
    }

    let share: Double
    let seed: Seed
    /// Tells the places of a model apart.
    let number: UInt64

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        guard let pass = seed.value, share > 0 else { return x }
        // Two seeds mixed into one, so that neighbours share nothing (SplitMix64's finisher).
        var mixed = pass &+ (number &+ 1) &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        let generator = try Generator(seed: mixed ^ (mixed >> 31), device: x.device)
        let kept = try Tensor.uniform(x.shape, generator: generator).greaterOrEqual(to: share)
        return try x * (kept.to(x.dtype) * (1 / (1 - share)))
    }
}

/// Dropout where the parts of a decoder's layers write into the residual stream, and on its embeddings, as GPT-2 has it
/// (Radford et al. 2019).
final class ResidualDropout: @unchecked Sendable {
    /// Share that is dropped, from 0 up to below 1.
    var share = 0.0
    let seed = Dropout.Seed()
    /// Past the numbers of an adapter's places, which have the same seed: places of one number drop the same.
    private static let firstNumber: UInt64 = 1 << 32

    /// - Parameters:
    ///   - x: The first layer's input.
    func embedded(_ x: Tensor) throws -> Tensor { try drop(x, at: 0) }

    /// What a layer's attention adds.
    func mixed(_ x: Tensor, layer: Int) throws -> Tensor { try drop(x, at: 1 + 2 * layer) }

    /// What a layer's feed-forward adds.
    func fed(_ x: Tensor, layer: Int) throws -> Tensor { try drop(x, at: 2 + 2 * layer) }

    private func drop(_ x: Tensor, at place: Int) throws -> Tensor {
        try Dropout(share: share, seed: seed, number: Self.firstNumber + UInt64(place))(x)
    }
}
