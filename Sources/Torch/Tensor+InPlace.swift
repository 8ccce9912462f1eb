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

extension Tensor {
    /// Lends the numbers of a contiguous float32 tensor on the CPU, to be read and written: for libraries that take plain
    /// memory. The memory lives as long as the tensor, also after `body`.
    /// - Throws: `TorchError` `argument` for another type or place.
    public func withMutableFloats<R>(_ body: (UnsafeMutableBufferPointer<Float>) throws -> R) throws -> R {
        guard dtype == .float32 else { throw TorchError(.argument, "\(self) does not hold float32 numbers") }
        return try withHandle { this in
            var bytes: UnsafeRawPointer?
            var count: Int64 = 0
            try check(ct_bytes(this, &bytes, &count))
            let start = UnsafeMutableRawPointer(mutating: bytes)?.assumingMemoryBound(to: Float.self)
            return try body(UnsafeMutableBufferPointer(start: start, count: Int(count) / 4))
        }
    }
}
