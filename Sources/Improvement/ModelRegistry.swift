import Foundation

/// Which models there are, where each came from, and which one people talk to.
///
/// A folder with one JSON file per model and `serving.json` with the history of promotions: plain files, each written
/// whole, so they can be read, copied and put under version control.
public struct ModelRegistry: Sendable {
    /// One model and its lineage.
    public struct Entry: Sendable, Codable, Equatable {
        /// `3f9a2c81d0e4`: the beginning of a hash of what made it and of its weights.
        public var id: String
        /// The model folder.
        public var path: String
        public var madeAt: Date
        /// Registry id or path of the model it was trained from; `outside` for a base.
        public var parent: String
        /// How: `cringe`, three rounds, …
        public var method: String
        public var seed: UInt64
        /// SHA-256 of the weights, the configuration and the tokenizer.
        public var fingerprint: String
        /// SHA-256 of the logs and of the run's settings.
        public var data: [String: String]
        public var codeVersion: String
        /// How many people's votes went in; who they are is in the run folder, not here.
        public var people: Int
        /// The gate's verdict when it was made.
        public var passedGate: Bool
        public var reasons: [String]
        /// Data sets of the store whose people it learnt from, those of the model that it was trained from among them; `nil` in
        /// entries from before they were kept.
        public var datasets: [String]?
        /// True for a model that came from outside and that the first round here began with; no gate has judged it.
        public var isBase: Bool?

        enum CodingKeys: String, CodingKey {
            case id, path, parent, method, seed, fingerprint, data, people, reasons, datasets
            case madeAt = "made_at"
            case codeVersion = "code_version"
            case passedGate = "passed_gate"
            case isBase = "is_base"
        }
    }

    /// One change of who serves.
    public struct Promotion: Sendable, Codable, Equatable {
        public var id: String
        public var at: Date
        /// `promoted` or `rolled back`.
        public var why: String
    }

    struct Serving: Codable {
        var history: [Promotion]
    }

    public let url: URL

    /// Opens a registry. The folder is made once something is written: who only reads, or mistypes, leaves none behind.
    /// - Throws: `ImprovementError` where no registry can be, before hours of work end in that.
    public init(_ url: URL) throws {
        self.url = url
        let files = FileManager.default
        var place = url.standardizedFileURL
        var isFolder: ObjCBool = false
        var isThere = files.fileExists(atPath: place.path, isDirectory: &isFolder)
        let isNew = !isThere
        while !isThere, place.pathComponents.count > 1 {
            place = place.deletingLastPathComponent()
            isThere = files.fileExists(atPath: place.path, isDirectory: &isFolder)
        }
        guard isThere, isFolder.boolValue, !isNew || files.isWritableFile(atPath: place.path) else {
            throw ImprovementError.registry(
                url.path, "cannot be used as a registry: \(place.path) is no folder that may be written to")
        }
    }

    /// All entries, oldest first. An unreadable file is an error that names it: a registry must not forget silently.
    public func entries() throws -> [Entry] {
        guard FileManager.default.fileExists(atPath: url.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" && !Self.ownFiles.contains($0.lastPathComponent) }
            .map { try Self.read(Entry.self, from: $0) }
            .sorted { ($0.madeAt, $0.id) < ($1.madeAt, $1.id) }
    }

    /// Adds an entry. The same model again replaces its entry, also where its folder was moved.
    /// - Throws: `ImprovementError` for an id that another model has: what people talk to must not change under its name.
    public func add(_ entry: Entry) throws {
        guard Self.isPlain(entry.id) else { throw ImprovementError.registry(entry.id, "not a model id") }
        let file = url.appending(path: entry.id + ".json")
        if FileManager.default.fileExists(atPath: file.path) {
            let known = try Self.read(Entry.self, from: file)
            guard known.fingerprint == entry.fingerprint,
                known.path == entry.path || !FileManager.default.fileExists(atPath: known.path)
            else {
                throw ImprovementError.registry(
                    url.path, "`\(entry.id)` is the id of another model already: \(known.path)")
            }
        }
        try Self.write(entry, to: file)
    }

    public func entry(_ id: String) throws -> Entry {
        let file = url.appending(path: id + ".json")
        guard Self.isPlain(id), FileManager.default.fileExists(atPath: file.path) else {
            let known = try entries().map(\.id)
            throw ImprovementError.registry(
                url.path, "no model `\(id)` here; known: \(known.isEmpty ? "none" : known.joined(separator: ", "))")
        }
        return try Self.read(Entry.self, from: file)
    }

    /// Who serves now; `nil` before the first promotion.
    public func serving() throws -> Entry? {
        guard let last = try history().last else { return nil }
        return try entry(last.id)
    }

    public func history() throws -> [Promotion] {
        let file = url.appending(path: "serving.json")
        guard FileManager.default.fileExists(atPath: file.path) else { return [] }
        return try Self.read(Serving.self, from: file).history
    }

    /// Puts a model in front of people. A model that did not pass the gate needs `force`. Where none served before, the base that
    /// it was trained from did: it stands first in the history, so that there is a way back.
    public func promote(_ id: String, at date: Date, force: Bool = false) throws {
        let entry = try entry(id)
        guard entry.passedGate || force else {
            throw ImprovementError.registry(
                url.path,
                "`\(id)` did not pass the gate (\(entry.reasons.joined(separator: "; "))); --force promotes it all the same"
            )
        }
        var history = try history()
        guard history.last?.id != id else { return }
        if history.isEmpty, let origin = try origin(of: entry) {
            history.append(Promotion(id: origin.id, at: date, why: "promoted"))
        }
        history.append(Promotion(id: id, at: date, why: "promoted"))
        try Self.write(Serving(history: history), to: url.appending(path: "serving.json"))
    }

    /// Back to the model that served before the present one. Rolling back twice goes back two models, not to and fro.
    public func rollback(at date: Date) throws -> Entry {
        var history = try history()
        // What still stands: promotions push, roll-backs pop.
        var standing: [String] = []
        for step in history {
            if step.why == "promoted" {
                standing.append(step.id)
            } else {
                standing.removeLast(standing.count > 1 ? 1 : 0)
            }
        }
        guard standing.count > 1 else {
            throw ImprovementError.registry(
                url.path, "nothing to roll back to: \(standing.count) model(s) promoted so far")
        }
        let previous = try entry(standing[standing.count - 2])
        history.append(Promotion(id: previous.id, at: date, why: "rolled back"))
        try Self.write(Serving(history: history), to: url.appending(path: "serving.json"))
        return previous
    }

    /// Files that are no entries.
    private static let ownFiles: Set = ["serving.json", "trial.json"]

    private static func isPlain(_ id: String) -> Bool {
        !id.isEmpty && !ownFiles.contains(id + ".json")
            && id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == ".") }
            && !id.hasPrefix(".")
    }

    static func write(_ value: some Encodable, to file: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(value).write(to: file, options: .atomic)
    }

    static func read<Value: Decodable>(_ type: Value.Type, from file: URL) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            return try decoder.decode(type, from: Data(contentsOf: file))
        } catch {
            throw ImprovementError.registry(file.path, "unreadable: \(error)")
        }
    }
}
