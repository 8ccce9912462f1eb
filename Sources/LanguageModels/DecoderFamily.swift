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

    /// Writes `config.json` and `model.safetensors` so that transformers loads the folder; of a packed model, so that Loam does,
    /// bit for bit the same.
    func save(to folder: URL, metadata: [String: String]) throws

    /// Puts another in the place of each weight matrix but the embedding, a quantised one say, by checkpoint names
    /// (`model.layers.0.self_attn.q_proj`, `lm_head`). Only before the model is shared: nothing guards it.
    /// - Throws: what `change` throws; `LanguageModelError` `input` for matrices that are packed into one.
    func replaceLinears(_ change: (_ name: String, _ linear: Linear) throws -> Linear) throws

    /// Another model over the very same weights: what is put in the place of its matrices leaves this one as it is.
    func sharingWeights() -> Self

    /// The weight matrices but the embedding, as they are held: those that are packed into one come as one, under a name of
    /// their own (`model.layers.0.self_attn.qkv_proj`).
    var matrices: [(name: String, matrix: Linear)] { get }

    /// What `pack` does.
    func packMatrices(_ bits: PackedWeight.Bits, head: PackedWeight.Bits) throws
}

/// What loading and saving ask of a family's model, whatever its maths.
protocol CheckpointDecoder: DecoderFamily {
    associatedtype Family: FamilyConfiguration
    var family: Family { get }

    /// - Parameter hasHead: whether logits are wanted; a scorer's body has none.
    init(_ family: Family, hasHead: Bool, source: any WeightSource) throws

    /// The weights as a file holds them: names with their prefix, matrices in the file's layout.
    func checkpointTensors() throws -> [(name: String, tensor: Tensor)]

    /// What is dropped while learning.
    var residualDropout: ResidualDropout { get }

    /// What some files spell before every name and others do not.
    static var prefix: String { get }
    /// The embedding that a tied head shares.
    static var embeddingName: String { get }
    /// Names that old files hold and that carry no weight.
    static func isBuffer(_ name: String) -> Bool
}

extension CheckpointDecoder {
    public var dropout: Double {
        get { residualDropout.share }
        set { residualDropout.share = newValue }
    }

    public var dropoutSeed: UInt64? {
        get { residualDropout.seed.value }
        set { residualDropout.seed.value = newValue }
    }

    /// Opens the configuration and the weights of a folder, makes the model and checks that nothing was left over.
    init(opening folder: URL, as purpose: Purpose, dtype: DType, device: Device) throws {
        let opened = try FamilyFolder<Family>(folder, as: purpose)
        if opened.packing != nil, purpose != .decoder || dtype != .bfloat16 || device != .cpu {
            throw LanguageModelError(
                .input,
                "\(folder.path): the matrices are packed, for generating in bfloat16 on the CPU only; they do not learn"
            )
        }
        let source = CheckpointSource(
            weights: opened.weights, folder: folder, prefix: Self.prefix, dtype: dtype, device: device,
            isPacked: opened.packing != nil)
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
        guard !hasAdapter else {
            throw LanguageModelError(
                .input, "the model has an adapter beside its weights: save the adapter, or merge it first")
        }
        let record = PackingRecord(of: matrices)
        var tensors = try checkpointTensors() + (score.map { [("score.weight", $0.weight)] } ?? [])
        if record != nil {
            for (name, matrix) in matrices { tensors += try matrix.packed?.named(name) ?? [] }
        }
        try TensorLoading.write(tensors, metadata: metadata, to: place.file("model.safetensors"))
        if let record {
            try place.encode(PackedFields(family: family, record: record), to: "config.json")
        } else if let score {
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
