import Foundation
import ModelFormats
import Torch

/// OPT (arXiv 2205.01068): learned positions that begin at row 2, separate queries, keys and values, norms before or
/// behind each part, and in the 350M an embedding narrower than the model.
public final class OPTModel: CheckpointDecoder, @unchecked Sendable {
    public let family: OPTConfiguration
    private let tokens, places: Parameter
    /// From the embedding's width to the model's and back; `nil` where they are the same.
    private var projectIn, projectOut: Linear?
    private var layers: [Layer]
    private let finalNorm: LayerNorm?
    /// Made of the embedding where the two are tied; `nil` in a scorer's body.
    private var head: Linear?
    public var recomputesLayers = false
    let residualDropout = ResidualDropout()
    /// The layers in one computation; `nil` while they are not packed, and where norms stand behind.
    private var stack: StackedPass?

    private struct Layer {
        var attentionNorm, feedForwardNorm: LayerNorm
        /// Queries, keys and values.
        var mix: JoinedLinear
        var output: Linear
        var up, down: Linear
    }

    private static func mixNames(_ layer: Int) -> (parts: [String], together: String) {
        let at = Self.at + "layers.\(layer).self_attn."
        return ([at + "q_proj", at + "k_proj", at + "v_proj"], at + "qkv_proj")
    }

    public static var modelType: String { OPTConfiguration.modelType }
    public var configuration: DecoderConfiguration { family.decoder }

    static let prefix = "model."
    static let embeddingName = "model.decoder.embed_tokens.weight"
    private static let at = "model.decoder."
    static func isBuffer(_ name: String) -> Bool { false }

    // MARK: - Making

    init(_ family: OPTConfiguration, hasHead: Bool, source: any WeightSource) throws {
        try family.validate()
        self.family = family
        let (width, outer) = (family.hiddenSize, family.embeddingSize)
        func norm(_ name: String) throws -> LayerNorm {
            try source.layerNorm(
                name, width: width, epsilon: OPTConfiguration.normEpsilon, isAffine: family.hasNormWeights)
        }
        func linear(_ name: String, from: Int, to: Int) throws -> Linear {
            try source.linear(name, from: from, to: to, bias: family.hasBiases)
        }
        tokens = try source.parameter(Self.embeddingName, [family.vocabularySize, outer])
        places = try source.parameter(
            Self.at + "embed_positions.weight", [family.contextLength + OPTConfiguration.positionOffset, width])
        let isProjected = outer != width
        projectIn = isProjected ? try source.linear(Self.at + "project_in", from: outer, to: width) : nil
        projectOut = isProjected ? try source.linear(Self.at + "project_out", from: width, to: outer) : nil
        layers = try (0..<family.layerCount).map { index in
            let at = Self.at + "layers.\(index)."
            let mix = Self.mixNames(index)
            return Layer(
                attentionNorm: try norm(at + "self_attn_layer_norm"),
                feedForwardNorm: try norm(at + "final_layer_norm"),
                mix: try source.joined(
                    mix.parts.map { ($0, width) }, together: mix.together, from: width, bias: family.hasBiases),
                output: try linear(at + "self_attn.out_proj", from: width, to: width),
                up: try linear(at + "fc1", from: width, to: family.feedForwardSize),
                down: try linear(at + "fc2", from: family.feedForwardSize, to: width))
        }
        let hasFinalNorm = family.normsBefore && !family.removesFinalNorm
        finalNorm = hasFinalNorm ? try norm(Self.at + "final_layer_norm") : nil
        head =
            hasHead
            ? try source.head(tokens, isTied: family.tiesEmbeddings, from: outer, to: family.vocabularySize) : nil
        stack = try stacked()
    }

    /// Fresh weights: normal with deviation 0.02, those that write into the residual stream scaled down by the depth,
    /// norms one, biases zero.
    public convenience init(
        _ family: OPTConfiguration, generator: Generator, dtype: DType = .float32, device: Device = .cpu
    ) throws {
        try family.validate()
        try self.init(
            family, hasHead: true,
            source: FreshWeights(layerCount: family.layerCount, generator: generator, dtype: dtype, device: device))
    }

    private init(sharing other: OPTModel) {
        (family, tokens, places) = (other.family, other.tokens, other.places)
        (projectIn, projectOut, layers) = (other.projectIn, other.projectOut, other.layers)
        (finalNorm, head) = (other.finalNorm, other.head)
    }

    public func sharingWeights() -> OPTModel { OPTModel(sharing: self) }

    public convenience init(folder: URL, dtype: DType = .float32, device: Device = .cpu) throws {
        try self.init(opening: folder, as: .decoder, dtype: dtype, device: device)
    }

    public func save(to folder: URL, metadata: [String: String] = [:]) throws {
        try write(to: folder, metadata: metadata)
    }

    // MARK: - Weights

    public var namedParameters: [(name: String, parameter: Parameter)] {
        var all: [(name: String, parameter: Parameter)] = [
            (Self.embeddingName, tokens), (Self.at + "embed_positions.weight", places),
        ]
        all += projectIn?.named(Self.at + "project_in") ?? []
        all += projectOut?.named(Self.at + "project_out") ?? []
        for (index, layer) in layers.enumerated() {
            let at = Self.at + "layers.\(index)."
            all += layer.mix.named(Self.mixNames(index).parts) + layer.output.named(at + "self_attn.out_proj")
            all += layer.attentionNorm.named(at + "self_attn_layer_norm")
            all += layer.up.named(at + "fc1") + layer.down.named(at + "fc2")
            all += layer.feedForwardNorm.named(at + "final_layer_norm")
        }
        all += finalNorm?.named(Self.at + "final_layer_norm") ?? []
        if !family.tiesEmbeddings, let head { all += head.named("lm_head") }
        return all
    }

    func checkpointTensors() throws -> [(name: String, tensor: Tensor)] {
        namedParameters.map { ($0.name, $0.parameter.value) }
    }

    public func replaceLinears(_ change: (_ name: String, _ linear: Linear) throws -> Linear) throws {
        projectIn = try projectIn.map { try change(Self.at + "project_in", $0) }
        projectOut = try projectOut.map { try change(Self.at + "project_out", $0) }
        for index in layers.indices {
            let at = Self.at + "layers.\(index)."
            try layers[index].mix.replace(Self.mixNames(index).parts, change)
            layers[index].output = try change(at + "self_attn.out_proj", layers[index].output)
            layers[index].up = try change(at + "fc1", layers[index].up)
            layers[index].down = try change(at + "fc2", layers[index].down)
        }
        head = try head.map { try change("lm_head", $0) }
        stack = try stacked()
    }

    public var matrices: [(name: String, matrix: Linear)] {
        var all: [(name: String, matrix: Linear)] = []
        if let projectIn { all.append((Self.at + "project_in", projectIn)) }
        if let projectOut { all.append((Self.at + "project_out", projectOut)) }
        for (index, layer) in layers.enumerated() {
            let (mix, at) = (Self.mixNames(index), Self.at + "layers.\(index).")
            all += layer.mix.matrices(mix.parts, together: mix.together)
            all.append((at + "self_attn.out_proj", layer.output))
            all.append((at + "fc1", layer.up))
            all.append((at + "fc2", layer.down))
        }
        if let head { all.append(("lm_head", head)) }
        return all
    }

    public func packMatrices(_ bits: PackedWeight.Bits, head headBits: PackedWeight.Bits) throws {
        projectIn = try projectIn?.packed(bits)
        projectOut = try projectOut?.packed(bits)
        for index in layers.indices {
            layers[index].mix = try layers[index].mix.packed(bits)
            layers[index].output = try layers[index].output.packed(bits)
            layers[index].up = try layers[index].up.packed(bits)
            layers[index].down = try layers[index].down.packed(bits)
        }
        head = try head?.packed(headBits)
        stack = try stacked()
    }

    /// The layers as one computation, once all of their matrices are packed.
    private func stacked() throws -> StackedPass? {
        guard family.normsBefore else { return nil }
        var all: [LayerStack.Layer] = []
        for layer in layers {
            guard let mix = layer.mix.joined?.stacked, let output = layer.output.stacked, let up = layer.up.stacked,
                let down = layer.down.stacked
            else { return nil }
            all.append(
                .init(
                    attentionNorm: layer.attentionNorm.stacked, feedForwardNorm: layer.feedForwardNorm.stacked,
                    mix: mix,
                    output: output, up: up, down: down,
                    scale: 1 / Double(family.hiddenSize / family.headCount).squareRoot()))
        }
        return try StackedPass(
            .init(
                width: family.hiddenSize, headCount: family.headCount, keyValueHeadCount: family.headCount,
                headSize: family.hiddenSize / family.headCount, innerWidth: family.feedForwardSize, isGated: false,
                curve: family.activation.curve, isCentred: true, epsilon: OPTConfiguration.normEpsilon),
            layers: all, finalNorm: finalNorm?.stacked)
    }

    // MARK: - Running

    public func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        try checkInputs(ids, positions)
        let type = compute ?? tokens.value.dtype
        let isBefore = family.normsBefore
        var x = try ids.embedding(weight: tokens.value).to(type)
        if let projectIn { x = try projectIn(x) }
        x = try x + (positions + OPTConfiguration.positionOffset).embedding(weight: places.value).to(type)
        if let stack, stack.takes(ids, mask, type) {
            let states = try withoutGradients { try stack(x, angles: nil, cache: cache) }
            cache?.advance(by: ids.shape[1])
            return try projectOut?(states) ?? states
        }
        x = try firstLayerInput(residualDropout.embedded(x), cache)
        for (index, layer) in layers.enumerated() {
            x = try self.layer(x, cache) { [self] x in
                let mixed = try attention(isBefore ? layer.attentionNorm(x) : x, layer, index, mask, cache)
                var x = try x + residualDropout.mixed(mixed, layer: index)
                if !isBefore { x = try layer.attentionNorm(x) }
                let fed = try layer.down(family.activation(layer.up(isBefore ? layer.feedForwardNorm(x) : x)))
                x = try x + residualDropout.fed(fed, layer: index)
                return isBefore ? x : try layer.feedForwardNorm(x)
            }
        }
        cache?.advance(by: ids.shape[1])
        if let finalNorm { x = try finalNorm(x) }
        return try projectOut?(x) ?? x
    }

    public func logits(_ hidden: Tensor) throws -> Tensor { try requireHead(head).wide(hidden) }

    private func attention(
        _ x: Tensor, _ layer: Layer, _ index: Int, _ mask: AttentionMask, _ cache: KVCache?
    ) throws -> Tensor {
        let (batch, length, count) = (x.shape[0], x.shape[1], family.headCount)
        let parts = try layer.mix(x).map {
            try $0.reshape([batch, length, count, family.hiddenSize / count]).transpose(1, 2)
        }
        let mixed = try Attention()(
            query: parts[0], key: parts[1], value: parts[2], layer: index, mask: mask, cache: cache)
        return try layer.output(mixed)
    }
}
