import Foundation
import ModelFormats
import Torch

/// The front door: opens a Hugging Face folder of any family that Loam knows.
public enum PretrainedDecoder {
    static let families: [any CheckpointDecoder.Type] = [
        GPT2Model.self, OPTModel.self, LlamaModel.self, MistralModel.self, Qwen2Model.self, Qwen3Model.self,
    ]

    /// The `model_type`s that `load` knows.
    public static var modelTypes: [String] { families.map { $0.modelType } }

    /// Loads the folder as what its `config.json` says that it is: by `model_type`, or, in files too old to have one, by
    /// `architectures`.
    /// - Parameter dtype: the type to keep the weights in: float32 to train, bfloat16 to serve.
    /// - Throws: `ModelFormatsError` for a broken folder; `LanguageModelError` that names the file, the field and its
    ///   value for a family or setting that is not supported, or the tensor that does not fit.
    public static func load(
        folder: URL, dtype: DType = .float32, device: Device = .cpu
    ) throws -> any DecoderFamily {
        try family(of: folder).init(folder: folder, dtype: dtype, device: device)
    }

    /// Whether the folder's matrices are packed: then it is loaded in bfloat16.
    public static func isPacked(_ folder: URL) throws -> Bool {
        try ModelFolder(folder).configuration(PackingHead.self).record != nil
    }

    static func family(of folder: URL) throws -> any CheckpointDecoder.Type {
        let head = try ModelHead(ModelFolder(folder))
        if let type = head.modelType {
            if let family = families.first(where: { $0.modelType == type }) { return family }
        } else if let named = head.architectures,
            let family = families.first(where: { family in named.contains { family.architectures.contains($0) } })
        {
            return family
        }
        let field =
            head.modelType.map { "model_type “\($0)”" }
            ?? head.architectures.map { "architectures “\($0.prefix(3).joined(separator: "”, “"))”" }
            ?? "neither model_type nor architectures is there; nothing else"
        throw LanguageModelError(
            .configuration,
            "\(folder.path)/config.json: \(field) is not supported; \(modelTypes.joined(separator: ", ")) are")
    }
}

extension CheckpointDecoder {
    static var architectures: [String] {
        [Family.causalArchitecture, Family.baseArchitecture, Family.scorerArchitecture]
    }
}
