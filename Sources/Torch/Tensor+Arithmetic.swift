import CTorch

// Shapes broadcast as in NumPy. A `Double` beside an integer tensor makes the result float32; an `Int` keeps its type.
extension Tensor {
    public static func + (a: Tensor, b: Tensor) throws -> Tensor { try a.binary(b, ct_add) }
    public static func + (a: Tensor, b: Double) throws -> Tensor { try a.binary(CTScalar(b), ct_add_scalar) }
    public static func + (a: Double, b: Tensor) throws -> Tensor { try b.binary(CTScalar(a), ct_add_scalar) }
    public static func + (a: Tensor, b: Int) throws -> Tensor { try a.binary(CTScalar(b), ct_add_scalar) }

    public static func - (a: Tensor, b: Tensor) throws -> Tensor { try a.binary(b, ct_sub) }
    public static func - (a: Tensor, b: Double) throws -> Tensor { try a.binary(CTScalar(b), ct_sub_scalar) }
    public static func - (a: Double, b: Tensor) throws -> Tensor { try b.binary(CTScalar(a), ct_rsub_scalar) }
    public static func - (a: Tensor, b: Int) throws -> Tensor { try a.binary(CTScalar(b), ct_sub_scalar) }

    public static func * (a: Tensor, b: Tensor) throws -> Tensor { try a.binary(b, ct_mul) }
    public static func * (a: Tensor, b: Double) throws -> Tensor { try a.binary(CTScalar(b), ct_mul_scalar) }
    public static func * (a: Double, b: Tensor) throws -> Tensor { try b.binary(CTScalar(a), ct_mul_scalar) }
    public static func * (a: Tensor, b: Int) throws -> Tensor { try a.binary(CTScalar(b), ct_mul_scalar) }

    /// True division: integers give float32.
    public static func / (a: Tensor, b: Tensor) throws -> Tensor { try a.binary(b, ct_div) }
    public static func / (a: Tensor, b: Double) throws -> Tensor { try a.binary(CTScalar(b), ct_div_scalar) }
    public static func / (a: Double, b: Tensor) throws -> Tensor { try b.binary(CTScalar(a), ct_rdiv_scalar) }
    public static func / (a: Tensor, b: Int) throws -> Tensor { try a.binary(CTScalar(b), ct_div_scalar) }

    public static prefix func - (a: Tensor) throws -> Tensor { try a.unary(ct_neg) }

    /// Division rounded towards minus infinity; keeps integers.
    public func floorDivide(_ other: Tensor) throws -> Tensor { try binary(other, ct_floor_divide) }
    public func floorDivide(_ other: Int) throws -> Tensor { try binary(CTScalar(other), ct_floor_divide_scalar) }

    /// What `floorDivide` leaves, with the divisor's sign.
    public func remainder(_ other: Tensor) throws -> Tensor { try binary(other, ct_remainder) }
    public func remainder(_ other: Int) throws -> Tensor { try binary(CTScalar(other), ct_remainder_scalar) }

    public func pow(_ exponent: Double) throws -> Tensor { try binary(CTScalar(exponent), ct_pow_scalar) }
    public func pow(_ exponent: Tensor) throws -> Tensor { try binary(exponent, ct_pow) }

    /// The larger of two, element by element.
    public func maximum(_ other: Tensor) throws -> Tensor { try binary(other, ct_maximum) }

    /// The smaller of two, element by element.
    public func minimum(_ other: Tensor) throws -> Tensor { try binary(other, ct_minimum) }

    /// Matrix product of the last two dimensions; those before broadcast.
    public func matmul(_ other: Tensor) throws -> Tensor { try binary(other, ct_matmul) }

    public func exp() throws -> Tensor { try unary(ct_exp) }
    /// Natural logarithm.
    public func log() throws -> Tensor { try unary(ct_log) }
    /// ln(1 + x), exact near 0.
    public func log1p() throws -> Tensor { try unary(ct_log1p) }
    public func tanh() throws -> Tensor { try unary(ct_tanh) }
    public func sin() throws -> Tensor { try unary(ct_sin) }
    public func cos() throws -> Tensor { try unary(ct_cos) }
    /// 1 / (1 + e⁻ˣ).
    public func sigmoid() throws -> Tensor { try unary(ct_sigmoid) }
    /// ln sigmoid(x), exact for very negative x.
    public func logSigmoid() throws -> Tensor { try unary(ct_log_sigmoid) }
    /// ln(1 + eˣ); x itself above 20.
    public func softplus() throws -> Tensor { try unary(ct_softplus) }
    public func relu() throws -> Tensor { try unary(ct_relu) }
    /// x Φ(x) by the error function (Hendrycks and Gimpel, arXiv 1606.08415).
    public func gelu() throws -> Tensor { try unary(ct_gelu) }
    /// The tanh approximation of `gelu`.
    public func geluTanh() throws -> Tensor { try unary(ct_gelu_tanh) }
    /// x sigmoid(x).
    public func silu() throws -> Tensor { try unary(ct_silu) }
    public func sqrt() throws -> Tensor { try unary(ct_sqrt) }
    /// 1 / √x.
    public func rsqrt() throws -> Tensor { try unary(ct_rsqrt) }
    public func abs() throws -> Tensor { try unary(ct_abs) }
    public func square() throws -> Tensor { try unary(ct_square) }

    /// Every element kept within the bounds that are given.
    /// - Throws: `TorchError` `argument` without any bound.
    public func clamp(min: Double? = nil, max: Double? = nil) throws -> Tensor {
        var low = min ?? 0
        var high = max ?? 0
        return try withUnsafePointer(to: &low) { low in
            try withUnsafePointer(to: &high) { high in
                try unary { ct_clamp($0, min == nil ? nil : low, max == nil ? nil : high, $1) }
            }
        }
    }
}
