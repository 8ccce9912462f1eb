import Torch

/// Where a model's weights come from: a checkpoint, or a generator of fresh ones.
protocol WeightSource {
    /// A tensor by its full name in a checkpoint, of exactly this shape.
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor
}

extension WeightSource {
    func parameter(_ name: String, _ shape: [Int]) throws -> Parameter { Parameter(try tensor(name, shape)) }

    /// A matrix as most families hold it, [to, from].
    func linear(_ name: String, from: Int, to: Int, bias: Bool = false) throws -> Linear {
        Linear(
            weight: try parameter(name + ".weight", [to, from]),
            bias: bias ? try parameter(name + ".bias", [to]) : nil)
    }

    /// A matrix as GPT-2's files hold it, [from, to], turned round once here.
    func convolution(_ name: String, from: Int, to: Int) throws -> Linear {
        Linear(
            weight: Parameter(try tensor(name + ".weight", [from, to]).transpose(0, 1).contiguous()),
            bias: try parameter(name + ".bias", [to]))
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
