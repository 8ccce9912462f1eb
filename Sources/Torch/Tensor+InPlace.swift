import CTorch

// For optimisers and caches: these write to the tensor's memory, which its views and copies share. On a tensor that
// requires a gradient they belong inside `withoutGradients`.
extension Tensor {
    /// Overwrites the elements. A part is written through a view: `cache.narrow(…).copy(from: …)`.
    /// - Throws: `TorchError` `shape` unless both shapes are equal: nothing is broadcast.
    public func copy(from source: Tensor) throws {
        try withHandle { this in try source.withHandle { try check(ct_copy_(this, $0)) } }
    }

    /// self += scale · other.
    public func add(inPlace other: Tensor, scale: Double = 1) throws {
        try withHandle { this in try other.withHandle { try check(ct_add_(this, $0, scale)) } }
    }

    /// self *= other.
    public func multiply(inPlace other: Tensor) throws {
        try withHandle { this in try other.withHandle { try check(ct_mul_(this, $0)) } }
    }

    /// self *= factor.
    public func multiply(inPlace factor: Double) throws {
        try withHandle { try check(ct_mul_scalar_($0, factor)) }
    }

    /// Sets every element to 0.
    public func zero() throws {
        try withHandle { try check(ct_zero_($0)) }
    }
}
