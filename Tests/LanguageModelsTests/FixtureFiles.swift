import Foundation
import LanguageModels
import ModelFormats
import Torch

/// What `Scripts/fixtures/language_models.py` wrote with transformers.
enum FixtureFiles {
    struct Golden: Decodable {
        struct Greedy: Decodable {
            var prompt: [Int]
            var continuation: [Int]
        }
        var ids: [[Int]]
        var logits: [[[Double]]]
        var greedy: [Greedy]
    }

    struct Sentence: Decodable {
        var text: String
        var ids: [Int]
        var vector: [Double]
    }

    /// One case of a family: changes to the folder's `config.json` and what transformers then computes.
    struct Case: Decodable {
        var name: String
        var drop: [String]
        var ids: [[Int]]
        var logits: [[[Double]]]
        var greedy: [Golden.Greedy]
    }

    static let families = [
        "gpt2", "gpt2-bare", "opt", "opt-350m", "opt-odd", "llama", "llama-bias", "qwen2", "qwen3", "mistral",
    ]

    static func family(_ name: String) -> URL { folder.appending(path: "families/\(name)") }

    /// Calls `body` with each case of a family, in a folder that has its configuration.
    static func withCases(of family: String, _ body: (Case, URL) throws -> Void) throws {
        let source = self.family(family)
        let data = try Data(contentsOf: source.appending(path: "golden.json"))
        let raw = try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
        for (item, raw) in zip(try JSONDecoder().decode([Case].self, from: data), raw) {
            try withChangedFolder(source, drop: item.drop, set: raw["set"] as? [String: Any] ?? [:]) {
                try body(item, $0)
            }
        }
    }

    /// A copy of a folder with another `config.json`.
    static func withChangedFolder<R>(
        _ source: URL, drop: [String] = [], set: [String: Any], _ body: (URL) throws -> R
    ) throws -> R {
        try withTemporaryFolder { place in
            for file in try FileManager.default.contentsOfDirectory(atPath: source.path) where file != "golden.json" {
                try FileManager.default.copyItem(at: source.appending(path: file), to: place.appending(path: file))
            }
            let config = place.appending(path: "config.json")
            var fields = try JSONSerialization.jsonObject(with: Data(contentsOf: config)) as? [String: Any] ?? [:]
            for name in drop { fields[name] = nil }
            fields.merge(set) { $1 }
            try JSONSerialization.data(withJSONObject: fields).write(to: config)
            return try body(place)
        }
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    static let root = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let llama = folder.appending(path: "llama")
    static let encoder = root.appending(path: ".deps/encoder")

    static func golden() throws -> Golden {
        try JSONDecoder().decode(Golden.self, from: Data(contentsOf: llama.appending(path: "golden.json")))
    }

    static func sentences() throws -> [Sentence] {
        try JSONDecoder().decode([Sentence].self, from: Data(contentsOf: folder.appending(path: "sentences.json")))
    }

    /// A folder of its own for one test, gone afterwards.
    static func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let place = FileManager.default.temporaryDirectory.appending(path: "loam-language-models-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        return try body(place)
    }
}

/// Ids and positions of rows of one length, as a model takes them.
func inputs(_ rows: [[Int]], from start: Int = 0) throws -> (ids: Tensor, positions: Tensor) {
    let length = rows.first?.count ?? 0
    return (
        try Tensor(rows.flatMap { $0 }, shape: [rows.count, length]),
        try Tensor(rows.flatMap { _ in start..<(start + length) }, shape: [rows.count, length])
    )
}

/// The largest difference between two lists of numbers; infinite when they differ in length.
func distance(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}
