import CTorch

/// AdamW (Loshchilov and Hutter, 1711.05101) by libtorch's fused kernel, one call per group.
public final class AdamW {
    private struct Group {
        var names: [String]
        var parameters: [Parameter]
        var first: [Tensor]
        var second: [Tensor]
        var steps: [Tensor]
        var weightDecay: Double
    }

    private var groups: [Group]
    public let betas: (Double, Double)
    public let epsilon: Double

    /// - Parameter groups: Parameters with the weight decay that falls on them.
    public init(
        groups: [(parameters: [(name: String, parameter: Parameter)], weightDecay: Double)],
        betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8
    ) throws {
        self.betas = betas
        self.epsilon = epsilon
        self.groups = try groups.map { group in
            let values = group.parameters.map(\.parameter.value)
            return Group(
                names: group.parameters.map(\.name), parameters: group.parameters.map(\.parameter),
                first: try values.map { try Tensor.zeros($0.shape, dtype: $0.dtype, device: $0.device) },
                second: try values.map { try Tensor.zeros($0.shape, dtype: $0.dtype, device: $0.device) },
                steps: try values.map { try Tensor.zeros([], dtype: .float32, device: $0.device) },
                weightDecay: group.weightDecay)
        }
    }

    /// One step with the gradients that the parameters hold; parameters without a gradient are left alone.
    public func step(learningRate: Double) throws {
        for group in groups {
            let moved = group.parameters.indices.filter { group.parameters[$0].value.gradient != nil }
            guard !moved.isEmpty else { continue }
            let values = moved.map { group.parameters[$0].value }
            let (first, second, steps) = (moved.map { group.first[$0] }, moved.map { group.second[$0] }, moved.map { group.steps[$0] })
            let status = Tensor.withPointers(values) { p in
                Tensor.withPointers(first) { m in
                    Tensor.withPointers(second) { v in
                        Tensor.withPointers(steps) { s in
                            ct_adamw_(
                                p, m, v, s, Int64(p.count), learningRate, betas.0, betas.1, group.weightDecay, epsilon)
                        }
                    }
                }
            }
            try TorchError.check(status)
        }
    }

    public func zeroGradients() throws {
        for parameter in groups.flatMap(\.parameters) { try parameter.value.zeroGradient() }
    }

    /// Steps done.
    public var stepCount: Int { groups.flatMap(\.steps).compactMap { try? $0.item() }.max().map { Int($0) } ?? 0 }

    /// Moments and step counts by parameter name, for an exact resume.
    public func state() -> [String: Tensor] {
        var state: [String: Tensor] = [:]
        for group in groups {
            for (index, name) in group.names.enumerated() {
                state[name + ".exp_avg"] = group.first[index]
                state[name + ".exp_avg_sq"] = group.second[index]
                state[name + ".step"] = group.steps[index]
            }
        }
        return state
    }

    /// Takes over a state. Throws `TorchError` when a part is missing or of another shape; nothing is changed then.
    public func load(state: [String: Tensor]) throws {
        let mine = self.state()
        for (name, tensor) in mine {
            guard let saved = state[name] else { throw TorchError(.argument, "the optimiser's state has no \(name)") }
            guard saved.shape == tensor.shape else {
                throw TorchError(.shape, "the optimiser's \(name) has the shape \(saved.shape), \(tensor.shape) is needed")
            }
        }
        try withoutGradients {
            for (name, tensor) in mine { if let saved = state[name] { try tensor.copy(from: saved) } }
        }
    }
}

/// Scales all gradients together so that their joint norm is at most `maximumNorm`. Returns the norm before.
public func clipGradients(_ parameters: [Parameter], maximumNorm: Double) throws -> Double {
    let values = parameters.map(\.value).filter { $0.gradient != nil }
    guard !values.isEmpty else { return 0 }
    var norm = 0.0
    try TorchError.check(
        Tensor.withPointers(values) { ct_clip_gradients($0, Int64($0.count), maximumNorm, &norm) })
    return norm
}
