import Evaluation
import Foundation
import Storage

/// What a folder says of the run that was begun in it: `run.json` with the settings, `inputs.json` with hashes of what it reads.
struct RunSettings: Sendable {
    let folder: RunFolder

    private var settings: URL { folder.url.appending(path: "run.json") }
    private var inputs: URL { folder.url.appending(path: "inputs.json") }

    private static func isThere(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

    var isBegun: Bool { Self.isThere(settings) }

    /// Whether the run was begun before folders kept what a run reads: such a run goes on by its settings alone.
    var isOlder: Bool { isBegun && !Self.isThere(inputs) }

    /// The settings to go on with. A rule that came after a run began is not held against it.
    func resumed(_ configuration: ImproveConfiguration) throws -> ImproveConfiguration {
        guard isBegun else { return configuration }
        var configuration = configuration
        let kept = try RunFolder.read(ImproveConfiguration.self, from: settings)
        if kept.gate.minimumPeople == nil { configuration.gate.minimumPeople = nil }
        return configuration
    }

    /// Writes what a run begins with before its first stage; a folder with other settings, or whose logs or models are no
    /// longer what they were, is left alone. What is the same at another place is the same.
    /// - Parameter keepsInputs: False for a run that goes on as one from before inputs were kept.
    func keep(_ configuration: ImproveConfiguration, lineage: Lineage, keepsInputs: Bool) throws {
        let mine = configuration.withoutPassword
        guard isBegun else {
            // First the inputs: a folder with settings alone is one from before.
            if keepsInputs { try RunFolder.write(lineage.inputs, to: inputs) }
            return try write(mine)
        }
        let kept = try RunFolder.read(ImproveConfiguration.self, from: settings)
        var theirs = kept.withoutPassword
        if Self.isThere(inputs) {
            let before = try RunFolder.read([String: String].self, from: inputs)
            let changed = Set(before.keys).union(lineage.inputs.keys)
                .filter { $0 != Lineage.settings && before[$0] != lineage.inputs[$0] }.sorted()
            guard changed.isEmpty else { throw ImprovementError.otherInputs(folder.url.path, changed) }
            (theirs.logs, theirs.model, theirs.encoder, theirs.anchors) =
                (mine.logs, mine.model, mine.encoder, mine.anchors)
            if isMoved(theirs.store, to: mine.store) { theirs.store = mine.store }
        }
        let differences = try mine.differences(from: theirs)
        guard differences.isEmpty else { throw ImprovementError.otherSettings(folder.url.path, differences) }
        // Who reads the folder later finds things where they are now.
        if mine != kept { try write(mine) }
    }

    /// Whether a store's file came along when the run's folder was moved.
    private func isMoved(_ before: String, to now: String) -> Bool {
        guard case .file(let old) = StoreLocation(before), case .file(let new) = StoreLocation(now) else {
            return false
        }
        let (from, to) = (URL(filePath: old).standardizedFileURL, URL(filePath: new).standardizedFileURL)
        return from.lastPathComponent == to.lastPathComponent && !Self.isThere(from)
            && to.path.hasPrefix(folder.url.standardizedFileURL.path + "/")
    }

    /// Nobody but who runs it needs to read how a run is set up.
    private func write(_ configuration: ImproveConfiguration) throws {
        try RunFolder.write(configuration, to: settings)
        try? FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: settings.path)
    }
}
