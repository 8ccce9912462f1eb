import Torch

/// The curve between the two layers of a feed-forward, under the name that `config.json` has for it.
public enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
    case relu
    /// x Φ(x), by the error function.
    case gelu
    /// Another name of `gelu`.
    case geluPython = "gelu_python"
    /// The tanh approximation of `gelu`: GPT-2's own.
    case geluNew = "gelu_new"
    /// Another name of `geluNew`.
    case geluPytorchTanh = "gelu_pytorch_tanh"
    /// Another name of `geluNew`: the same polynomial, factored.
    case geluFast = "gelu_fast"
    /// x σ(x).
    case silu
    /// Another name of `silu`.
    case swish
    case tanh

    /// The gated unit: self(gate) · up.
    func gating(_ gate: Tensor, _ up: Tensor) throws -> Tensor {
        switch self {
        case .silu, .swish: try gate.siluTimes(up)
        default: try callAsFunction(gate) * up
        }
    }

    /// Element by element.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        switch self {
        case .relu: try x.relu()
        case .gelu, .geluPython: try x.gelu()
        case .geluNew, .geluPytorchTanh, .geluFast: try x.geluTanh()
        case .silu, .swish: try x.silu()
        case .tanh: try x.tanh()
        }
    }
}
