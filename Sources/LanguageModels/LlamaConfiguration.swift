import Foundation

/// `config.json` of a Llama-style decoder, field names as Hugging Face writes them.
public struct LlamaConfiguration: Sendable, Hashable {
    public var vocabularySize: Int
    public var hiddenSize: Int
    public var intermediateSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var keyValueHeadCount: Int
    public var headDimension: Int
    public var contextLength: Int
    public var normEpsilon: Double
    public var ropeTheta: Double
    /// Whether the head is the embedding.
    public var tiesEmbeddings: Bool
    public var beginID: Int?
    public var endIDs: [Int]
    public var padID: Int?

    /// `keyValueHeadCount` and `headDimension` are `headCount` and `hiddenSize / headCount` when missing.
    public init(
        vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layerCount: Int, headCount: Int,
        keyValueHeadCount: Int? = nil, headDimension: Int? = nil, contextLength: Int, normEpsilon: Double = 1e-5,
        ropeTheta: Double = 10_000,
        tiesEmbeddings: Bool = true, beginID: Int? = nil, padID: Int? = nil, endIDs: [Int] = []
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
        self.ropeTheta = ropeTheta
        self.tiesEmbeddings = tiesEmbeddings
        self.beginID = beginID
        self.endIDs = endIDs
        self.padID = padID
    }

    /// - Throws: `LanguageModelError` naming the field at fault.
    public func validate() throws {
        let counts = [
            ("vocab_size", vocabularySize), ("hidden_size", hiddenSize), ("intermediate_size", intermediateSize),
            ("num_hidden_layers", layerCount), ("num_attention_heads", headCount),
            ("num_key_value_heads", keyValueHeadCount), ("head_dim", headDimension),
            ("max_position_embeddings", contextLength),
        ]
        for (name, value) in counts where value < 1 || value > 1 << 24 {
            throw LanguageModelError(.configuration, "config.json: \(name) is \(value)")
        }
        guard headCount % keyValueHeadCount == 0 else {
            throw LanguageModelError(
                .configuration,
                "config.json: num_attention_heads \(headCount) is no multiple of num_key_value_heads "
                    + "\(keyValueHeadCount)")
        }
        guard headDimension % 2 == 0 else {
            throw LanguageModelError(
                .configuration, "config.json: head_dim \(headDimension) is odd; rotation needs pairs")
        }
        guard ropeTheta.isFinite, ropeTheta > 0 else {
            throw LanguageModelError(.configuration, "config.json: rope_theta is \(ropeTheta)")
        }
        guard normEpsilon.isFinite, normEpsilon >= 0 else {
            throw LanguageModelError(.configuration, "config.json: rms_norm_eps is \(normEpsilon)")
        }
        let tokens =
            endIDs.map { ("eos_token_id", $0) }
            + [("bos_token_id", beginID), ("pad_token_id", padID)]
            .compactMap { name, id in id.map { (name, $0) } }
        for (name, id) in tokens where !(0..<vocabularySize).contains(id) {
            throw LanguageModelError(
                .configuration, "config.json: \(name) is \(id), the vocabulary has \(vocabularySize)")
        }
    }
}

extension LlamaConfiguration: Codable {
    enum CodingKeys: String, CodingKey {
        case architectures
        case modelType = "model_type"
        case vocabularySize = "vocab_size"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case keyValueHeadCount = "num_key_value_heads"
        case headDimension = "head_dim"
        case contextLength = "max_position_embeddings"
        case normEpsilon = "rms_norm_eps"
        case ropeTheta = "rope_theta"
        case ropeParameters = "rope_parameters"
        case ropeScaling = "rope_scaling"
        case tiesEmbeddings = "tie_word_embeddings"
        case beginID = "bos_token_id"
        case endID = "eos_token_id"
        case padID = "pad_token_id"
        case activation = "hidden_act"
        case attentionBias = "attention_bias"
        case mlpBias = "mlp_bias"
    }

    /// Both spellings of the rotation: `rope_theta`, and `rope_parameters` as transformers 5 writes it.
    private struct Rope: Codable {
        var theta: Double?
        var type: String?
        enum CodingKeys: String, CodingKey {
            case theta = "rope_theta"
            case type = "rope_type"
        }
    }

    public init(from decoder: any Swift.Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let heads = try box.decode(Int.self, forKey: .headCount)
        let hidden = try box.decode(Int.self, forKey: .hiddenSize)
        self.init(
            vocabularySize: try box.decode(Int.self, forKey: .vocabularySize), hiddenSize: hidden,
            intermediateSize: try box.decode(Int.self, forKey: .intermediateSize),
            layerCount: try box.decode(Int.self, forKey: .layerCount), headCount: heads,
            keyValueHeadCount: try box.decodeIfPresent(Int.self, forKey: .keyValueHeadCount),
            headDimension: try box.decodeIfPresent(Int.self, forKey: .headDimension),
            contextLength: try box.decode(Int.self, forKey: .contextLength),
            normEpsilon: try box.decodeIfPresent(Double.self, forKey: .normEpsilon) ?? 1e-6,
            tiesEmbeddings: try box.decodeIfPresent(Bool.self, forKey: .tiesEmbeddings) ?? false,
            beginID: try box.decodeIfPresent(Int.self, forKey: .beginID),
            padID: try box.decodeIfPresent(Int.self, forKey: .padID))
        let rope = try box.decodeIfPresent(Rope.self, forKey: .ropeParameters)
        ropeTheta = try box.decodeIfPresent(Double.self, forKey: .ropeTheta) ?? rope?.theta ?? 10_000
        let scaling = try box.decodeIfPresent(Rope.self, forKey: .ropeScaling)
        for type in [rope?.type, scaling?.type].compactMap(\.self) where type != "default" {
            throw LanguageModelError(.configuration, "config.json: rope type “\(type)” is not supported")
        }
        if let one = try? box.decodeIfPresent(Int.self, forKey: .endID) {
            endIDs = [one]
        } else {
            endIDs = try box.decodeIfPresent([Int].self, forKey: .endID) ?? []
        }
        if let activation = try box.decodeIfPresent(String.self, forKey: .activation), activation != "silu" {
            throw LanguageModelError(.configuration, "config.json: hidden_act “\(activation)” is not supported")
        }
        for key in [CodingKeys.attentionBias, .mlpBias] where try box.decodeIfPresent(Bool.self, forKey: key) == true {
            throw LanguageModelError(.configuration, "config.json: \(key.rawValue) is not supported")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(["LlamaForCausalLM"], forKey: .architectures)
        try box.encode("llama", forKey: .modelType)
        try box.encode(vocabularySize, forKey: .vocabularySize)
        try box.encode(hiddenSize, forKey: .hiddenSize)
        try box.encode(intermediateSize, forKey: .intermediateSize)
        try box.encode(layerCount, forKey: .layerCount)
        try box.encode(headCount, forKey: .headCount)
        try box.encode(keyValueHeadCount, forKey: .keyValueHeadCount)
        try box.encode(headDimension, forKey: .headDimension)
        try box.encode(contextLength, forKey: .contextLength)
        try box.encode(normEpsilon, forKey: .normEpsilon)
        try box.encode(ropeTheta, forKey: .ropeTheta)
        try box.encode(Rope(theta: ropeTheta, type: "default"), forKey: .ropeParameters)
        try box.encode(tiesEmbeddings, forKey: .tiesEmbeddings)
        try box.encode("silu", forKey: .activation)
        try box.encode(false, forKey: .attentionBias)
        try box.encode(false, forKey: .mlpBias)
        try box.encodeIfPresent(beginID, forKey: .beginID)
        try box.encodeIfPresent(padID, forKey: .padID)
        if endIDs.count == 1 { try box.encode(endIDs[0], forKey: .endID) }
        if endIDs.count > 1 { try box.encode(endIDs, forKey: .endID) }
    }
}
