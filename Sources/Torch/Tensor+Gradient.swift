import CTorch

extension Tensor {
    /// Whether operations on this tensor are recorded for `backward()`.
    public var requiresGradient: Bool { withHandle { ct_requires_gradient($0) } }

    /// Marks the tensor itself (not a copy) and gives it back.
    /// - Throws: `TorchError` for element types that carry no gradient, and when a result of recorded operations is to
    ///   stop: `detach()` does that.
    @discardableResult
    public func requireGradient(_ required: Bool = true) throws -> Tensor {
        try withHandle { try check(ct_set_requires_gradient($0, required)) }
        return self
    }

    /// Adds the derivative of this one number to the `gradient` of every marked tensor it came from, and drops the
    /// recorded operations.
    public func backward() throws {
        try withHandle { try check(ct_backward($0)) }
    }

    /// What `backward()` gathered here; `nil` before the first and after `zeroGradient()`.
    public var gradient: Tensor? {
        withHandle { this in
            var pointer: OpaquePointer?
            guard ct_gradient(this, &pointer) == Int32(CT_OK), let pointer else { return nil }
            return Tensor(handle: TensorHandle(owning: pointer))
        }
    }

    /// Makes a tensor this one's gradient; nothing is copied.
    /// - Throws: `TorchError` `shape` when the two shapes differ.
    public func setGradient(_ gradient: Tensor) throws {
        try withHandle { this in try gradient.withHandle { try check(ct_set_gradient(this, $0)) } }
    }

    /// Drops the gradient and its memory.
    public func zeroGradient() throws {
        try withHandle { try check(ct_clear_gradient($0)) }
    }
}

/// Runs `body` without recording operations on this thread; the former setting comes back even when it throws.
public func withoutGradients<T>(_ body: () throws -> T) rethrows -> T {
    let before = ct_gradients_enabled()
    ct_set_gradients_enabled(false)
    defer { ct_set_gradients_enabled(before) }
    return try body()
}
