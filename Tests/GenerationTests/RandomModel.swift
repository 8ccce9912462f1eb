import Generation
import LanguageModels
import Synchronization
import Tokenizers
import Torch

/// Random models of any size, for what needs no tokenizer.
enum RandomModel {
    static func make(
        layers: Int = 2, hidden: Int = 32, vocabulary: Int = 60, context: Int = 512, heads: Int = 4,
        dtype: DType = .float32
    ) throws -> LlamaModel {
        try LlamaModel(
            LlamaConfiguration(
                vocabularySize: vocabulary, hiddenSize: hidden, intermediateSize: 2 * hidden, layerCount: layers,
                headCount: heads, keyValueHeadCount: max(heads / 2, 1), contextLength: context, tiesEmbeddings: false),
            generator: Generator(seed: 6), dtype: dtype)
    }

    static func settings(
        temperature: Double = 1, tokens: Int = 12, seed: UInt64 = 0, ends: Set<Int> = []
    ) throws -> DecodingSettings {
        DecodingSettings(
            sampler: try TokenSampler(temperature: temperature, topP: 0.95),
            rules: DrawingRules(endIDs: ends, maximumTokens: tokens), seed: seed)
    }

    /// A prompt of so many tokens, different for each `salt`.
    static func prompt(_ count: Int, salt: Int = 0, vocabulary: Int = 60) -> [Int] {
        (0..<count).map { ($0 * $0 * 7 + $0 * (salt * 11 + 3) + salt * 5) % vocabulary }
    }
}

/// Spells a token as a letter, so that texts say which tokens came.
struct Letters: PieceDecoder {
    mutating func append(_ id: Int) -> String { String(UnicodeScalar(UInt8(65 + id % 50))) }
    mutating func finish() -> String { "" }
}

/// A model that keeps a record of the passes it makes, tells of them, and may fail.
final class WatchedDecoder: LanguageModels.Decoder {
    private let model: LlamaModel
    /// Tokens of each pass.
    let passes = Mutex<[Int]>([])
    /// Called before each pass with its number from 1.
    let before = Mutex<(@Sendable (Int) -> Void)?>(nil)
    /// Whether the next pass fails.
    let fails = Mutex(false)
    var configuration: DecoderConfiguration { model.configuration }
    var namedParameters: [(name: String, parameter: Parameter)] { model.namedParameters }

    init(_ model: LlamaModel) { self.model = model }

    func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        let count = passes.withLock { passes in
            passes.append(ids.count)
            return passes.count
        }
        before.withLock { $0 }?(count)
        if fails.withLock({ $0 }) { throw LanguageModelError(.input, "broken for the test") }
        return try model.hidden(ids, positions: positions, mask: mask, cache: cache, compute: compute)
    }

    func logits(_ hidden: Tensor) throws -> Tensor { try model.logits(hidden) }
}
