import Torch

/// x · Wᵀ + b, the one way every family multiplies by a weight matrix.
///
/// Weights keep their own type (float32 masters to train, bfloat16 to serve); the product is taken in the input's.
public struct Linear: Sendable {
    /// [out, in].
    public var weight: Parameter
    /// [out]; `nil` where the family has none.
    public var bias: Parameter?

    public init(weight: Parameter, bias: Parameter? = nil) {
        self.weight = weight
        self.bias = bias
    }

    /// [..., in] to [..., out].
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.linear(weight: weight.value.to(x.dtype), bias: bias?.value.to(x.dtype))
    }

    /// Its parameters under checkpoint names: `name.weight` and, where there is one, `name.bias`.
    public func named(_ name: String) -> [(name: String, parameter: Parameter)] {
        [(name + ".weight", weight)] + (bias.map { [(name + ".bias", $0)] } ?? [])
    }
}
