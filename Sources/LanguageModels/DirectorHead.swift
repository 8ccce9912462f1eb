import Foundation
import ModelFormats
import Torch

/// DIRECTOR's second head (Arora et al. 2022, arXiv 2206.07694): for every token that might come next, the logit of its
/// belonging to the wanted class.
///
/// Separate: `d = U h + b` from the last hidden states. Shared: `d = a · l + b` from the model's own logits, two numbers.
/// Lies beside the model it was learned with, as `director.json` and `director.safetensors`.
public final class DirectorHead: Module, @unchecked Sendable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case separate, shared
    }

    public let kind: Kind
    /// γ of generation where nothing else is said; the one of training is another matter.
    public let guidance: Double
    /// Separate: [V, H] with a bias.
    private let linear: Linear?
    /// Shared: [1] each.
    private let scale, shift: Parameter?

    private static let configurationName = "director.json"
    private static let weightsName = "director.safetensors"

    private struct Configuration: Codable {
        var kind: Kind
        var guidance: Double
    }

    /// A fresh head: U normal with deviation 0.02 and b = 0, or a = 1 and b = 0.
    /// - Parameters:
    ///   - configuration: of the model that it goes with.
    ///   - guidance: γ of generation.
    public init(
        _ kind: Kind, for configuration: DecoderConfiguration, guidance: Double = 1, generator: Generator,
        dtype: DType = .float32, device: Device = .cpu
    ) throws {
        self.kind = kind
        self.guidance = guidance
        switch kind {
        case .separate:
            linear = try FreshWeights(layerCount: 1, generator: generator, dtype: dtype, device: device)
                .linear("director", from: configuration.hiddenSize, to: configuration.vocabularySize, bias: true)
            (scale, shift) = (nil, nil)
        case .shared:
            linear = nil
            scale = Parameter(try Tensor.ones([1], dtype: dtype, device: device))
            shift = Parameter(try Tensor.zeros([1], dtype: dtype, device: device))
        }
    }

    /// A separate head with these weights.
    /// - Parameters:
    ///   - weight: [V, H].
    ///   - bias: [V].
    public init(weight: Tensor, bias: Tensor, guidance: Double = 1) {
        kind = .separate
        self.guidance = guidance
        linear = Linear(weight: Parameter(weight), bias: Parameter(bias))
        (scale, shift) = (nil, nil)
    }

    /// The same weights, not copies of them, with another γ of generation.
    public func guided(by guidance: Double) -> DirectorHead { DirectorHead(self, guidance: guidance) }

    private init(_ other: DirectorHead, guidance: Double) {
        kind = other.kind
        self.guidance = guidance
        linear = other.linear
        (scale, shift) = (other.scale, other.shift)
    }

    /// Whether a model folder has such a head.
    public static func isPresent(in folder: URL) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: configurationName).path)
    }

    /// Loads the head that lies beside a model.
    /// - Throws: `ModelFormatsError` for broken files, `LanguageModelError` for weights that do not fit the model.
    public init(
        folder url: URL, for configuration: DecoderConfiguration, dtype: DType = .float32, device: Device = .cpu
    ) throws {
        let folder = try ModelFolder(url)
        let head = try folder.decode(Configuration.self, from: Self.configurationName)
        guard head.guidance.isFinite else {
            throw LanguageModelError(
                .configuration, "\(url.path)/\(Self.configurationName): guidance is \(head.guidance)")
        }
        kind = head.kind
        guidance = head.guidance
        let source = CheckpointSource(
            weights: try ModelWeights(file: folder.file(Self.weightsName)), folder: url, prefix: "", dtype: dtype,
            device: device)
        switch kind {
        case .separate:
            linear = try source.linear(
                "director", from: configuration.hiddenSize, to: configuration.vocabularySize, bias: true)
            (scale, shift) = (nil, nil)
        case .shared:
            linear = nil
            scale = try source.parameter("director.scale", [1])
            shift = try source.parameter("director.shift", [1])
        }
        try source.finish { _ in false }
    }

    public var namedParameters: [(name: String, parameter: Parameter)] {
        if let linear { return linear.named("director") }
        return [("director.scale", scale), ("director.shift", shift)].compactMap { name, one in one.map { (name, $0) } }
    }

    /// Classifier logits d, [N, V], float32 or wider.
    /// - Parameters:
    ///   - hidden: the model's last states, [N, H].
    ///   - logits: the model's own logits of them, [N, V].
    public func classLogits(hidden: Tensor, logits: Tensor) throws -> Tensor {
        func wide(_ tensor: Tensor) throws -> Tensor { tensor.dtype == .float64 ? tensor : try tensor.to(.float32) }
        if let linear { return try wide(linear(hidden)) }
        guard let scale, let shift else { return logits }
        let own = try wide(logits)
        return try own * scale.value.to(own.dtype) + shift.value.to(own.dtype)
    }

    /// Classifier logits of one token each, [N], without those of all others.
    /// - Parameters:
    ///   - targets: int64 [N].
    ///   - logits: the model's own, [N, V]; only a shared head asks for them.
    public func classLogits(hidden: Tensor, logits: Tensor, targets: Tensor) throws -> Tensor {
        let count = targets.shape[0]
        let wide: DType = hidden.dtype == .float64 ? .float64 : .float32
        if let weight = linear?.weight?.value {
            let rows = try weight.indexSelect(dim: 0, index: targets).to(wide)
            let product = try (hidden.to(wide) * rows).sum(dim: 1)
            guard let bias = linear?.bias?.value else { return product }
            return try product + bias.indexSelect(dim: 0, index: targets).to(wide)
        }
        let own = try logits.gather(dim: 1, index: targets.reshape([count, 1])).reshape([count]).to(wide)
        guard let scale, let shift else { return own }
        return try own * scale.value.to(wide) + shift.value.to(wide)
    }

    /// Writes the head beside the model in its folder; the configuration last.
    public func save(to url: URL) throws {
        let folder = try ModelFolder.create(at: url)
        try TensorLoading.write(
            namedParameters.map { ($0.name, try $0.parameter.value.detach().to(.cpu)) }, metadata: ["format": "pt"],
            to: folder.file(Self.weightsName))
        try folder.encode(Configuration(kind: kind, guidance: guidance), to: Self.configurationName)
    }
}
