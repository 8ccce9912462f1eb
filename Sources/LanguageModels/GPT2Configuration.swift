/// `config.json` of GPT-2 (Radford et al. 2019) and what was trained in its shape, DialoGPT for one.
public struct GPT2Configuration: FamilyConfiguration {
    public static let modelType = "gpt2"
    public static let classStem = "GPT2"
    public static let causalArchitecture = "GPT2LMHeadModel"

    public var vocabularySize: Int
    public var hiddenSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var contextLength: Int
    /// Width of the feed-forward; `nil` is four times the hidden size.
    public var innerSize: Int?
    public var activation: Activation = .geluNew
    public var normEpsilon = 1e-5
    /// Whether scores are divided by √D.
    public var scalesScores = true
    /// Whether layer n's scores are divided by n, counted from 1, as well.
    public var scalesScoresByLayer = false
    public var tiesEmbeddings = true
    public var beginID: Int?
    public var padID: Int?
    public var endIDs: [Int]

    /// Width of the feed-forward.
    public var feedForwardSize: Int { innerSize ?? 4 * hiddenSize }

    public init(
        vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, contextLength: Int,
        innerSize: Int? = nil, beginID: Int? = nil, padID: Int? = nil, endIDs: [Int] = []
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.contextLength = contextLength
        self.innerSize = innerSize
        self.beginID = beginID
        self.padID = padID
        self.endIDs = endIDs
    }

    public var decoder: DecoderConfiguration {
        DecoderConfiguration(
            vocabularySize: vocabularySize, hiddenSize: hiddenSize, layerCount: layerCount, headCount: headCount,
            keyValueHeadCount: headCount, headDimension: hiddenSize / max(headCount, 1), contextLength: contextLength,
            padID: padID, endIDs: endIDs)
    }

    public func validate() throws {
        try check(counts: [
            ("vocab_size", vocabularySize), ("n_embd", hiddenSize), ("n_layer", layerCount), ("n_head", headCount),
            ("n_positions", contextLength), ("n_inner", innerSize ?? 1),
        ])
        try check("n_embd", hiddenSize, isMultipleOf: "n_head", headCount)
        try check(epsilon: normEpsilon, "layer_norm_epsilon")
    }

    public init(from decoder: any Swift.Decoder) throws {
        let fields = try ConfigurationFields(decoder)
        try fields.refuseForeign()
        self.init(
            vocabularySize: try fields.required("vocab_size"), hiddenSize: try fields.required("n_embd"),
            layerCount: try fields.required("n_layer"), headCount: try fields.required("n_head"),
            contextLength: try fields.required("n_positions"), innerSize: try fields.optional("n_inner"),
            beginID: try fields.optional("bos_token_id"), padID: try fields.optional("pad_token_id"),
            endIDs: try fields.ids("eos_token_id"))
        activation = try fields.activation("activation_function", default: .geluNew)
        normEpsilon = try fields.value("layer_norm_epsilon", default: 1e-5)
        scalesScores = try fields.value("scale_attn_weights", default: true)
        scalesScoresByLayer = try fields.value("scale_attn_by_inverse_layer_idx", default: false)
        tiesEmbeddings = try fields.value("tie_word_embeddings", default: true)
        // `reorder_and_upcast_attn` only moves roundings about.
    }

    public func encode(to encoder: any Encoder) throws {
        var writer = ConfigurationWriter(encoder)
        try writer.write("architectures", [Self.causalArchitecture])
        try writer.write("model_type", Self.modelType)
        try writer.write("vocab_size", vocabularySize)
        try writer.write("n_embd", hiddenSize)
        try writer.write("n_layer", layerCount)
        try writer.write("n_head", headCount)
        try writer.write("n_positions", contextLength)
        if let innerSize { try writer.write("n_inner", innerSize) } else { try writer.writeNull("n_inner") }
        try writer.write("activation_function", activation)
        try writer.write("layer_norm_epsilon", normEpsilon)
        try writer.write("scale_attn_weights", scalesScores)
        try writer.write("scale_attn_by_inverse_layer_idx", scalesScoresByLayer)
        try writer.write("tie_word_embeddings", tiesEmbeddings)
        // A missing id would mean GPT-2's own 50256.
        if let beginID { try writer.write("bos_token_id", beginID) } else { try writer.writeNull("bos_token_id") }
        if endIDs.isEmpty { try writer.writeNull("eos_token_id") }
        try writer.writeIDs("eos_token_id", endIDs)
        try writer.writeIfPresent("pad_token_id", padID)
    }
}
