import Foundation
import ModelFormats

/// The configuration and the weights of a folder of one family, checked against each other's names.
struct FamilyFolder<Family: FamilyConfiguration> {
    let family: Family
    let weights: ModelWeights
    /// How the matrices are packed; `nil` where they are plain.
    let packing: PackingRecord?

    init(_ url: URL, as purpose: Purpose) throws {
        let place = try ModelFolder(url)
        do {
            let head = try ModelHead(place)
            if let type = head.modelType, type != Family.modelType {
                throw LanguageModelError(
                    .configuration,
                    "config.json: model_type “\(type)” is not supported here; \(Family.modelType) is")
            }
            let allowed =
                purpose == .scorer
                ? [Family.scorerArchitecture] : [Family.causalArchitecture, Family.baseArchitecture]
            if let named = head.architectures, !named.isEmpty, !named.contains(where: allowed.contains) {
                let other = named.contains(Family.scorerArchitecture) ? "; SequenceScorer loads it" : ""
                throw LanguageModelError(
                    .configuration,
                    "config.json: architectures “\(named.prefix(3).joined(separator: "”, “"))” is not supported here, "
                        + "\(allowed[0]) is\(other)")
            }
            var family = try place.configuration(Family.self)
            try family.validate()
            // A scorer finds the end of a text by config.json's pad id; generation settings are none of its business.
            if purpose == .decoder { try Self.apply(place.generationConfiguration(), to: &family) }
            self.family = family
            packing = try place.configuration(PackingHead.self).record
            try packing?.validate()
        } catch let error as LanguageModelError {
            throw LanguageModelError(error.code, "\(url.path)/\(error.description)")
        }
        weights = try place.weights()
    }

    /// `generation_config.json` wins over `config.json` where it speaks.
    private static func apply(_ generation: GenerationConfiguration, to family: inout Family) throws {
        let vocabulary = family.decoder.vocabularySize
        let ids =
            generation.endIDs.map { ("eos_token_id", $0) }
            + [("bos_token_id", generation.beginID), ("pad_token_id", generation.padID)]
            .compactMap { name, id in id.map { (name, $0) } }
        for (name, id) in ids where !(0..<vocabulary).contains(id) {
            throw LanguageModelError(
                .configuration, "generation_config.json: \(name) is \(id), the vocabulary has \(vocabulary)")
        }
        if !generation.endIDs.isEmpty { family.endIDs = generation.endIDs }
        if let begin = generation.beginID { family.beginID = begin }
        if let pad = generation.padID { family.padID = pad }
    }
}

/// What `config.json` says that the folder is.
struct ModelHead: Decodable {
    var modelType: String?
    var architectures: [String]?

    enum CodingKeys: String, CodingKey {
        case architectures
        case modelType = "model_type"
    }

    init(_ folder: ModelFolder) throws { self = try folder.configuration(ModelHead.self) }
}
