/// A weight of a model: a box around a tensor, so that optimiser and layers see one and the same.
///
/// Training keeps the value in float32 whatever the activations are; a layer casts it as it goes,
/// `parameter.value.to(x.dtype)`, and the gradient arrives here in float32.
public final class Parameter: @unchecked Sendable {
    /// The weight itself.
    public var value: Tensor

    public init(_ value: Tensor) {
        self.value = value
    }
}

/// Something with weights.
public protocol Module: AnyObject {
    /// All weights under the names that a checkpoint gives them; each weight once, even when two layers share it.
    var namedParameters: [(name: String, parameter: Parameter)] { get }
}

extension Module {
    /// Number of weights in all.
    public var parameterCount: Int { namedParameters.reduce(0) { $0 + $1.parameter.value.count } }

    /// Turns the recording of gradients on or off for every weight.
    public func requireGradients(_ required: Bool) throws {
        for (_, parameter) in namedParameters { try parameter.value.requireGradient(required) }
    }
}
