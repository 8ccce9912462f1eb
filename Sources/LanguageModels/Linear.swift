import Torch

/// x · Wᵀ + b, the one way every family multiplies by a weight matrix.
///
/// Weights keep their own type (float32 masters to train, bfloat16 to serve, packed to serve faster); the product is taken in the
/// input's.
public struct Linear: Sendable {
    private enum Storage: Sendable {
        case dense(Parameter)
        case packed(PackedWeight)
    }

    private var storage: Storage
    /// [out]; `nil` where the family has none.
    public var bias: Parameter?
    /// What an adapter adds to the product; `nil` without one.
    var change: LowRankChange?

    /// - Parameter weight: [out, in].
    public init(weight: Parameter, bias: Parameter? = nil) {
        storage = .dense(weight)
        self.bias = bias
    }

    /// - Parameter packed: [out, in].
    public init(packed: PackedWeight, bias: Parameter? = nil) {
        storage = .packed(packed)
        self.bias = bias
    }

    /// [out, in]; `nil` once it is packed.
    public var weight: Parameter? {
        guard case .dense(let weight) = storage else { return nil }
        return weight
    }

    /// The packed weight, `nil` while it is not.
    public var packed: PackedWeight? {
        guard case .packed(let weight) = storage else { return nil }
        return weight
    }

    /// Bytes of its weight, biases aside.
    public var byteCount: Int {
        switch storage {
        case .dense(let weight): weight.value.count * weight.value.dtype.byteCount
        case .packed(let weight): weight.byteCount
        }
    }

    /// The same with its weight packed, for generation only: no gradient passes.
    public func packed(_ bits: PackedWeight.Bits) throws -> Linear {
        guard case .dense(let weight) = storage else { return self }
        return Linear(packed: try PackedWeight(weight.value, bits: bits), bias: bias)
    }

    /// The same with an adapter's change beside its weight.
    func changed(by change: LowRankChange?) -> Linear {
        var linear = self
        linear.change = change
        return linear
    }

    /// [..., in] to [..., out].
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        let product =
            switch storage {
            case .dense(let weight): try x.linear(weight: weight.value.to(x.dtype), bias: bias?.value.to(x.dtype))
            case .packed(let weight): try weight.linear(x, bias: bias?.value)
            }
        return try change.map { try product + $0(x) } ?? product
    }

    /// The same, in float32 where the weight is packed: for logits, which are compared.
    public func wide(_ x: Tensor) throws -> Tensor {
        guard case .packed(let weight) = storage else { return try self(x) }
        let product = try weight.linear(x, bias: bias?.value, isWide: true)
        return try change.map { try product + $0(x) } ?? product
    }

    /// Its parameters under checkpoint names: `name.weight` and, where there is one, `name.bias`. A packed weight is no
    /// parameter, and an adapter's factors are the adapter's.
    public func named(_ name: String) -> [(name: String, parameter: Parameter)] {
        (weight.map { [(name + ".weight", $0)] } ?? []) + (bias.map { [(name + ".bias", $0)] } ?? [])
    }
}
