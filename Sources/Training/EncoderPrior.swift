import Conversations
import Foundation
import LanguageModels
import Statistics
import Tokenizers
import Torch

/// Where the fine-tuning of an encoder reward model begins: a logistic regression on the sentence vectors of the encoder as it
/// was, `[r, c, r·c, |r − c|, facts]` and, with the next message, `[n, whether there is one, log of its words]`.
///
/// A few hundred votes move an encoder's weights anywhere; probing first and tuning from there keeps what the frozen vectors
/// know (Kumar et al. 2022, arXiv 2202.10054). Here the tuned encoder learns only what the probe leaves over.
struct EncoderPrior {
    /// The encoder as it was, in bfloat16.
    let encoder: BertModel
    let tokenizer: WordPiece
    /// Platt's scaling included; `nil` knows nothing yet.
    private var head: LogisticRegression?
    let contextTurns: Int
    let usesNextMessage: Bool

    /// A probe to be fitted.
    init(encoder folder: URL, shape: EncoderRewardModel.Shape, device: Device) throws {
        encoder = try BertModel(folder: folder, dtype: device.matrixType, device: device)
        tokenizer = try WordPiece(contentsOf: folder.appending(path: "tokenizer.json"))
        contextTurns = shape.contextTurns
        usesNextMessage = shape.usesNextMessage
    }

    /// Fits the probe, its penalty chosen over people.
    /// - Returns: For each vote the probe's margin when it had not seen the vote's person: what the tuning begins from.
    mutating func fit(_ examples: [RewardExample], seed: UInt64) throws -> [Double] {
        let labels = examples.map(\.isGood)
        let weights = examples.map(\.weight)
        let found = try CrossValidatedLogistic(
            rows(examples.map { .init($0) }), labels: labels, weights: weights, groups: examples.map(\.userID),
            penalties: [1000, 3000, 9000], standardise: true, seed: seed)
        let curve = try RewardModel.platt(margins: found.outOfFold, labels: labels, weights: weights)
        var scaled = found.model
        scaled.coefficients = scaled.coefficients.map { $0 * curve.slope }
        scaled.bias = scaled.bias * curve.slope + curve.offset
        head = scaled
        return found.outOfFold.map { $0 * curve.slope + curve.offset }
    }

    func margins(_ inputs: [EncoderRewardModel.Input]) throws -> [Double] {
        guard let head, !inputs.isEmpty else { return [Double](repeating: 0, count: inputs.count) }
        return try head.margins(rows(inputs))
    }

    // MARK: - Rows

    private func rows(_ inputs: [EncoderRewardModel.Input]) throws -> Matrix {
        var places: [String: Int] = [:]
        var texts: [String] = []
        func place(_ text: String) -> Int {
            if let known = places[text] { return known }
            places[text] = texts.count
            texts.append(text)
            return texts.count - 1
        }
        let wanted = inputs.map { input in
            (
                reply: place(input.reply),
                context: place(input.context.suffix(contextTurns).map(\.text).joined(separator: "\n")),
                next: usesNextMessage ? place(input.nextMessage ?? "") : 0
            )
        }
        let vectors = try vectors(texts)
        return try Matrix(
            inputs.indices.map { index in
                let input = inputs[index]
                let (reply, context) = (vectors[wanted[index].reply], vectors[wanted[index].context])
                var row = reply + context
                row += zip(reply, context).map { $0 * $1 }
                row += zip(reply, context).map { abs($0 - $1) }
                row += OverlapFeatures.values(context: input.context, reply: input.reply)
                if usesNextMessage {
                    let words = OverlapFeatures.words(input.nextMessage ?? "").count
                    row += vectors[wanted[index].next] + [input.nextMessage == nil ? 0 : 1, log(1 + Float(words))]
                }
                return row
            })
    }

    /// Means of the last states, of length 1.
    private func vectors(_ texts: [String]) throws -> [[Float]] {
        let ids = texts.map { tokenizer.encode($0, maximumLength: min(256, encoder.configuration.contextLength)) }
        let order = ids.indices.sorted { (ids[$1].count, $0) < (ids[$0].count, $1) }
        let device = encoder.namedParameters.first?.parameter.value.device ?? .cpu
        let width = encoder.configuration.hiddenSize
        var result = [[Float]](repeating: [], count: texts.count)
        for start in stride(from: 0, to: order.count, by: 16) {
            let part = order[start..<min(start + 16, order.count)]
            let columns = part.map { ids[$0].count }.max() ?? 0
            let shape = [part.count, columns]
            let values = try withoutGradients {
                let isReal = try Tensor(
                    part.flatMap { text in (0..<columns).map { $0 < ids[text].count } }, shape: shape, device: device)
                let states = try encoder.hidden(
                    Tensor(
                        part.flatMap {
                            ids[$0] + [Int](repeating: tokenizer.pad, count: columns - ids[$0].count)
                        }, shape: shape, device: device),
                    attentionMask: isReal
                ).to(.float32)
                let sum = try (states * isReal.to(.float32).unsqueeze(-1)).sum(dim: 1)
                return try (sum / sum.square().sum(dim: -1, keepDim: true).sqrt().clamp(min: 1e-12)).floats()
            }
            for (row, text) in part.enumerated() { result[text] = Array(values[row * width..<(row + 1) * width]) }
        }
        return result
    }

    // MARK: - On disk

    private static let headName = "head.json"

    static func isPresent(in folder: URL) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: headName).path)
    }

    /// Writes the encoder as it was, with the probe beside it.
    func save(to folder: URL, like origin: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["config.json", "tokenizer.json"] {
            try Data(contentsOf: origin.appending(path: name)).write(
                to: folder.appending(path: name), options: .atomic)
        }
        try TensorFile.write(
            encoder.namedParameters.map { ($0.name, $0.parameter.value) }, metadata: ["format": "pt"],
            to: folder.appending(path: "model.safetensors"))
        try JSONEncoder().encode(head).write(to: folder.appending(path: Self.headName), options: .atomic)
    }

    /// Loads what `save` wrote.
    /// - Throws: `TrainingError` for a probe of other features than this version computes.
    init(folder: URL, shape: EncoderRewardModel.Shape, device: Device) throws {
        try self.init(encoder: folder, shape: shape, device: device)
        let file = folder.appending(path: Self.headName)
        let found: LogisticRegression
        do {
            found = try JSONDecoder().decode(LogisticRegression.self, from: Data(contentsOf: file))
        } catch {
            throw TrainingError(.checkpoint, "\(file.path) cannot be read: \(error)")
        }
        let width = encoder.configuration.hiddenSize
        let count = 4 * width + OverlapFeatures.names.count + (usesNextMessage ? width + 2 : 0)
        guard found.coefficients.count == count else {
            throw TrainingError(
                .checkpoint, "\(file.path) has \(found.coefficients.count) coefficients, \(count) are needed")
        }
        head = found
    }
}
