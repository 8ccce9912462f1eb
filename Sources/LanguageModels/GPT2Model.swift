import Foundation
import ModelFormats
import Torch

/// GPT-2: layer norms before each part, learned positions, one matrix for queries, keys and values, plain feed-forward.
///
/// Files hold its matrices as [in, out]; they are turned round when read and when written, so that in here they are
/// [out, in] as in every other family.
public final class GPT2Model: CheckpointDecoder, @unchecked Sendable {
    public let family: GPT2Configuration
    private let tokens, places: Parameter
    private var layers: [Layer]
    private let norm: LayerNorm
    /// Made of the embedding where the two are tied; `nil` in a scorer's body.
    private var head: Linear?
    public var recomputesLayers = false
    let residualDropout = ResidualDropout()
    /// The layers in one computation; `nil` while they are not packed.
    private var stack: StackedPass?

    private struct Layer {
        var attentionNorm, feedForwardNorm: LayerNorm
        /// Queries, keys and values, one below the other.
        var mix, output: Linear
        var up, down: Linear
        var attention: Attention
        var scale: Double
    }

    public static var modelType: String { GPT2Configuration.modelType }
    public var configuration: DecoderConfiguration { family.decoder }

    static let prefix = "transformer."
    static let embeddingName = "transformer.wte.weight"
    static func isBuffer(_ name: String) -> Bool {
        name.hasSuffix(".attn.bias") || name.hasSuffix(".attn.masked_bias")
    }

    // MARK: - Making

    init(_ family: GPT2Configuration, hasHead: Bool, source: any WeightSource) throws {
        try family.validate()
        self.family = family
        let (width, wide) = (family.hiddenSize, family.feedForwardSize)
        func norm(_ name: String) throws -> LayerNorm {
            try source.layerNorm(name, width: width, epsilon: family.normEpsilon)
        }
        tokens = try source.parameter(Self.embeddingName, [family.vocabularySize, width])
        places = try source.parameter("transformer.wpe.weight", [family.contextLength, width])
        layers = try (0..<family.layerCount).map { index in
            let at = "transformer.h.\(index)."
            let plain = family.scalesScores ? 1 / Double(width / family.headCount).squareRoot() : 1
            let scale = family.scalesScoresByLayer ? plain / Double(index + 1) : plain
            return Layer(
                attentionNorm: try norm(at + "ln_1"), feedForwardNorm: try norm(at + "ln_2"),
                mix: try source.convolution(at + "attn.c_attn", from: width, to: 3 * width),
                output: try source.convolution(at + "attn.c_proj", from: width, to: width),
                up: try source.convolution(at + "mlp.c_fc", from: width, to: wide),
                down: try source.convolution(at + "mlp.c_proj", from: wide, to: width),
                attention: Attention(scale: scale), scale: scale)
        }
        self.norm = try norm("transformer.ln_f")
        head =
            hasHead
            ? try source.head(tokens, isTied: family.tiesEmbeddings, from: width, to: family.vocabularySize) : nil
        stack = try stacked()
    }

    /// Fresh weights: normal with deviation 0.02, those that write into the residual stream scaled down by the depth,
    /// norms one, biases zero.
    public convenience init(
        _ family: GPT2Configuration, generator: Generator, dtype: DType = .float32, device: Device = .cpu
    ) throws {
        try family.validate()
        try self.init(
            family, hasHead: true,
            source: FreshWeights(layerCount: family.layerCount, generator: generator, dtype: dtype, device: device))
    }

    private init(sharing other: GPT2Model) {
        (family, tokens, places) = (other.family, other.tokens, other.places)
        (layers, norm, head) = (other.layers, other.norm, other.head)
    }

    public func sharingWeights() -> GPT2Model { GPT2Model(sharing: self) }

    public convenience init(folder: URL, dtype: DType = .float32, device: Device = .cpu) throws {
        try self.init(opening: folder, as: .decoder, dtype: dtype, device: device)
    }

    public func save(to folder: URL, metadata: [String: String] = [:]) throws {
        try write(to: folder, metadata: metadata)
    }

    // MARK: - Weights

    /// Under checkpoint names; matrices are [out, in] here, [in, out] in files.
    public var namedParameters: [(name: String, parameter: Parameter)] {
        var all: [(name: String, parameter: Parameter)] = [
            (Self.embeddingName, tokens), ("transformer.wpe.weight", places),
        ]
        for (index, layer) in layers.enumerated() {
            let at = "transformer.h.\(index)."
            all += layer.attentionNorm.named(at + "ln_1")
            all += layer.mix.named(at + "attn.c_attn") + layer.output.named(at + "attn.c_proj")
            all += layer.feedForwardNorm.named(at + "ln_2")
            all += layer.up.named(at + "mlp.c_fc") + layer.down.named(at + "mlp.c_proj")
        }
        all += norm.named("transformer.ln_f")
        if !family.tiesEmbeddings, let head { all += head.named("lm_head") }
        return all
    }

    func checkpointTensors() throws -> [(name: String, tensor: Tensor)] {
        try namedParameters.map { name, parameter in
            let isConvolution = name.hasPrefix("transformer.h.") && parameter.value.rank == 2
            return (name, isConvolution ? try parameter.value.transpose(0, 1).contiguous() : parameter.value)
        }
    }

    public func replaceLinears(_ change: (_ name: String, _ linear: Linear) throws -> Linear) throws {
        for index in layers.indices {
            let at = "transformer.h.\(index)."
            layers[index].mix = try change(at + "attn.c_attn", layers[index].mix)
            layers[index].output = try change(at + "attn.c_proj", layers[index].output)
            layers[index].up = try change(at + "mlp.c_fc", layers[index].up)
            layers[index].down = try change(at + "mlp.c_proj", layers[index].down)
        }
        head = try head.map { try change("lm_head", $0) }
        stack = try stacked()
    }

    public var matrices: [(name: String, matrix: Linear)] {
        var all: [(name: String, matrix: Linear)] = []
        for (index, layer) in layers.enumerated() {
            let at = "transformer.h.\(index)."
            all.append((at + "attn.c_attn", layer.mix))
            all.append((at + "attn.c_proj", layer.output))
            all.append((at + "mlp.c_fc", layer.up))
            all.append((at + "mlp.c_proj", layer.down))
        }
        if let head { all.append(("lm_head", head)) }
        return all
    }

    public func packMatrices(_ bits: PackedWeight.Bits, head headBits: PackedWeight.Bits) throws {
        try replaceLinears { name, linear in try linear.packed(name == "lm_head" ? headBits : bits) }
    }

    /// The layers as one computation, once all of their matrices are packed.
    private func stacked() throws -> StackedPass? {
        var all: [LayerStack.Layer] = []
        for layer in layers {
            guard let mix = layer.mix.stacked, let output = layer.output.stacked, let up = layer.up.stacked,
                let down = layer.down.stacked
            else { return nil }
            all.append(
                .init(
                    attentionNorm: layer.attentionNorm.stacked, feedForwardNorm: layer.feedForwardNorm.stacked,
                    mix: mix,
                    output: output, up: up, down: down, scale: layer.scale))
        }
        return try StackedPass(
            .init(
                width: family.hiddenSize, headCount: family.headCount, keyValueHeadCount: family.headCount,
                headSize: family.hiddenSize / family.headCount, innerWidth: family.feedForwardSize, isGated: false,
                curve: family.activation.curve, isCentred: true, epsilon: family.normEpsilon),
            layers: all, finalNorm: norm.stacked)
    }

    // MARK: - Running

    public func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        try checkInputs(ids, positions)
        let type = compute ?? tokens.value.dtype
        let (batch, length) = (ids.shape[0], ids.shape[1])
        let (width, count) = (family.hiddenSize, family.headCount)
        if let stack, stack.takes(ids, mask, type) {
            let states = try withoutGradients {
                let states = try ids.embedding(weight: tokens.value).to(.float32)
                return try stack(
                    states + positions.embedding(weight: places.value).to(.float32), angles: nil, cache: cache)
            }
            cache?.advance(by: length)
            return states
        }
        let embedded =
            try ids.embedding(weight: tokens.value).to(type) + positions.embedding(weight: places.value).to(type)
        var x = try firstLayerInput(residualDropout.embedded(embedded), cache)
        for (index, layer) in layers.enumerated() {
            x = try self.layer(x, cache) { [family, residualDropout] x in
                let mixed = try layer.mix(layer.attentionNorm(x))
                func heads(_ part: Int) throws -> Tensor {
                    try mixed.narrow(dim: -1, start: part * width, length: width)
                        .reshape([batch, length, count, width / count]).transpose(1, 2)
                }
                let attended = try layer.output(
                    layer.attention(
                        query: heads(0), key: heads(1), value: heads(2), layer: index, mask: mask, cache: cache))
                let x = try x + residualDropout.mixed(attended, layer: index)
                let fed = try layer.down(family.activation(layer.up(layer.feedForwardNorm(x))))
                return try x + residualDropout.fed(fed, layer: index)
            }
        }
        cache?.advance(by: length)
        return try norm(x)
    }

    public func logits(_ hidden: Tensor) throws -> Tensor { try requireHead(head).wide(hidden) }
}
