import CTorch

/// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101): Adam with the decay of the weights apart from the gradient. The
/// arithmetic is libtorch's fused kernel, equal to `torch.optim.AdamW(fused=True)`.
public final class AdamW: Optimizer {
    /// Parameters that share a weight decay.
    public typealias Group = (parameters: [(name: String, parameter: Parameter)], weightDecay: Double)

    private struct Slot {
        let name: String
        let parameter: Parameter
        let firstMoment: Tensor
        let secondMoment: Tensor
        /// Updates of this parameter so far: those in which it had a gradient.
        let step: Tensor
    }

    private let slots: [[Slot]]
    private let decays: [Double]
    public let betas: (Double, Double)
    public let epsilon: Double

    /// Calls of `step` so far.
    public private(set) var stepCount = 0

    /// - Parameters:
    ///   - groups: Every parameter once; the names are the state's keys.
    ///   - betas: Decay of the running means of gradient and squared gradient.
    ///   - epsilon: Added to the denominator.
    /// - Throws: `TorchError` `argument` when a name comes twice or a number is out of range.
    public init(groups: [Group], betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8) throws {
        guard (0..<1).contains(betas.0), (0..<1).contains(betas.1), epsilon > 0 else {
            throw TorchError(.argument, "AdamW needs betas in 0..<1 and epsilon above 0: \(betas), \(epsilon)")
        }
        var names: Set<String> = []
        for (name, _) in groups.flatMap(\.parameters) where !names.insert(name).inserted {
            throw TorchError(.argument, "AdamW got the parameter \"\(name)\" twice")
        }
        self.betas = betas
        self.epsilon = epsilon
        decays = groups.map(\.weightDecay)
        slots = try groups.map { group in
            try group.parameters.map { name, parameter in
                let value = parameter.value
                func zeros() throws -> Tensor {
                    try Tensor.zeros(value.shape, dtype: value.dtype, device: value.device)
                }
                return Slot(
                    name: name, parameter: parameter, firstMoment: try zeros(), secondMoment: try zeros(),
                    step: try Tensor.zeros([], dtype: .float32, device: value.device))
            }
        }
    }

    /// Moves every parameter that has a gradient.
    /// - Parameter learningRate: Of this step, for all groups.
    public func step(learningRate: Double) throws {
        for (group, decay) in zip(slots, decays) {
            let moving = group.filter { $0.parameter.value.gradient != nil }
            try Tensor.withHandles(moving.map(\.parameter.value)) { values in
                try Tensor.withHandles(moving.map(\.firstMoment)) { first in
                    try Tensor.withHandles(moving.map(\.secondMoment)) { second in
                        try Tensor.withHandles(moving.map(\.step)) { steps in
                            try check(
                                ct_adamw_(
                                    values, first, second, steps, Int64(values.count), learningRate, betas.0, betas.1,
                                    decay, epsilon))
                        }
                    }
                }
            }
        }
        stepCount += 1
    }

    /// Drops all gradients.
    public func zeroGradients() throws {
        for slot in slots.joined() { try slot.parameter.value.zeroGradient() }
    }

    // MARK: - State

    private static let countName = "step_count"

    /// Copies of all that the steps to come depend on, beside the parameters: moments and counts by
    /// `<parameter>.exp_avg`, `<parameter>.exp_avg_sq`, `<parameter>.step`, and `step_count`.
    public func state() throws -> [String: Tensor] {
        var state = [Self.countName: try Tensor([stepCount], shape: [])]
        for slot in slots.joined() {
            for (key, tensor) in Self.parts(of: slot) { state[key] = try tensor.clone() }
        }
        return state
    }

    /// Goes on where the optimiser that gave the state stood. Nothing is changed when it does not fit.
    /// - Throws: `TorchError` `argument` or `shape` that names the missing, strange or misshapen entry.
    public func load(state: [String: Tensor]) throws {
        var known: Set<String> = [Self.countName]
        guard let count = state[Self.countName] else {
            throw TorchError(.argument, "the optimiser's state lacks \"\(Self.countName)\"")
        }
        let parts = slots.joined().flatMap(Self.parts(of:))
        for (key, tensor) in parts {
            guard let saved = state[key] else { throw TorchError(.argument, "the optimiser's state lacks \"\(key)\"") }
            guard saved.shape == tensor.shape else {
                throw TorchError(.shape, "\"\(key)\" has shape \(saved.shape), the parameter \(tensor.shape)")
            }
            known.insert(key)
        }
        if let stray = state.keys.sorted().first(where: { !known.contains($0) }) {
            throw TorchError(.argument, "the optimiser's state has \"\(stray)\", which no parameter of it asks for")
        }
        stepCount = Int(try count.item())
        for (key, tensor) in parts {
            if let saved = state[key] { try tensor.copy(from: saved) }
        }
    }

    private static func parts(of slot: Slot) -> [(String, Tensor)] {
        [
            ("\(slot.name).exp_avg", slot.firstMoment), ("\(slot.name).exp_avg_sq", slot.secondMoment),
            ("\(slot.name).step", slot.step),
        ]
    }
}

/// Scales all gradients together so that their joint Euclidean norm is at most `maximumNorm` (Pascanu et al. 2013,
/// arXiv 1211.5063).
/// - Returns: The norm before. When it is not finite the gradients are left as they are; do not step on them.
public func clipGradients(_ parameters: [Parameter], maximumNorm: Double) throws -> Double {
    var norm = 0.0
    try Tensor.withHandles(parameters.map(\.value)) { handles in
        try check(ct_clip_gradients(handles, Int64(handles.count), maximumNorm, &norm))
    }
    return norm
}
