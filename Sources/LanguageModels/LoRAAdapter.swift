import Foundation
import ModelFormats
import Torch

/// A low-rank adapter in PEFT's folder: `adapter_config.json` and `adapter_model.safetensors` (arXiv 2106.09685).
public struct LoRAAdapter: Sendable {
    public let configuration: LoRAConfiguration
    /// One matrix's change.
    public struct Factors: Sendable {
        /// [rank, in].
        public let down: Tensor
        /// [out, rank].
        public let up: Tensor
        /// What up · down is multiplied by.
        public let scale: Double
        /// The matrix that the change belongs to, where the adapter brings it along: PEFT saves a changed head whole.
        public let base: Tensor?

        /// scale · up · down in float32: [out, in].
        public func change() throws -> Tensor { try up.to(.float32).matmul(down.to(.float32)) * scale }
    }
    /// By the checkpoint name of the matrix's module: `model.layers.0.self_attn.q_proj`.
    public let factors: [String: Factors]
    private let folder: URL

    static let prefix = "base_model.model."

    /// Loads a folder and checks that its factors fit together.
    /// - Throws: `ModelFormatsError` for broken files; `LanguageModelError` naming the field or tensor that is not
    ///   supported or does not fit.
    public init(folder url: URL) throws {
        folder = url
        let place = try ModelFolder(url)
        /// Adds where to what is wrong with the configuration.
        func located<R>(_ body: () throws -> R) throws -> R {
            do {
                return try body()
            } catch let error as LanguageModelError {
                throw LanguageModelError(error.code, "\(url.path)/\(error.description)")
            }
        }
        let configuration = try located {
            try place.decode(LoRAConfiguration.self, from: "adapter_config.json")
        }
        self.configuration = configuration
        let weights = try ModelWeights(file: place.file("adapter_model.safetensors"))
        var parts: [String: [Part: Tensor]] = [:]
        for name in weights.names {
            guard let (module, part) = Self.module(of: name) else {
                throw LanguageModelError(
                    .weights, "\(url.path)/adapter_model.safetensors: \(name) is not supported; lora_A and lora_B are")
            }
            parts[module, default: [:]][part] = try TensorLoading.read(name, from: weights, folder: url)
        }
        var factors: [String: Factors] = [:]
        for (module, found) in parts.sorted(by: { $0.key < $1.key }) {
            let (rank, scale) = try located {
                (try configuration.rank(of: module), try configuration.scale(of: module))
            }
            guard let down = found[.down], let up = found[.up], down.rank == 2, up.rank == 2, down.shape[0] == rank,
                up.shape[1] == rank
            else {
                throw LanguageModelError(
                    .weights,
                    "\(url.path)/adapter_model.safetensors: \(module) needs lora_A [\(rank), in] and "
                        + "lora_B [out, \(rank)]; it has \(found[.down]?.shape ?? []) and \(found[.up]?.shape ?? [])")
            }
            factors[module] = Factors(down: down, up: up, scale: scale, base: found[.base])
        }
        guard !factors.isEmpty else {
            throw LanguageModelError(.weights, "\(url.path)/adapter_model.safetensors: no factors are in it")
        }
        self.factors = factors
    }

    private enum Part {
        case down, up, base
    }

    /// `base_model.model.M.lora_A.weight`, in older files `….lora_A.default.weight`.
    private static func module(of name: String) -> (String, Part)? {
        guard name.hasPrefix(prefix), name.hasSuffix(".weight") else { return nil }
        for (mark, part) in [(".lora_A.", Part.down), (".lora_B.", .up), (".base_layer.", .base)] {
            guard let range = name.range(of: mark, options: .backwards) else { continue }
            let end = name[range.upperBound...]
            guard end == "weight" || end.split(separator: ".", omittingEmptySubsequences: false).count == 2 else {
                return nil
            }
            let module = name[name.index(name.startIndex, offsetBy: prefix.count)..<range.lowerBound]
            return module.isEmpty ? nil : (String(module), part)
        }
        return nil
    }

    func fault(_ module: String, _ what: String) -> LanguageModelError {
        .init(.weights, "\(folder.path)/adapter_model.safetensors: \(module) \(what)")
    }

    /// Adds the change to a decoder's weights: W + scale · B · A, computed in float32 and kept in the weights' own type.
    /// The decoder then runs as fast as without, and saves as a plain model. All matrices change or, on an error, none.
    /// - Throws: `LanguageModelError` naming the first module that the decoder lacks, that is of another shape, or that
    ///   is no plain matrix.
    public func merge(into decoder: any Module) throws {
        let named = Dictionary(decoder.namedParameters.map { ($0.name, $0.parameter) }) { first, _ in first }
        let targets = try factors.sorted { $0.key < $1.key }.map { module, factors in
            guard let parameter = named[module + ".weight"] else {
                let isTied = module == "lm_head"
                throw fault(module, isTied ? "is tied to the embedding in this model" : "is no part of this model")
            }
            let shape = [factors.up.shape[0], factors.down.shape[1]]
            guard !module.hasSuffix("embed_tokens"), !module.hasSuffix("wte"), !module.hasSuffix("wpe"),
                parameter.value.dtype.isFloating
            else { throw fault(module, "is not a matrix of floating-point weights") }
            guard parameter.value.shape == shape, factors.base.map({ $0.shape == shape }) ?? true else {
                throw fault(module, "changes \(shape), the model's is \(parameter.value.shape)")
            }
            return (parameter, factors)
        }
        try withoutGradients {
            for (parameter, factors) in targets {
                let value = parameter.value
                let type: DType = value.dtype == .float64 ? .float64 : .float32
                let base = try (factors.base ?? value).to(type).to(value.device)
                let changed = try base + factors.change().to(type).to(value.device)
                try value.copy(from: changed.to(value.dtype))
            }
        }
    }
}
