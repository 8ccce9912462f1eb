import Torch

/// Layers that look back only so far (Mistral's sliding window, arXiv 2310.06825): `size` tokens, the token itself among
/// them.
public struct SlidingWindow: Sendable, Hashable {
    public var size: Int
    /// Which layers, one entry each; the others see everything.
    public var layers: [Bool]

    public init(size: Int, layers: [Bool]) {
        self.size = size
        self.layers = layers
    }

    func validate(layerCount: Int) throws {
        guard (1...1 << 24).contains(size) else {
            throw LanguageModelError(.configuration, "config.json: sliding_window is \(size)")
        }
        guard layers.count == layerCount else {
            throw LanguageModelError(
                .configuration,
                "config.json: layer_types has \(layers.count) entries, num_hidden_layers is \(layerCount)")
        }
    }
}

extension SlidingWindow {
    static let full = "full_attention"
    static let sliding = "sliding_attention"

    /// The Qwen families' four fields: `use_sliding_window`, `sliding_window`, and either `layer_types` or
    /// `max_window_layers`, the first layer that slides.
    static func qwen(_ fields: ConfigurationFields, layerCount: Int) throws -> SlidingWindow? {
        let isUsed: Bool = try fields.value("use_sliding_window", default: false)
        // Missing means 4096; an explicit null means none.
        let size: Int? =
            isUsed ? (fields.contains("sliding_window") ? try fields.optional("sliding_window") : 4096) : nil
        let types: [String]? = try fields.optional("layer_types")
        if let odd = types?.first(where: { ![full, sliding].contains($0) }) {
            throw fields.unsupported("layer_types", "“\(odd)”")
        }
        let first: Int = try fields.value("max_window_layers", default: 28)
        guard (0...1 << 24).contains(layerCount) else { return nil }  // the check of counts will say so
        let layers = types?.map { $0 == sliding } ?? (0..<layerCount).map { size != nil && $0 >= first }
        guard layers.contains(true) else {
            // Even without a window the list must fit the layers.
            try types.map { _ in try SlidingWindow(size: 1, layers: layers).validate(layerCount: layerCount) }
            return nil
        }
        guard let size else {
            throw LanguageModelError(
                .configuration, "config.json: layer_types asks for “\(sliding)”, but use_sliding_window is not set")
        }
        return SlidingWindow(size: size, layers: layers)
    }

    /// Writes the Qwen families' fields.
    static func writeQwen(_ window: SlidingWindow?, to writer: inout ConfigurationWriter) throws {
        try writer.write("use_sliding_window", window != nil)
        guard let window else { return try writer.writeNull("sliding_window") }
        try writer.write("sliding_window", window.size)
        try writer.write("layer_types", window.layers.map { $0 ? sliding : full })
        try writer.write("max_window_layers", window.layers.firstIndex(of: true) ?? window.layers.count)
    }
}

extension AttentionMask {
    /// The same with only the last `size` of what each token may look at. Counting what is visible rather than columns
    /// makes it right for padded rows and packed documents alike. Causal stays: `Attention` narrows that by itself.
    func narrowed(to size: Int) throws -> AttentionMask {
        guard case .explicit(let mask) = self, let columns = mask.shape.last, columns > size else { return self }
        let seen = try mask.to(.int64)
        // How many visible columns come after each one.
        let later = try seen.sum(dim: -1, keepDim: true) - seen.cumsum(dim: -1)
        return .explicit(try mask.logicalAnd(later.less(than: Double(size))))
    }
}
