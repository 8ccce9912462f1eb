import Foundation

/// Runs stages in order, each once: what is done and unchanged is kept, what was cut off is done again or resumed.
///
/// A stage is done when its `done.json` names the fingerprint it would have now: its own settings and the fingerprints
/// of all stages before it. The file is written last and moved into place, so there is no half-done stage.
struct StageRunner: Sendable {
    /// What `done.json` holds.
    struct Record: Codable, Sendable, Equatable {
        var fingerprint: String
        var outcome: StageOutcome
    }

    let folder: RunFolder
    let configuration: ImproveConfiguration
    /// Fingerprint of what goes in before the first stage: logs, model, code version.
    let origin: String
    /// The day on which the run began.
    let today: Date
    let onEvent: @Sendable (ImproveEvent) -> Void

    /// What `done.json` of each stage names when it is done: its settings, on top of all before it.
    private func fingerprints(of stages: [any Stage]) -> [String] {
        var fingerprint = origin
        return stages.map { stage in
            fingerprint = Fingerprint.of(
                [fingerprint, stage.name] + stage.settings.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
            return fingerprint
        }
    }

    /// Takes over what another run did: its stages up to the first that this run does otherwise, or that is not done.
    /// - Returns: How many; 0 where the two runs have nothing in common.
    func adopt(_ stages: [any Stage], of other: RunFolder) throws -> Int {
        let files = FileManager.default
        for (index, (stage, fingerprint)) in zip(stages, fingerprints(of: stages)).enumerated() {
            let (from, to) = (other.stage(index + 1, stage.name), folder.stage(index + 1, stage.name))
            guard let record = try? RunFolder.read(Record.self, from: from.appending(path: "done.json")),
                record.fingerprint == fingerprint
            else { return index }
            if files.fileExists(atPath: to.path) { try files.removeItem(at: to) }
            try files.copyItem(at: from, to: to)
        }
        return stages.count
    }

    /// The outcomes by stage, in order. Cancellation ends between steps of a stage; starting again goes on there.
    func run(_ stages: [any Stage]) async throws -> [(name: String, outcome: StageOutcome)] {
        var earlier: [String: URL] = [:]
        var outcomes: [(name: String, outcome: StageOutcome)] = []
        for (index, (stage, fingerprint)) in zip(stages, fingerprints(of: stages)).enumerated() {
            try Task.checkCancellation()
            let number = index + 1
            let place = folder.stage(number, stage.name)
            let done = place.appending(path: "done.json")
            if let record = try? RunFolder.read(Record.self, from: done), record.fingerprint == fingerprint {
                onEvent(
                    .finished(
                        number: number, of: stages.count, name: stage.name, record.outcome, seconds: 0, kept: true))
                outcomes.append((stage.name, record.outcome))
            } else {
                onEvent(.started(number: number, of: stages.count, name: stage.name))
                try prepare(place, for: fingerprint)
                let clock = ContinuousClock()
                let start = clock.now
                let work = StageWork(
                    configuration: configuration, folder: place, earlier: earlier, today: today
                ) { [onEvent] text in
                    onEvent(.progress(name: stage.name, text))
                }
                let outcome = try await stage.run(work)
                try RunFolder.write(Record(fingerprint: fingerprint, outcome: outcome), to: done)
                let seconds =
                    Double((clock.now - start).components.seconds) + Double((clock.now - start).components.attoseconds)
                    * 1e-18
                onEvent(
                    .finished(
                        number: number, of: stages.count, name: stage.name, outcome, seconds: seconds, kept: false))
                outcomes.append((stage.name, outcome))
            }
            earlier[stage.name] = place
        }
        return outcomes
    }

    /// Empties the stage's folder, unless what is there was begun for the same fingerprint: then the stage resumes from it.
    private func prepare(_ place: URL, for fingerprint: String) throws {
        let files = FileManager.default
        let begun = place.appending(path: "begun")
        if let text = try? String(contentsOf: begun, encoding: .utf8), text == fingerprint {
            try? files.removeItem(at: place.appending(path: "done.json"))
            return
        }
        if files.fileExists(atPath: place.path) { try files.removeItem(at: place) }
        try files.createDirectory(at: place, withIntermediateDirectories: true)
        try fingerprint.write(to: begun, atomically: true, encoding: .utf8)
    }
}
