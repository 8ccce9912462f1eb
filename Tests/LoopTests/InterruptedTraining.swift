import Foundation
import Testing

/// Ctrl-C and a service manager's stop, by the real binary.
@Suite("Interrupted training")
struct InterruptedTraining {
    @Test(
        "it keeps the step it was at, says so, and the same command goes on from there", arguments: [SIGINT, SIGTERM])
    func interrupted(signal: Int32) throws {
        let folder = try TemporaryFolder()
        let lines = (0..<60).map { "{\"turns\": [\"I have \($0) apples.\", \"Then eat \($0 / 2) of them!\"]}" }
        let data = try folder.write(lines.joined(separator: "\n"), to: "dialogues.jsonl")
        func train(_ steps: Int, until line: String? = nil) throws -> LoamProcess.Result {
            try LoamProcess.run(
                [
                    "train", "pretrain", "--data", data, "--preset", "tiny", "--vocabulary", "300", "--context", "32",
                    "--rows", "1", "--steps", "\(steps)", "--checkpoint-every", "0", "--out", folder("model"),
                    "--threads", "1",
                ], signal: signal, killWhen: line.map { line in { $0.contains(line) } })
        }
        // Nobody waits for so many steps: the signal ends them.
        let cut = try train(100_000, until: "step 20 of 100000")
        #expect(cut.status == 1 && !cut.wasKilled)
        #expect(cut.errors.contains("ending after this step"))
        #expect(cut.errors.contains("interrupted; the same command goes on where it stopped"), "\(cut.errors)")
        let checkpoints = folder.url.appending(path: "model/training/checkpoints")
        let kept = try FileManager.default.contentsOfDirectory(atPath: checkpoints.path).filter {
            $0.hasPrefix("step-")
        }
        #expect(kept.count == 1 && !kept[0].contains("step-000000"), "\(kept)")
        // It goes on behind its checkpoint and not from the beginning.
        let again = try train(100_000, until: "step ")
        #expect(!again.errors.contains("step 20 of"), "\(again.errors)")
    }
}
