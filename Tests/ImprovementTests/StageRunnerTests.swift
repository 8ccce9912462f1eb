import Foundation
import Synchronization
import Testing

@testable import Improvement

/// Counts its runs; fails where it is told to.
private final class CountingStage: Stage, Sendable {
    let name: String
    let settings: [String: String]
    private let failing: Mutex<Bool>
    private let runs = Mutex(0)

    init(_ name: String, settings: [String: String] = [:], fails: Bool = false) {
        self.name = name
        self.settings = settings
        failing = Mutex(fails)
    }

    var count: Int { runs.withLock { $0 } }
    func heal() { failing.withLock { $0 = false } }

    func run(_ work: StageWork) async throws -> StageOutcome {
        runs.withLock { $0 += 1 }
        let half = work.own("half")
        let resumed = FileManager.default.fileExists(atPath: half.path)
        try Data("half".utf8).write(to: half)
        if failing.withLock({ $0 }) { throw CancellationError() }
        return StageOutcome(
            unit: "things", cameIn: 3, wentOut: 2, dropped: ["broken": 1], figures: [.init("resumed", "\(resumed)")])
    }
}

@Suite("Stages run once, and go on where they were cut")
struct StageRunnerTests {
    let folder: RunFolder
    let configuration = ImproveConfiguration(logs: ["a"], format: "loam", store: "s", model: "m", encoder: "e")

    init() throws {
        folder = try RunFolder(
            FileManager.default.temporaryDirectory.appending(path: "loam-runner-\(UUID().uuidString)"))
    }

    private func runner(_ origin: String = "one") -> StageRunner {
        StageRunner(folder: folder, configuration: configuration, origin: origin, today: .distantPast) { _ in }
    }

    @Test("a second run keeps what is done")
    func keepsWhatIsDone() async throws {
        let stages = [CountingStage("first"), CountingStage("second")]
        let before = try await runner().run(stages)
        let after = try await runner().run(stages)
        #expect(stages.map(\.count) == [1, 1])
        #expect(before.map(\.outcome) == after.map(\.outcome))
    }

    @Test("a cut-off stage goes on with what it left, later ones run")
    func resumes() async throws {
        let stages = [CountingStage("first"), CountingStage("second", fails: true), CountingStage("third")]
        await #expect(throws: CancellationError.self) { try await runner().run(stages) }
        stages[1].heal()
        let outcomes = try await runner().run(stages)
        #expect(stages.map(\.count) == [1, 2, 1])
        #expect(outcomes[1].outcome.figures == [.init("resumed", "true")])
    }

    @Test("another input or setting runs the stage and all after it again, from an empty folder")
    func changes() async throws {
        _ = try await runner().run([CountingStage("first"), CountingStage("second")])
        let changed = [CountingStage("first"), CountingStage("second", settings: ["k": "2"]), CountingStage("third")]
        let outcomes = try await runner().run(changed)
        #expect(changed.map(\.count) == [0, 1, 1])
        #expect(outcomes[1].outcome.figures == [.init("resumed", "false")])
        let other = [CountingStage("first"), CountingStage("second", settings: ["k": "2"])]
        _ = try await runner("two").run(other)
        #expect(other.map(\.count) == [1, 1])
    }

    @Test("the line of a stage says what came in, what went out and why the rest did not")
    func line() {
        let outcome = StageOutcome(
            unit: "votes", cameIn: 12_345, wentOut: 12_000, dropped: ["late": 45, "broken": 300, "none": 0],
            figures: [.init("people", "7")])
        #expect(outcome.line == "12,345 votes → 12,000 (left out: broken 300, late 45) · people 7")
    }

    @Test("one run at a time in a folder")
    func locks() throws {
        let lock = try RunLock(folder)
        #expect(throws: ImprovementError.self) { _ = try RunLock(folder) }
        withExtendedLifetime(lock) {}
    }
}
