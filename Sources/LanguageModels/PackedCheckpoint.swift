import Foundation
import ModelFormats
import Torch

/// How a folder says that its matrices are packed: `quantization_config` of `config.json`. The folder is Loam's own; a reader that
/// does not know `quant_method` “loam” refuses it.
///
/// Beside the embedding, norms and biases under their usual names, `model.safetensors` has for each matrix `NAME.codes`
/// (uint8), with 8 and 4 bits `NAME.scales` and with 4 bits `NAME.offsets` (float16, one of each per output and 64 inputs),
/// in the order in which the kernels read them. Matrices of the same input are one: `….self_attn.qkv_proj`, `….mlp.gate_up_proj`.
struct PackingRecord: Codable, Sendable, Hashable {
    var method = "loam"
    /// The order of the codes; another number is another order. In the first, 16 bits were bfloat16.
    var version = 2
    /// Of the layers, and of the head.
    var bits: Int
    var headBits: Int
    /// Inputs that share a scale.
    var groupSize = 64

    enum CodingKeys: String, CodingKey {
        case version, bits
        case method = "quant_method"
        case headBits = "head_bits"
        case groupSize = "group_size"
    }

    /// That of a packed model; `nil` for one that is not.
    init?(of matrices: [(name: String, matrix: Linear)]) {
        let packed = matrices.compactMap { one in one.matrix.packed.map { (one.name, $0.bits.rawValue) } }
        guard let bits = packed.first?.1 else { return nil }
        self.bits = bits
        headBits = packed.last { $0.0 == "lm_head" }?.1 ?? bits
    }

    /// Only what is written by this version is read.
    func validate() throws {
        let known = version == 1 && bits != 16 && headBits != 16 ? 1 : 2
        for (name, value, known) in [("version", version, known), ("group_size", groupSize, 64)] where value != known {
            throw LanguageModelError(
                .configuration, "config.json: quantization_config.\(name) \(value) is not supported; \(known) is")
        }
        for (name, value) in [("bits", bits), ("head_bits", headBits)] where PackedWeight.Bits(rawValue: value) == nil {
            throw LanguageModelError(
                .configuration, "config.json: quantization_config.\(name) \(value) is not supported; 16, 8 and 4 are")
        }
    }
}

/// `config.json` of a packed model: the family's, and how it is packed.
struct PackedFields<Family: FamilyConfiguration>: Encodable {
    let family: Family
    let record: PackingRecord

    func encode(to encoder: any Encoder) throws {
        try family.encode(to: encoder)
        var writer = ConfigurationWriter(encoder)
        try writer.write("quantization_config", record)
    }
}

/// What `config.json` says about packing, nothing else.
struct PackingHead: Decodable {
    private struct Method: Decodable {
        var method: String?
        enum CodingKeys: String, CodingKey { case method = "quant_method" }
    }

    /// `nil` where weights are plain, or rounded in a way that is not ours.
    let record: PackingRecord?

    enum CodingKeys: String, CodingKey { case record = "quantization_config" }

    init(from decoder: any Swift.Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let method = try? box.decodeIfPresent(Method.self, forKey: .record)
        record = method?.method == "loam" ? try box.decode(PackingRecord.self, forKey: .record) : nil
    }
}

extension PackedWeight {
    /// Its parts under the names of a file.
    func named(_ name: String) throws -> [(name: String, tensor: Tensor)] {
        let parts = try parts()
        return [(name + ".codes", parts.codes)] + (parts.scales.map { [(name + ".scales", $0)] } ?? [])
            + (parts.offsets.map { [(name + ".offsets", $0)] } ?? [])
    }
}
