/// Llama 1 to 3 (arXiv 2302.13971, 2407.21783): root-mean-square norms, rotary positions, gated feed-forward, grouped
/// queries. The plain one of the gated families; two fields may give its matrices biases.
public struct LlamaConfiguration: GatedFamily {
    public static let modelType = "llama"
    public static let classStem = "Llama"

    public var gated: GatedConfiguration
    /// Biases on the four matrices of attention.
    public var attentionBias = false
    /// Biases on the three matrices of the feed-forward.
    public var mlpBias = false

    public var options: GatedOptions {
        var options = GatedOptions()
        options.queryKeyValueBias = attentionBias
        options.outputBias = attentionBias
        options.feedForwardBias = mlpBias
        return options
    }

    /// `keyValueHeadCount` and `headDimension` are `headCount` and `hiddenSize / headCount` when missing.
    public init(
        vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layerCount: Int, headCount: Int,
        keyValueHeadCount: Int? = nil, headDimension: Int? = nil, contextLength: Int, normEpsilon: Double = 1e-5,
        ropeTheta: Double = 10_000, tiesEmbeddings: Bool = true, beginID: Int? = nil, padID: Int? = nil,
        endIDs: [Int] = []
    ) {
        self.init(
            GatedConfiguration(
                vocabularySize: vocabularySize, hiddenSize: hiddenSize, intermediateSize: intermediateSize,
                layerCount: layerCount, headCount: headCount, keyValueHeadCount: keyValueHeadCount,
                headDimension: headDimension, contextLength: contextLength, normEpsilon: normEpsilon,
                rotary: RotaryPositions(theta: ropeTheta), tiesEmbeddings: tiesEmbeddings, beginID: beginID,
                padID: padID, endIDs: endIDs))
    }

    public init(_ gated: GatedConfiguration) { self.gated = gated }

    public init(from decoder: any Swift.Decoder) throws {
        let fields = try ConfigurationFields(decoder)
        gated = try GatedConfiguration(fields)
        attentionBias = try fields.value("attention_bias", default: false)
        mlpBias = try fields.value("mlp_bias", default: false)
    }

    public func encode(to encoder: any Encoder) throws {
        var writer = try writer(encoder)
        try writer.write("attention_bias", attentionBias)
        try writer.write("mlp_bias", mlpBias)
    }
}

/// A Llama decoder.
public typealias LlamaModel = GatedDecoder<LlamaConfiguration>

extension GatedDecoder where Family == LlamaConfiguration {
    public var llama: LlamaConfiguration { family }
}
