import Foundation
import Torch

/// Turns queries and keys by their positions, half against half as Hugging Face has it.
struct Rotation: Sendable {
    /// Cosine and sine of each position's angles, [B, 1, T, D].
    struct Angles {
        let cosine, sine: Tensor
    }

    private let dimension: Int
    private let contextLength: Int
    private let scaling: RotaryPositions.Scaling
    /// Angle per position, both halves: [D].
    private let frequencies: Tensor

    init(_ positions: RotaryPositions, dimension: Int, contextLength: Int, device: Device) throws {
        self.dimension = dimension
        self.contextLength = contextLength
        scaling = positions.scaling
        let half = positions.frequencies(dimension: dimension).map { Float($0) }
        frequencies = try Tensor(half + half, device: device)
    }

    /// - Parameter positions: int64 [B, T].
    func angles(_ positions: Tensor, _ type: DType) throws -> Angles {
        let wide: DType = type == .float64 ? .float64 : .float32
        var frequencies = try self.frequencies.to(wide)
        if case .dynamic(let factor) = scaling { frequencies = try stretched(frequencies, positions, factor) }
        let angles = try (positions.to(wide).unsqueeze(-1) * frequencies).unsqueeze(1)
        return Angles(cosine: try angles.cos().to(type), sine: try angles.sin().to(type))
    }

    /// Each row's own frequencies, [B, 1, D]: the base times (factor · L / context − factor + 1)^(D / (D − 2)), L being
    /// the row's length where that is past the context. A row's neighbours do not change it.
    private func stretched(_ frequencies: Tensor, _ positions: Tensor, _ factor: Double) throws -> Tensor {
        let lengths = try positions.max(dim: -1, keepDim: true).values + 1
        let excess = try (lengths.to(frequencies.dtype) / Double(contextLength)).clamp(min: 1)
        let growth = try (excess * factor - (factor - 1)).log() * (Double(dimension) / Double(dimension - 2))
        let half = (0..<dimension / 2).map { -Double(2 * $0) / Double(dimension) }
        let exponents = try Tensor(half + half, dtype: frequencies.dtype, device: frequencies.device)
        return try frequencies * (growth.unsqueeze(-1) * exponents).exp()
    }

    /// - Parameter x: [B, heads, T, D].
    func callAsFunction(_ x: Tensor, _ angles: Angles) throws -> Tensor {
        try x.rotated(cosine: angles.cosine, sine: angles.sine)
    }
}
