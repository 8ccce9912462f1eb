import Torch

/// Layer normalisation over the last dimension (arXiv 1607.06450), with or without weights of its own.
struct LayerNorm: Sendable {
    /// `nil` where the family learns none: then it only centres and scales.
    let weight, bias: Parameter?
    let width: Int
    let epsilon: Double

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let scale = try weight?.value.to(x.dtype) ?? Tensor.ones([width], dtype: x.dtype, device: x.device)
        return try x.layerNorm(weight: scale, bias: bias?.value.to(x.dtype), eps: epsilon)
    }

    /// Its parameters under checkpoint names.
    func named(_ name: String) -> [(name: String, parameter: Parameter)] {
        [(name + ".weight", weight), (name + ".bias", bias)].compactMap { name, parameter in
            parameter.map { (name, $0) }
        }
    }
}
