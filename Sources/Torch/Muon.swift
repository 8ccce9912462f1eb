import CTorch

/// Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): the running mean of a matrix's gradients, with all its singular
/// values brought near 1 before it is stepped along, so that rare directions are learnt as fast as common ones. Steps are as long
/// as AdamW's usual ones (Liu et al. 2025, arXiv 2502.16982), so learning rates and decays carry over. Equal to
/// `torch.optim.Muon(adjust_lr_fn="match_rms_adamw")` but for rounding: libtorch's rounds to bfloat16, here the products have the
/// device's fastest type.
///
/// For the matrices inside a model's layers; embeddings, heads and vectors are left to AdamW.
public final class Muon: Optimizer {
    private struct Slot {
        let name: String
        let parameter: Parameter
        let momentum: Tensor
    }

    private let slots: [Slot]
    private let rest: AdamW
    public let weightDecay: Double
    public let momentum: Double
    /// Rounds of the Newton–Schulz iteration.
    public let rounds: Int

    public var stepCount: Int { rest.stepCount }

    /// - Parameters:
    ///   - matrices: Every matrix once; the names are the state's keys.
    ///   - weightDecay: Of the matrices, each step times the learning rate.
    ///   - momentum: Decay of the running mean of gradients.
    ///   - rest: Moves the other parameters.
    /// - Throws: `TorchError` `shape` for what is no matrix, `argument` for a name that comes twice or a number out of range.
    public init(
        matrices: [(name: String, parameter: Parameter)], weightDecay: Double, momentum: Double = 0.95, rounds: Int = 5,
        rest: AdamW
    ) throws {
        guard (0..<1).contains(momentum), (1...100).contains(rounds) else {
            throw TorchError(
                .argument, "Muon needs a momentum in 0..<1 and 1 to 100 rounds: \(momentum), \(rounds)")
        }
        var names: Set<String> = []
        for (name, parameter) in matrices {
            guard names.insert(name).inserted else {
                throw TorchError(.argument, "Muon got the parameter \"\(name)\" twice")
            }
            guard parameter.value.rank == 2 else {
                throw TorchError(.shape, "Muon moves matrices, \"\(name)\" has shape \(parameter.value.shape)")
            }
        }
        self.rest = rest
        self.weightDecay = weightDecay
        self.momentum = momentum
        self.rounds = rounds
        slots = try matrices.map { name, parameter in
            let value = parameter.value
            return Slot(
                name: name, parameter: parameter,
                momentum: try Tensor.zeros(value.shape, dtype: value.dtype, device: value.device))
        }
    }

    public func step(learningRate: Double) throws {
        let moving = slots.filter { $0.parameter.value.gradient != nil }
        try Tensor.withHandles(moving.map(\.parameter.value)) { values in
            try Tensor.withHandles(moving.map(\.momentum)) { momenta in
                try check(
                    ct_muon_(
                        values, momenta, Int64(values.count), learningRate, momentum, weightDecay, Int64(rounds)))
            }
        }
        try rest.step(learningRate: learningRate)
    }

    public func zeroGradients() throws {
        for slot in slots { try slot.parameter.value.zeroGradient() }
        try rest.zeroGradients()
    }

    /// What AdamW keeps of its parameters, and `<parameter>.momentum_buffer` of each matrix.
    public func state() throws -> [String: Tensor] {
        var state = try rest.state()
        for slot in slots { state[Self.key(slot)] = try slot.momentum.clone() }
        return state
    }

    public func load(state: [String: Tensor]) throws {
        var others = state
        var saved: [Tensor] = []
        for slot in slots {
            let key = Self.key(slot)
            guard let tensor = others.removeValue(forKey: key) else {
                throw TorchError(.argument, "the optimiser's state lacks \"\(key)\"")
            }
            guard tensor.shape == slot.momentum.shape else {
                throw TorchError(.shape, "\"\(key)\" has shape \(tensor.shape), the parameter \(slot.momentum.shape)")
            }
            saved.append(tensor)
        }
        try rest.load(state: others)
        for (slot, tensor) in zip(slots, saved) { try slot.momentum.copy(from: tensor) }
    }

    private static func key(_ slot: Slot) -> String { "\(slot.name).momentum_buffer" }
}
