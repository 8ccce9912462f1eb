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
    /// Whether a candidate that passes the gate is put in front of people; else it waits in the registry, for a trial or a person.
    public var promotes = true

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
        let settings = RunSettings(folder: folder)
        var begun = self
        begun.configuration = try settings.resumed(configuration)
        let isOlder = settings.isBegun ? settings.isOlder : beginsWith.map { RunSettings(folder: $0).isOlder } ?? false
        let lineage = try Lineage(begun.configuration, codeVersion: codeVersion, hashesEncoder: !isOlder)
        return try await begun.run(lineage, keepsInputs: !isOlder)
    }

    /// - Parameter keepsInputs: False for a run that goes on as one from before folders kept what they read.
    private func run(_ lineage: Lineage, keepsInputs: Bool) async throws -> ImproveResult {
        try Engine.setThreadCount(configuration.threads)
        let encoderFolder = URL(filePath: configuration.encoder)
        let makePlainEncoder: @Sendable () throws -> any TextEncoder = {
            try SentenceEncoder(folder: encoderFolder, dtype: Device.cpu.matrixType)
        }
        let makeEncoder: @Sendable () throws -> any TextEncoder = { RememberingEncoder(try makePlainEncoder()) }
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
        try RunSettings(folder: folder).keep(configuration, lineage: lineage, keepsInputs: keepsInputs)
        let today = try RunDay.of(folder.url, now: now())
        let runner = StageRunner(
            folder: folder, configuration: configuration, origin: lineage.origin, today: today
        ) {
            onEvent($0)
        }
        let outcomes = try await runner.run(stages)
        let deidentified = try place("deidentify", in: stages)
        let dataset = DeidentifyStage.dataset(in: deidentified, on: today)
        let result = try finish(outcomes, stages: stages, lineage: lineage, dataset: dataset)
        // Whose words the candidate learnt from is known in the store: people are told so, and a deletion names the model.
        try await StoreLocation(configuration.store).open().record(
            ModelRecord(
                id: result.candidate.id, path: result.candidate.path,
                datasets: result.candidate.datasets ?? [dataset], createdAt: result.candidate.madeAt))
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
        // What the other run made is one data set, whoever learns from it; a run from before it said so is known by its place.
        let copied = try place("deidentify", in: stages)
        let file = copied.appending(path: DeidentifyStage.datasetFile)
        if files.fileExists(atPath: copied.path), !files.fileExists(atPath: file.path) {
            let made = other.url.appending(path: copied.lastPathComponent, directoryHint: .isDirectory)
            try Data(DeidentifyStage.dataset(in: made, on: RunDay.of(other.url, now: now())).utf8)
                .write(to: file, options: .atomic)
        }
    }

    /// Folder of the stage with a name.
    private func place(_ name: String, in stages: [any Stage]) throws -> URL {
        guard let index = stages.firstIndex(where: { $0.name == name }) else {
            throw ImprovementError.noData(name, "no such stage")
        }
        return folder.stage(index + 1, name)
    }

    /// Puts the report beside the run and the candidate into the registry; promotes it when the gate says so.
    private func finish(
        _ outcomes: [(name: String, outcome: StageOutcome)], stages: [any Stage], lineage: Lineage, dataset: String
    ) throws -> ImproveResult {
        let reported = try place("report", in: stages)
        let report = try RunFolder.read(ReportData.self, from: reported.appending(path: "report.json"))
        for name in ["report.json", "report.html"] {
            try Data(contentsOf: reported.appending(path: name))
                .write(to: folder.url.appending(path: name), options: .atomic)
        }
        let verdict = try RunFolder.read(
            GateVerdict.self, from: place("gate", in: stages).appending(path: "verdict.json"))
        let chosen = try RunFolder.read(
            ChooseStage.Choice.self, from: place("choose", in: stages).appending(path: "choice.json"))
        let voters = try RunFolder.read(
            [UserCount].self, from: place("trust", in: stages).appending(path: "users.json"))
        let last = try place("\(configuration.loss.rawValue)-\(chosen.round)", in: stages)
        let (entry, standing) = try register(
            last.appending(path: "model"), round: chosen.round, verdict: verdict, people: voters.count,
            lineage: lineage,
            dataset: dataset)
        let summary = """
            \(report.comparison?.text ?? "")

            \(standing): \(verdict.text)
            Report: \(folder.url.appending(path: "report.html").path)
            Model:  \(entry.path) (\(entry.id))
            """
        return ImproveResult(report: report, summary: summary, candidate: entry)
    }

    /// The candidate into the registry, and in front of people where it passed the gate and never was there: a run that is started
    /// again must not undo a roll-back.
    /// - Returns: Its entry, and what became of it in a few words.
    func register(
        _ model: URL, round: Int, verdict: GateVerdict, people: Int, lineage: Lineage, dataset: String
    ) throws -> (entry: ModelRegistry.Entry, standing: String) {
        let parents = try registry.entries(of: lineage.inputs["model"], at: configuration.model)
        var parent = parents.first { $0.fingerprint == lineage.inputs["model"] }
        if let weights = lineage.inputs["model"], try registry.history().isEmpty {
            parent = try registry.addBase(
                at: configuration.model, fingerprint: weights, codeVersion: codeVersion, date: now())
        }
        // Of the weights too: a store that nobody hashes may hold more than it did when a run like this one learnt from it.
        let weights = try Fingerprint.of(model: model)
        let own = String(Fingerprint.of([lineage.fingerprint, weights]).prefix(12))
        // The same run from before its id told so, or at another place, is still the same model.
        let same = try registry.entries().filter {
            $0.fingerprint == weights && ($0.id == own || $0.path == model.path)
        }
        let known = same.first { $0.path == model.path } ?? same.first
        let isThere = known.map { FileManager.default.fileExists(atPath: $0.path) } ?? false
        let id = known?.id ?? own
        let entry = ModelRegistry.Entry(
            id: id, path: isThere ? known?.path ?? model.path : model.path, madeAt: known?.madeAt ?? now(),
            parent: parent?.id ?? configuration.model,
            method: "\(configuration.loss.rawValue), round \(round) of \(configuration.iterations)",
            seed: configuration.seed, fingerprint: weights, data: lineage.inputs, codeVersion: codeVersion,
            people: people, passedGate: verdict.passed,
            reasons: verdict.criteria.filter { !$0.passed }.map(\.sentence),
            datasets: Set([dataset] + (known?.datasets ?? []) + parents.flatMap { $0.datasets ?? [] }).sorted())
        try registry.add(entry)
        guard verdict.passed else { return (entry, "Not promoted") }
        guard try registry.history().contains(where: { $0.id == id }) else {
            guard promotes else { return (entry, "Passed the gate, not promoted as asked") }
            try registry.promote(id, at: now())
            return (entry, "Promoted")
        }
        return (entry, try registry.history().last?.id == id ? "Promoted" : "Promoted before, and replaced since")
    }

    /// Only counted here.
    private struct UserCount: Decodable {
        var user: String
    }
}
