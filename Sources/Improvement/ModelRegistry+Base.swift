import Foundation

/// Where the models of a registry come from: the first was trained from one that no round made.
extension ModelRegistry {
    /// Entries of one model: those with its weights before those that lay in its folder.
    func entries(of fingerprint: String?, at path: String) throws -> [Entry] {
        let own = Self.standardized(path)
        let all = try entries()
        let same = all.filter { $0.fingerprint == fingerprint }
        return same + all.filter { $0.fingerprint != fingerprint && Self.standardized($0.path) == own }
    }

    /// The entry of the model that a registry's first round improves, made where there is none: so that there is something to go
    /// back to, and something to try a candidate beside. Nothing of any store went into it, and no gate has judged it.
    @discardableResult
    func addBase(at path: String, fingerprint: String, codeVersion: String, date: Date) throws -> Entry {
        if let known = try entries().first(where: { $0.fingerprint == fingerprint }),
            known.isBase != true || FileManager.default.fileExists(atPath: known.path)
        {
            return known
        }
        let entry = Entry(
            id: String(fingerprint.prefix(12)), path: Self.standardized(path), madeAt: date, parent: "outside",
            method: "base", seed: 0, fingerprint: fingerprint, data: [:], codeVersion: codeVersion, people: 0,
            passedGate: true, reasons: [], datasets: [], isBase: true)
        try add(entry)
        return entry
    }

    /// The base that a model was trained from; `nil` for a model that was trained from another, or from one that is not here.
    func origin(of entry: Entry) throws -> Entry? {
        let place = Self.standardized(entry.parent)
        return try entries().first {
            $0.isBase == true && ($0.id == entry.parent || Self.standardized($0.path) == place)
        }
    }

    private static func standardized(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }
}
