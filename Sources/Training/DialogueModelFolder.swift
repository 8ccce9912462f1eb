import Foundation
import LanguageModels
import ModelFormats
import Tokenizers

/// A trained dialogue model as a Hugging Face folder: transformers, and our own generator, load it as it is.
public enum DialogueModelFolder {
    /// Writes weights, configuration, tokenizer with chat template, generation settings and model card.
    ///
    /// The model comes last, so a folder that a kill left half written does not load as one.
    /// - Throws: `ModelFormatsError` or `TokenizersError` when a file cannot be written.
    public static func save(
        _ model: any DecoderFamily, format: ChatFormat, card: ModelCard, metadata: [String: String] = [:], to url: URL
    ) throws {
        let folder = try ModelFolder.create(at: url)
        try format.save(to: url, contextLength: model.configuration.contextLength)
        try folder.encode(
            GenerationConfiguration(
                endIDs: [format.end], padID: format.pad, temperature: 0.8, topP: 0.95, maximumNewTokens: 48,
                samples: true),
            to: "generation_config.json")
        try card.write(to: folder)
        try model.save(to: url, metadata: metadata)
    }
}
