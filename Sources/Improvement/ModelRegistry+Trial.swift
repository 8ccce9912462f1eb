import Evaluation
import Foundation

/// A model that is tried on a share of the people beside the one that serves.
extension ModelRegistry {
    /// A running or ended trial, as `trial.json` keeps it.
    public struct Trial: Sendable, Codable, Equatable {
        /// Names the trial; people are assigned by it.
        public var name: String
        /// The model that serves meanwhile.
        public var base: String
        /// The model that is tried.
        public var model: String
        /// Share of the people that talk to it.
        public var share: Double
        /// Chance that a harmless model is ever stopped, by whichever guard-rail.
        public var level: Double
        public var startedAt: Date
        public var endedAt: Date?
        /// Why it ended: `ended`, `promoted`, or the guard-rail that stopped it.
        public var outcome: String?

        enum CodingKeys: String, CodingKey {
            case name, base, model, share, level, outcome
            case startedAt = "started_at"
            case endedAt = "ended_at"
        }

        /// Who talks to which model.
        /// - Throws: when the share is not between 0 and 1.
        public func assignment() throws -> ArmAssignment {
            try ArmAssignment(
                experiment: name, arms: [.init(model: base, share: 1 - share), .init(model: model, share: share)])
        }
    }

    private var trialFile: URL { url.appending(path: "trial.json") }

    /// The running trial; `nil` when none runs. A trial of a model beside one that no longer serves is over by itself.
    public func trial() throws -> Trial? {
        guard let trial = try lastTrial(), trial.endedAt == nil, try serving()?.id == trial.base else { return nil }
        return trial
    }

    /// The last trial, over or not.
    public func lastTrial() throws -> Trial? {
        guard FileManager.default.fileExists(atPath: trialFile.path) else { return nil }
        return try Self.read(Trial.self, from: trialFile)
    }

    /// When a trial ended; `nil` while it runs. One that nobody ended is over since its base stopped serving.
    public func end(of trial: Trial) throws -> Date? {
        if let endedAt = trial.endedAt { return endedAt }
        return try history().reversed().prefix { $0.id != trial.base }.last?.at
    }

    /// Begins a trial beside the model that serves; where none does yet, beside the base that it was trained from, which serves from then
    /// on. A model that did not pass the gate needs `force`.
    public func startTrial(
        of id: String, share: Double, level: Double = 0.05, name: String? = nil, at date: Date, force: Bool = false
    ) throws -> Trial {
        let entry = try entry(id)
        guard let base = try serving()?.id ?? origin(of: entry)?.id else {
            throw ImprovementError.registry(url.path, "no model serves yet; promote one first")
        }
        guard base != id else { throw ImprovementError.registry(url.path, "`\(id)` serves already") }
        guard share > 0, share < 1, level > 0, level < 1 else {
            throw ImprovementError.registry(url.path, "share and level of a trial lie between 0 and 1")
        }
        if let running = try trial() {
            throw ImprovementError.registry(url.path, "a trial of `\(running.model)` runs already; end it first")
        }
        guard entry.passedGate || force else {
            throw ImprovementError.registry(
                url.path, "`\(id)` did not pass the gate (\(entry.reasons.joined(separator: "; "))); --force tries it")
        }
        // Does nothing where it serves already.
        try promote(base, at: date, force: true)
        let trial = Trial(
            name: name ?? "\(id)-\(Int(date.timeIntervalSince1970))", base: base, model: id, share: share, level: level,
            startedAt: date)
        try Self.write(trial, to: trialFile)
        return trial
    }

    /// Ends the running trial; does nothing when none runs.
    public func endTrial(outcome: String, at date: Date) throws {
        guard var trial = try trial() else { return }
        trial.endedAt = date
        trial.outcome = outcome
        try Self.write(trial, to: trialFile)
    }
}
