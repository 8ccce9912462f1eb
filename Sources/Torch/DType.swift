import CTorch

/// The type of a tensor's elements.
public enum DType: String, Sendable, Hashable, CaseIterable {
    case float64, float32, bfloat16, float16, int64, int32, uint8, bool

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .bfloat16, .float16: 2
        case .uint8, .bool: 1
        }
    }

    /// Whether it can carry gradients.
    public var isFloating: Bool {
        switch self {
        case .float64, .float32, .bfloat16, .float16: true
        case .int64, .int32, .uint8, .bool: false
        }
    }

    /// Its number in `ctorch.h`.
    var number: Int32 {
        switch self {
        case .float64: Int32(CT_FLOAT64)
        case .float32: Int32(CT_FLOAT32)
        case .bfloat16: Int32(CT_BFLOAT16)
        case .float16: Int32(CT_FLOAT16)
        case .int64: Int32(CT_INT64)
        case .int32: Int32(CT_INT32)
        case .uint8: Int32(CT_UINT8)
        case .bool: Int32(CT_BOOL)
        }
    }

    init?(number: Int32) {
        guard let found = DType.allCases.first(where: { $0.number == number }) else { return nil }
        self = found
    }
}
