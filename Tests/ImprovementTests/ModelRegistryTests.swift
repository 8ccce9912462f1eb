import Evaluation
import Foundation
import Testing

@testable import Improvement

@Suite("The registry: who serves, and the way back")
struct ModelRegistryTests {
    let registry: ModelRegistry

    init() throws {
        registry = try ModelRegistry(
            FileManager.default.temporaryDirectory.appending(path: "loam-registry-\(UUID().uuidString)"))
        for (index, id) in ["a", "b", "c"].enumerated() {
            try registry.add(
                ModelRegistry.Entry(
                    id: id, path: "/models/\(id)", madeAt: Date(timeIntervalSince1970: Double(index)), parent: "base",
                    method: "cringe",
                    seed: 1, fingerprint: "f", data: ["log": "x"], codeVersion: "0", people: 3, passedGate: id != "c",
                    reasons: id == "c" ? ["worse"] : []))
        }
    }

    private let day = Date(timeIntervalSince1970: 1_000_000)

    @Test("nobody serves before the first promotion, the last promoted does after")
    func promotion() throws {
        #expect(try registry.serving() == nil)
        try registry.promote("a", at: day)
        try registry.promote("b", at: day)
        #expect(try registry.serving()?.id == "b")
        #expect(try registry.entries().map(\.id) == ["a", "b", "c"])
    }

    @Test("rolling back twice goes back twice")
    func rollback() throws {
        for id in ["a", "b", "a"] { try registry.promote(id, at: day) }
        #expect(try registry.rollback(at: day).id == "b")
        #expect(try registry.rollback(at: day).id == "a")
        #expect(throws: ImprovementError.self) { try registry.rollback(at: day) }
        #expect(try registry.serving()?.id == "a")
    }

    private func entry(
        _ id: String, path: String? = nil, fingerprint: String = "f", parent: String = "base"
    ) -> ModelRegistry.Entry {
        ModelRegistry.Entry(
            id: id, path: path ?? "/models/\(id)", madeAt: day, parent: parent, method: "cringe", seed: 1,
            fingerprint: fingerprint, data: [:], codeVersion: "0", people: 3, passedGate: true, reasons: [])
    }

    @Test("an id stays one model's")
    func ids() throws {
        #expect(throws: ImprovementError.self) { try registry.add(entry("a", fingerprint: "g")) }
        #expect(try registry.entry("a").fingerprint == "f")
        // Moved: nothing is where it was.
        try registry.add(entry("a", path: registry.url.path))
        #expect(try registry.entry("a").path == registry.url.path)
        #expect(throws: ImprovementError.self) { try registry.add(entry("a", path: "/models/elsewhere")) }
        try registry.add(entry("a", path: registry.url.path))
    }

    @Test("the first candidate has its base to go back to, and to be tried beside")
    func base() throws {
        let base = try registry.addBase(
            at: "/models/base", fingerprint: "0123456789abcdef", codeVersion: "0", date: day)
        #expect(base.id == "0123456789ab" && base.path == "/models/base" && base.isBase == true)
        let again = try registry.addBase(
            at: "/moved/base", fingerprint: "0123456789abcdef", codeVersion: "0", date: day)
        #expect(again.id == base.id && again.path == "/moved/base")
        #expect(try registry.entries().count == 4)
        #expect(try registry.serving() == nil)
        try registry.add(entry("first", parent: base.id))
        try registry.add(entry("second", parent: "/moved/base"))
        let trial = try registry.startTrial(of: "first", share: 0.1, at: day)
        #expect(trial.base == base.id)
        #expect(try registry.trial() == trial)
        #expect(try registry.serving()?.id == base.id)
        try registry.endTrial(outcome: "ended", at: day)
        try registry.promote("first", at: day)
        #expect(try registry.history().map(\.id) == [base.id, "first"])
        #expect(try registry.rollback(at: day).id == base.id)
        // The same without a trial before.
        try FileManager.default.removeItem(at: registry.url.appending(path: "serving.json"))
        try registry.promote("second", at: day)
        #expect(try registry.history().map(\.id) == [base.id, "second"])
    }

    @Test("entries from before they told of data sets and bases still read")
    func olderEntries() throws {
        try registry.add(entry("old"))
        let file = registry.url.appending(path: "old.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(!text.contains("datasets") && !text.contains("is_base"))
        #expect(try registry.entry("old").datasets == nil)
    }

    @Test("a model that failed the gate needs force; an unknown one is named with the known ones")
    func refusals() throws {
        #expect(throws: ImprovementError.self) { try registry.promote("c", at: day) }
        try registry.promote("c", at: day, force: true)
        #expect(try registry.serving()?.id == "c")
        let error = #expect(throws: ImprovementError.self) { try registry.promote("z", at: day) }
        #expect(error?.description.contains("a, b, c") == true)
        #expect(throws: ImprovementError.self) { try registry.entry("../a") }
    }

    @Test("a trial runs beside the model that serves until it is ended or that one changes")
    func trial() throws {
        #expect(throws: ImprovementError.self) { try registry.startTrial(of: "b", share: 0.2, at: day) }
        try registry.promote("a", at: day)
        #expect(throws: ImprovementError.self) { try registry.startTrial(of: "a", share: 0.2, at: day) }
        #expect(throws: ImprovementError.self) { try registry.startTrial(of: "b", share: 1.5, at: day) }
        #expect(throws: ImprovementError.self) { try registry.startTrial(of: "c", share: 0.2, at: day) }
        let trial = try registry.startTrial(of: "b", share: 0.2, at: day)
        #expect(try registry.trial() == trial)
        #expect(try registry.entries().map(\.id) == ["a", "b", "c"])
        let people = (0..<2_000).map { "p\($0)" }
        let assignment = try trial.assignment()
        #expect(abs(people.count { assignment.model(for: $0) == "b" } - 400) < 80)
        #expect(throws: ImprovementError.self) { try registry.startTrial(of: "b", share: 0.3, at: day) }
        try registry.endTrial(outcome: "unsafe", at: day.addingTimeInterval(60))
        #expect(try registry.trial() == nil)
        #expect(try registry.lastTrial()?.outcome == "unsafe")
        // Promoting another model ends the next trial by itself.
        _ = try registry.startTrial(of: "b", share: 0.2, at: day)
        try registry.promote("b", at: day)
        #expect(try registry.trial() == nil)
    }

    @Test("looking into a registry that is not there makes none; the first entry does")
    func reading() throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "loam-registry-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: parent) }
        let place = parent.appending(path: "registry")
        let typo = try ModelRegistry(place)
        #expect(try typo.entries().isEmpty)
        #expect(try typo.serving() == nil)
        #expect(try typo.trial() == nil)
        #expect(throws: ImprovementError.self) { try typo.promote("a", at: day) }
        #expect(!FileManager.default.fileExists(atPath: parent.path))
        try typo.add(entry("a"))
        #expect(try typo.entries().map(\.id) == ["a"])
        // Where a file lies no registry can be: said before anything is trained.
        #expect(throws: ImprovementError.self) { try ModelRegistry(place.appending(path: "a.json/registry")) }
    }

    @Test("a trial that nobody ended is over since its base stopped serving")
    func endOfTrial() throws {
        try registry.promote("a", at: day)
        let trial = try registry.startTrial(of: "b", share: 0.2, at: day)
        #expect(try registry.end(of: trial) == nil)
        try registry.promote("b", at: day.addingTimeInterval(60))
        try registry.promote("c", at: day.addingTimeInterval(90), force: true)
        #expect(try registry.end(of: trial) == day.addingTimeInterval(60))
        _ = try registry.startTrial(of: "b", share: 0.2, at: day.addingTimeInterval(100))
        try registry.endTrial(outcome: "ended", at: day.addingTimeInterval(120))
        let last = try #require(try registry.lastTrial())
        #expect(try registry.end(of: last) == day.addingTimeInterval(120))
    }
}
