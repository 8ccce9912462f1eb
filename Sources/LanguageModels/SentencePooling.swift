import Foundation
import ModelFormats

/// How sentence-transformers makes one vector of a text's states: `modules.json` and `1_Pooling/config.json` beside an encoder.
public enum SentencePooling {
    private struct Module: Decodable {
        /// `sentence_transformers.models.Pooling`.
        var type: String
        var path: String?
    }

    /// Only the mean: of all modes the vectors have the same width, so nothing else would tell that they mean nothing.
    private struct Pooling: Decodable {
        init(from decoder: any Swift.Decoder) throws {
            let fields = try ConfigurationFields(decoder, file: "1_Pooling/config.json")
            for name in [
                "pooling_mode_cls_token", "pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens",
                "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken",
            ] {
                try fields.refuse(name)
            }
            try fields.refuse("pooling_mode", except: .text("mean"))
            let isMean: Bool? = try fields.optional("pooling_mode_mean_tokens")
            guard isMean != false else { throw fields.unsupported("pooling_mode_mean_tokens", "false") }
        }
    }

    /// Checks that the folder's vectors are the mean of the states, scaled or not, and nothing after it. A folder that says
    /// nothing of it passes.
    /// - Throws: `LanguageModelError` that names the file and the field; `ModelFormatsError` for a broken file.
    public static func requireMean(in folder: URL) throws {
        let place = try ModelFolder(folder)
        var modules: [Module] = []
        if place.contains("modules.json") { modules = try place.decode([Module].self, from: "modules.json") }
        func name(_ module: Module) -> String { module.type.split(separator: ".").last.map(String.init) ?? "" }
        if let other = modules.first(where: { !["Transformer", "Pooling", "Normalize"].contains(name($0)) }) {
            throw LanguageModelError(
                .configuration, "\(folder.path)/modules.json: the module “\(other.type)” is not supported")
        }
        let pooling = (modules.first { name($0) == "Pooling" }?.path ?? "1_Pooling") + "/config.json"
        guard place.contains(pooling) else { return }
        do {
            _ = try place.decode(Pooling.self, from: pooling)
        } catch let error as LanguageModelError {
            throw LanguageModelError(error.code, "\(folder.path)/\(error.description)")
        }
    }
}
