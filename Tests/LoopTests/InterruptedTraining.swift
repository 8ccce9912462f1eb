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
        // Nobody waits for so many steps: the signal ends them.
        func train(until part: String) throws -> LoamProcess.Result {
            let command = [
                "train", "pretrain", "--data", data, "--preset", "tiny", "--vocabulary", "300", "--context", "32",
                "--rows", "1", "--steps", "100000", "--checkpoint-every", "0", "--out", folder("model"),
                "--threads", "1",
            ]
            return try LoamProcess.run(command, signal: signal, killWhen: { line in line.contains(part) })
        }
        let cut = try train(until: "step 20 of 100000")
        #expect(cut.status == 1 && !cut.wasKilled)
        #expect(cut.errors.contains("ending after this step"))
        #expect(cut.errors.contains("interrupted; the same command goes on where it stopped"), "\(cut.errors)")
        let checkpoints = folder.url.appending(path: "model/training/checkpoints")
        let kept = try FileManager.default.contentsOfDirectory(atPath: checkpoints.path).filter {
            $0.hasPrefix("step-")
        }
        #expect(kept.count == 1 && !kept[0].contains("step-000000"), "\(kept)")
        // It goes on behind its checkpoint and not from the beginning.
        let again = try train(until: "step ")
        #expect(!again.errors.contains("step 20 of"), "\(again.errors)")
    }

    @Test("the loop of quickstart too ends in order", arguments: [SIGINT, SIGTERM])
    func quickstart(signal: Int32) throws {
        let folder = try TemporaryFolder()
        let cut = try LoamProcess.run(
            ["quickstart", "--no-serve", "--out", folder("run")], signal: signal,
            killWhen: { $0.contains("] import …") })
        #expect(cut.status == 1 && !cut.wasKilled, "\(cut.errors)")
        #expect(cut.errors.contains("interrupted; the same command goes on where it stopped"), "\(cut.errors)")
    }

    @Test("a training that keeps nothing on the way promises nothing: the first signal ends it")
    func atOnce() throws {
        let folder = try TemporaryFolder()
        var (messages, replies, talk) = ("tweet,class\n", "", "")
        for number in 0..<40 {
            let isRude = number % 2 == 0
            messages += "you are \(isRude ? "a fool" : "a friend") and \(number),\(isRude ? 1 : 2)\n"
            let word = isRude ? "dumb" : "kind"
            replies += "{\"prompt\": \"Hi \(number)\", \"completion\": \"You are \(word)\", \"label\": \(!isRude)}\n"
            talk += "{\"turns\": [\"I have \(number) apples.\", \"Then eat them!\"]}\n"
        }
        let files = [
            try folder.write(messages, to: "messages.csv"), try folder.write(replies, to: "replies.jsonl"),
            try folder.write(talk, to: "talk.jsonl"),
        ]
        let cut = try LoamProcess.run(
            ["train", "safety", "--data"] + files + ["--out", folder("safety"), "--threads", "1"], signal: SIGINT,
            killWhen: { $0.contains("names and groups of people") })
        #expect(cut.wasKilled && !cut.errors.contains("ending after this step"), "\(cut.errors)")
    }
}
