import Foundation

/// The weights of a model folder: one safetensors file, or several with an index, read as one.
public struct ModelWeights: Sendable {
    /// Every tensor's name, sorted.
    public let names: [String]
    /// `__metadata__` of the files, merged; the first file's value wins.
    public let metadata: [String: String]
    private let files: [SafeTensorsFile]
    private let places: [String: Int]

    /// Most files that an index may name: each stays mapped.
    static let maximumShards = 4096

    /// One file.
    public init(file url: URL) throws {
        try self.init(files: [SafeTensorsFile(url)])
    }

    /// A sharded model: `{"weight_map": {tensor: file}}`, the files lying beside the index.
    ///
    /// The index must name every tensor of its files and nothing else; a file name that leads out of the folder is
    /// refused.
    public init(index url: URL) throws {
        struct Index: Decodable {
            var weightMap: [String: String]
            enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }
        }
        let index: Index
        do {
            index = try JSONDecoder().decode(Index.self, from: try ModelFolder.contents(of: url))
        } catch let error as DecodingError {
            throw ModelFormatsError(.malformed, file: url.path, describe(error))
        }
        let folder = url.deletingLastPathComponent()
        let shards = Set(index.weightMap.values).sorted()
        guard shards.count <= Self.maximumShards else {
            throw ModelFormatsError(
                .malformed, file: url.path,
                "weight_map names \(shards.count) files; at most \(Self.maximumShards) are opened")
        }
        for shard in shards where shard.contains("/") || shard.contains("\0") || !shard.hasSuffix(".safetensors") {
            throw ModelFormatsError(.malformed, file: url.path, "weight_map names \"\(shard)\", not a file beside it")
        }
        try self.init(files: try shards.map { try SafeTensorsFile(folder.appendingPathComponent($0)) })
        for (name, shard) in index.weightMap {
            guard let place = places[name], files[place].url.lastPathComponent == shard else {
                throw ModelFormatsError(
                    .malformed, file: url.path, "weight_map puts \"\(name)\" in \(shard), which lacks it")
            }
        }
        if let stray = names.first(where: { index.weightMap[$0] == nil }) {
            throw ModelFormatsError(.malformed, file: url.path, "weight_map does not name \"\(stray)\"")
        }
    }

    private init(files: [SafeTensorsFile]) throws {
        self.files = files
        var places: [String: Int] = [:]
        var metadata: [String: String] = [:]
        for (place, file) in files.enumerated() {
            metadata.merge(file.metadata) { first, _ in first }
            for name in file.names where places.updateValue(place, forKey: name) != nil {
                throw ModelFormatsError(.malformed, file: file.url.path, "tensor \"\(name)\" is in another file too")
            }
        }
        self.places = places
        self.metadata = metadata
        names = places.keys.sorted()
    }

    /// Type, shape and place in its own file of one tensor; `nil` when there is none of that name.
    public func entry(_ name: String) -> SafeTensorsHeader.Entry? {
        places[name].flatMap { files[$0].entry(name) }
    }

    /// Lends the bytes of one tensor; see `SafeTensorsFile.withBytes`.
    public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard let place = places[name] else {
            let folder = files.first?.url.deletingLastPathComponent().path ?? "the model"
            throw ModelFormatsError(.missing, file: folder, "no tensor \"\(name)\"")
        }
        return try files[place].withBytes(of: name, body)
    }
}

/// A decoding error in words that name the field.
func describe(_ error: DecodingError) -> String {
    func path(_ context: DecodingError.Context) -> String {
        let keys = context.codingPath.map(\.stringValue)
        return keys.isEmpty ? "the top level" : "field \"\(keys.joined(separator: "."))\""
    }
    return switch error {
    case .keyNotFound(let key, let context): "\(path(context)) lacks \"\(key.stringValue)\""
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
        "\(path(context)) should be of type \(type)"
    case .dataCorrupted(let context): "\(path(context)): \(context.debugDescription)"
    @unknown default: "\(error)"
    }
}
