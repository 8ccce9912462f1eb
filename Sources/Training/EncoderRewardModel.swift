import Conversations
import Foundation
import LanguageModels
import Statistics
import Tokenizers
import Torch

/// A reward model whose encoder is fine-tuned end to end: context, reply and, where asked for, the person's next message in
/// one text, a number off the means of their parts, calibrated to the probability that people like the reply.
///
/// Its margin is that of a probe on the encoder's sentence vectors as they were (`EncoderPrior`) plus what the tuned encoder
/// sees beyond it: `[r, c, r·c, |r − c|, n, r·n, facts]` go into one linear head, `r`, `c`, `n` being the means of the last states over reply,
/// context and next message, and `facts` the plain ones of `OverlapFeatures`. After JUICER's satisfaction classifier (Shi et
/// al. 2022, arXiv 2210.15893), which the next message lifts most.
///
/// Its folder is one of BERT with the head beside it, so other tools open the encoder. Not for use from several tasks at
/// once.
public final class EncoderRewardModel: @unchecked Sendable {
    /// A reply to be judged.
    public struct Input: Sendable, Hashable {
        public var context: [Turn]
        public var reply: String
        /// Looked at only by a model that was trained with it.
        public var nextMessage: String?

        public init(context: [Turn], reply: String, nextMessage: String? = nil) {
            self.context = context
            self.reply = reply
            self.nextMessage = nextMessage
        }
    }

    /// Shape of the model: `reward.json`.
    public struct Shape: Sendable, Hashable, Codable {
        /// Turns before the reply that are read.
        public var contextTurns = 3
        public var usesNextMessage = false
        /// Tokens of the whole text, and most of them for reply and next message; the context has the rest, its end first.
        public var maximumLength = 80
        public var replyLength = 40
        public var nextLength = 28
        /// Mean and deviation of each plain fact over the training votes.
        public var factMeans = [Float](repeating: 0, count: OverlapFeatures.names.count)
        public var factDeviations = [Float](repeating: 1, count: OverlapFeatures.names.count)
        /// Platt's scaling: probability of good = σ(slope · margin + offset).
        public var slope = 1.0
        public var offset = 0.0

        public init() {}

        enum CodingKeys: String, CodingKey {
            case slope, offset
            case contextTurns = "context_turns"
            case usesNextMessage = "uses_next_message"
            case maximumLength = "maximum_length"
            case replyLength = "reply_length"
            case nextLength = "next_length"
            case factMeans = "fact_means"
            case factDeviations = "fact_deviations"
        }
    }

    public internal(set) var shape: Shape
    let encoder: BertModel
    /// [1, features] and [1].
    let head: Linear
    /// What the margin begins from; `nil` for a model tuned without a probe.
    var prior: EncoderPrior?
    private let tokenizer: WordPiece

    /// The features of a row.
    static func featureCount(hiddenSize: Int, usesNextMessage: Bool) -> Int {
        (usesNextMessage ? 6 : 4) * hiddenSize + OverlapFeatures.names.count
    }

    init(shape: Shape, encoder: BertModel, head: Linear, tokenizer: WordPiece) {
        self.shape = shape
        self.encoder = encoder
        self.head = head
        self.tokenizer = tokenizer
    }

    /// A model to be trained: the encoder of a folder and a head of zeros.
    convenience init(encoder folder: URL, shape: Shape, device: Device = .cpu) throws {
        let encoder = try BertModel(folder: folder, device: device)
        let count = Self.featureCount(
            hiddenSize: encoder.configuration.hiddenSize, usesNextMessage: shape.usesNextMessage)
        self.init(
            shape: shape, encoder: encoder,
            head: Linear(
                weight: Parameter(try Tensor.zeros([1, count], device: device)),
                bias: Parameter(try Tensor.zeros([1], device: device))),
            tokenizer: try WordPiece(contentsOf: folder.appending(path: "tokenizer.json")))
    }

    // MARK: - Reading a reply

    /// A text's ids and where its parts stand.
    struct Encoded {
        var ids: [Int]
        var context, reply, next: Range<Int>
        var facts: [Float]
    }

    func encode(_ input: Input) -> Encoded {
        func pieces(_ text: String, _ length: Int) -> [Int] {
            Array(tokenizer.encode(text, maximumLength: length + 2).dropFirst().dropLast())
        }
        let reply = pieces(input.reply, shape.replyLength)
        let next = shape.usesNextMessage ? pieces(input.nextMessage ?? "", shape.nextLength) : []
        let marks = shape.usesNextMessage ? 4 : 3
        let room = max(0, shape.maximumLength - reply.count - next.count - marks)
        let text = input.context.suffix(shape.contextTurns).map(\.text).joined(separator: " \n ")
        let context = Array(pieces(text, 8 * shape.maximumLength).suffix(room))
        var ids = [tokenizer.begin]
        func add(_ part: [Int]) -> Range<Int> {
            // The separator belongs to its part, so that none is empty.
            let start = ids.count
            ids += part + [tokenizer.end]
            return start..<ids.count
        }
        let ranges = (add(context), add(reply), shape.usesNextMessage ? add(next) : 0..<1)
        let raw = OverlapFeatures.values(context: input.context, reply: input.reply)
        let facts = raw.indices.map { (raw[$0] - shape.factMeans[$0]) / shape.factDeviations[$0] }
        return Encoded(ids: ids, context: ranges.0, reply: ranges.1, next: ranges.2, facts: facts)
    }

    /// `[n]`, the margins of texts.
    func margins(_ texts: [Encoded], compute: DType) throws -> Tensor {
        try head(features(texts, compute: compute)).reshape([texts.count])
    }

    /// `[n, features]`, what the head sees of texts.
    func features(_ texts: [Encoded], compute: DType) throws -> Tensor {
        let device = encoder.namedParameters.first?.parameter.value.device ?? .cpu
        let columns = encoder.paddedLength(of: texts.map(\.ids.count))
        let shape = [texts.count, columns]
        let ids = texts.flatMap { $0.ids + [Int](repeating: tokenizer.pad, count: columns - $0.ids.count) }
        let isReal = texts.flatMap { text in (0..<columns).map { $0 < text.ids.count } }
        let states = try encoder.hidden(
            Tensor(ids, shape: shape, device: device), attentionMask: Tensor(isReal, shape: shape, device: device),
            compute: compute
        ).to(.float32)
        func mean(_ range: (Encoded) -> Range<Int>) throws -> Tensor {
            let weights = texts.flatMap { text in
                (0..<columns).map { range(text).contains($0) ? 1 / Float(range(text).count) : 0 }
            }
            return try (states * Tensor(weights, shape: shape + [1], device: device)).sum(dim: 1)
        }
        let (reply, context) = (try mean(\.reply), try mean(\.context))
        var parts = [reply, context, try reply * context, try (reply - context).abs()]
        if self.shape.usesNextMessage {
            let next = try mean(\.next)
            parts += [next, try reply * next]
        }
        parts.append(
            try Tensor(texts.flatMap(\.facts), shape: [texts.count, OverlapFeatures.names.count], device: device))
        return try Tensor.cat(parts, dim: 1)
    }

    // MARK: - Judging

    /// Uncalibrated margins, in order; larger is better.
    public func margins(_ inputs: [Input], compute: DType = Device.cpu.matrixType) throws -> [Double] {
        let tuned = try tunedMargins(inputs, compute: compute)
        guard let prior else { return tuned }
        return zip(try prior.margins(inputs), tuned).map { $0 + $1 }
    }

    /// What the margins begin from: those of the probe alone, 0 for a model without one.
    public func probeMargins(_ inputs: [Input]) throws -> [Double] {
        try prior?.margins(inputs) ?? [Double](repeating: 0, count: inputs.count)
    }

    /// What the tuned encoder adds.
    /// - Parameter batchTokens: most padded tokens of one pass; small passes stay in the processor's caches.
    func tunedMargins(_ inputs: [Input], compute: DType, batchTokens: Int = 512) throws -> [Double] {
        let texts = inputs.map(encode)
        let order = texts.indices.sorted { (texts[$1].ids.count, $0) < (texts[$0].ids.count, $1) }
        var result = [Double](repeating: 0, count: inputs.count)
        var start = 0
        while start < order.count {
            let rows = max(1, batchTokens / texts[order[start]].ids.count)
            let part = order[start..<min(start + rows, order.count)]
            start += part.count
            let values = try withoutGradients { try margins(part.map { texts[$0] }, compute: compute).doubles() }
            for (place, value) in zip(part, values) { result[place] = value }
        }
        return result
    }

    /// Probability that people like each reply.
    public func probabilities(_ inputs: [Input]) throws -> [Double] {
        try margins(inputs).map { LogisticRegression.sigmoid(shape.slope * $0 + shape.offset) }
    }

    // MARK: - On disk

    private static let shapeName = "reward.json"
    private static let headName = "reward.safetensors"
    private static let priorName = "prior"
    private static let copied = ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]

    /// Writes the encoder as a BERT folder with the head beside it; `reward.json` comes last.
    /// - Parameter origin: The folder that the encoder came from, for its configuration and tokenizer.
    public func save(to url: URL, like origin: URL) throws {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            for name in Self.copied {
                let (from, to) = (origin.appending(path: name), url.appending(path: name))
                guard FileManager.default.fileExists(atPath: from.path), from.path != to.path else { continue }
                try Data(contentsOf: from).write(to: to, options: .atomic)
            }
            try TensorFile.write(
                encoder.namedParameters.map { ($0.name, $0.parameter.value) }, metadata: ["format": "pt"],
                to: url.appending(path: "model.safetensors"))
            try TensorFile.write(
                head.named("head").map { ($0.name, $0.parameter.value) }, to: url.appending(path: Self.headName))
            let probe = url.appending(path: Self.priorName)
            if let prior {
                try prior.save(to: probe, like: origin)
            } else if EncoderPrior.isPresent(in: probe) {
                // What lies there is another model's, and would be added to this one's margins.
                try FileManager.default.removeItem(at: probe)
            }
            let json = JSONEncoder()
            json.outputFormatting = [.prettyPrinted, .sortedKeys]
            try json.encode(shape).write(to: url.appending(path: Self.shapeName), options: .atomic)
        } catch {
            throw TrainingError(.file, "\(url.path) cannot be written: \(error)")
        }
    }

    /// Loads a folder that `save` wrote.
    public convenience init(folder url: URL, device: Device = .cpu) throws {
        let file = url.appending(path: Self.shapeName)
        let shape: Shape
        do {
            shape = try JSONDecoder().decode(Shape.self, from: Data(contentsOf: file))
        } catch {
            throw TrainingError(.checkpoint, "\(file.path): not an encoder reward model: \(error)")
        }
        guard shape.factMeans.count == OverlapFeatures.names.count, shape.factDeviations.count == shape.factMeans.count
        else { throw TrainingError(.checkpoint, "\(file.path): learned from other facts than this version computes") }
        try self.init(encoder: url, shape: shape, device: device)
        let saved = try TensorFile.read(url.appending(path: Self.headName), device: device)
        for (name, parameter) in head.named("head") {
            guard let value = saved[name], value.shape == parameter.value.shape else {
                throw TrainingError(.checkpoint, "\(url.path)/\(Self.headName): \(name) is missing or of another shape")
            }
            try parameter.value.copy(from: value)
        }
        let place = url.appending(path: Self.priorName)
        if EncoderPrior.isPresent(in: place) {
            prior = try EncoderPrior(folder: place, shape: shape, device: device)
        }
    }
}

extension EncoderRewardModel.Input {
    public init(_ example: RewardExample) {
        self.init(context: example.context, reply: example.reply, nextMessage: example.nextMessage)
    }
}

/// The classifier that other rooms know: the probability of a *good* reply, before anybody has answered it.
extension EncoderRewardModel: TextClassifier {
    public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        guard !shape.usesNextMessage else {
            throw TrainingError(.options, "this reward model wants the person's next message, which is not there yet")
        }
        return try probabilities(pairs.map { .init(context: $0.context, reply: $0.text) })
    }
}
