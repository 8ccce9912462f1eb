import Torch

/// Where a model's weights come from: a checkpoint, or a generator of fresh ones.
protocol WeightSource {
    /// A tensor by its full name in a checkpoint, of exactly this shape.
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor
    /// A matrix [out, in] that was packed before, by its module's name; `nil` where it is not.
    func packed(_ name: String, _ shape: [Int]) throws -> PackedWeight?
}

extension WeightSource {
    func parameter(_ name: String, _ shape: [Int]) throws -> Parameter { Parameter(try tensor(name, shape)) }

    func packed(_ name: String, _ shape: [Int]) throws -> PackedWeight? { nil }

    /// A matrix as most families hold it, [to, from].
    func linear(_ name: String, from: Int, to: Int, bias: Bool = false) throws -> Linear {
        let bias = bias ? try parameter(name + ".bias", [to]) : nil
        if let packed = try packed(name, [to, from]) { return Linear(packed: packed, bias: bias) }
        return Linear(weight: try parameter(name + ".weight", [to, from]), bias: bias)
    }

    /// Matrices of the same input.
    /// - Parameter together: what they are called where they are packed into one.
    func joined(
        _ parts: [(name: String, to: Int)], together: String, from: Int, bias: Bool
    ) throws -> JoinedLinear {
        let widths = parts.map(\.to)
        if let packed = try packed(together, [widths.reduce(0, +), from]) {
            let biases = try parts.map { bias ? try parameter($0.name + ".bias", [$0.to]) : nil }
            return try JoinedLinear(packed: packed, biases: biases, widths: widths)
        }
        return JoinedLinear(try parts.map { try linear($0.name, from: from, to: $0.to, bias: bias) }, widths: widths)
    }

    /// The head, made of the embedding where the two are tied.
    func head(_ embedding: Parameter, isTied: Bool, from: Int, to: Int) throws -> Linear {
        guard isTied else { return try linear("lm_head", from: from, to: to) }
        return try packed("lm_head", [to, from]).map { Linear(packed: $0) } ?? Linear(weight: embedding)
    }

    /// A matrix as GPT-2's files hold it, [from, to], turned round once here.
    func convolution(_ name: String, from: Int, to: Int) throws -> Linear {
        let bias = try parameter(name + ".bias", [to])
        if let packed = try packed(name, [to, from]) { return Linear(packed: packed, bias: bias) }
        return Linear(
            weight: Parameter(try tensor(name + ".weight", [from, to]).transpose(0, 1).contiguous()), bias: bias)
    }

    func rmsNorm(_ name: String, width: Int, epsilon: Double) throws -> RMSNorm {
        RMSNorm(weight: try parameter(name + ".weight", [width]), epsilon: epsilon)
    }

    func layerNorm(_ name: String, width: Int, epsilon: Double, isAffine: Bool = true, bias: Bool = true) throws
        -> LayerNorm
    {
        LayerNorm(
            weight: isAffine ? try parameter(name + ".weight", [width]) : nil,
            bias: isAffine && bias ? try parameter(name + ".bias", [width]) : nil, width: width, epsilon: epsilon)
    }
}

/// Fresh weights: normal with deviation 0.02, those that write into the residual stream scaled down by the depth
/// (GPT-2's rule), norms one, biases zero.
struct FreshWeights: WeightSource {
    let layerCount: Int
    let generator: Generator
    let dtype: DType
    let device: Device

    /// Matrices at the end of attention and of the feed-forward, in every family's spelling.
    private static let residual = [
        "o_proj.weight", "down_proj.weight", "c_proj.weight", "out_proj.weight", "fc2.weight",
    ]

    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
        if name.hasSuffix(".bias") { return try Tensor.zeros(shape, dtype: dtype, device: device) }
        if shape.count == 1 { return try Tensor.ones(shape, dtype: dtype, device: device) }
        let isResidual = Self.residual.contains { name.hasSuffix($0) }
        let deviation = isResidual ? 0.02 / (2 * Double(layerCount)).squareRoot() : 0.02
        return try (Tensor.randn(shape, generator: generator) * deviation).to(dtype).to(device)
    }
}
