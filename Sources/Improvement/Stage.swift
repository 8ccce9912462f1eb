import Foundation

/// One arrow of the loop: reads what earlier stages wrote, writes its own folder, says what came in and what went out.
///
/// A stage must be a function of its inputs, the seed and the run's day: run twice it writes the same bytes. Only then can a killed run
/// end with the report of an undisturbed one.
protocol Stage: Sendable {
    /// Folder and line name: `trust`, `cringe-2`.
    var name: String { get }
    /// The settings that this stage depends on beyond earlier stages; a change of them makes it run again.
    var settings: [String: String] { get }
    func run(_ work: StageWork) async throws -> StageOutcome
}

/// What a stage is handed.
struct StageWork: Sendable {
    let configuration: ImproveConfiguration
    /// The stage's own folder, there and empty but for what an interrupted try left to resume from.
    let folder: URL
    /// Folders of the stages before, by name.
    let earlier: [String: URL]
    /// The day on which the run began: what chat templates are told, whenever the stage runs.
    let today: Date
    /// Says how far the stage is; shown on a terminal.
    let report: @Sendable (String) -> Void

    /// A file that an earlier stage wrote.
    func file(_ name: String, of stage: String) throws -> URL {
        guard let folder = earlier[stage] else {
            throw ImprovementError.noData(stage, "this stage has not run")
        }
        return folder.appending(path: name)
    }

    func own(_ name: String) -> URL { folder.appending(path: name) }
}

/// What a stage says when it is done: kept beside its files as `done.json`.
public struct StageOutcome: Sendable, Codable, Equatable {
    /// What the numbers count: `conversations`, `votes`, `replies`.
    public var unit: String
    public var cameIn: Int
    public var wentOut: Int
    /// Why the others did not: reason → count.
    public var dropped: [String: Int]
    /// The stage's line of figures, in order.
    public var figures: [Figure]

    public struct Figure: Sendable, Codable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    init(unit: String, cameIn: Int, wentOut: Int, dropped: [String: Int] = [:], figures: [Figure] = []) {
        self.unit = unit
        self.cameIn = cameIn
        self.wentOut = wentOut
        self.dropped = dropped.filter { $0.value > 0 }
        self.figures = figures
    }

    enum CodingKeys: String, CodingKey {
        case unit, dropped, figures
        case cameIn = "came_in"
        case wentOut = "went_out"
    }

    /// One line for a person: `3,000 conversations → 2,871 (dropped: no consent 92, empty 37) · likes 4,210`.
    public var line: String {
        var text = "\(Self.grouped(cameIn)) \(unit) → \(Self.grouped(wentOut))"
        if !dropped.isEmpty {
            let reasons = dropped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            text += " (left out: " + reasons.map { "\($0.key) \(Self.grouped($0.value))" }.joined(separator: ", ") + ")"
        }
        for figure in figures { text += " · \(figure.name) \(figure.value)" }
        return text
    }

    static func grouped(_ number: Int) -> String {
        var digits = String(abs(number))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        groups.insert(digits, at: 0)
        return (number < 0 ? "-" : "") + groups.joined(separator: ",")
    }
}
