import Torch

/// What a low-rank adapter adds to a matrix product: scale · up(down(x)) (Hu et al. 2021, arXiv 2106.09685).
struct LowRankChange: Sendable {
    /// [rank, in], `lora_A`.
    let down: Parameter
    /// [out, rank], `lora_B`.
    let up: Parameter
    let scale: Double
    /// Drops inputs while learning; `nil` where nothing is ever dropped.
    let dropout: Dropout?

    /// [..., in] to [..., out].
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let seen = try dropout?(x) ?? x
        return try seen.linear(weight: down.value.to(x.dtype)).linear(weight: up.value.to(x.dtype)) * scale
    }
}
