import CTorch

// Arithmetic and comparison; shapes broadcast as in libtorch. Each throws `TorchError` where shapes do not fit.
extension Tensor {
    public static func + (a: Tensor, b: Tensor) throws -> Tensor {
        try Tensor { ct_add(a.handle.pointer, b.handle.pointer, $0) }
    }
    public static func + (a: Tensor, b: Double) throws -> Tensor {
        try Tensor { ct_add_scalar(a.handle.pointer, Self.scalar(b), $0) }
    }
    public static func - (a: Tensor, b: Tensor) throws -> Tensor {
        try Tensor { ct_sub(a.handle.pointer, b.handle.pointer, $0) }
    }
    public static func - (a: Tensor, b: Double) throws -> Tensor {
        try Tensor { ct_sub_scalar(a.handle.pointer, Self.scalar(b), $0) }
    }
    public static func * (a: Tensor, b: Tensor) throws -> Tensor {
        try Tensor { ct_mul(a.handle.pointer, b.handle.pointer, $0) }
    }
    public static func * (a: Tensor, b: Double) throws -> Tensor {
        try Tensor { ct_mul_scalar(a.handle.pointer, Self.scalar(b), $0) }
    }
    public static func / (a: Tensor, b: Tensor) throws -> Tensor {
        try Tensor { ct_div(a.handle.pointer, b.handle.pointer, $0) }
    }
    public static func / (a: Tensor, b: Double) throws -> Tensor {
        try Tensor { ct_div_scalar(a.handle.pointer, Self.scalar(b), $0) }
    }
    public static func + (a: Double, b: Tensor) throws -> Tensor { try b + a }
    public static func * (a: Double, b: Tensor) throws -> Tensor { try b * a }
    public static func - (a: Double, b: Tensor) throws -> Tensor {
        try Tensor { ct_rsub_scalar(b.handle.pointer, scalar(a), $0) }
    }
    public static func / (a: Double, b: Tensor) throws -> Tensor {
        try Tensor { ct_rdiv_scalar(b.handle.pointer, scalar(a), $0) }
    }
    public static prefix func - (a: Tensor) throws -> Tensor { try Tensor { ct_neg(a.handle.pointer, $0) } }
    /// Element-wise power.
    public func pow(_ exponent: Double) throws -> Tensor {
        try Tensor { ct_pow_scalar(handle.pointer, Self.scalar(exponent), $0) }
    }
    /// A whole number stays one beside an integer tensor.
    static func scalar(_ value: Double) -> CTScalar {
        if let whole = Int64(exactly: value) { return CTScalar(isInteger: true, integer: whole, real: value) }
        return CTScalar(isInteger: false, integer: 0, real: value)
    }

    /// Where this is equal: a bool tensor.
    public func equal(to other: Tensor) throws -> Tensor {
        try Tensor { ct_eq(handle.pointer, other.handle.pointer, $0) }
    }
    /// Where this is equal: a bool tensor.
    public func equal(to other: Double) throws -> Tensor {
        try Tensor { ct_eq_scalar(handle.pointer, Self.scalar(other), $0) }
    }
    /// Where this is not equal: a bool tensor.
    public func notEqual(to other: Tensor) throws -> Tensor {
        try Tensor { ct_ne(handle.pointer, other.handle.pointer, $0) }
    }
    /// Where this is not equal: a bool tensor.
    public func notEqual(to other: Double) throws -> Tensor {
        try Tensor { ct_ne_scalar(handle.pointer, Self.scalar(other), $0) }
    }
    /// Where this is less: a bool tensor.
    public func less(than other: Tensor) throws -> Tensor {
        try Tensor { ct_lt(handle.pointer, other.handle.pointer, $0) }
    }
    /// Where this is less: a bool tensor.
    public func less(than other: Double) throws -> Tensor {
        try Tensor { ct_lt_scalar(handle.pointer, Self.scalar(other), $0) }
    }
    /// Where this is less or equal: a bool tensor.
    public func lessOrEqual(to other: Tensor) throws -> Tensor {
        try Tensor { ct_le(handle.pointer, other.handle.pointer, $0) }
    }
    /// Where this is less or equal: a bool tensor.
    public func lessOrEqual(to other: Double) throws -> Tensor {
        try Tensor { ct_le_scalar(handle.pointer, Self.scalar(other), $0) }
    }
    /// Where this is greater: a bool tensor.
    public func greater(than other: Tensor) throws -> Tensor {
        try Tensor { ct_gt(handle.pointer, other.handle.pointer, $0) }
    }
    /// Where this is greater: a bool tensor.
    public func greater(than other: Double) throws -> Tensor {
        try Tensor { ct_gt_scalar(handle.pointer, Self.scalar(other), $0) }
    }
    /// Where this is greater or equal: a bool tensor.
    public func greaterOrEqual(to other: Tensor) throws -> Tensor {
        try Tensor { ct_ge(handle.pointer, other.handle.pointer, $0) }
    }
    /// Where this is greater or equal: a bool tensor.
    public func greaterOrEqual(to other: Double) throws -> Tensor {
        try Tensor { ct_ge_scalar(handle.pointer, Self.scalar(other), $0) }
    }
    /// Element by element, but for `matmul`, the (batched) matrix product.
    public func logicalAnd(_ other: Tensor) throws -> Tensor {
        try Tensor { ct_logical_and(handle.pointer, other.handle.pointer, $0) }
    }
    /// Element by element, but for `matmul`, the (batched) matrix product.
    public func logicalOr(_ other: Tensor) throws -> Tensor {
        try Tensor { ct_logical_or(handle.pointer, other.handle.pointer, $0) }
    }
    /// Element by element, but for `matmul`, the (batched) matrix product.
    public func maximum(_ other: Tensor) throws -> Tensor {
        try Tensor { ct_maximum(handle.pointer, other.handle.pointer, $0) }
    }
    /// Element by element, but for `matmul`, the (batched) matrix product.
    public func minimum(_ other: Tensor) throws -> Tensor {
        try Tensor { ct_minimum(handle.pointer, other.handle.pointer, $0) }
    }
    /// Element by element, but for `matmul`, the (batched) matrix product.
    public func matmul(_ other: Tensor) throws -> Tensor {
        try Tensor { ct_matmul(handle.pointer, other.handle.pointer, $0) }
    }
    /// Values kept within bounds; a missing bound is open.
    public func clamp(min lower: Double? = nil, max upper: Double? = nil) throws -> Tensor {
        guard lower != nil || upper != nil else { return self }
        return try Tensor { out in
            var (low, high) = (lower ?? 0, upper ?? 0)
            return withUnsafePointer(to: &low) { l in
                withUnsafePointer(to: &high) { h in
                    ct_clamp(handle.pointer, lower == nil ? nil : l, upper == nil ? nil : h, out)
                }
            }
        }
    }
    /// `a` where the condition holds, else `b`.
    public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        try Tensor { ct_where(condition.handle.pointer, a.handle.pointer, b.handle.pointer, $0) }
    }
}
