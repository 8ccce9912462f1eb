import CTorch

/// Where a tensor lives and is computed with.
public enum Device: Hashable, Sendable, CustomStringConvertible {
    case cpu
    /// A CUDA device by its number.
    case cuda(Int)

    /// Reads `cpu`, `cuda` or `cuda:1`. Throws `TorchError` that names the text.
    public init(parsing text: String) throws {
        if text == "cpu" {
            self = .cpu
        } else if text == "cuda" {
            self = .cuda(0)
        } else if text.hasPrefix("cuda:"), let index = Int(text.dropFirst(5)), index >= 0, index < 1024 {
            self = .cuda(index)
        } else {
            throw TorchError(.argument, "unknown device '\(text)'; known are cpu, cuda and cuda:N")
        }
    }

    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let index): "cuda:\(index)"
        }
    }

    var plain: CTDevice {
        switch self {
        case .cpu: CTDevice(kind: Int32(CT_CPU), index: 0)
        case .cuda(let index): CTDevice(kind: Int32(CT_CUDA), index: Int32(index))
        }
    }

    init(_ plain: CTDevice) { self = plain.kind == Int32(CT_CUDA) ? .cuda(Int(plain.index)) : .cpu }
}
