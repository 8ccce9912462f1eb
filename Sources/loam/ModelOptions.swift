import ArgumentParser
import Conversations
import Foundation
import Generation
import Improvement
import LanguageModels
import ModelFormats
import Torch

/// Which model a command opens, and how it draws.
struct ModelOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "Folder of the model (default: the one that serves, or else the one that ships, Models/loam-base).")
    var model: String?

    @OptionGroup var draw: SamplingOptions

    @Option(name: .long, help: "Threads of libtorch.")
    var threads = 2

    @Option(name: .long, help: "Rounds the weights to 8 or 4 bits: fewer bytes to read for each token.")
    var bits: Int?

    @Option(
        name: .long,
        help: "Weight of DIRECTOR's classifier, where the model has one (default: the model's own; 0: off).")
    var guidance: Double?

    @OptionGroup var registry: RegistryOptions

    func validate() throws { try Threads.require(threads) }

    /// As the options say, and where they are silent as the model in the folder wishes; `nil`: no model of ours answers.
    /// - Throws: `ModelFormatsError` for a `generation_config.json` that cannot be read.
    func sampling(of folder: URL?) throws -> Sampling {
        guard let folder else { return draw.sampling() }
        return draw.sampling(try ModelFolder(folder).generationConfiguration())
    }

    func folder() throws -> URL { URL(filePath: try registry.base(model)) }

    /// - Throws: `ValidationError` for bits that are neither 8 nor 4.
    func packing() throws -> PackedWeight.Bits? {
        let packing = bits.flatMap(PackedWeight.Bits.init(rawValue:))
        guard (bits == nil) == (packing == nil) else { throw ValidationError("--bits is 8 or 4") }
        return packing
    }

    func open() throws -> ReplyGenerator {
        try Engine.setThreadCount(threads)
        let (folder, packing) = (try folder(), try packing())
        return try ReplyGenerator(
            folder: folder, dtype: ReplyGenerator.fastestType(folder, packing: packing), packing: packing,
            options: .init(guidance: guidance))
    }
}

// What rooms that know nothing of logs say of a model folder is about that folder.
extension LanguageModelError: InputFault {}
extension ModelFormatsError: InputFault {}
