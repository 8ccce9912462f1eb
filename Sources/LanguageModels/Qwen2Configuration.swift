/// Qwen2 and Qwen2.5 (arXiv 2407.10671): Llama with biases on queries, keys and values, never on the output, and layers
/// that may slide.
public struct Qwen2Configuration: GatedFamily {
    public static let modelType = "qwen2"
    public static let classStem = "Qwen2"

    public var gated: GatedConfiguration
    public var slidingWindow: SlidingWindow?

    public var options: GatedOptions {
        var options = GatedOptions()
        options.queryKeyValueBias = true
        options.window = slidingWindow
        return options
    }

    public init(_ gated: GatedConfiguration, slidingWindow: SlidingWindow? = nil) {
        self.gated = gated
        self.slidingWindow = slidingWindow
    }

    public init(from decoder: any Swift.Decoder) throws {
        let fields = try ConfigurationFields(decoder)
        gated = try GatedConfiguration(fields, keyValueHeads: 32)
        slidingWindow = try .qwen(fields, layerCount: gated.layerCount)
    }

    public func encode(to encoder: any Encoder) throws {
        var writer = try writer(encoder)
        try SlidingWindow.writeQwen(slidingWindow, to: &writer)
    }
}

/// A Qwen2 decoder.
public typealias Qwen2Model = GatedDecoder<Qwen2Configuration>
