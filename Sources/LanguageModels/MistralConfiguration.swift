/// Mistral (arXiv 2310.06825): Llama with grouped queries and a window that every layer looks through.
public struct MistralConfiguration: GatedFamily {
    public static let modelType = "mistral"
    public static let classStem = "Mistral"

    public var gated: GatedConfiguration
    /// Tokens that a layer sees, the token itself among them; `nil` is all.
    public var windowSize: Int?

    public var options: GatedOptions {
        var options = GatedOptions()
        options.window = windowSize.map {
            SlidingWindow(size: $0, layers: Array(repeating: true, count: gated.layerCount))
        }
        return options
    }

    public init(_ gated: GatedConfiguration, windowSize: Int? = nil) {
        self.gated = gated
        self.windowSize = windowSize
    }

    public init(from decoder: any Swift.Decoder) throws {
        let fields = try ConfigurationFields(decoder)
        gated = try GatedConfiguration(fields, keyValueHeads: 8)
        // Missing means 4096, as in the first release; null means none, as in the later ones.
        windowSize = fields.contains("sliding_window") ? try fields.optional("sliding_window") : 4096
        let every = windowSize == nil ? SlidingWindow.full : SlidingWindow.sliding
        if let types: [String] = try fields.optional("layer_types"), let odd = types.first(where: { $0 != every }) {
            throw fields.unsupported("layer_types", "“\(odd)”")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var writer = try writer(encoder)
        if let windowSize {
            try writer.write("sliding_window", windowSize)
        } else {
            try writer.writeNull("sliding_window")
        }
    }
}

/// A Mistral decoder.
public typealias MistralModel = GatedDecoder<MistralConfiguration>
