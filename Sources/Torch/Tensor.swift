import CTorch
import Foundation

/// An array of numbers in libtorch, with a history for gradients where it is recorded.
///
/// A value: operations give new tensors and leave their operands alone, but for those named `inPlace`, `copy(from:)` and
/// `zero()`, which are for optimisers and caches. The memory goes when the last copy of the value goes. Reading one tensor
/// from several threads is fine; writing one in place while another thread reads it is not.
public struct Tensor: @unchecked Sendable {
    /// Frees its libtorch handle when the last tensor value that shares it goes.
    final class Handle {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { self.pointer = pointer }
        deinit { ct_tensor_free(pointer) }
    }

    let handle: Handle

    init(owning pointer: OpaquePointer) { handle = Handle(pointer) }

    /// Runs a call of the C library that yields one tensor.
    init(_ call: (UnsafeMutablePointer<OpaquePointer?>) throws -> Int32) throws {
        var out: OpaquePointer?
        try TorchError.check(try call(&out))
        guard let out else { throw TorchError(.runtime, "the operation yielded no tensor") }
        self.init(owning: out)
    }

    /// Runs a call that yields two.
    static func pair(
        _ call: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<OpaquePointer?>) -> Int32
    ) throws -> (Tensor, Tensor) {
        var (first, second): (OpaquePointer?, OpaquePointer?)
        try TorchError.check(call(&first, &second))
        guard let first, let second else { throw TorchError(.runtime, "the operation yielded no tensors") }
        return (Tensor(owning: first), Tensor(owning: second))
    }

    // MARK: - What it is

    /// Length of each dimension; empty for a single number.
    public var shape: [Int] {
        var shape = [Int64](repeating: 0, count: Int(ct_rank(handle.pointer)))
        ct_shape(handle.pointer, &shape)
        return shape.map(Int.init)
    }
    /// Number of dimensions.
    public var rank: Int { Int(ct_rank(handle.pointer)) }
    /// Number of elements.
    public var count: Int { Int(ct_count(handle.pointer)) }
    /// Element type; a type of libtorch that has no name here reads as `uint8`.
    public var dtype: DType { DType(number: ct_dtype(handle.pointer)) ?? .uint8 }
    public var device: Device { Device(ct_device(handle.pointer)) }
    public var requiresGradient: Bool { ct_requires_gradient(handle.pointer) }

    // MARK: - Made of numbers

    /// Copies raw bytes: `shape`'s product times the type's size of them exactly.
    public init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType, device: Device = .cpu) throws {
        let dims = shape.map(Int64.init)
        try self.init {
            ct_from_bytes(bytes.baseAddress, Int64(bytes.count), dims, Int64(dims.count), dtype.number, device.plain, $0)
        }
    }

    private init<Element>(
        elements: [Element], as type: DType, shape: [Int]?, dtype: DType?, device: Device
    ) throws {
        let shape = shape ?? [elements.count]
        guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1, *) == elements.count else {
            throw TorchError(.shape, "\(elements.count) values do not fill the shape \(shape)")
        }
        let made = try elements.withUnsafeBytes { try Tensor(bytes: $0, shape: shape, dtype: type, device: device) }
        self = try dtype.map { $0 == type ? made : try made.to($0) } ?? made
    }

    /// float32 unless told otherwise; one dimension unless a shape is given.
    public init(_ values: [Float], shape: [Int]? = nil, dtype: DType? = nil, device: Device = .cpu) throws {
        try self.init(elements: values, as: .float32, shape: shape, dtype: dtype, device: device)
    }
    /// float64 unless told otherwise.
    public init(_ values: [Double], shape: [Int]? = nil, dtype: DType? = nil, device: Device = .cpu) throws {
        try self.init(elements: values, as: .float64, shape: shape, dtype: dtype, device: device)
    }
    /// int64 unless told otherwise.
    public init(_ values: [Int], shape: [Int]? = nil, dtype: DType? = nil, device: Device = .cpu) throws {
        try self.init(elements: values.map(Int64.init), as: .int64, shape: shape, dtype: dtype, device: device)
    }
    /// bool unless told otherwise.
    public init(_ values: [Bool], shape: [Int]? = nil, dtype: DType? = nil, device: Device = .cpu) throws {
        try self.init(elements: values.map { $0 ? UInt8(1) : 0 }, as: .bool, shape: shape, dtype: dtype, device: device)
    }

    /// All elements the same.
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) throws -> Tensor {
        let dims = shape.map(Int64.init)
        return try Tensor { ct_full(dims, Int64(dims.count), scalar(value), dtype.number, device.plain, $0) }
    }
    public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
        try full(shape, 0, dtype: dtype, device: device)
    }
    public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
        try full(shape, 1, dtype: dtype, device: device)
    }
    /// 0, 1, …, `count` − 1.
    public static func arange(_ count: Int, dtype: DType = .int64, device: Device = .cpu) throws -> Tensor {
        try Tensor { ct_arange(Int64(count), dtype.number, device.plain, $0) }
    }
    /// Normal with mean 0 and deviation 1, on the generator's device.
    public static func randn(_ shape: [Int], generator: Generator, dtype: DType = .float32) throws -> Tensor {
        let dims = shape.map(Int64.init)
        return try generator.locked { pointer in
            try Tensor { ct_randn(dims, Int64(dims.count), dtype.number, pointer, $0) }
        }
    }
    /// Uniform in [0, 1), on the generator's device.
    public static func uniform(_ shape: [Int], generator: Generator, dtype: DType = .float32) throws -> Tensor {
        let dims = shape.map(Int64.init)
        return try generator.locked { pointer in
            try Tensor { ct_uniform(dims, Int64(dims.count), dtype.number, pointer, $0) }
        }
    }
    /// Draws without replacement, from the weights of the last dimension.
    public func multinomial(_ count: Int, generator: Generator) throws -> Tensor {
        try generator.locked { pointer in try Tensor { ct_multinomial(handle.pointer, Int64(count), pointer, $0) } }
    }

    // MARK: - Read back

    /// The bytes in row order on the CPU, for the length of the call.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        let plain = try detach().to(.cpu).contiguous()
        var bytes: UnsafeRawPointer?
        var count: Int64 = 0
        try TorchError.check(ct_bytes(plain.handle.pointer, &bytes, &count))
        return try withExtendedLifetime(plain) {
            try body(UnsafeRawBufferPointer(start: count == 0 ? nil : bytes, count: Int(count)))
        }
    }

    private func elements<Element>(_ type: Element.Type, as dtype: DType) throws -> [Element] {
        try to(dtype).withBytes { Array($0.bindMemory(to: Element.self)) }
    }
    /// All elements in row order.
    public func floats() throws -> [Float] { try elements(Float.self, as: .float32) }
    public func doubles() throws -> [Double] { try elements(Double.self, as: .float64) }
    public func ints() throws -> [Int] { try elements(Int64.self, as: .int64).map(Int.init) }
    public func bools() throws -> [Bool] { try elements(UInt8.self, as: .bool).map { $0 != 0 } }
    /// The only element.
    public func item() throws -> Double {
        var value = 0.0
        try TorchError.check(ct_item(handle.pointer, &value))
        return value
    }

    /// With another element type; the same tensor when it has it already.
    public func to(_ dtype: DType) throws -> Tensor {
        if dtype == self.dtype { return self }
        return try Tensor { ct_to_dtype(handle.pointer, dtype.number, $0) }
    }
    /// On another device; the same tensor when it is there already.
    public func to(_ device: Device) throws -> Tensor {
        if device == self.device { return self }
        return try Tensor { ct_to_device(handle.pointer, device.plain, $0) }
    }

    /// Handles of several tensors for a C call.
    static func withPointers<Result>(_ tensors: [Tensor], _ body: ([OpaquePointer?]) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(tensors) { try body(tensors.map(\.handle.pointer)) }
    }
}
