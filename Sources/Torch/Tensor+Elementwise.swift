import CTorch

// Element-wise functions and full reductions. Each throws `TorchError` where libtorch refuses.
extension Tensor {
    /// The same values without history.
    public func detach() throws -> Tensor { try Tensor { ct_detach(handle.pointer, $0) } }
    /// A copy.
    public func clone() throws -> Tensor { try Tensor { ct_clone(handle.pointer, $0) } }
    /// Laid out densely in row order.
    public func contiguous() throws -> Tensor { try Tensor { ct_contiguous(handle.pointer, $0) } }
    /// eˣ.
    public func exp() throws -> Tensor { try Tensor { ct_exp(handle.pointer, $0) } }
    /// Natural logarithm.
    public func log() throws -> Tensor { try Tensor { ct_log(handle.pointer, $0) } }
    /// ln(1 + x).
    public func log1p() throws -> Tensor { try Tensor { ct_log1p(handle.pointer, $0) } }
    /// Hyperbolic tangent.
    public func tanh() throws -> Tensor { try Tensor { ct_tanh(handle.pointer, $0) } }
    /// Sine.
    public func sin() throws -> Tensor { try Tensor { ct_sin(handle.pointer, $0) } }
    /// Cosine.
    public func cos() throws -> Tensor { try Tensor { ct_cos(handle.pointer, $0) } }
    /// 1 / (1 + e⁻ˣ).
    public func sigmoid() throws -> Tensor { try Tensor { ct_sigmoid(handle.pointer, $0) } }
    /// ln σ(x), stable.
    public func logSigmoid() throws -> Tensor { try Tensor { ct_log_sigmoid(handle.pointer, $0) } }
    /// ln(1 + eˣ).
    public func softplus() throws -> Tensor { try Tensor { ct_softplus(handle.pointer, $0) } }
    /// max(x, 0).
    public func relu() throws -> Tensor { try Tensor { ct_relu(handle.pointer, $0) } }
    /// x Φ(x), the exact form.
    public func gelu() throws -> Tensor { try Tensor { ct_gelu(handle.pointer, $0) } }
    /// The tanh form of GELU.
    public func geluTanh() throws -> Tensor { try Tensor { ct_gelu_tanh(handle.pointer, $0) } }
    /// x σ(x).
    public func silu() throws -> Tensor { try Tensor { ct_silu(handle.pointer, $0) } }
    /// Square root.
    public func sqrt() throws -> Tensor { try Tensor { ct_sqrt(handle.pointer, $0) } }
    /// 1 / √x.
    public func rsqrt() throws -> Tensor { try Tensor { ct_rsqrt(handle.pointer, $0) } }
    /// Absolute value.
    public func abs() throws -> Tensor { try Tensor { ct_abs(handle.pointer, $0) } }
    /// x².
    public func square() throws -> Tensor { try Tensor { ct_square(handle.pointer, $0) } }
    /// Not, of a bool tensor.
    public func logicalNot() throws -> Tensor { try Tensor { ct_logical_not(handle.pointer, $0) } }
    /// Sum of all elements, rank 0.
    public func sum() throws -> Tensor { try Tensor { ct_sum(handle.pointer, $0) } }
    /// Mean of all elements, rank 0.
    public func mean() throws -> Tensor { try Tensor { ct_mean(handle.pointer, $0) } }
    /// Whether every element is true, rank 0.
    public func all() throws -> Tensor { try Tensor { ct_all(handle.pointer, $0) } }
    /// Whether some element is true, rank 0.
    public func any() throws -> Tensor { try Tensor { ct_any(handle.pointer, $0) } }
    /// Whether every element is a finite number.
    public func isFinite() throws -> Bool {
        try Tensor { ct_isfinite(handle.pointer, $0) }.all().item() != 0
    }
}
