import LanguageModels
import Tokenizers

/// Sizes of dialogue models that can be pre-trained from nothing, by name.
public enum ModelPreset: String, Sendable, Hashable, Codable, CaseIterable {
    /// About 2M parameters: tests, and a first run in minutes.
    case tiny
    /// About 6M: what two cores without bfloat16 can pre-train in an hour or two.
    case mini
    /// About 10M.
    case small
    /// About 29.5M.
    case medium

    /// Ids of the vocabulary.
    public var vocabularySize: Int {
        switch self {
        case .tiny: 2048
        case .mini: 4096
        case .small, .medium: 8192
        }
    }

    /// Longest sequence in tokens.
    public var contextLength: Int { 256 }

    var layers: Int {
        switch self {
        case .tiny: 4
        case .mini, .small: 6
        case .medium: 8
        }
    }

    var width: Int {
        switch self {
        case .tiny: 192
        case .mini: 256
        case .small: 320
        case .medium: 512
        }
    }

    var heads: Int {
        switch self {
        case .tiny, .mini: 4
        case .small: 5
        case .medium: 8
        }
    }

    /// Two thirds of four times the width, as SwiGLU's three matrices ask for, rounded up to whole vector registers.
    var innerWidth: Int { (width * 8 / 3 + 31) / 32 * 32 }

    /// The shape as a decoder's configuration; pad and end come from the chat format.
    /// - Parameter contextLength: Longest sequence in tokens; `nil` takes the preset's.
    public func configuration(format: ChatFormat, contextLength: Int? = nil) -> LlamaConfiguration {
        LlamaConfiguration(
            vocabularySize: format.tokenizer.vocabularySize, hiddenSize: width, intermediateSize: innerWidth,
            layerCount: layers, headCount: heads, contextLength: contextLength ?? self.contextLength, padID: format.pad,
            endIDs: [format.end])
    }
}
