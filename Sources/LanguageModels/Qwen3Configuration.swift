/// Qwen3 (arXiv 2505.09388): Qwen2 without the biases, with a norm over each head's queries and keys, and heads whose
/// size is a field of its own, so that heads times size may differ from the hidden size.
public struct Qwen3Configuration: GatedFamily {
    public static let modelType = "qwen3"
    public static let classStem = "Qwen3"

    public var gated: GatedConfiguration
    /// Biases on the four matrices of attention.
    public var attentionBias = false
    public var slidingWindow: SlidingWindow?

    public var options: GatedOptions {
        var options = GatedOptions()
        options.queryKeyValueBias = attentionBias
        options.outputBias = attentionBias
        options.headNorms = true
        options.window = slidingWindow
        return options
    }

    public init(_ gated: GatedConfiguration, slidingWindow: SlidingWindow? = nil) {
        self.gated = gated
        self.slidingWindow = slidingWindow
    }

    public init(from decoder: any Swift.Decoder) throws {
        let fields = try ConfigurationFields(decoder)
        gated = try GatedConfiguration(fields, keyValueHeads: 32, headDimension: 128)
        attentionBias = try fields.value("attention_bias", default: false)
        slidingWindow = try .qwen(fields, layerCount: gated.layerCount)
    }

    public func encode(to encoder: any Encoder) throws {
        var writer = try writer(encoder)
        try writer.write("attention_bias", attentionBias)
        try SlidingWindow.writeQwen(slidingWindow, to: &writer)
    }
}

/// A Qwen3 decoder.
public typealias Qwen3Model = GatedDecoder<Qwen3Configuration>
