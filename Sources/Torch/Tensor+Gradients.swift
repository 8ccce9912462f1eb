import CTorch

extension Tensor {
    /// The same tensor, recorded (or not) for `backward()`; only leaves can be switched.
    public func requireGradient(_ required: Bool) throws -> Tensor {
        try TorchError.check(ct_set_requires_gradient(handle.pointer, required))
        return self
    }
    /// Adds d(this)/d(leaf) to every recorded leaf's gradient; this must be a single number.
    public func backward() throws { try TorchError.check(ct_backward(handle.pointer)) }
    /// What `backward()` left here; `nil` before the first.
    public var gradient: Tensor? {
        var out: OpaquePointer?
        guard ct_gradient(handle.pointer, &out) == CT_OK, let out else { return nil }
        return Tensor(owning: out)
    }
    /// Forgets the gradient.
    public func zeroGradient() throws { try TorchError.check(ct_clear_gradient(handle.pointer)) }

    // In place, for optimisers and caches: the tensor's storage changes under every view of it.

    /// Overwrites the elements; shapes must be equal.
    public func copy(from source: Tensor) throws { try TorchError.check(ct_copy_(handle.pointer, source.handle.pointer)) }
    /// `self += scale · other`.
    public func add(inPlace other: Tensor, scale: Double = 1) throws {
        try TorchError.check(ct_add_(handle.pointer, other.handle.pointer, scale))
    }
    public func multiply(inPlace other: Tensor) throws {
        try TorchError.check(ct_mul_(handle.pointer, other.handle.pointer))
    }
    public func multiply(inPlace factor: Double) throws {
        try TorchError.check(ct_mul_scalar_(handle.pointer, factor))
    }
    public func zero() throws { try TorchError.check(ct_zero_(handle.pointer)) }
}

/// Runs the body without recording operations on this thread; the setting comes back also when the body throws.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_gradients_enabled()
    ct_set_gradients_enabled(false)
    defer { ct_set_gradients_enabled(before) }
    return try body()
}
