import Foundation
import Synchronization
import Testing

/// A run that is killed in every stage, one after the other, ends with the report of a run that was left alone.
@Suite("Killed runs")
struct KilledRuns {
    static let stages = [
        "import", "deidentify", "trust", "reward", "label", "sft", "masked-cringe-1", "masked-cringe-2", "choose",
        "evaluate",
        "gate",
        "report",
    ]

    private func arguments(_ folder: TemporaryFolder, log: String, out: String) -> [String] {
        [
            "improve", "--log", log, "--from", "loam", "--model", "Models/loam-sample", "--out", folder(out),
            "--registry",
            folder(out + "-registry"), "--iterations", "2", "--steps", "4", "--half", "4", "--prompts", "24",
            "--generations", "24",
            "--threads", "2", "--seed", "3",
        ]
    }

    @Test("killed in each stage, it carries on and ends with the same report", .timeLimit(.minutes(15)))
    func sameReport() throws {
        let folder = try TemporaryFolder()
        let log = folder("log.jsonl")
        let made = try LoamProcess.run(["simulate", "--people", "44", "--trolls", "0.3", "--seed", "5", "--out", log])
        #expect(made.status == 0, "\(made.errors)")
        // Pseudonyms depend on a key that is drawn once; both runs get the same one.
        for name in ["whole", "cut"] {
            let keys = folder.url.appending(path: name + "/keys")
            try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
            let key = keys.appending(path: "deidentify.key")
            try Data((String(repeating: "5a", count: 32) + "\n").utf8).write(to: key)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key.path)
        }
        let whole = try LoamProcess.run(arguments(folder, log: log, out: "whole"))
        #expect(whole.status == 0, "\(whole.errors)")

        let cut = arguments(folder, log: log, out: "cut")
        for stage in Self.stages {
            // In the middle of a stage where it says how far it is, else as soon as it has begun.
            let speaks = whole.errors.contains("        \(stage): ")
            let result = try LoamProcess.run(cut) { line in
                speaks ? line.hasPrefix("        \(stage): ") : (line.contains("] \(stage) …"))
            }
            #expect(result.wasKilled || result.errors.contains("] \(stage): "), "\(stage): \(result.errors)")
        }
        let last = try LoamProcess.run(cut)
        #expect(last.status == 0, "\(last.errors)")
        #expect(last.errors.contains("import: ") && last.errors.contains("(kept)"))
        for name in ["report.json", "report.html"] {
            let one = try Data(contentsOf: folder.url.appending(path: "whole/" + name))
            let other = try Data(contentsOf: folder.url.appending(path: "cut/" + name))
            #expect(one.count > 2_000)
            #expect(one == other, "\(name) differs")
        }
        // What the run learnt of good and bad ranks replies outside it too.
        let ranking = [
            "generate", "--model", "Models/loam-sample", "--prompt", "Hello!", "--best-of", "3", "--threads", "2",
            "--reward", folder("whole/04-reward/learn"),
        ]
        let ranked = try LoamProcess.run(ranking)
        #expect(ranked.status == 0 && !ranked.output.isEmpty, "\(ranked.errors)")
        let states = folder.url.appending(path: "whole/04-reward/learn/states.json")
        try Data(#"{"model": "gone"}"#.utf8).write(to: states)
        let moved = try LoamProcess.run(ranking)
        #expect(moved.status == 2 && moved.errors.contains("gone"), "\(moved.errors)")
        try FileManager.default.removeItem(at: states)
        let unnamed = try LoamProcess.run(ranking)
        #expect(unnamed.status == 2 && unnamed.errors.contains("states.json"), "\(unnamed.errors)")
        // The candidate is in both registries under one id.
        let models = try LoamProcess.run(["models", "--registry", folder("cut-registry"), "--json"])
        #expect(
            models.output == (try LoamProcess.run(["models", "--registry", folder("cut-registry"), "--json"])).output)
        // Another recipe begins with what both do alike, and does the rest itself.
        let variant = arguments(folder, log: log, out: "variant") + ["--alpha", "0.7", "--begin-with", folder("whole")]
        let varied = try LoamProcess.run(variant)
        #expect(varied.status == 0, "\(varied.errors)")
        let kept = varied.errors.split(separator: "\n").filter { $0.hasSuffix("(kept)") }
        #expect(kept.count == 5 && kept.last?.contains("label: ") == true, "\(varied.errors)")
        #expect(varied.errors.contains("] sft …") && varied.errors.contains("] report: "))
        // One that hears what people said next has a reward model of its own for that, and other labels.
        let listening = try LoamProcess.run(
            arguments(folder, log: log, out: "listening") + ["--next-message", "--begin-with", folder("whole")])
        #expect(listening.status == 0, "\(listening.errors)")
        #expect(listening.errors.split(separator: "\n").count { $0.hasSuffix("(kept)") } == 3, "\(listening.errors)")
        let figures = try String(contentsOf: folder.url.appending(path: "listening/report.json"), encoding: .utf8)
        #expect(figures.contains("AUC with what people said next"))
        let labels = try ["whole", "listening"].map {
            try Data(contentsOf: folder.url.appending(path: "\($0)/05-label/examples.jsonl"))
        }
        #expect(labels[0] != labels[1])
        let stranger = ["--begin-with", folder("whole"), "--keep", "Ann"]
        let refused = try LoamProcess.run(arguments(folder, log: log, out: "stranger") + stranger)
        #expect(refused.status == 2 && refused.errors.contains("nothing to begin with"), "\(refused.errors)")
        // Other settings in the same folder are refused by name.
        let other = try LoamProcess.run(cut + ["--alpha", "0.7"])
        #expect(other.status == 2)
        #expect(other.errors.contains("training"))
    }
}
