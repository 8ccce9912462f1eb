import Torch

/// x / rms(x) · weight over the last dimension (arXiv 1910.07467), statistics in float32 whatever the compute type.
struct RMSNorm: Sendable {
    let weight: Parameter
    let epsilon: Double

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.rmsNormWide(weight: weight.value, eps: epsilon)
    }
}
