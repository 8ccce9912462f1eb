import Foundation

/// What a run stands on: hashes of its inputs and settings.
struct Lineage: Sendable {
    /// The name under which `inputs` has the settings' hash; the others hash what was read.
    static let settings = "settings"

    /// Name → SHA-256.
    let inputs: [String: String]
    /// Of what goes in before the first stage: logs, models, code, and the settings that no stage names as its own.
    let origin: String
    /// Of everything together: two runs with the same one give the same report.
    let fingerprint: String

    /// - Parameter hashesEncoder: False for runs that began before the encoder was hashed: what they have done still stands.
    init(_ configuration: ImproveConfiguration, codeVersion: String, hashesEncoder: Bool = true) throws {
        var inputs: [String: String] = [:]
        for log in configuration.logs {
            guard FileManager.default.fileExists(atPath: log) else {
                throw ImprovementError.noData(log, "no such file")
            }
            let place = URL(filePath: log)
            inputs[Self.free("log \(place.lastPathComponent)", in: inputs)] = try Fingerprint.of(log: place)
        }
        guard FileManager.default.fileExists(atPath: configuration.model + "/config.json") else {
            throw ImprovementError.model(configuration.model, "no config.json here: not a model folder")
        }
        inputs["model"] = try Fingerprint.of(model: URL(filePath: configuration.model))
        if hashesEncoder {
            guard FileManager.default.fileExists(atPath: configuration.encoder + "/config.json") else {
                throw ImprovementError.model(
                    configuration.encoder, "no config.json here: not the folder of a sentence encoder")
            }
            inputs["encoder"] = try Fingerprint.of(model: URL(filePath: configuration.encoder))
        }
        if let anchors = configuration.anchors {
            guard FileManager.default.fileExists(atPath: anchors) else {
                throw ImprovementError.noData(anchors, "no such file")
            }
            inputs["anchors"] = try Fingerprint.of(file: URL(filePath: anchors))
        }
        // Paths are left out: the same logs from another folder are the same run.
        var plain = configuration
        (plain.logs, plain.store, plain.model, plain.encoder) = ([], "", "", "")
        plain.anchors = nil
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        func whole(with settings: ImproveConfiguration) throws -> String {
            inputs[Self.settings] = Fingerprint.of([String(decoding: try encoder.encode(settings), as: UTF8.self)])
            return Fingerprint.of(inputs.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] } + [codeVersion])
        }
        origin = try whole(with: configuration.beforeStages)
        fingerprint = try whole(with: plain)
        self.inputs = inputs
    }

    /// Logs of one name from several folders are told apart by their number.
    private static func free(_ name: String, in inputs: [String: String]) -> String {
        var (candidate, number) = (name, 1)
        while inputs[candidate] != nil {
            number += 1
            candidate = "\(name) (\(number))"
        }
        return candidate
    }
}
