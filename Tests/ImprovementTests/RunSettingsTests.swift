import Evaluation
import Foundation
import Testing

@testable import Improvement

@Suite("What a run was begun with")
struct RunSettingsTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "loam-settings-\(UUID().uuidString)")
        for name in ["model", "encoder"] { try model(name, "weights of the \(name)") }
        try write("chats", to: "chats.jsonl")
    }

    private func write(_ text: String, to name: String) throws {
        let file = folder.appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func model(_ name: String, _ weights: String) throws {
        try write("{}", to: name + "/config.json")
        try write(weights, to: name + "/model.safetensors")
    }

    private func configuration(
        logs: [String] = ["chats.jsonl"], run: String = "run", encoder: String = "encoder"
    ) -> ImproveConfiguration {
        func path(_ name: String) -> String { folder.appending(path: name).path }
        return ImproveConfiguration(
            logs: logs.map(path), format: "loam", store: path(run + "/store.sqlite"), model: path("model"),
            encoder: path(encoder))
    }

    private func lineage(_ configuration: ImproveConfiguration) throws -> Lineage {
        try Lineage(configuration, codeVersion: "1")
    }

    private func settings(_ run: String = "run") throws -> RunSettings {
        RunSettings(folder: try RunFolder(folder.appending(path: run)))
    }

    private func keep(_ configuration: ImproveConfiguration, in run: String = "run") throws {
        try settings(run).keep(configuration, lineage: lineage(configuration), keepsInputs: true)
    }

    @Test("logs of one name are told apart, a folder is its files, and the encoder counts")
    func lineage() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("may", to: "may/chats.jsonl")
        try write("june", to: "june/chats.jsonl")
        let both = configuration(logs: ["may/chats.jsonl", "june/chats.jsonl"])
        let before = try lineage(both)
        #expect(before.inputs.keys.filter { $0.hasPrefix("log ") }.count == 2)
        try write("may, edited", to: "may/chats.jsonl")
        #expect(try lineage(both).fingerprint != before.fingerprint)

        let whole = configuration(logs: ["june"])
        let one = try lineage(whole)
        try write("july", to: "june/later.jsonl")
        #expect(try lineage(whole).fingerprint != one.fingerprint)

        try model("encoder", "other weights")
        #expect(try lineage(both).inputs["encoder"] != before.inputs["encoder"])
        try FileManager.default.removeItem(at: folder.appending(path: "encoder"))
        let error = #expect(throws: ImprovementError.self) { try lineage(both) }
        #expect(error?.description.contains("encoder") == true)
        // A run from before goes on as it began.
        #expect(try Lineage(both, codeVersion: "1", hashesEncoder: false).inputs["encoder"] == nil)
    }

    @Test("a log, a model or an encoder that changed is named, and another folder asked for")
    func changed() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try keep(configuration())
        try keep(configuration())
        try write("chats without somebody", to: "chats.jsonl")
        let log = #expect(throws: ImprovementError.self) { try keep(configuration()) }
        #expect(log?.code == .otherSettings && log?.description.contains("log chats.jsonl") == true)
        try write("chats", to: "chats.jsonl")
        try model("encoder", "other weights")
        let encoder = #expect(throws: ImprovementError.self) { try keep(configuration()) }
        #expect(encoder?.description.contains("the encoder changed") == true)
        try model("encoder", "weights of the encoder")
        var other = configuration()
        other.seed = 7
        let seed = #expect(throws: ImprovementError.self) { try keep(other) }
        #expect(seed?.description.contains("another seed") == true)
    }

    @Test("the same elsewhere is the same: a run folder that was moved, an encoder of another machine")
    func moved() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try keep(configuration())
        let files = FileManager.default
        try files.moveItem(at: folder.appending(path: "run"), to: folder.appending(path: "elsewhere"))
        try files.moveItem(at: folder.appending(path: "encoder"), to: folder.appending(path: "encoder-2"))
        let now = configuration(run: "elsewhere", encoder: "encoder-2")
        try keep(now, in: "elsewhere")
        #expect(try RunFolder(folder.appending(path: "elsewhere")).store == now.store)
        // Another store is another run.
        var other = now
        other.store = folder.appending(path: "other.sqlite").path
        #expect(throws: ImprovementError.self) { try keep(other, in: "elsewhere") }
    }

    @Test("a run from before its folder kept inputs goes on, by the rule that it began with")
    func older() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var old = configuration()
        old.gate.minimumPeople = nil
        try RunFolder.write(old, to: RunFolder(folder.appending(path: "run")).url.appending(path: "run.json"))
        let settings = try settings()
        #expect(settings.isOlder)
        let resumed = try settings.resumed(configuration())
        #expect(resumed.gate.minimumPeople == nil && configuration().gate.minimumPeople == 20)
        let lineage = try Lineage(resumed, codeVersion: "1", hashesEncoder: false)
        try settings.keep(resumed, lineage: lineage, keepsInputs: false)
        #expect(settings.isOlder)
        // The rule is the gate's alone: what comes before it stays as it was.
        #expect(try Lineage(configuration(), codeVersion: "1", hashesEncoder: false).origin == lineage.origin)
    }

    @Test("a database's password is in no file, and another one is no other run")
    func password() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = configuration()
        configuration.store = "postgres://gunhild:secret@db.example/loam"
        try keep(configuration)
        let file = folder.appending(path: "run/run.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains("db.example/loam") && !text.contains("secret") && !text.contains("gunhild"))
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        configuration.store = "postgres://gunhild:newer@db.example/loam"
        try keep(configuration)
        #expect(!configuration.storeName.contains("newer"))
        configuration.store = "postgres://gunhild:newer@db.example/other"
        #expect(throws: ImprovementError.self) { try keep(configuration) }
    }
}
