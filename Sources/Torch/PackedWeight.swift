import CTorch

/// A weight matrix laid out for generation, in float16 or rounded to 8 or 4 bits: the memory's speed is what decoding runs at,
/// so half the bytes are twice the tokens.
///
/// A float16 scale (4 bits: and an offset) belongs to 64 inputs of an output; 8 bits are symmetric, 4 bits are of least squared
/// error among several ranges. For use, not for learning: no gradient passes. Safe to use from many threads.
public final class PackedWeight: @unchecked Sendable {
    /// What a weight is rounded to.
    public enum Bits: Int, Sendable, Hashable, Codable, CaseIterable {
        /// float16, which holds weights of bfloat16 but for digits of the tiniest; none may be beyond ±1000.
        case sixteen = 16
        case eight = 8
        case four = 4
    }

    /// The memory of a packed weight, to be saved.
    public struct Parts: Sendable {
        /// uint8, of one dimension.
        public var codes: Tensor
        /// float16; not for 16 bits.
        public var scales: Tensor?
        /// float16; for 4 bits only.
        public var offsets: Tensor?

        public init(codes: Tensor, scales: Tensor? = nil, offsets: Tensor? = nil) {
            (self.codes, self.scales, self.offsets) = (codes, scales, offsets)
        }
    }

    public let bits: Bits
    /// [out, in].
    public let shape: [Int]
    let pointer: OpaquePointer

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

    /// One that was packed before: the same, bit for bit.
    /// - Throws: `TorchError` for parts that are not of this shape.
    public init(_ parts: Parts, shape: [Int], bits: Bits) throws {
        guard shape.count == 2 else { throw TorchError(.shape, "a packed weight is a matrix, not \(shape)") }
        var made: OpaquePointer?
        try parts.codes.withHandle { codes in
            try Tensor.withHandle(parts.scales) { scales in
                try Tensor.withHandle(parts.offsets) { offsets in
                    try check(
                        ct_packed_from(
                            Int32(bits.rawValue), Int64(shape[0]), Int64(shape[1]), codes, scales, offsets, &made))
                }
            }
        }
        guard let made else { throw TorchError(.runtime, "the engine gave no packed weight") }
        pointer = made
        self.bits = bits
        self.shape = shape
    }

    deinit { ct_packed_free(pointer) }

    /// Bytes that it takes, scales included.
    public var byteCount: Int { Int(ct_packed_byte_count(pointer)) }

    /// Its memory. Shared: not to be written.
    public func parts() throws -> Parts {
        func part(_ index: Int32) throws -> Tensor? {
            var made: OpaquePointer?
            try check(ct_packed_part(pointer, index, &made))
            return made.map { Tensor(handle: TensorHandle(owning: $0)) }
        }
        guard let codes = try part(0) else { throw TorchError(.runtime, "a packed weight without codes") }
        return Parts(codes: codes, scales: try part(1), offsets: try part(2))
    }

    /// The weights that the codes stand for, [out, in].
    /// - Parameter dtype: float32 or bfloat16.
    public func unpacked(_ dtype: DType = .float32) throws -> Tensor {
        try Tensor.make { ct_packed_unpack(pointer, dtype.number, $0) }
    }

    /// x Wᵀ + b: […, in] to […, out]. Beside 8 and 4 bits the rows are rounded to 8 bits themselves, a scale per 64 numbers (not
    /// more than eight rows by the portable kernels), beside 16 bits they stay float32. With the fast kernels a row's numbers do not
    /// depend on the rows beside it.
    /// - Parameter isWide: float32 comes out, else the type of x.
    public func linear(_ x: Tensor, bias: Tensor? = nil, isWide: Bool = false) throws -> Tensor {
        try Tensor.withHandle(bias) { bias in
            try x.unary { ct_packed_linear($0, pointer, bias, isWide, $1) }
        }
    }

    /// Which kernels this processor runs: `avx512` or `portable`.
    public static var kernelName: String { String(cString: ct_kernel_name()) }
    /// Whether they are made for many rows too, as `avx512` is.
    public static var hasFastKernels: Bool { ct_kernels_are_fast() }
}
