import Foundation
import ModelFormats
import Torch

/// A decoder with a low-rank adapter kept apart from its weights (Hu et al. 2021, arXiv 2106.09685): to learn the adapter alone,
/// or to answer with one of several adapters over one set of weights.
///
/// Its parameters are the adapter's factors and nothing else, in float32, so that whatever trains a decoder trains these. The
/// base's weights are shared with it and with other adapters, and are never written to.
public final class LoRAModel: Decoder, @unchecked Sendable {
    /// The base with the adapter in its matrices.
    private var adapted: any DecoderFamily
    private let base: any DecoderFamily
    public let lora: LoRAConfiguration
    /// By the names of the matrices, in the model's order.
    private let changes: [(module: String, change: LowRankChange)]
    /// Matrices that the adapter brought along, in the place of the base's; by name.
    private let wholes: [String: Parameter]
    private let seed: Dropout.Seed

    public var configuration: DecoderConfiguration { adapted.configuration }

    /// The factors under PEFT's names: `base_model.model.….lora_A.weight`.
    public var namedParameters: [(name: String, parameter: Parameter)] {
        changes.flatMap { module, change in
            [
                (LoRAAdapter.prefix + module + ".lora_A.weight", change.down),
                (LoRAAdapter.prefix + module + ".lora_B.weight", change.up),
            ]
        }
    }

    public var layerMatrixCount: Int { base.layerMatrixCount }

    public var recomputesLayers: Bool {
        get { adapted.recomputesLayers }
        set { adapted.recomputesLayers = newValue }
    }

    /// Of the layers of the base; the adapter's inputs have `lora.dropout`.
    public var dropout: Double {
        get { adapted.dropout }
        set { adapted.dropout = newValue }
    }

    public var dropoutSeed: UInt64? {
        get { seed.value }
        set {
            seed.value = newValue
            adapted.dropoutSeed = newValue
        }
    }

    // MARK: - Making

    private init(
        _ base: any DecoderFamily, _ lora: LoRAConfiguration,
        factors: (_ name: String, _ shape: [Int], _ number: Int) throws -> LoRAAdapter.Factors?
    ) throws {
        let adapted = base.sharingWeights()
        let seed = Dropout.Seed()
        var changes: [(module: String, change: LowRankChange)] = []
        var wholes: [String: Parameter] = [:]
        let isTied = !base.namedParameters.contains { $0.name == "lm_head.weight" }
        try adapted.replaceLinears { name, linear in
            guard let shape = linear.packed?.shape ?? linear.weight?.value.shape,
                let made = try factors(name, shape, changes.count)
            else { return linear }
            guard !(isTied && name == "lm_head" && linear.packed == nil) else {
                throw LanguageModelError(.input, "LoRA: lm_head is tied to the embedding in this model")
            }
            func own(_ tensor: Tensor) throws -> Parameter {
                Parameter(try tensor.to(.float32).to(base.device).clone())
            }
            let change = LowRankChange(
                down: try own(made.down), up: try own(made.up), scale: made.scale,
                dropout: lora.dropout > 0
                    ? Dropout(share: lora.dropout, seed: seed, number: UInt64(changes.count)) : nil)
            changes.append((name, change))
            guard let whole = made.base else { return linear.changed(by: change) }
            guard let weight = linear.weight else {
                throw LanguageModelError(
                    .input,
                    "LoRA: the adapter brings a \(name) of its own, and this model's is packed: "
                        + "merge the adapter, then pack the model")
            }
            let own = Parameter(try whole.to(weight.value.dtype).to(base.device))
            wholes[name] = own
            return Linear(weight: own, bias: linear.bias).changed(by: change)
        }
        (self.base, self.adapted, self.lora, self.seed) = (base, adapted, lora, seed)
        (self.changes, self.wholes) = (changes, wholes)
    }

    /// A fresh adapter: the first factor uniform in ±1/√in, the second 0, as PEFT begins, so that nothing changes yet.
    /// - Throws: `LanguageModelError` when a setting is out of range or no matrix is a target.
    public convenience init(
        _ base: any DecoderFamily, adapter lora: LoRAConfiguration, generator: Generator
    ) throws {
        try lora.validate()
        try self.init(base, lora) { module, shape, _ in
            guard lora.targets(module) else { return nil }
            let (rank, scale) = (try lora.rank(of: module), try lora.scale(of: module))
            let bound = 1 / Double(shape[1]).squareRoot()
            return LoRAAdapter.Factors(
                down: try (Tensor.uniform([rank, shape[1]], generator: generator) * 2 - 1) * bound,
                up: try Tensor.zeros([shape[0], rank], dtype: .float32), scale: scale, base: nil)
        }
        guard !changes.isEmpty else {
            var names: Set<String> = []
            try base.replaceLinears { name, linear in
                names.insert(String(name.split(separator: ".").last ?? ""))
                return linear
            }
            throw LanguageModelError(
                .input,
                "LoRA: none of the targets \(lora.targets.joined(separator: ", ")) is a matrix of this model; it has "
                    + names.sorted().joined(separator: ", "))
        }
    }

    /// A loaded adapter beside a base: the base stays as it is, so several may be kept over one.
    /// - Throws: `LanguageModelError` naming the first matrix that the base lacks or that is of another shape, or that
    ///   the adapter brings along where the base's is packed.
    public convenience init(_ base: any DecoderFamily, adapter: LoRAAdapter) throws {
        var left = Set(adapter.factors.keys)
        try self.init(base, adapter.configuration) { module, shape, _ in
            guard let factors = adapter.factors[module] else { return nil }
            left.remove(module)
            let own = [factors.up.shape[0], factors.down.shape[1]]
            guard own == shape, factors.base.map({ $0.shape == shape }) ?? true else {
                throw adapter.fault(module, "changes \(own), the model's is \(shape)")
            }
            return factors
        }
        if let stray = left.min() { throw adapter.fault(stray, "is no part of this model") }
    }

    // MARK: - Running

    public func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        try adapted.hidden(ids, positions: positions, mask: mask, cache: cache, compute: compute)
    }

    public func logits(_ hidden: Tensor) throws -> Tensor { try adapted.logits(hidden) }

    // MARK: - Keeping

    /// Writes `adapter_config.json` and `adapter_model.safetensors`, which PEFT and `LoRAAdapter` load.
    /// - Parameter name: Where the base is to be found, for whoever loads the adapter.
    public func save(to folder: URL, base name: String? = nil, metadata: [String: String] = [:]) throws {
        let place = try ModelFolder.create(at: folder)
        var tensors = namedParameters.map { (name: $0.name, tensor: $0.parameter.value) }
        // A changed head comes with its own weights, as PEFT saves it.
        if let head = changes.first(where: { $0.module == "lm_head" }),
            let weight = wholes[head.module]?.value
                ?? base.namedParameters.first(where: { $0.name == "lm_head.weight" })?.parameter.value
        {
            tensors.append((LoRAAdapter.prefix + head.module + ".base_layer.weight", weight))
        }
        try TensorLoading.write(tensors, metadata: metadata, to: place.file("adapter_model.safetensors"))
        let modules = Set(changes.map { String($0.module.split(separator: ".").last ?? "") })
        // A name that ends so may belong to a matrix that does not change: then the whole names are spelled out.
        var all: [String] = []
        try base.replaceLinears { name, linear in
            all.append(name)
            return linear
        }
        let isExact = all.allSatisfy { name in
            changes.contains { $0.module == name } || !modules.contains(String(name.split(separator: ".").last ?? ""))
        }
        try place.encode(
            LoRAConfiguration.File(
                configuration: lora, base: name, modules: isExact ? modules.sorted() : changes.map(\.module),
                isTurned: base is GPT2Model), to: "adapter_config.json")
    }

    /// A plain model with the change added to its weights, W + scale · B · A: as fast as the base, and saved like one. The
    /// base stays as it is.
    /// - Throws: `LanguageModelError` when the base's weights are rounded to few bits.
    public func merged() throws -> any DecoderFamily {
        let plain = base.sharingWeights()
        try withoutGradients {
            try plain.replaceLinears { name, linear in
                guard let change = changes.first(where: { $0.module == name })?.change else { return linear }
                guard let weight = (wholes[name] ?? linear.weight)?.value else {
                    throw LanguageModelError(.input, "\(name) is rounded to few bits: merge the adapter before that")
                }
                let factors = LoRAAdapter.Factors(
                    down: change.down.value, up: change.up.value, scale: change.scale, base: nil)
                let type: DType = weight.dtype == .float64 ? .float64 : .float32
                let sum = try weight.to(type) + factors.change().to(type)
                return Linear(weight: Parameter(try sum.to(weight.dtype).detach()), bias: linear.bias)
            }
        }
        return plain
    }
}

extension DecoderFamily {
    /// Whether an adapter stands beside a weight matrix.
    public var hasAdapter: Bool {
        var found = false
        try? replaceLinears { _, linear in
            found = found || linear.change != nil
            return linear
        }
        return found
    }
}
