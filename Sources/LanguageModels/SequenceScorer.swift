import Foundation
import ModelFormats
import Torch

/// A decoder that gives numbers instead of tokens: `<Family>ForSequenceClassification`, one number per label read off
/// the last token of a text. With one label it is a reward model as the field shares them.
public final class SequenceScorer: Module, @unchecked Sendable {
    /// The decoder without a head that gives logits.
    public var body: any DecoderFamily { decoder }
    /// Names of the numbers, in their order.
    public let labels: [String]
    /// [labels, hidden].
    public let score: Linear
    private let decoder: any CheckpointDecoder

    /// Loads a folder that transformers, TRL or `save` wrote.
    /// - Throws: as `PretrainedDecoder.load`.
    public init(folder: URL, dtype: DType = .float32, device: Device = .cpu) throws {
        let family = try PretrainedDecoder.family(of: folder)
        let place = try ModelFolder(folder)
        let names = try place.configuration(LabelFields.self).labels(folder)
        decoder = try family.init(opening: folder, as: .scorer, dtype: dtype, device: device)
        labels = names
        let source = CheckpointSource(
            weights: try place.weights(), folder: folder, prefix: "", dtype: dtype, device: device)
        score = try source.linear("score", from: decoder.configuration.hiddenSize, to: names.count)
    }

    /// A fresh head on a folder's decoder, to learn one number per label. The language-model head stays behind.
    /// - Parameter generator: the head's weights are normal with deviation 0.02.
    public init(
        decoder folder: URL, labels: [String] = ["LABEL_0"], generator: Generator, dtype: DType = .float32,
        device: Device = .cpu
    ) throws {
        guard !labels.isEmpty, Set(labels).count == labels.count else {
            throw LanguageModelError(.input, "a scorer needs labels, each once; they are \(labels)")
        }
        decoder = try PretrainedDecoder.family(of: folder)
            .init(opening: folder, as: .body, dtype: dtype, device: device)
        self.labels = labels
        score = try FreshWeights(layerCount: 1, generator: generator, dtype: dtype, device: device)
            .linear("score", from: decoder.configuration.hiddenSize, to: labels.count)
    }

    public var namedParameters: [(name: String, parameter: Parameter)] {
        decoder.namedParameters + score.named("score")
    }

    /// The numbers of each row.
    /// - Parameters:
    ///   - ids: int64 [B, T], padded on either side.
    ///   - positions: as `Decoder.hidden` takes them.
    ///   - mask: must hide the padding where it is on the left.
    ///   - last: int64 [B], where each row's last token stands; `nil` finds it as transformers does, the rightmost that
    ///     is not `pad_token_id`.
    /// - Returns: [B, labels] in the compute type.
    /// - Throws: `LanguageModelError` `input` for several rows without `last` when the model has no pad id.
    public func scores(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, last: Tensor? = nil, compute: DType? = nil
    ) throws -> Tensor {
        let hidden = try decoder.hidden(ids, positions: positions, mask: mask, cache: nil, compute: compute)
        let (batch, length, width) = (hidden.shape[0], hidden.shape[1], hidden.shape[2])
        let last = try last ?? self.last(ids)
        guard last.shape == [batch] else {
            throw LanguageModelError(.input, "there are \(batch) rows and places of shape \(last.shape)")
        }
        let rows = try Tensor.arange(batch, device: ids.device) * length + last
        return try score(hidden.reshape([batch * length, width]).indexSelect(dim: 0, index: rows))
    }

    private func last(_ ids: Tensor) throws -> Tensor {
        let length = ids.shape[1]
        guard let pad = decoder.configuration.padID else {
            guard ids.shape[0] == 1 else {
                throw LanguageModelError(
                    .input, "config.json names no pad_token_id: score rows one by one, or say where each ends")
            }
            return try Tensor([length - 1], device: ids.device)
        }
        let places = try Tensor.arange(length, device: ids.device)
        return try (ids.notEqual(to: Double(pad)).to(.int64) * places).argmax(dim: -1)
    }

    /// Writes `config.json` and `model.safetensors` so that transformers loads the folder as
    /// `AutoModelForSequenceClassification`.
    public func save(to folder: URL, metadata: [String: String] = [:]) throws {
        try decoder.write(to: folder, metadata: metadata, score: score.weight.map { (labels, $0.value) })
    }
}

/// `config.json` of a scorer: the family's, with another class and with labels.
struct ScorerFields<Family: FamilyConfiguration>: Encodable {
    let family: Family
    let labels: [String]

    func encode(to encoder: any Encoder) throws {
        try family.encode(to: encoder)
        var writer = ConfigurationWriter(encoder)
        try writer.write("architectures", [Family.scorerArchitecture])
        let places = labels.enumerated().map { ($1, $0) }
        try writer.write("id2label", Dictionary(uniqueKeysWithValues: places.map { ("\($0.1)", $0.0) }))
        try writer.write("label2id", Dictionary(uniqueKeysWithValues: places))
    }
}

/// The labels of a scorer's `config.json`.
private struct LabelFields: Decodable {
    var names: [String: String]?
    var count: Int?

    enum CodingKeys: String, CodingKey {
        case names = "id2label"
        case count = "num_labels"
    }

    func labels(_ folder: URL) throws -> [String] {
        func fault(_ what: String) -> LanguageModelError {
            .init(.configuration, "\(folder.path)/config.json: \(what)")
        }
        // Without either field transformers makes two.
        let count = names?.count ?? count ?? 2
        guard (1...100_000).contains(count) else { throw fault("num_labels is \(count)") }
        guard let names else { return (0..<count).map { "LABEL_\($0)" } }
        return try (0..<count).map { place in
            guard let name = names["\(place)"] else { throw fault("id2label lacks \(place)") }
            return name
        }
    }
}
