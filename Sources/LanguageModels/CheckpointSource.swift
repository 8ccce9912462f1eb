import Foundation
import ModelFormats
import Torch

/// The tensors of a checkpoint, each checked against the shape that the configuration asks for. Remembers which were
/// asked for: a tensor that nobody wants means another model than the one being built.
final class CheckpointSource: WeightSource {
    private let weights: ModelWeights
    private let folder: URL
    private let prefix: String
    private let dtype: DType
    private let device: Device
    private let isPacked: Bool
    private var used: Set<String> = []

    /// - Parameters:
    ///   - prefix: what names may lack at their beginning.
    ///   - isPacked: whether matrices are looked for in parts.
    init(
        weights: ModelWeights, folder: URL, prefix: String, dtype: DType, device: Device, isPacked: Bool = false
    ) {
        self.isPacked = isPacked
        self.weights = weights
        self.folder = folder
        self.prefix = prefix
        self.dtype = dtype
        self.device = device
    }

    /// The name as this file spells it.
    private func spelling(_ name: String) -> String? {
        if weights.entry(name) != nil { return name }
        guard name.hasPrefix(prefix) else { return nil }
        let bare = String(name.dropFirst(prefix.count))
        return weights.entry(bare) != nil ? bare : nil
    }

    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
        guard let found = spelling(name), let entry = weights.entry(found) else {
            throw LanguageModelError(.weights, "\(folder.path): the weights lack \(name)")
        }
        guard entry.shape == shape else {
            throw LanguageModelError(
                .weights, "\(folder.path): \(found) has the shape \(entry.shape), config.json says \(shape)")
        }
        used.insert(found)
        return try TensorLoading.read(found, from: weights, folder: folder).to(dtype).to(device)
    }

    func packed(_ name: String, _ shape: [Int]) throws -> PackedWeight? {
        guard isPacked, let codes = try part(name + ".codes", .uint8) else { return nil }
        let (scales, offsets) = (try part(name + ".scales", .float16), try part(name + ".offsets", .float16))
        let bits: PackedWeight.Bits = offsets != nil ? .four : scales != nil ? .eight : .sixteen
        do {
            return try PackedWeight(.init(codes: codes, scales: scales, offsets: offsets), shape: shape, bits: bits)
        } catch let error as TorchError {
            throw LanguageModelError(
                .weights, "\(folder.path): \(name) is no packed weight of \(shape): \(error.message)")
        }
    }

    private func part(_ name: String, _ type: DType) throws -> Tensor? {
        let found = try TensorLoading.part(name, type, from: weights, folder: folder)
        if found != nil { used.insert(name) }
        return found
    }

    /// A tied head may be in the file a second time, but then it must be the embedding.
    func checkTied(_ embedding: String, _ head: String) throws {
        guard let one = spelling(embedding), let other = spelling(head) else { return }
        used.insert(other)
        let same = try weights.withBytes(of: one) { a in
            try weights.withBytes(of: other) { b in
                guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else {
                    return a.isEmpty
                }
                return memcmp(first, second, a.count) == 0
            }
        }
        guard same else {
            throw LanguageModelError(
                .weights,
                "\(folder.path): config.json says tie_word_embeddings, but \(other) differs from \(one)")
        }
    }

    /// - Throws: `LanguageModelError` naming the first tensor that the model has no place for.
    func finish(ignoring isKnown: (String) -> Bool) throws {
        guard let stray = weights.names.first(where: { !used.contains($0) && !isKnown($0) }) else { return }
        throw LanguageModelError(
            .weights, "\(folder.path): the weights hold \(stray), for which this architecture has no place")
    }
}
