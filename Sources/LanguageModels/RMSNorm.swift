import Torch

/// x / rms(x) · weight over the last dimension (arXiv 1910.07467), statistics in float32 whatever the compute type.
struct RMSNorm: Sendable {
    let weight: Parameter
    let epsilon: Double

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        guard x.dtype == .bfloat16 || x.dtype == .float16 else {
            return try x.rmsNorm(weight: weight.value.to(x.dtype), eps: epsilon)
        }
        return try x.to(.float32).rmsNorm(weight: weight.value.to(.float32), eps: epsilon).to(x.dtype)
    }
}
