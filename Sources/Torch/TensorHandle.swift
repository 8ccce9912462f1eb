import CTorch

/// Owns one handle of `CTorch`: the tensor's memory goes back when the last Swift reference goes, not later.
final class TensorHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over a handle that `CTorch` wrote through an `out` parameter.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit { ct_tensor_free(pointer) }
}

extension Tensor {
    typealias Out = UnsafeMutablePointer<OpaquePointer?>

    /// Calls a function that writes one handle.
    static func make(_ call: (Out) -> Int32) throws -> Tensor {
        var pointer: OpaquePointer?
        try check(call(&pointer))
        guard let pointer else { throw TorchError(.runtime, "the engine gave no tensor") }
        return Tensor(handle: TensorHandle(owning: pointer))
    }

    /// Calls a function that writes two handles.
    static func makePair(_ call: (Out, Out) -> Int32) throws -> (Tensor, Tensor) {
        var first: OpaquePointer?
        var second: OpaquePointer?
        try check(call(&first, &second))
        guard let first, let second else { throw TorchError(.runtime, "the engine gave no tensors") }
        return (Tensor(handle: TensorHandle(owning: first)), Tensor(handle: TensorHandle(owning: second)))
    }

    /// Lends the raw handle. The handle's owner stays alive until `body` returns: without that Swift may free a tensor
    /// after its last mention, in the middle of the call.
    func withHandle<R>(_ body: (OpaquePointer) throws -> R) rethrows -> R {
        try withExtendedLifetime(handle) { try body(handle.pointer) }
    }

    /// A function of one tensor.
    func unary(_ function: (OpaquePointer, Out) -> Int32) throws -> Tensor {
        try withHandle { this in try Tensor.make { function(this, $0) } }
    }

    /// A function of two tensors.
    func binary(_ other: Tensor, _ function: (OpaquePointer, OpaquePointer, Out) -> Int32) throws -> Tensor {
        try withHandle { this in try other.withHandle { that in try Tensor.make { function(this, that, $0) } } }
    }

    /// A function of a tensor and a number.
    func binary(_ other: CTScalar, _ function: (OpaquePointer, CTScalar, Out) -> Int32) throws -> Tensor {
        try withHandle { this in try Tensor.make { function(this, other, $0) } }
    }

    /// Lends the handles of several tensors.
    static func withHandles<R>(_ tensors: [Tensor], _ body: ([OpaquePointer?]) throws -> R) rethrows -> R {
        try withExtendedLifetime(tensors) { try body(tensors.map { $0.handle.pointer }) }
    }

    /// Lends the handle of a tensor that may be missing.
    static func withHandle<R>(_ tensor: Tensor?, _ body: (OpaquePointer?) throws -> R) rethrows -> R {
        try withExtendedLifetime(tensor?.handle) { try body(tensor?.handle.pointer) }
    }
}

extension CTScalar {
    init(_ value: Double) { self.init(isInteger: false, integer: 0, real: value) }
    init(_ value: Int) { self.init(isInteger: true, integer: Int64(value), real: 0) }
}

/// A shape or list of dimensions as the engine takes it.
func int64s(_ values: [Int]) -> [Int64] { values.map(Int64.init) }
