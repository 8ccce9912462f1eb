import CTorch

/// A weight matrix rounded to 8 or 4 bits, laid out for generation: the memory's speed is what decoding runs at, so half the
/// bytes are twice the tokens.
///
/// A float16 scale (4 bits: and an offset) belongs to 64 inputs of an output; 8 bits are symmetric, 4 bits are of least squared
/// error among several ranges. For use, not for learning: no gradient passes. Safe to use from many threads.
public final class PackedWeight: @unchecked Sendable {
    /// What a weight is rounded to.
    public enum Bits: Int, Sendable, Hashable, Codable, CaseIterable {
        case eight = 8
        case four = 4
    }

    public let bits: Bits
    /// [out, in].
    public let shape: [Int]
    private let pointer: OpaquePointer

    /// Rounds a weight.
    /// - Parameter weight: [out, in], floating point, on the CPU.
    /// - Throws: `TorchError` for another shape, type or place.
    public init(_ weight: Tensor, bits: Bits) throws {
        var made: OpaquePointer?
        try weight.withHandle { try check(ct_packed_new($0, Int32(bits.rawValue), &made)) }
        guard let made else { throw TorchError(.runtime, "the engine gave no packed weight") }
        pointer = made
        self.bits = bits
        shape = weight.shape
    }

    deinit { ct_packed_free(pointer) }

    /// Bytes that it takes, scales included.
    public var byteCount: Int { Int(ct_packed_byte_count(pointer)) }

    /// The weights that the codes stand for, [out, in].
    /// - Parameter dtype: float32 or bfloat16.
    public func unpacked(_ dtype: DType = .float32) throws -> Tensor {
        try Tensor.make { ct_packed_unpack(pointer, dtype.number, $0) }
    }

    /// x Wᵀ + b in the type of x: […, in] to […, out]. Up to eight rows are rounded to 8 bits themselves.
    public func linear(_ x: Tensor, bias: Tensor? = nil) throws -> Tensor {
        try Tensor.withHandle(bias) { bias in
            try x.unary { ct_packed_linear($0, pointer, bias, $1) }
        }
    }

    /// Which kernels this processor runs: `avx512` or `portable`.
    public static var kernelName: String { String(cString: ct_kernel_name()) }
}
