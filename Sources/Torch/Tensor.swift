import CTorch

/// An n-dimensional array of libtorch.
///
/// A value that holds a counted reference: copying a `Tensor` copies the reference, views (`narrow`, `transpose`, …)
/// share their base's memory, and the memory is freed with the last reference. Every operation throws `TorchError`, most
/// often `shape`, `dtype` or `outOfMemory`; nothing crashes on a wrong argument. Dimensions may count from the end (−1 is
/// the last). Operations are recorded for `backward()` unless inside `withoutGradients`.
///
/// Sendable without a compiler's proof: the handle may be used on any thread, but a tensor that is written in place must
/// not be read elsewhere at the same time.
public struct Tensor: @unchecked Sendable, CustomStringConvertible {
    let handle: TensorHandle

    init(handle: TensorHandle) {
        self.handle = handle
    }

    /// Sizes of the dimensions; empty for a single number.
    public var shape: [Int] {
        withHandle { this in
            let rank = Int(ct_rank(this))
            return [Int64](unsafeUninitializedCapacity: rank) { buffer, count in
                ct_shape(this, buffer.baseAddress)
                count = rank
            }.map(Int.init)
        }
    }

    /// Number of dimensions.
    public var rank: Int { withHandle { Int(ct_rank($0)) } }

    /// Number of elements.
    public var count: Int { withHandle { Int(ct_count($0)) } }

    /// Type of the elements. Every tensor made through this module has one of these.
    public var dtype: DType { withHandle { DType(number: ct_dtype($0)) ?? .uint8 } }

    public var device: Device { withHandle { Device(ct_device($0)) } }

    /// Whether the elements lie in row-major order without gaps.
    public var isContiguous: Bool { withHandle { ct_is_contiguous($0) } }

    public var description: String {
        "Tensor(\(dtype.rawValue) \(shape)\(device == .cpu ? "" : " \(device)")\(requiresGradient ? " with gradient" : ""))"
    }

    // MARK: - Conversions

    /// The elements as another type; itself when it is that already.
    public func to(_ dtype: DType) throws -> Tensor {
        dtype == self.dtype ? self : try unary { ct_to_dtype($0, dtype.number, $1) }
    }

    /// The tensor on a device; itself when it is there already.
    public func to(_ device: Device) throws -> Tensor {
        device == self.device ? self : try unary { ct_to_device($0, device.plain, $1) }
    }

    /// The same elements, cut off from the recorded operations. Shares memory.
    public func detach() throws -> Tensor { try unary(ct_detach) }

    /// A copy with memory of its own; gradients flow through it.
    public func clone() throws -> Tensor { try unary(ct_clone) }

    /// Itself when contiguous, else a contiguous copy.
    public func contiguous() throws -> Tensor { try unary(ct_contiguous) }
}
