import Conversations
import Evaluation
import Foundation
import Generation
import Storage
import Torch

/// What the loop says while it runs.
public enum ImproveEvent: Sendable {
    case started(number: Int, of: Int, name: String)
    case progress(name: String, String)
    case finished(number: Int, of: Int, name: String, StageOutcome, seconds: Double, kept: Bool)
}

/// What a run of the loop comes to.
public struct ImproveResult: Sendable {
    /// Everything that `report.json` and `report.html` show.
    public var report: ReportData
    /// The before/after table, the verdict and where to look, for a terminal.
    public var summary: String
    public var candidate: ModelRegistry.Entry
}

/// The loop: import → de-identify → trust → reward model → labels → SFT and CRINGE rounds → choose → evaluate → gate → report.
///
/// Each stage runs once. A run that is cut off anywhere goes on there when it is started again with the same settings, and
/// ends with the same report.
public struct ImprovementLoop: Sendable {
    public var configuration: ImproveConfiguration
    public var folder: RunFolder
    public var registry: ModelRegistry
    public var codeVersion: String
    public var now: @Sendable () -> Date
    public var onEvent: @Sendable (ImproveEvent) -> Void
    /// Another run's folder, to begin with the stages that both have in common: variants of a recipe differ in their last stages only.
    public var beginsWith: RunFolder?

    public init(
        configuration: ImproveConfiguration, folder: RunFolder, registry: ModelRegistry, codeVersion: String,
        now: @escaping @Sendable () -> Date, onEvent: @escaping @Sendable (ImproveEvent) -> Void
    ) {
        self.configuration = configuration
        self.folder = folder
        self.registry = registry
        self.codeVersion = codeVersion
        self.now = now
        self.onEvent = onEvent
    }

    /// Runs what is left to run.
    /// - Throws: `ImprovementError` for settings, logs or models that cannot be used; what the rooms throw; `CancellationError`.
    public func run() async throws -> ImproveResult {
        let lock = try RunLock(folder)
        defer { withExtendedLifetime(lock) {} }
        try Engine.setThreadCount(configuration.threads)
        let encoderFolder = URL(filePath: configuration.encoder)
        let makePlainEncoder: @Sendable () throws -> any TextEncoder = {
            try SentenceEncoder(folder: encoderFolder, dtype: Device.cpu.matrixType)
        }
        let makeEncoder: @Sendable () throws -> any TextEncoder = { RememberingEncoder(try makePlainEncoder()) }
        let lineage = try Lineage(configuration, codeVersion: codeVersion)
        var stages: [any Stage] = [
            ImportStage(configuration: configuration),
            DeidentifyStage(
                configuration: configuration, key: folder.url.appending(path: "keys/deidentify.key"),
                makeEncoder: makePlainEncoder),
            TrustStage(configuration: configuration, makeEncoder: makeEncoder),
            RewardStage(configuration: configuration, makeEncoder: makeEncoder),
            LabelStage(configuration: configuration, makeEncoder: makeEncoder),
            RoundStage(round: 0, loss: .sft, configuration: configuration, makeEncoder: makeEncoder),
        ]
        for round in 1...configuration.iterations {
            stages.append(
                RoundStage(
                    round: round, loss: configuration.loss, configuration: configuration, makeEncoder: makeEncoder))
        }
        stages.append(ChooseStage(configuration: configuration, makeEncoder: makeEncoder))
        stages.append(EvaluateStage(configuration: configuration, makeEncoder: makeEncoder))
        stages.append(GateStage(configuration: configuration))
        stages.append(ReportStage(configuration: configuration, lineage: lineage))
        try adopt(stages, lineage)
        try keepSettings()
        let today = try RunDay.of(folder.url, now: now())
        let runner = StageRunner(
            folder: folder, configuration: configuration, origin: lineage.origin, today: today
        ) {
            onEvent($0)
        }
        let outcomes = try await runner.run(stages)
        let result = try finish(outcomes, stages: stages, lineage: lineage)
        // Whose words the candidate learnt from is known in the store: people are told so, and a deletion names the model.
        let deidentified = folder.stage(
            (stages.firstIndex { $0.name == "deidentify" } ?? 0) + 1, "deidentify")
        try await StoreLocation(configuration.store).open().record(
            ModelRecord(
                id: result.candidate.id, path: result.candidate.path,
                datasets: [DeidentifyStage.datasetID(of: deidentified, on: today)], createdAt: result.candidate.madeAt))
        return result
    }

    /// Begins a new run with the stages, the keys and the day of `beginsWith`.
    private func adopt(_ stages: [any Stage], _ lineage: Lineage) throws {
        let files = FileManager.default
        guard let other = beginsWith, !files.fileExists(atPath: folder.url.appending(path: "run.json").path)
        else { return }
        let lock = try RunLock(other)
        defer { withExtendedLifetime(lock) {} }
        let runner = StageRunner(
            folder: folder, configuration: configuration, origin: lineage.origin, today: now(), onEvent: { _ in })
        guard try runner.adopt(stages, of: other) > 0 else { throw ImprovementError.nothingShared(other.url.path) }
        for name in ["keys", RunDay.name] {
            let (from, to) = (other.url.appending(path: name), folder.url.appending(path: name))
            guard files.fileExists(atPath: from.path) else { continue }
            if files.fileExists(atPath: to.path) { try files.removeItem(at: to) }
            try files.copyItem(at: from, to: to)
        }
    }

    /// The settings are written before the first stage; a folder with other settings is left alone.
    private func keepSettings() throws {
        let file = folder.url.appending(path: "run.json")
        if FileManager.default.fileExists(atPath: file.path) {
            let kept = try RunFolder.read(ImproveConfiguration.self, from: file)
            let differences = try configuration.differences(from: kept)
            guard differences.isEmpty else { throw ImprovementError.otherSettings(folder.url.path, differences) }
        } else {
            try RunFolder.write(configuration, to: file)
        }
    }

    /// Puts the report beside the run and the candidate into the registry; promotes it when the gate says so.
    private func finish(
        _ outcomes: [(name: String, outcome: StageOutcome)], stages: [any Stage], lineage: Lineage
    ) throws -> ImproveResult {
        func place(_ name: String) throws -> URL {
            guard let index = stages.firstIndex(where: { $0.name == name }) else {
                throw ImprovementError.noData(name, "no such stage")
            }
            return folder.stage(index + 1, name)
        }
        let report = try RunFolder.read(ReportData.self, from: place("report").appending(path: "report.json"))
        for name in ["report.json", "report.html"] {
            let source = try place("report").appending(path: name)
            try Data(contentsOf: source).write(to: folder.url.appending(path: name), options: .atomic)
        }
        let verdict = try RunFolder.read(GateVerdict.self, from: place("gate").appending(path: "verdict.json"))
        let chosen = try RunFolder.read(ChooseStage.Choice.self, from: place("choose").appending(path: "choice.json"))
        let last = "\(configuration.loss.rawValue)-\(chosen.round)"
        let id = String(lineage.fingerprint.prefix(12))
        let known = try? registry.entry(id)
        let entry = ModelRegistry.Entry(
            id: id, path: try place(last).appending(path: "model").path, madeAt: known?.madeAt ?? now(),
            parent: configuration.model,
            method: "\(configuration.loss.rawValue), round \(chosen.round) of \(configuration.iterations)",
            seed: configuration.seed, fingerprint: try Fingerprint.of(model: place(last).appending(path: "model")),
            data: lineage.inputs, codeVersion: codeVersion,
            people: try RunFolder.read([UserCount].self, from: place("trust").appending(path: "users.json")).count,
            passedGate: verdict.passed, reasons: verdict.criteria.filter { !$0.passed }.map(\.sentence))
        try registry.add(entry)
        if verdict.passed { try registry.promote(id, at: now()) }
        let summary = """
            \(report.comparison?.text ?? "")

            \(verdict.passed ? "Promoted" : "Not promoted"): \(verdict.text)
            Report: \(folder.url.appending(path: "report.html").path)
            Model:  \(entry.path) (\(id))
            """
        return ImproveResult(report: report, summary: summary, candidate: entry)
    }

    /// Only counted here.
    private struct UserCount: Decodable {
        var user: String
    }
}

/// What a run stands on: hashes of its inputs and settings.
struct Lineage: Sendable {
    /// Name → SHA-256.
    let inputs: [String: String]
    /// Of what goes in before the first stage: logs, model, code, and the settings that no stage names as its own.
    let origin: String
    /// Of everything together: two runs with the same one give the same report.
    let fingerprint: String

    init(_ configuration: ImproveConfiguration, codeVersion: String) throws {
        var inputs: [String: String] = [:]
        for log in configuration.logs {
            guard FileManager.default.fileExists(atPath: log) else {
                throw ImprovementError.noData(log, "no such file")
            }
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: log, isDirectory: &isFolder), isFolder.boolValue {
                throw ImprovementError.noData(log, "a folder, not a log file")
            }
            inputs["log \(URL(filePath: log).lastPathComponent)"] = try Fingerprint.of(file: URL(filePath: log))
        }
        guard FileManager.default.fileExists(atPath: configuration.model + "/config.json") else {
            throw ImprovementError.model(configuration.model, "no config.json here: not a model folder")
        }
        inputs["model"] = try Fingerprint.of(model: URL(filePath: configuration.model))
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
            inputs["settings"] = Fingerprint.of([String(decoding: try encoder.encode(settings), as: UTF8.self)])
            return Fingerprint.of(inputs.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] } + [codeVersion])
        }
        origin = try whole(with: configuration.beforeStages)
        fingerprint = try whole(with: plain)
        self.inputs = inputs
    }
}
