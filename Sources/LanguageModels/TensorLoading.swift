import Foundation
import ModelFormats
import Torch

/// Tensors of a model between safetensors and libtorch.
enum TensorLoading {
    /// Types that weights come in.
    private static let types: [(DType, SafeTensorsDType)] = [
        (.float64, .float64), (.float32, .float32), (.bfloat16, .bfloat16), (.float16, .float16),
    ]

    /// One tensor as the file has it.
    /// - Throws: `LanguageModelError` for a type that is no weight's.
    static func read(_ name: String, from weights: ModelWeights, folder: URL) throws -> Tensor {
        guard let entry = weights.entry(name) else {
            throw LanguageModelError(.weights, "\(folder.path): the weights lack \(name)")
        }
        guard let type = types.first(where: { $0.1 == entry.dtype })?.0 else {
            throw LanguageModelError(
                .weights, "\(folder.path): \(name) is of type \(entry.dtype.rawValue), which is not supported")
        }
        return try weights.withBytes(of: name) { try Tensor(bytes: $0, shape: entry.shape, dtype: type) }
    }

    /// A part of a packed weight, as the file has it; `nil` when there is none of this name.
    static func part(_ name: String, _ type: DType, from weights: ModelWeights, folder: URL) throws -> Tensor? {
        guard let entry = weights.entry(name) else { return nil }
        let expected: SafeTensorsDType = type == .uint8 ? .uint8 : .float16
        guard entry.dtype == expected else {
            throw LanguageModelError(
                .weights, "\(folder.path): \(name) is of type \(entry.dtype.rawValue), should be \(expected.rawValue)")
        }
        return try weights.withBytes(of: name) { try Tensor(bytes: $0, shape: entry.shape, dtype: type) }
    }

    /// Writes tensors as they are.
    static func write(_ tensors: [(name: String, tensor: Tensor)], metadata: [String: String], to file: URL) throws {
        let items: [SafeTensorsWriter.Item] = try tensors.map { name, value in
            let known = types + [(.uint8, .uint8)]
            guard let type = known.first(where: { $0.0 == value.dtype })?.1 else {
                throw LanguageModelError(
                    .weights, "\(name) is of type \(value.dtype.rawValue), which weights are not saved in")
            }
            return (name: name, dtype: type, shape: value.shape, bytes: try value.withBytes { Data($0) })
        }
        try SafeTensorsWriter.write(items, metadata: metadata, to: file)
    }
}
