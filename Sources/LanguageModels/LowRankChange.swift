import Torch

/// What a low-rank adapter adds to a matrix product: scale · up(down(x)) (Hu et al. 2021, arXiv 2106.09685).
struct LowRankChange: Sendable {
    /// [rank, in], `lora_A`.
    let down: Parameter
    /// [out, rank], `lora_B`.
    let up: Parameter
    let scale: Double
    /// Drops inputs while learning; `nil` where nothing is ever dropped.
    let dropout: LowRankDropout?

    /// [..., in] to [..., out].
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let seen = try dropout?(x) ?? x
        return try seen.linear(weight: down.value.to(x.dtype)).linear(weight: up.value.to(x.dtype)) * scale
    }
}

/// Drops a share of an adapter's inputs and makes up for it in the rest (Srivastava et al. 2014).
///
/// What is dropped follows from the model's seed of the pass and the matrix's number alone, so a part that is computed again
/// for its gradient drops the same, and a run that is cut and resumed goes on as one uncut.
struct LowRankDropout: Sendable {
    /// The seed of the present pass, shared by a model's matrices.
    final class Seed: @unchecked Sendable {
        var value: UInt64?
    }

    let share: Double
    let seed: Seed
    /// Tells the matrices of a model apart.
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
