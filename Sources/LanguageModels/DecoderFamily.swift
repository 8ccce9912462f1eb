import Foundation
import ModelFormats
import Torch

/// A decoder that knows its place on disk: a Hugging Face folder of one `model_type`.
public protocol DecoderFamily: Decoder {
    /// `model_type` in `config.json`.
    static var modelType: String { get }

    /// Loads a folder.
    /// - Parameters:
    ///   - dtype: the type to keep the weights in, whichever of F16, BF16, F32 and F64 the file holds.
    /// - Throws: `ModelFormatsError` for a broken folder, `LanguageModelError` for a field or tensor that does not fit.
    init(folder: URL, dtype: DType, device: Device) throws

    /// Writes `config.json` and `model.safetensors` so that transformers loads the folder.
    func save(to folder: URL, metadata: [String: String]) throws

    /// Puts another in the place of each weight matrix but the embedding, a quantised one say, by checkpoint names
    /// (`model.layers.0.self_attn.q_proj`, `lm_head`). Only before the model is shared: nothing guards it.
    func replaceLinears(_ change: (_ name: String, _ linear: Linear) throws -> Linear) throws

    /// Another model over the very same weights: what is put in the place of its matrices leaves this one as it is.
    func sharingWeights() -> Self
}

/// What loading and saving ask of a family's model, whatever its maths.
protocol CheckpointDecoder: DecoderFamily {
    associatedtype Family: FamilyConfiguration
    var family: Family { get }

    /// - Parameter hasHead: whether logits are wanted; a scorer's body has none.
    init(_ family: Family, hasHead: Bool, source: any WeightSource) throws

    /// The weights as a file holds them: names with their prefix, matrices in the file's layout.
    func checkpointTensors() throws -> [(name: String, tensor: Tensor)]

    /// What some files spell before every name and others do not.
    static var prefix: String { get }
    /// The embedding that a tied head shares.
    static var embeddingName: String { get }
    /// Names that old files hold and that carry no weight.
    static func isBuffer(_ name: String) -> Bool
}

extension CheckpointDecoder {
    /// Opens the configuration and the weights of a folder, makes the model and checks that nothing was left over.
    init(opening folder: URL, as purpose: Purpose, dtype: DType, device: Device) throws {
        let opened = try FamilyFolder<Family>(folder, as: purpose)
        let source = CheckpointSource(
            weights: opened.weights, folder: folder, prefix: Self.prefix, dtype: dtype, device: device)
        try self.init(opened.family, hasHead: purpose == .decoder, source: source)
        if opened.family.tiesEmbeddings {
            try source.checkTied(Self.embeddingName, "lm_head.weight")
        }
        try source.finish { Self.isBuffer($0) || $0 == purpose.otherHead }
    }

    /// Writes the two files, the configuration last: without it the folder is no model.
    /// - Parameter score: the head of a scorer, with its labels in order.
    func write(
        to folder: URL, metadata: [String: String], score: (labels: [String], weight: Tensor)? = nil
    ) throws {
        let place = try ModelFolder.create(at: folder)
        guard !isPacked else {
            throw LanguageModelError(
                .input, "the model's weights are rounded to few bits: save it before it is packed")
        }
        guard !hasAdapter else {
            throw LanguageModelError(
                .input, "the model has an adapter beside its weights: save the adapter, or merge it first")
        }
        let tensors = try checkpointTensors() + (score.map { [("score.weight", $0.weight)] } ?? [])
        try TensorLoading.write(tensors, metadata: metadata, to: place.file("model.safetensors"))
        if let score {
            try place.encode(ScorerFields(family: family, labels: score.labels), to: "config.json")
        } else {
            try place.encode(family, to: "config.json")
        }
    }
}

/// What a folder is opened for.
enum Purpose {
    /// To give logits.
    case decoder
    /// To put another head on a language model.
    case body
    /// To score, with the head that the folder has for it.
    case scorer

    /// A head in the file that the decoder itself leaves alone.
    var otherHead: String? {
        switch self {
        case .decoder: nil
        case .body: "lm_head.weight"
        case .scorer: "score.weight"
        }
    }
}
