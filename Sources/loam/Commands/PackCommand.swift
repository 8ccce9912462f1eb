import ArgumentParser
import Foundation
import LanguageModels
import ModelFormats
import Torch

/// A model folder with its weights in fewer bits, beside the one it was made of.
struct PackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Saves a model with its weights in 8 or 4 bits, for generating.",
        discussion: """
            The folder is Loam's own: config.json says quantization_config.quant_method "loam", and transformers refuses it. Tokenizer
            and templates are copied. `generate`, `chat`, `score` and `serve` open it as any other; it loads faster, computes the
            same as --bits does, bit for bit, and does not learn.

            Example: loam pack --model models/base --bits 4 --out models/base-4
            """)

    @Option(name: .long, help: "Folder of the model.")
    var model: String

    @Option(name: .long, help: "Bits of the weights: 16, 8 or 4.")
    var bits = 8

    @Option(name: .long, help: "Bits of the head (default: 8 beside 4, else as --bits).")
    var headBits: Int?

    @Option(name: .long, help: "The new folder.")
    var out: String

    @OptionGroup var common: CommonOptions

    struct Outcome: Encodable {
        var out: String
        var bits: Int
        /// Of the weight matrices, before and after.
        var bytesBefore: Int
        var bytes: Int

        enum CodingKeys: String, CodingKey {
            case out, bits, bytes
            case bytesBefore = "bytes_before"
        }
    }

    func run() async throws {
        func width(_ bits: Int, _ name: String) throws -> PackedWeight.Bits {
            guard let known = PackedWeight.Bits(rawValue: bits) else {
                throw ValidationError("--\(name) is 16, 8 or 4, not \(bits)")
            }
            return known
        }
        let (bits, head) = (try width(bits, "bits"), try headBits.map { try width($0, "head-bits") })
        let (source, target) = (URL(filePath: model), URL(filePath: out))
        guard !FileManager.default.fileExists(atPath: target.appending(path: "config.json").path) else {
            throw ValidationError("--out \(out) holds a model already")
        }
        let decoder = try PretrainedDecoder.load(folder: source, dtype: .bfloat16)
        guard !decoder.isPacked else { throw ValidationError("\(model): the weights are packed already") }
        let before = decoder.matrices.reduce(0) { $0 + $1.matrix.byteCount }
        try decoder.pack(bits, head: head)
        _ = try ModelFolder.create(at: target)
        // The weights and the configuration come last: without them the folder is no model.
        for file in try FileManager.default.contentsOfDirectory(
            at: source, includingPropertiesForKeys: [.isRegularFileKey])
        {
            let name = file.lastPathComponent
            let isWeight = ["safetensors", "bin", "pt", "pth", "gguf"].contains(file.pathExtension)
            guard name != "config.json", !isWeight, name != "model.safetensors.index.json",
                try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
            else { continue }
            let copy = target.appending(path: name)
            if FileManager.default.fileExists(atPath: copy.path) { try FileManager.default.removeItem(at: copy) }
            try FileManager.default.copyItem(at: file, to: copy)
        }
        try decoder.save(to: target, metadata: [:])
        let after = decoder.matrices.reduce(0) { $0 + $1.matrix.byteCount }
        try common.console.result(Outcome(out: out, bits: bits.rawValue, bytesBefore: before, bytes: after))
        common.console.show(
            String(
                format: "%@: %d bits, weight matrices %.1f instead of %.1f MB", out, bits.rawValue, Double(after) / 1e6,
                Double(before) / 1e6))
    }
}
