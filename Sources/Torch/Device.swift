import CTorch

/// Where a tensor lives and is computed.
public enum Device: Hashable, Sendable, CustomStringConvertible {
    case cpu
    /// A CUDA device by its number from 0.
    case cuda(Int)

    /// Reads `cpu`, `cuda` (the first) or `cuda:1`. Whether the machine has it shows on first use.
    /// - Throws: `TorchError` `argument` for anything else.
    public init(parsing text: String) throws {
        if text == "cpu" {
            self = .cpu
        } else if text == "cuda" {
            self = .cuda(0)
        } else if text.hasPrefix("cuda:"), let index = Int(text.dropFirst(5)), (0..<128).contains(index) {
            self = .cuda(index)
        } else {
            throw TorchError(.argument, "unknown device \"\(text)\": cpu, cuda or cuda:<number>")
        }
    }

    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let index): "cuda:\(index)"
        }
    }

    /// The type in which matrix products are fastest: bfloat16 where the hardware multiplies it (CUDA; AMX or AVX-512 BF16 on a
    /// processor), float32 elsewhere, where imitated bfloat16 products were measured to take seven times as long (AVX2).
    public var matrixType: DType {
        switch self {
        case .cpu: ct_bfloat16_is_fast() ? .bfloat16 : .float32
        case .cuda: .bfloat16
        }
    }

    init(_ device: CTDevice) {
        self = device.kind == Int32(CT_CUDA) ? .cuda(Int(device.index)) : .cpu
    }

    var plain: CTDevice {
        switch self {
        case .cpu: CTDevice(kind: Int32(CT_CPU), index: 0)
        case .cuda(let index): CTDevice(kind: Int32(CT_CUDA), index: Int32(clamping: index))
        }
    }
}
