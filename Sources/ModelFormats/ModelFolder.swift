import Foundation

/// A model in the Hugging Face layout: `config.json`, weights, and what else lies beside them.
///
/// Finding a file is checked where it is asked for, so a folder with only a tokenizer is a folder too.
public struct ModelFolder: Sendable {
    public let url: URL

    /// - Throws: `ModelFormatsError` `unreadable` when `url` is no folder.
    public init(_ url: URL) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw ModelFormatsError(.unreadable, file: url.path, "no such folder")
        }
        self.url = url
    }

    /// Makes the folder, with those above it, unless it is there.
    public static func create(at url: URL) throws -> ModelFolder {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw ModelFormatsError(.unwritable, file: url.path, "cannot make the folder")
        }
        return try ModelFolder(url)
    }

    /// `config.json`, decoded.
    /// - Throws: `ModelFormatsError` that names the file and the field at fault.
    public func configuration<T: Decodable>(_ type: T.Type) throws -> T { try decode(type, from: "config.json") }

    /// The architecture of `config.json` (`model_type`): `llama`, `bert`, ….
    public func modelType() throws -> String {
        struct Head: Decodable {
            var modelType: String
            enum CodingKeys: String, CodingKey { case modelType = "model_type" }
        }
        return try configuration(Head.self).modelType
    }

    /// `generation_config.json`, or an empty one when there is none.
    public func generationConfiguration() throws -> GenerationConfiguration {
        guard contains("generation_config.json") else { return GenerationConfiguration() }
        return try decode(GenerationConfiguration.self, from: "generation_config.json")
    }

    /// The weights: `model.safetensors`, or `model.safetensors.index.json` with its files.
    public func weights() throws -> ModelWeights {
        if contains("model.safetensors") { return try ModelWeights(file: file("model.safetensors")) }
        if contains("model.safetensors.index.json") {
            return try ModelWeights(index: file("model.safetensors.index.json"))
        }
        let pickled = contains("pytorch_model.bin") || contains("pytorch_model.bin.index.json")
        throw ModelFormatsError(
            .unreadable, file: url.path,
            "neither model.safetensors nor model.safetensors.index.json is here"
                + (pickled ? "; pytorch_model.bin is a program, not data, and is not read: convert it first" : ""))
    }

    /// Where `tokenizer.json` lies.
    public func tokenizer() throws -> URL {
        guard contains("tokenizer.json") else {
            throw ModelFormatsError(.unreadable, file: url.path, "no tokenizer.json here")
        }
        return file("tokenizer.json")
    }

    public func contains(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name).path) }

    public func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// Reads any JSON file of the folder.
    public func decode<T: Decodable>(_ type: T.Type, from name: String) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: try Self.contents(of: file(name)))
        } catch let error as DecodingError {
            throw ModelFormatsError(.malformed, file: file(name).path, describe(error))
        }
    }

    /// Writes any JSON file of the folder, keys sorted, whole or not at all.
    public func encode(_ value: some Encodable, to name: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data: Data
        do {
            data = try encoder.encode(value)
        } catch {
            throw ModelFormatsError(.argument, file: file(name).path, "cannot be put into JSON: \(error)")
        }
        try write(data + Data("\n".utf8), to: name)
    }

    /// Writes any file of the folder, whole or not at all.
    public func write(_ data: Data, to name: String) throws {
        try AtomicFile.write(to: file(name)) { append in try data.withUnsafeBytes { try append($0) } }
    }

    /// Longest JSON file that is read, in bytes: a tokenizer of a quarter of a million tokens takes some 20 MB.
    static let maximumLength = 1 << 28

    static func contents(of url: URL) throws -> Data {
        do {
            let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            guard size <= maximumLength else {
                throw ModelFormatsError(
                    .malformed, file: url.path, "takes \(size) bytes; at most \(maximumLength) are read")
            }
            return try Data(contentsOf: url)
        } catch let error as ModelFormatsError {
            throw error
        } catch {
            throw ModelFormatsError(.unreadable, file: url.path, "cannot be read")
        }
    }
}
