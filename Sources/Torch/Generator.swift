import CTorch
import Foundation

/// libtorch's random numbers from a seed. The same seed, device and calls give the same numbers.
public final class Generator: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let lock = NSLock()

    /// Throws `TorchError` when the device is not there.
    public init(seed: UInt64, device: Device = .cpu) throws {
        var out: OpaquePointer?
        try TorchError.check(ct_generator_new(seed, device.plain, &out))
        guard let out else { throw TorchError(.runtime, "no generator was made") }
        pointer = out
    }

    deinit { ct_generator_free(pointer) }

    public var device: Device { Device(ct_generator_device(pointer)) }

    /// One draw at a time.
    func locked<Result>(_ body: (OpaquePointer) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(pointer)
    }

    /// Everything that decides the numbers to come, as bytes.
    public func state() throws -> [UInt8] {
        try locked { pointer in try Tensor { ct_generator_state(pointer, $0) } }.withBytes { Array($0) }
    }
    /// Goes on from a state. Throws `TorchError` for bytes that are none.
    public func restore(_ state: [UInt8]) throws {
        let tensor = try state.withUnsafeBytes { try Tensor(bytes: $0, shape: [state.count], dtype: .uint8) }
        try locked { try TorchError.check(ct_generator_set_state($0, tensor.handle.pointer)) }
    }
}
