import LanguageModels
import Torch

/// The fastest matrix product of a device, measured: what training speed is a share of.
public struct ComputePeak: Sendable, Hashable, Codable {
    /// Floating-point operations per second, a multiplication and an addition being two.
    public var operationsPerSecond: Double

    public init(operationsPerSecond: Double) { self.operationsPerSecond = operationsPerSecond }

    /// Times products of square and long matrices, some tenths of a second in all, and takes the best.
    public static func measure(_ compute: TrainingOptions.ComputeType, device: Device = .cpu) throws -> ComputePeak {
        let generator = try Generator(seed: 1)
        let clock = ContinuousClock()
        var best = 0.0
        for (rows, inner, columns) in [(1024, 1024, 1024), (2048, 2048, 2048), (4096, 1024, 1024)] {
            let a = try Tensor.randn([rows, inner], generator: generator).to(compute.dtype).to(device)
            let b = try Tensor.randn([columns, inner], generator: generator).to(compute.dtype).to(device)
            try withoutGradients {
                for turn in 0..<4 {
                    let repeats = rows > 1024 ? 1 : 4
                    let spent = try clock.measure {
                        var last: Tensor?
                        for _ in 0..<repeats { last = try a.linear(weight: b) }
                        // On a device of its own the clock must wait for the result.
                        if let last, device != .cpu { _ = try last.narrow(dim: 0, start: 0, length: 1).floats() }
                    }
                    let operations = 2 * Double(rows) * Double(inner) * Double(columns) * Double(repeats)
                    if turn > 0 { best = max(best, operations / (spent / .seconds(1))) }
                }
            }
        }
        return ComputePeak(operationsPerSecond: best)
    }
}

/// The arithmetic that a training step asks for: forward and backward, matrix products alone, nothing computed twice.
struct StepArithmetic {
    /// Elements of the layers' weight matrices.
    let matrices: Double
    /// Elements of the head.
    let head: Double
    /// Width of all heads' queries, times layers.
    let attention: Double
    /// Products per weight and token, two operations each: forward, gradient of the input, gradient of the weight.
    let passes: Double

    init(_ model: any LanguageModels.Decoder) {
        let shape = model.configuration
        matrices = Double(model.layerMatrixCount)
        head = Double(shape.vocabularySize * shape.hiddenSize)
        attention = Double(shape.headCount * shape.headDimension * shape.layerCount)
        passes = model is LoRAModel ? 2 : 3
    }

    /// - Parameters:
    ///   - lengths: Tokens of each document.
    ///   - supervised: Tokens that the head is asked about.
    func operations(lengths: [Int], supervised: Int) -> Double {
        let tokens = lengths.reduce(0.0) { $0 + Double($1) }
        // Scores and mixing, 2 n² d each, of which causality needs half.
        let pairs = lengths.reduce(0.0) { $0 + Double($1) * Double($1) }
        return passes * 2 * (matrices * tokens + head * Double(supervised)) + 3 * 2 * attention * pairs
    }
}
