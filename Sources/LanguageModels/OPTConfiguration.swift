/// `config.json` of OPT (Zhang et al. 2022, arXiv 2205.01068), the family that BlenderBot 3 was built on.
///
/// Two shapes: norms before each part with a last one at the end (125M, 1.3B and up), and the 350M with norms behind each
/// part and an embedding narrower than the model, between two projections.
public struct OPTConfiguration: FamilyConfiguration {
    public static let modelType = "opt"
    public static let classStem = "OPT"

    public var vocabularySize: Int
    public var hiddenSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var feedForwardSize: Int
    public var contextLength: Int
    /// Width of the embedding and of what comes out.
    public var embeddingSize: Int
    public var activation: Activation = .relu
    /// Norms before attention and feed-forward; otherwise behind them.
    public var normsBefore = true
    /// No norm at the end: checkpoints tuned before the field knew of it.
    public var removesFinalNorm = false
    /// Biases on all matrices of the layers.
    public var hasBiases = true
    /// Whether norms have weights of their own.
    public var hasNormWeights = true
    public var tiesEmbeddings = true
    public var beginID: Int?
    public var padID: Int?
    public var endIDs: [Int]

    /// Epsilon of every norm; no field says it.
    static let normEpsilon = 1e-5
    /// Rows of the table of positions before that of position 0.
    static let positionOffset = 2

    /// - Parameter embeddingSize: `nil` is the hidden size.
    public init(
        vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, feedForwardSize: Int,
        contextLength: Int, embeddingSize: Int? = nil, beginID: Int? = nil, padID: Int? = nil, endIDs: [Int] = []
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.feedForwardSize = feedForwardSize
        self.contextLength = contextLength
        self.embeddingSize = embeddingSize ?? hiddenSize
        self.beginID = beginID
        self.padID = padID
        self.endIDs = endIDs
    }

    /// `hiddenSize` is the width of what comes out.
    public var decoder: DecoderConfiguration {
        DecoderConfiguration(
            vocabularySize: vocabularySize, hiddenSize: embeddingSize, layerCount: layerCount, headCount: headCount,
            keyValueHeadCount: headCount, headDimension: hiddenSize / max(headCount, 1), contextLength: contextLength,
            padID: padID, endIDs: endIDs)
    }

    public func validate() throws {
        try check(counts: [
            ("vocab_size", vocabularySize), ("hidden_size", hiddenSize), ("num_hidden_layers", layerCount),
            ("num_attention_heads", headCount), ("ffn_dim", feedForwardSize),
            ("max_position_embeddings", contextLength), ("word_embed_proj_dim", embeddingSize),
        ])
        try check("hidden_size", hiddenSize, isMultipleOf: "num_attention_heads", headCount)
    }

    public init(from decoder: any Swift.Decoder) throws {
        let fields = try ConfigurationFields(decoder)
        try fields.refuseForeign()
        self.init(
            vocabularySize: try fields.required("vocab_size"), hiddenSize: try fields.required("hidden_size"),
            layerCount: try fields.required("num_hidden_layers"),
            headCount: try fields.required("num_attention_heads"), feedForwardSize: try fields.required("ffn_dim"),
            contextLength: try fields.required("max_position_embeddings"),
            embeddingSize: try fields.optional("word_embed_proj_dim"), beginID: try fields.optional("bos_token_id"),
            padID: try fields.optional("pad_token_id"), endIDs: try fields.ids("eos_token_id"))
        activation = try fields.activation("activation_function", default: .relu)
        normsBefore = try fields.value("do_layer_norm_before", default: true)
        removesFinalNorm = try fields.value("_remove_final_layer_norm", default: false)
        hasBiases = try fields.value("enable_bias", default: true)
        hasNormWeights = try fields.value("layer_norm_elementwise_affine", default: true)
        tiesEmbeddings = try fields.value("tie_word_embeddings", default: true)
    }

    public func encode(to encoder: any Encoder) throws {
        var writer = ConfigurationWriter(encoder)
        try writer.write("architectures", [Self.causalArchitecture])
        try writer.write("model_type", Self.modelType)
        try writer.write("vocab_size", vocabularySize)
        try writer.write("hidden_size", hiddenSize)
        try writer.write("num_hidden_layers", layerCount)
        try writer.write("num_attention_heads", headCount)
        try writer.write("ffn_dim", feedForwardSize)
        try writer.write("max_position_embeddings", contextLength)
        try writer.write("word_embed_proj_dim", embeddingSize)
        try writer.write("activation_function", activation)
        try writer.write("do_layer_norm_before", normsBefore)
        try writer.write("_remove_final_layer_norm", removesFinalNorm)
        try writer.write("enable_bias", hasBiases)
        try writer.write("layer_norm_elementwise_affine", hasNormWeights)
        try writer.write("tie_word_embeddings", tiesEmbeddings)
        // A missing id would mean OPT's own.
        if let beginID { try writer.write("bos_token_id", beginID) } else { try writer.writeNull("bos_token_id") }
        if let padID { try writer.write("pad_token_id", padID) } else { try writer.writeNull("pad_token_id") }
        if endIDs.isEmpty { try writer.writeNull("eos_token_id") }
        try writer.writeIDs("eos_token_id", endIDs)
    }
}
