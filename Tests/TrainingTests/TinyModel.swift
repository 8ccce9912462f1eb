import LanguageModels
import Torch

/// A decoder of a few thousand weights, the same for the same seed.
enum TinyModel {
    static func make(vocabulary: Int, seed: UInt64 = 11) throws -> LlamaModel {
        try LlamaModel(
            LlamaConfiguration(
                vocabularySize: vocabulary, hiddenSize: 32, intermediateSize: 64, layerCount: 2, headCount: 2,
                contextLength: 64, padID: 0),
            generator: Generator(seed: seed), dtype: .float32, device: .cpu)
    }
}
