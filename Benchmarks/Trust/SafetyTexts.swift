import Foundation
import Simulation
import Trust

/// A public safety set as SafetyMix wants it: distinct texts with the truth. The texts are offensive and never printed.
struct SafetyTexts {
    /// The sets by name, with what they are.
    static let names = ["davidson", "diasafety"]

    var name: String
    /// In a fixed order; safe and unsafe in equal numbers.
    var utterances: [SafetyMix.Utterance]
    /// Per utterance what the encoder reads, one vector each: a tweet, or a context and its reply.
    var parts: [[String]]

    init(_ name: String, data: URL) throws {
        let all: [(parts: [String], isSafe: Bool)]
        switch name {
        case "davidson": all = try Self.davidson(data)
        case "diasafety": all = try Self.diasafety(data)
        default: throw BenchmarkError("no safety set is called \(name); choose \(Self.names.joined(separator: ", "))")
        }
        var seen: Set<String> = []
        var classes: [Bool: [(parts: [String], isSafe: Bool)]] = [:]
        for entry in all where seen.insert(entry.parts.joined(separator: "\n")).inserted {
            classes[entry.isSafe, default: []].append(entry)
        }
        let count = classes.values.map(\.count).min() ?? 0
        let kept = [true, false].flatMap { (classes[$0] ?? []).prefix(count) }
        self.name = name
        utterances = kept.map { .init(text: $0.parts.joined(separator: "\n"), isSafe: $0.isSafe) }
        parts = kept.map(\.parts)
    }

    /// Tweets; class 2 ("neither") is safe.
    private static func davidson(_ data: URL) throws -> [(parts: [String], isSafe: Bool)] {
        let file = data.appending(path: "safety/davidson/labeled_data.csv")
        var entries: [(parts: [String], isSafe: Bool)] = []
        var header: [String: Int] = [:]
        try CSV.forEach(Data(contentsOf: file), file: file.lastPathComponent) { record in
            guard !header.isEmpty else {
                header = Dictionary(zip(record.fields, 0...), uniquingKeysWith: { first, _ in first })
                return
            }
            guard let text = header["tweet"], let label = header["class"], record.fields.count > max(text, label)
            else { throw BenchmarkError("\(file.lastPathComponent), line \(record.line): no tweet and class") }
            entries.append(([record.fields[text]], record.fields[label] == "2"))
        }
        return entries
    }

    /// Replies in their context.
    private static func diasafety(_ data: URL) throws -> [(parts: [String], isSafe: Bool)] {
        struct Entry: Decodable {
            var context: String
            var response: String
            var label: String
        }
        return try ["train", "val"].flatMap { name in
            let file = data.appending(path: "safety/diasafety/\(name).json")
            return try JSONDecoder().decode([Entry].self, from: Data(contentsOf: file)).map {
                ([$0.context, $0.response], $0.label == "Safe")
            }
        }
    }
}

/// Why a benchmark cannot run.
struct BenchmarkError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
