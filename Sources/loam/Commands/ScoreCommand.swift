import ArgumentParser
import Conversations
import Foundation
import Generation
import LanguageModels
import Tokenizers
import Torch

/// How probable a model finds given texts.
struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: "Log-probabilities and perplexity of given texts under a model.",
        discussion: """
            Lines of plain text, or of JSON with a "text" field. One JSON line comes out for each: its tokens' ids and
            log-probabilities (null for a first token that nothing is before) and its perplexity; the perplexity over all tokens
            goes to standard error, or, with --json, is all there is.

            Example: loam score --model models/base --data texts.jsonl
            """)

    @Option(name: .long, help: "Folder of the model.")
    var model: String

    @Option(name: .long, help: "The texts.")
    var data: String

    @Option(name: .long, help: "float32 or bfloat16 (default: float32, bfloat16 for a packed model or with --bits).")
    var dtype: String?

    @Option(name: .long, help: "Packs the weights: 16 bits, or rounded to 8 or 4.")
    var bits: Int?

    @Option(name: .long, help: "Threads of libtorch.")
    var threads = 2

    @OptionGroup var common: CommonOptions

    struct Line: Encodable {
        var ids: [Int]
        var logProbabilities: [Double?]
        var perplexity: Double?

        enum CodingKeys: String, CodingKey {
            case ids, perplexity
            case logProbabilities = "log_probabilities"
        }
    }

    struct Summary: Encodable {
        var texts: Int
        var tokens: Int
        var perplexity: Double?
    }

    func validate() throws { try Threads.require(threads) }

    func run() async throws {
        let packing = bits.flatMap(PackedWeight.Bits.init(rawValue:))
        guard (bits == nil) == (packing == nil) else { throw ValidationError("--bits is 16, 8 or 4") }
        // Packed weights are for bfloat16: what is scored is what would talk.
        let isPacked = try packing != nil || PretrainedDecoder.isPacked(URL(filePath: model))
        let name = dtype ?? (isPacked ? "bfloat16" : "float32")
        guard let type = DType(rawValue: name), [.float32, .bfloat16].contains(type) else {
            throw ValidationError("--dtype is float32 or bfloat16, not \(name)")
        }
        try Engine.setThreadCount(threads)
        let texts = try self.texts()
        let decoder = try PretrainedDecoder.load(folder: URL(filePath: model), dtype: type)
        if let packing { try decoder.pack(packing) }
        let tokenizer = try PretrainedTokenizer(folder: URL(filePath: model))
        try decoder.configuration.requireVocabulary(tokens: tokenizer.vocabularySize, in: URL(filePath: model))
        let scorer = LikelihoodScorer(model: decoder, tokenizer: tokenizer)
        var scored: [TextLikelihood] = []
        // A few at a time: what is scored is written before the next is read.
        for start in stride(from: 0, to: texts.count, by: 64) {
            let part = try await scorer.scores(ofTexts: Array(texts[start..<min(start + 64, texts.count)]))
            scored += part
            guard !common.json else { continue }
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            for one in part {
                let line = Line(ids: one.ids, logProbabilities: one.tokenLogProbabilities, perplexity: one.perplexity)
                print(String(decoding: try encoder.encode(line), as: UTF8.self))
            }
        }
        let summary = Summary(
            texts: scored.count, tokens: scored.reduce(0) { $0 + $1.scoredCount },
            perplexity: TextLikelihood.perplexity(of: scored))
        try common.console.result(summary)
        common.console.show(
            "\(summary.texts) texts, \(summary.tokens) tokens, perplexity "
                + (summary.perplexity.map { String(format: "%.4f", $0) } ?? "–"))
    }

    private struct Text: Decodable {
        var text: String
    }

    private func texts() throws -> [String] {
        try TextLines.read(data).enumerated().compactMap { number, line -> String? in
            guard !line.isEmpty else { return nil }
            guard line.first == "{" else { return line }
            guard let text = try? JSONDecoder().decode(Text.self, from: Data(line.utf8)).text else {
                throw ValidationError("\(data):\(number + 1): not a JSON object with a \"text\"")
            }
            return text
        }
    }
}
