/// `config.json` of a BERT encoder.
public struct BertConfiguration: Sendable, Hashable, Decodable {
    public var vocabularySize: Int
    public var hiddenSize: Int
    public var intermediateSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var contextLength: Int
    public var typeCount: Int
    public var normEpsilon: Double
    public var activation: String
    /// How positions come in; missing means `absolute`.
    public var positionKind: String?

    enum CodingKeys: String, CodingKey {
        case vocabularySize = "vocab_size"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case contextLength = "max_position_embeddings"
        case typeCount = "type_vocab_size"
        case normEpsilon = "layer_norm_eps"
        case activation = "hidden_act"
        case positionKind = "position_embedding_type"
    }

    /// - Throws: `LanguageModelError` naming the field at fault.
    func validate() throws {
        let counts = [
            ("vocab_size", vocabularySize), ("hidden_size", hiddenSize), ("intermediate_size", intermediateSize),
            ("num_hidden_layers", layerCount), ("num_attention_heads", headCount),
            ("max_position_embeddings", contextLength), ("type_vocab_size", typeCount),
        ]
        for (name, value) in counts where value < 1 || value > 1 << 24 {
            throw LanguageModelError(.configuration, "config.json: \(name) is \(value)")
        }
        guard hiddenSize % headCount == 0 else {
            throw LanguageModelError(
                .configuration,
                "config.json: hidden_size \(hiddenSize) is no multiple of num_attention_heads \(headCount)")
        }
        guard activation == "gelu" else {
            throw LanguageModelError(.configuration, "config.json: hidden_act “\(activation)” is not supported")
        }
        if let positionKind, positionKind != "absolute" {
            throw LanguageModelError(
                .configuration, "config.json: position_embedding_type “\(positionKind)” is not supported")
        }
    }
}
