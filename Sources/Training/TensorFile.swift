import Foundation
import ModelFormats
import Torch

/// Named tensors to and from a safetensors file, bit for bit.
enum TensorFile {
    private static let types: [(DType, SafeTensorsDType)] = [
        (.float64, .float64), (.float32, .float32), (.bfloat16, .bfloat16), (.float16, .float16), (.int64, .int64),
        (.int32, .int32), (.uint8, .uint8), (.bool, .bool),
    ]

    /// Writes the file whole or not at all.
    static func write(_ tensors: [(String, Tensor)], metadata: [String: String] = [:], to url: URL) throws {
        let items: [SafeTensorsWriter.Item] = try tensors.map { name, tensor in
            guard let type = types.first(where: { $0.0 == tensor.dtype })?.1 else {
                throw TrainingError(.file, "\(url.path): \(name) has a type that safetensors has no name for")
            }
            let bytes = try tensor.detach().to(.cpu).withBytes { Data($0) }
            return (name: name, dtype: type, shape: tensor.shape, bytes: bytes)
        }
        try SafeTensorsWriter.write(items, metadata: metadata, to: url)
    }

    static func read(_ url: URL, device: Device) throws -> [String: Tensor] {
        let file = try SafeTensorsFile(url)
        var result: [String: Tensor] = [:]
        for name in file.names {
            guard let entry = file.entry(name), let type = types.first(where: { $0.1 == entry.dtype })?.0 else {
                throw TrainingError(.checkpoint, "\(url.path): \(name) has a type that this version does not know")
            }
            result[name] = try file.withBytes(of: name) { try Tensor(bytes: $0, shape: entry.shape, dtype: type) }.to(
                device)
        }
        return result
    }
}
