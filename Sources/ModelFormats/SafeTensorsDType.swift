/// The element types of a safetensors file that take whole bytes. Raw values are the spellings in the header.
public enum SafeTensorsDType: String, Sendable, Hashable, CaseIterable {
    // In the order in which the reference writer ranks them: the largest alignment last.
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case float64 = "F64"
    case int64 = "I64"
    case uint64 = "U64"

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// Place in the reference writer's order; tensors of higher rank are written first, which keeps each one aligned.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Bytes of a tensor of this type and shape; `nil` when a dimension is negative or the product overflows.
    public func byteCount(of shape: [Int]) -> Int? {
        var total = size
        // A zero dimension makes the tensor empty whatever the others are, but they must still be valid numbers.
        for dimension in shape {
            guard dimension >= 0 else { return nil }
            let (product, overflow) = total.multipliedReportingOverflow(by: dimension)
            guard !overflow else { return nil }
            total = product
        }
        return total
    }
}
