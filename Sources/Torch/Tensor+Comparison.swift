import CTorch

// Each gives a bool tensor; shapes broadcast.
extension Tensor {
    public func equal(to other: Tensor) throws -> Tensor { try binary(other, ct_eq) }
    public func equal(to other: Double) throws -> Tensor { try binary(CTScalar(other), ct_eq_scalar) }
    public func notEqual(to other: Tensor) throws -> Tensor { try binary(other, ct_ne) }
    public func notEqual(to other: Double) throws -> Tensor { try binary(CTScalar(other), ct_ne_scalar) }
    public func less(than other: Tensor) throws -> Tensor { try binary(other, ct_lt) }
    public func less(than other: Double) throws -> Tensor { try binary(CTScalar(other), ct_lt_scalar) }
    public func lessOrEqual(to other: Tensor) throws -> Tensor { try binary(other, ct_le) }
    public func lessOrEqual(to other: Double) throws -> Tensor { try binary(CTScalar(other), ct_le_scalar) }
    public func greater(than other: Tensor) throws -> Tensor { try binary(other, ct_gt) }
    public func greater(than other: Double) throws -> Tensor { try binary(CTScalar(other), ct_gt_scalar) }
    public func greaterOrEqual(to other: Tensor) throws -> Tensor { try binary(other, ct_ge) }
    public func greaterOrEqual(to other: Double) throws -> Tensor { try binary(CTScalar(other), ct_ge_scalar) }

    public func logicalAnd(_ other: Tensor) throws -> Tensor { try binary(other, ct_logical_and) }
    public func logicalOr(_ other: Tensor) throws -> Tensor { try binary(other, ct_logical_or) }
    public func logicalNot() throws -> Tensor { try unary(ct_logical_not) }

    /// Whether every element is true, or not zero: a bool tensor of rank 0.
    public func all() throws -> Tensor { try unary(ct_all) }

    /// Whether any element is true, or not zero: a bool tensor of rank 0.
    public func any() throws -> Tensor { try unary(ct_any) }

    /// Whether every element is a finite number.
    public func isFinite() throws -> Bool { try unary(ct_isfinite).all().item() != 0 }

    /// Where an element is neither infinite nor NaN.
    public func finiteMask() throws -> Tensor { try unary(ct_isfinite) }

    /// `a` where the condition holds, `b` elsewhere.
    public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        try condition.withHandle { condition in try a.binary(b) { ct_where(condition, $0, $1, $2) } }
    }
}
