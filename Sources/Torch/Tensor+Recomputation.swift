import CTorch

/// What a recomputed part calls, and the error that it threw.
private final class RecomputedBody {
    let call: (Tensor) throws -> Tensor
    /// Kept here on its way through C.
    var error: (any Error)?

    init(_ call: @escaping (Tensor) throws -> Tensor) { self.call = call }
}

/// Calls the body behind the pointer; the C side has no exceptions.
private func callBody(
    _ context: UnsafeMutableRawPointer?, _ input: OpaquePointer, _ out: UnsafeMutablePointer<OpaquePointer?>
) -> Int32 {
    guard let context else { return Int32(CT_RUNTIME) }
    let body = Unmanaged<RecomputedBody>.fromOpaque(context).takeUnretainedValue()
    do {
        // The handle is only lent, so the body gets one of its own: the same tensor, with its place in the record.
        let result = try body.call(Tensor.make { ct_alias(input, $0) })
        return result.withHandle { ct_alias($0, out) }
    } catch {
        body.error = error
        return Int32(CT_RUNTIME)
    }
}

extension Tensor {
    /// `body(self)` without keeping what is computed inside: when the gradient is taken, `body` is called once more
    /// (gradient checkpointing, Chen et al. 2016, arXiv 1604.06174). Memory for time; the numbers are the same.
    ///
    /// `body` must give the same for the same input each time, and the only path of gradients from outside, but for weights,
    /// is its argument. Without the recording of gradients it is simply called.
    public func recomputed(_ body: @escaping (Tensor) throws -> Tensor) throws -> Tensor {
        let box = RecomputedBody(body)
        do {
            return try withExtendedLifetime(box) {
                try unary { this, out in
                    ct_recomputed(
                        this, callBody, { if let it = $0 { Unmanaged<RecomputedBody>.fromOpaque(it).release() } },
                        Unmanaged.passRetained(box).toOpaque(), out)
                }
            }
        } catch {
            throw box.error ?? error
        }
    }
}

/// Calls a function each time that a backward pass has added to a parameter's gradient; ends with its own life.
public final class GradientListener {
    private final class Box {
        let call: () -> Void
        init(_ call: @escaping () -> Void) { self.call = call }
    }

    private let box: Box
    private let tensor: Tensor

    /// - Parameter call: Runs on the thread of the backward pass, with the whole gradient in `parameter.value.gradient`.
    public init(_ parameter: Parameter, _ call: @escaping () -> Void) throws {
        box = Box(call)
        tensor = parameter.value
        let context = Unmanaged.passUnretained(box).toOpaque()
        try tensor.withHandle {
            try check(
                ct_on_gradient(
                    $0, { if let it = $0 { Unmanaged<Box>.fromOpaque(it).takeUnretainedValue().call() } }, context))
        }
    }

    deinit { _ = tensor.withHandle { ct_on_gradient($0, nil, nil) } }
}
