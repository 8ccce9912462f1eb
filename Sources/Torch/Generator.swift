import CTorch

/// A seeded source of the engine's random numbers. The same seed, device and calls give the same numbers.
///
/// May be used from several threads, one call at a time goes through; the order then decides who gets which numbers.
public final class Generator: @unchecked Sendable {
    let pointer: OpaquePointer

    /// - Throws: `TorchError` `argument` when the machine has no such device.
    public init(seed: UInt64, device: Device = .cpu) throws {
        var made: OpaquePointer?
        try check(ct_generator_new(seed, device.plain, &made))
        guard let made else { throw TorchError(.runtime, "the engine gave no generator") }
        pointer = made
    }

    deinit { ct_generator_free(pointer) }

    public var device: Device { Device(ct_generator_device(pointer)) }

    /// Everything that decides the numbers to come, opaque and of this engine's version.
    public func state() throws -> [UInt8] {
        let state = try withExtendedLifetime(self) { try Tensor.make { ct_generator_state(pointer, $0) } }
        return try state.withBytes { [UInt8]($0) }
    }

    /// Goes on where the generator that gave the state stood.
    /// - Throws: `TorchError` when it is no state of such a generator.
    public func restore(_ state: [UInt8]) throws {
        let tensor = try state.withUnsafeBytes { try Tensor(bytes: $0, shape: [state.count], dtype: .uint8) }
        try tensor.withHandle { handle in
            try withExtendedLifetime(self) { try check(ct_generator_set_state(pointer, handle)) }
        }
    }
}

extension Tensor {
    /// Standard normal numbers, drawn on the generator's device and moved to `device` when that is another.
    public static func randn(
        _ shape: [Int], generator: Generator, dtype: DType = .float32, device: Device? = nil
    ) throws -> Tensor {
        try draw(generator, device) { ct_randn(int64s(shape), Int64(shape.count), dtype.number, $0, $1) }
    }

    /// Numbers uniform in [0, 1).
    public static func uniform(
        _ shape: [Int], generator: Generator, dtype: DType = .float32, device: Device? = nil
    ) throws -> Tensor {
        try draw(generator, device) { ct_uniform(int64s(shape), Int64(shape.count), dtype.number, $0, $1) }
    }

    /// The numbers 0…n−1 in random order, int64.
    public static func permutation(_ n: Int, generator: Generator, device: Device? = nil) throws -> Tensor {
        try draw(generator, device) { ct_permutation(Int64(n), $0, $1) }
    }

    /// `n` different places of the last dimension, drawn in proportion to these weights (not negative, one or two
    /// dimensions). The generator must be on the weights' device.
    public func multinomial(_ n: Int, generator: Generator) throws -> Tensor {
        try unary { this, out in
            withExtendedLifetime(generator) { ct_multinomial(this, Int64(n), generator.pointer, out) }
        }
    }

    private static func draw(
        _ generator: Generator, _ device: Device?, _ call: (OpaquePointer, Out) -> Int32
    ) throws -> Tensor {
        try withExtendedLifetime(generator) { try make { call(generator.pointer, $0) } }.to(device ?? generator.device)
    }
}
