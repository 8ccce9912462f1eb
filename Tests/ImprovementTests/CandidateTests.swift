import Evaluation
import Foundation
import Testing

@testable import Improvement

@Suite("What becomes of a candidate")
struct CandidateTests {
    private let folder: URL
    private let registry: ModelRegistry

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "loam-candidate-\(UUID().uuidString)")
        registry = try ModelRegistry(folder.appending(path: "registry"))
    }

    private func model(_ name: String) throws -> URL {
        let place = folder.appending(path: name)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: place.appending(path: "config.json"))
        try Data(name.utf8).write(to: place.appending(path: "model.safetensors"))
        return place
    }

    private func loop(from base: URL) throws -> ImprovementLoop {
        let encoder = try model("encoder")
        return ImprovementLoop(
            configuration: ImproveConfiguration(
                logs: [], format: "loam", store: folder.appending(path: "store.sqlite").path, model: base.path,
                encoder: encoder.path),
            folder: try RunFolder(folder.appending(path: "run")), registry: registry, codeVersion: "1",
            now: { Date(timeIntervalSince1970: 1_000_000) }, onEvent: { _ in })
    }

    private func register(
        _ model: URL, by loop: ImprovementLoop, passes: Bool = true, dataset: String = "d"
    ) throws -> (entry: ModelRegistry.Entry, standing: String) {
        let verdict = GateVerdict(candidate: "round 1", base: "base", passed: passes, rule: GateRule(), criteria: [])
        return try loop.register(
            model, round: 1, verdict: verdict, people: 20, lineage: Lineage(loop.configuration, codeVersion: "1"),
            dataset: dataset)
    }

    @Test("the same store and settings a month later are another model: the one that serves stays what it is")
    func monthLater() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let loop = try loop(from: model("base"))
        let may = try register(model("may"), by: loop)
        let june = try register(model("june"), by: loop, passes: false)
        #expect(may.entry.id != june.entry.id && may.standing == "Promoted" && june.standing == "Not promoted")
        #expect(try registry.serving() == may.entry && may.entry.passedGate)
        #expect(try registry.entry(june.entry.id).passedGate == false)
    }

    @Test("a finished run that is started again undoes no roll-back")
    func rolledBack() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (loop, candidate) = (try loop(from: model("base")), try model("may"))
        let first = try register(candidate, by: loop)
        #expect(try register(candidate, by: loop).standing == "Promoted")
        let base = try registry.rollback(at: Date())
        #expect(base.isBase == true && base.path == loop.configuration.model)
        let again = try register(candidate, by: loop)
        #expect(again.entry == first.entry && again.standing == "Promoted before, and replaced since")
        #expect(try registry.serving()?.id == base.id)
    }

    @Test("a run from before ids told weights apart keeps its id")
    func olderID() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (loop, candidate) = (try loop(from: model("base")), try model("may"))
        var old = try register(candidate, by: loop, passes: false).entry
        try FileManager.default.removeItem(at: registry.url.appending(path: old.id + ".json"))
        old.id = "old"
        try registry.add(old)
        #expect(try register(candidate, by: loop).entry.id == "old")
        #expect(try registry.entries().filter { $0.isBase != true }.map(\.id) == ["old"])
    }

    @Test("without promotion nobody serves, and a trial of the candidate has the base beside it")
    func waits() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var loop = try loop(from: model("base"))
        loop.promotes = false
        let (entry, standing) = try register(model("may"), by: loop)
        #expect(standing.contains("not promoted") && entry.passedGate)
        #expect(try registry.serving() == nil)
        let trial = try registry.startTrial(of: entry.id, share: 0.1, at: Date())
        #expect(trial.base == entry.parent)
        #expect(try registry.serving()?.path == loop.configuration.model)
    }

    @Test("a model that was trained from another learnt from that one's people too")
    func datasets() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let may = try register(model("may"), by: loop(from: model("base")), dataset: "d-may").entry
        #expect(may.datasets == ["d-may"])
        let june = try register(model("june"), by: loop(from: URL(filePath: may.path)), dataset: "d-june").entry
        #expect(june.datasets == ["d-june", "d-may"] && june.parent == may.id)
        // Found by its weights where it was copied.
        let copy = folder.appending(path: "copy")
        try FileManager.default.copyItem(atPath: june.path, toPath: copy.path)
        #expect(try register(model("july"), by: loop(from: copy)).entry.datasets == ["d", "d-june", "d-may"])
    }
}
