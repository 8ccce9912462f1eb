/// What Llama, Qwen2, Qwen3 and Mistral have in common in `config.json`.
public struct GatedConfiguration: Sendable, Hashable {
    public var vocabularySize: Int
    public var hiddenSize: Int
    public var intermediateSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var keyValueHeadCount: Int
    /// Need not be `hiddenSize / headCount`.
    public var headDimension: Int
    public var contextLength: Int
    public var normEpsilon: Double
    public var activation: Activation = .silu
    public var rotary: RotaryPositions
    /// Whether the head is the embedding.
    public var tiesEmbeddings: Bool
    public var beginID: Int?
    public var padID: Int?
    public var endIDs: [Int]

    /// The base of the rotation.
    public var ropeTheta: Double {
        get { rotary.theta }
        set { rotary.theta = newValue }
    }

    /// `keyValueHeadCount` and `headDimension` are `headCount` and `hiddenSize / headCount` when missing.
    public init(
        vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layerCount: Int, headCount: Int,
        keyValueHeadCount: Int? = nil, headDimension: Int? = nil, contextLength: Int, normEpsilon: Double = 1e-6,
        rotary: RotaryPositions = RotaryPositions(), tiesEmbeddings: Bool = false, beginID: Int? = nil,
        padID: Int? = nil, endIDs: [Int] = []
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount ?? headCount
        self.headDimension = headDimension ?? hiddenSize / max(headCount, 1)
        self.contextLength = contextLength
        self.normEpsilon = normEpsilon
        self.rotary = rotary
        self.tiesEmbeddings = tiesEmbeddings
        self.beginID = beginID
        self.padID = padID
        self.endIDs = endIDs
    }
}

extension GatedConfiguration {
    /// - Parameters:
    ///   - keyValueHeads: what a missing `num_key_value_heads` means; `nil` is as many as heads. A null means that too.
    ///   - headDimension: what a missing `head_dim` means; `nil` is `hidden_size / num_attention_heads`.
    init(_ fields: ConfigurationFields, keyValueHeads: Int? = nil, headDimension: Int? = nil) throws {
        try fields.refuseForeign()
        func other(_ name: String, missing: Int?) throws -> Int? {
            fields.contains(name) ? try fields.optional(name) : missing
        }
        let contextLength: Int = try fields.required("max_position_embeddings")
        self.init(
            vocabularySize: try fields.required("vocab_size"), hiddenSize: try fields.required("hidden_size"),
            intermediateSize: try fields.required("intermediate_size"),
            layerCount: try fields.required("num_hidden_layers"),
            headCount: try fields.required("num_attention_heads"),
            keyValueHeadCount: try other("num_key_value_heads", missing: keyValueHeads),
            headDimension: try other("head_dim", missing: headDimension), contextLength: contextLength,
            normEpsilon: try fields.value("rms_norm_eps", default: 1e-6),
            rotary: try RotaryPositions(fields, contextLength: contextLength),
            tiesEmbeddings: try fields.value("tie_word_embeddings", default: false),
            beginID: try fields.optional("bos_token_id"), padID: try fields.optional("pad_token_id"),
            endIDs: try fields.ids("eos_token_id"))
        activation = try fields.activation("hidden_act", default: .silu)
    }

    func write(to writer: inout ConfigurationWriter) throws {
        try writer.write("vocab_size", vocabularySize)
        try writer.write("hidden_size", hiddenSize)
        try writer.write("intermediate_size", intermediateSize)
        try writer.write("num_hidden_layers", layerCount)
        try writer.write("num_attention_heads", headCount)
        try writer.write("num_key_value_heads", keyValueHeadCount)
        try writer.write("head_dim", headDimension)
        try writer.write("max_position_embeddings", contextLength)
        try writer.write("rms_norm_eps", normEpsilon)
        try writer.write("hidden_act", activation)
        try rotary.write(to: &writer)
        try writer.write("tie_word_embeddings", tiesEmbeddings)
        try writer.writeIfPresent("bos_token_id", beginID)
        try writer.writeIfPresent("pad_token_id", padID)
        try writer.writeIDs("eos_token_id", endIDs)
    }
}

/// A family of gated decoders: what it adds to the common fields.
@dynamicMemberLookup
public protocol GatedFamily: FamilyConfiguration {
    var gated: GatedConfiguration { get set }
    var options: GatedOptions { get }
}

/// Where the gated families differ from one another.
public struct GatedOptions: Sendable, Hashable {
    /// Whether the projections to queries, keys and values have a bias.
    public var queryKeyValueBias = false
    /// Whether the projection after attention has one.
    public var outputBias = false
    /// Whether the feed-forward's three matrices have one.
    public var feedForwardBias = false
    /// Whether each head's queries and keys are normed before they turn.
    public var headNorms = false
    /// Layers that look back only so far.
    public var window: SlidingWindow?

    public init() {}
}

extension GatedFamily {
    public subscript<T>(dynamicMember path: WritableKeyPath<GatedConfiguration, T>) -> T {
        get { gated[keyPath: path] }
        set { gated[keyPath: path] = newValue }
    }

    public var tiesEmbeddings: Bool { gated.tiesEmbeddings }
    public var beginID: Int? {
        get { gated.beginID }
        set { gated.beginID = newValue }
    }
    public var padID: Int? {
        get { gated.padID }
        set { gated.padID = newValue }
    }
    public var endIDs: [Int] {
        get { gated.endIDs }
        set { gated.endIDs = newValue }
    }

    public var decoder: DecoderConfiguration {
        DecoderConfiguration(
            vocabularySize: gated.vocabularySize, hiddenSize: gated.hiddenSize, layerCount: gated.layerCount,
            headCount: gated.headCount, keyValueHeadCount: gated.keyValueHeadCount,
            headDimension: gated.headDimension, contextLength: gated.contextLength, padID: gated.padID,
            endIDs: gated.endIDs)
    }

    public func validate() throws {
        try check(counts: [
            ("vocab_size", gated.vocabularySize), ("hidden_size", gated.hiddenSize),
            ("intermediate_size", gated.intermediateSize), ("num_hidden_layers", gated.layerCount),
            ("num_attention_heads", gated.headCount), ("num_key_value_heads", gated.keyValueHeadCount),
            ("head_dim", gated.headDimension), ("max_position_embeddings", gated.contextLength),
        ])
        try check(
            "num_attention_heads", gated.headCount, isMultipleOf: "num_key_value_heads", gated.keyValueHeadCount)
        guard gated.headDimension % 2 == 0 else {
            throw LanguageModelError(
                .configuration, "config.json: head_dim \(gated.headDimension) is odd; rotation needs pairs")
        }
        try gated.rotary.validate(headDimension: gated.headDimension)
        try check(epsilon: gated.normEpsilon, "rms_norm_eps")
        try options.window?.validate(layerCount: gated.layerCount)
    }

    /// The fields that every family writes: the head of the file and the common part.
    func writer(_ encoder: any Encoder) throws -> ConfigurationWriter {
        var writer = ConfigurationWriter(encoder)
        try writer.write("architectures", [Self.causalArchitecture])
        try writer.write("model_type", Self.modelType)
        try gated.write(to: &writer)
        return writer
    }
}
