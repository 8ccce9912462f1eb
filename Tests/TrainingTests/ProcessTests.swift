import Foundation
import Testing

@testable import Training

/// Training as processes of their own: killed, with a full disk, several together.
@Suite("Training processes", .serialized)
struct ProcessTests {
    /// The program beside the tests.
    static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "training-process")
    static let hasProgram = FileManager.default.isExecutableFile(atPath: program.path)
    static let mpirun = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static let canRunTogether = hasProgram && mpirun != nil && ProcessGroups.isMPIBuilt

    struct Outcome {
        var status: Int32
        var errors: String
    }

    /// Runs a command to its end; `after` seconds later it is killed.
    static func run(_ command: [String], killedAfter seconds: Double? = nil) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        var environment = ProcessInfo.processInfo.environment
        environment["OMP_NUM_THREADS"] = "1"
        process.environment = environment
        let place = FileManager.default.temporaryDirectory.appending(path: "training-\(UUID().uuidString).err")
        try Data().write(to: place)
        defer { try? FileManager.default.removeItem(at: place) }
        let handle = try FileHandle(forWritingTo: place)
        process.standardError = handle
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        if let seconds {
            let end = ContinuousClock.now + .seconds(seconds)
            while process.isRunning, ContinuousClock.now < end { usleep(2000) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        process.waitUntilExit()
        try handle.close()
        return Outcome(
            status: process.terminationStatus,
            errors: String(decoding: try Data(contentsOf: place), as: UTF8.self))
    }

    /// `count` processes under mpirun.
    static func together(_ count: Int, _ arguments: [String]) throws -> Outcome {
        try run(
            [
                mpirun ?? "mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", "\(count)",
                program.path,
            ] + arguments)
    }

    static func weights(_ folder: URL) throws -> [Double] {
        try String(contentsOf: folder.appending(path: "weights.txt"), encoding: .utf8).split(separator: "\n")
            .compactMap { Double($0) }
    }

    static func checkpoints(_ folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "checkpoints").path)) ?? [])
            .filter { !$0.hasSuffix(".partial") }.sorted()
    }

    private func withFolders<R>(_ count: Int, _ body: ([URL]) throws -> R) throws -> R {
        let folders = (0..<count).map { _ in TrainerTests.folder() }
        for folder in folders { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
        defer { for folder in folders { try? FileManager.default.removeItem(at: folder) } }
        return try body(folders)
    }

    private func distance(_ a: [Double], _ b: [Double]) -> Double {
        a.count == b.count && !a.isEmpty ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
    }

    @Test("killed at any moment it goes on and ends with the very same weights", .enabled(if: hasProgram))
    func killed() throws {
        try withFolders(2) { folders in
            let settings = ["steps=12", "every=1", "lora=1"]
            let began = ContinuousClock.now
            #expect(try Self.run([Self.program.path, folders[0].path] + settings).status == 0)
            let whole = ContinuousClock.now - began
            var kills = 0
            for turn in 0..<25 {
                let outcome = try Self.run(
                    [Self.program.path, folders[1].path] + settings + ["sleep=15"],
                    killedAfter: whole / .seconds(1) * 0.6 + Double(turn % 7) * 0.017)
                if outcome.status == 0 { break }
                kills += 1
            }
            if kills > 0 { _ = try Self.run([Self.program.path, folders[1].path] + settings) }
            #expect(kills > 0)
            #expect(try Self.weights(folders[0]) == Self.weights(folders[1]))
            let lines = try MetricsLog.read(folders[1].appending(path: "metrics.jsonl"))
            #expect(lines.map(\.step) == Array(1...12))
        }
    }

    @Test("a full disk ends the run with the file named and the last good checkpoint intact", .enabled(if: hasProgram))
    func fullDisk() throws {
        try withFolders(2) { folders in
            #expect(try Self.run([Self.program.path, folders[0].path, "steps=6"]).status == 0)
            #expect(try Self.run([Self.program.path, folders[1].path, "steps=6", "die=0:3"]).status != 0)
            #expect(Self.checkpoints(folders[1]) == ["step-000002"])
            // No file may grow beyond 8 kB: the weights no longer fit.
            let limited = "ulimit -f 8; exec \"$0\" \"$@\""
            let outcome = try Self.run(["bash", "-c", limited, Self.program.path, folders[1].path, "steps=6"])
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("the checkpoint of step 4 cannot be written"), "\(outcome.errors)")
            #expect(outcome.errors.contains("the one of step 2 is intact"))
            #expect(Self.checkpoints(folders[1]) == ["step-000002"])
            #expect(try Self.run([Self.program.path, folders[1].path, "steps=6"]).status == 0)
            #expect(try Self.weights(folders[0]) == Self.weights(folders[1]))
        }
    }

    // MARK: - Several together

    @Test(
        "two and three processes come to what one comes to", .enabled(if: canRunTogether, "needs mpirun and mpi.h"),
        arguments: [(2, ["loss=cringe"]), (3, ["loss=sft", "rows=5", "untied"]), (2, ["loss=sft", "rows=1"])])
    func together(_ count: Int, _ settings: [String]) throws {
        try withFolders(2) { folders in
            #expect(try Self.run([Self.program.path, folders[0].path] + settings).status == 0)
            let outcome = try Self.together(count, [folders[1].path] + settings)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(distance(try Self.weights(folders[0]), try Self.weights(folders[1])) < 2e-4)
            let (one, several) = (
                try MetricsLog.read(folders[0].appending(path: "metrics.jsonl")),
                try MetricsLog.read(folders[1].appending(path: "metrics.jsonl"))
            )
            #expect(one.count == 9 && several.count == 9)
            for (a, b) in zip(one, several) {
                #expect(abs(a.loss - b.loss) < 1e-4 && abs(a.gradientNorm - b.gradientNorm) < 1e-3)
                #expect(a.tokens == b.tokens && a.supervised == b.supervised)
            }
        }
    }

    @Test(
        "a process that is killed ends all, and the checkpoint goes on with any number of them",
        .enabled(if: canRunTogether, "needs mpirun and mpi.h"))
    func lost() throws {
        try withFolders(2) { folders in
            #expect(try Self.run([Self.program.path, folders[0].path]).status == 0)
            let outcome = try Self.together(2, [folders[1].path, "die=1:5"])
            #expect(outcome.status != 0)
            #expect(outcome.errors.contains("signal 9"), "\(outcome.errors)")
            #expect(Self.checkpoints(folders[1]).last == "step-000004")
            #expect(!FileManager.default.fileExists(atPath: folders[1].appending(path: "weights.txt").path))
            let again = try Self.together(2, [folders[1].path, "die=0:7"])
            #expect(again.status != 0)
            #expect(try Self.run([Self.program.path, folders[1].path]).status == 0)
            #expect(distance(try Self.weights(folders[0]), try Self.weights(folders[1])) < 2e-4)
        }
    }

    @Test(
        "an error of one process is told with its number and ends all",
        .enabled(if: canRunTogether, "needs mpirun and mpi.h"))
    func failed() throws {
        try withFolders(1) { folders in
            // A file stands where the first process wants its folder of checkpoints.
            try Data().write(to: folders[0].appending(path: "checkpoints"))
            let outcome = try Self.together(2, [folders[0].path])
            #expect(outcome.status != 0)
            #expect(outcome.errors.contains("process 0 of 2: training: "), "\(outcome.errors)")
            #expect(outcome.errors.contains("checkpoints cannot be created"))
        }
    }

    @Test("how many were started together is read from what their starter says")
    func environment() {
        #expect(ProcessGroups.startedTogether([:]) == 1)
        #expect(ProcessGroups.startedTogether(["OMPI_COMM_WORLD_SIZE": "4"]) == 4)
        #expect(ProcessGroups.startedTogether(["PMIX_RANK": "0", "SLURM_NTASKS": "8"]) == 8)
        #expect(ProcessGroups.startedTogether(["SLURM_NTASKS": "8"]) == 1)
        let group = SingleProcess()
        #expect(group.share(of: 7) == 0..<7 && group.isFirst)
    }
}
