import Conversations
import Foundation
import Torch

/// What a checkpoint belongs to: a run may go on from it only when all of this is the same.
struct CheckpointIdentity: Codable, Hashable {
    var options: TrainingOptions
    var loss: String
    var source: String
    /// Fingerprint of the documents.
    var data: String
    /// What is not learned but makes the weights what they are: the model that training began with, and an adapter's scale.
    /// `nil` where nobody said, as in checkpoints of older versions.
    var origin: String?

    /// A stable hash of ids, labels and weights.
    static func fingerprint(_ examples: [TokenizedExample]) -> String {
        var hash = StableHash(salt: "training-data")
        for example in examples {
            example.ids.withUnsafeBytes { hash.add($0) }
            hash.add(example.labels.lazy.map { UInt8(bitPattern: $0.rawValue) })
            withUnsafeBytes(of: example.weight) { hash.add($0) }
        }
        return String(hash.value, radix: 16)
    }

    /// - Throws: `TrainingError` naming what differs.
    func requireSame(as other: CheckpointIdentity, file: String) throws {
        if let origin, let wanted = other.origin, origin != wanted {
            throw TrainingError(
                .checkpoint,
                "\(file) was begun from another model or with another adapter (\(origin), now \(wanted)); "
                    + "go on with that one, or train into another folder")
        }
        var differences: [String] = []
        if options != other.options {
            func fields(_ options: TrainingOptions) -> [String: JSONValue] {
                guard let data = try? JSONEncoder().encode(options),
                    case .object(let fields) = try? JSONDecoder().decode(JSONValue.self, from: data)
                else { return [:] }
                return fields
            }
            let (mine, theirs) = (fields(options), fields(other.options))
            differences += Set(mine.keys).union(theirs.keys).filter { mine[$0] != theirs[$0] }.sorted()
        }
        if loss != other.loss { differences.append("loss (\(loss), now \(other.loss))") }
        if source != other.source { differences.append("batches (\(source), now \(other.source))") }
        if data != other.data { differences.append("data") }
        guard differences.isEmpty else {
            throw TrainingError(
                .checkpoint, "\(file) is of another run; these differ: \(differences.joined(separator: ", "))")
        }
    }
}

/// The folder of a run's checkpoints: `step-000100/` with weights, optimiser state and `state.json`.
///
/// A checkpoint is written under another name, flushed and renamed: a kill or a full disk leaves the one before as it was.
/// The two newest are kept.
struct CheckpointFolder {
    static let weightsName = "model.safetensors"
    static let optimizerName = "optimizer.safetensors"
    private static let stateName = "state.json"
    private static let partial = ".partial"

    private let url: URL

    init(_ url: URL) throws {
        self.url = url
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw TrainingError(.file, "\(url.path) cannot be created: \(error.localizedDescription)")
        }
    }

    private struct State: Codable {
        /// Steps done. Order of data and draws follow from it and the seeds, so there is no other state to keep.
        var step: Int
        var identity: CheckpointIdentity
        /// What early stopping knows; missing in runs without it.
        var stopping: EarlyStopping.State?
    }

    struct Found {
        var step: Int
        var folder: URL
        var identity: CheckpointIdentity
        var stopping: EarlyStopping.State
    }

    /// Where the checkpoint of a step is, or would be.
    func folder(of step: Int) -> URL {
        let digits = String(step)
        return url.appending(path: "step-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits)
    }

    private func state(_ folder: URL) throws -> State {
        let data = try Data(contentsOf: folder.appending(path: Self.stateName))
        return try JSONDecoder().decode(State.self, from: data)
    }

    /// Whole checkpoints, oldest first.
    private func all() -> [(step: Int, folder: URL)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)) else { return nil }
            return (step, url.appending(path: name))
        }.sorted { $0.step < $1.step }
    }

    /// The newest checkpoint, or `nil` when there is none.
    func latest() throws -> Found? {
        guard let newest = all().last else { return nil }
        do {
            let state = try state(newest.folder)
            return Found(
                step: state.step, folder: newest.folder, identity: state.identity,
                stopping: state.stopping ?? EarlyStopping.State())
        } catch {
            throw TrainingError(.checkpoint, "\(newest.folder.path): \(Self.stateName) cannot be read: \(error)")
        }
    }

    /// Writes a checkpoint whole or not at all, then drops those that nobody needs any more.
    /// - Throws: `TrainingError` `file` that says which one is intact.
    func write(
        step: Int, identity: CheckpointIdentity, stopping: EarlyStopping.State = .init(), weights: [(String, Tensor)],
        optimizer: [String: Tensor]
    ) throws {
        let files = FileManager.default
        let target = folder(of: step)
        let temporary = url.appending(path: target.lastPathComponent + Self.partial)
        // A checkpoint of the same step of the same run holds the same numbers: let it stand.
        if files.fileExists(atPath: target.path) { return }
        do {
            try? files.removeItem(at: temporary)
            try files.createDirectory(at: temporary, withIntermediateDirectories: true)
            try TensorFile.write(weights, to: temporary.appending(path: Self.weightsName))
            try TensorFile.write(
                optimizer.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
                to: temporary.appending(path: Self.optimizerName))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let known = stopping == EarlyStopping.State() ? nil : stopping
            let file = temporary.appending(path: Self.stateName)
            try encoder.encode(State(step: step, identity: identity, stopping: known)).write(to: file)
            // The name must not reach the disk before what it names.
            try flush(file)
            try flush(temporary)
            try files.moveItem(at: temporary, to: target)
            try flush(url)
        } catch {
            try? files.removeItem(at: temporary)
            let last = all().last.map { "the one of step \($0.step) is intact" } ?? "there is none before it"
            throw TrainingError(
                .file, "the checkpoint of step \(step) cannot be written to \(url.path) (\(last)): \(error)")
        }
        // The best weights are needed for as long as a kept checkpoint speaks of them.
        let best = Set(all().suffix(2).compactMap { try? state($0.folder).stopping?.bestStep })
        for old in all().dropLast(2) where !best.contains(old.step) { try? files.removeItem(at: old.folder) }
        // Left by a run that was killed while writing.
        for left in (try? files.contentsOfDirectory(atPath: url.path)) ?? [] where left.hasSuffix(Self.partial) {
            try? files.removeItem(at: url.appending(path: left))
        }
    }

    /// Sees to it that a file, or a folder's list of names, is on the disk.
    private func flush(_ place: URL) throws {
        let descriptor = open(place.path, O_RDONLY)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw TrainingError(.file, "\(place.path) cannot be flushed: \(String(cString: strerror(errno)))")
        }
    }
}
