import Conversations
import Foundation
import Generation
import LanguageModels
import Tokenizers
import Torch

/// What `Scripts/fixtures/generation.py` wrote with transformers.
let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

/// The random model of the fixtures, and what transformers makes of it.
struct TinyModel {
    struct Oracle: Decodable {
        var turns: [Turn]
        /// The greedy reply, the end included.
        var ids: [Int]
        var text: String
        /// A reply to score, with its tokens' log-probabilities and mean state.
        var given: String
        var logProbabilities: [Double]
        var meanState: [Float]
    }

    static let folder = fixtures.appendingPathComponent("tiny")

    static func oracles() throws -> [Oracle] {
        try JSONDecoder().decode([Oracle].self, from: Data(contentsOf: folder.appendingPathComponent("replies.json")))
    }

    static func generator(_ options: ReplyGenerator.Options = .init()) throws -> ReplyGenerator {
        try ReplyGenerator(folder: folder, options: options)
    }

    /// Histories of many lengths.
    static func histories(_ count: Int) -> [[Turn]] {
        let said = ["I like the lake", "bread", "do you see a boat today ?", "we don't", "Tom and Anna", "garden !"]
        return (0..<count).map { index in
            (0..<(index * 7 % 5)).map { Turn($0 % 2 == index % 2 ? .human : .bot, said[(index + $0) % said.count]) }
        }
    }
}

/// The same model with forty more tokens that end a reply, so that replies of a random model have many lengths.
final class EndingDecoder: LanguageModels.Decoder {
    private let model: LlamaModel
    let configuration: DecoderConfiguration

    init(_ model: LlamaModel) {
        self.model = model
        var configuration = model.configuration
        configuration.endIDs += Array(200..<240)
        self.configuration = configuration
    }

    var namedParameters: [(name: String, parameter: Parameter)] { model.namedParameters }

    func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        try model.hidden(ids, positions: positions, mask: mask, cache: cache, compute: compute)
    }

    func logits(_ hidden: Tensor) throws -> Tensor { try model.logits(hidden) }
}
