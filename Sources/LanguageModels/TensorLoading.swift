import Foundation
import ModelFormats
import Torch

/// Tensors of a model between safetensors and libtorch.
enum TensorLoading {
    private static let types: [(DType, SafeTensorsDType)] = [
        (.float64, .float64), (.float32, .float32), (.bfloat16, .bfloat16), (.float16, .float16), (.int64, .int64),
        (.int32, .int32), (.uint8, .uint8), (.bool, .bool),
    ]

    /// One tensor, checked against the shape that the configuration asks for. Some files lack the `model.` prefix.
    static func tensor(
        _ name: String, shape: [Int], from weights: ModelWeights, dtype: DType, device: Device, folder: URL
    ) throws -> Tensor {
        let bare = name.hasPrefix("model.") ? String(name.dropFirst(6)) : name
        guard let found = [name, bare].first(where: { weights.entry($0) != nil }), let entry = weights.entry(found)
        else {
            throw LanguageModelError(.weights, "\(folder.path): the weights lack \(name)")
        }
        guard entry.shape == shape else {
            throw LanguageModelError(
                .weights, "\(folder.path): \(name) has the shape \(entry.shape), config.json says \(shape)")
        }
        guard let type = types.first(where: { $0.1 == entry.dtype })?.0 else {
            throw LanguageModelError(
                .weights, "\(folder.path): \(name) is of type \(entry.dtype.rawValue), which is not supported")
        }
        return try weights.withBytes(of: found) { try Tensor(bytes: $0, shape: shape, dtype: type) }
            .to(dtype).to(device)
    }

    /// Writes named parameters as they are.
    static func write(
        _ parameters: [(name: String, parameter: Parameter)], metadata: [String: String], to file: URL
    ) throws {
        let items: [SafeTensorsWriter.Item] = try parameters.map { name, parameter in
            let value = parameter.value
            guard let type = types.first(where: { $0.0 == value.dtype })?.1 else {
                throw LanguageModelError(.weights, "\(name) is of a type that safetensors has no name for")
            }
            return (name: name, dtype: type, shape: value.shape, bytes: try value.withBytes { Data($0) })
        }
        try SafeTensorsWriter.write(items, metadata: metadata, to: file)
    }
}
