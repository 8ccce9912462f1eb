import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Storage
import Synchronization
import Testing

@testable import Server

/// A registry in memory: two models, one of which did not pass the gate.
final class ShelfInMemory: ModelShelf {
    private let standing = Mutex(["base"])

    func contents() async throws -> ShelfContents {
        func model(_ id: String, passed: Bool) -> ShelfContents.Model {
            .init(
                id: id, path: "models/" + id, madeAt: Date(timeIntervalSince1970: 1_700_000_000), parent: "base",
                method: "masked-cringe", people: 41, passedGate: passed,
                reasons: passed ? [] : ["replies repeat themselves more often"])
        }
        let standing = standing.withLock { $0 }
        return ShelfContents(
            serving: standing.last,
            models: [model("base", passed: true), model("better", passed: true), model("worse", passed: false)],
            history: standing.map {
                .init(id: $0, at: Date(timeIntervalSince1970: 1_700_000_000), why: "promoted")
            }, trial: .init(model: "worse", share: 0.1))
    }

    func promote(_ id: String, evenIfGateFailed: Bool) async throws {
        guard id != "worse" || evenIfGateFailed else { throw OfficeRefusal("`worse` did not pass the gate") }
        guard ["base", "better", "worse"].contains(id) else { throw OfficeRefusal("no model `\(id)` here") }
        standing.withLock { $0.append(id) }
    }

    func rollBack() async throws -> String {
        try standing.withLock { standing in
            guard standing.count > 1 else { throw OfficeRefusal("nothing to roll back to") }
            standing.removeLast()
            return standing[standing.count - 1]
        }
    }
}

/// A folder for runs, and a program that does what `loam improve` does to its folder, in shell.
final class RunsBench: Sendable {
    let folder: URL
    let runner: RunFolders

    init(script: String = RunsBench.script, patience: Duration = .seconds(20)) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "loam-runs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let program = folder.appending(path: "program")
        try Data(script.utf8).write(to: program)
        runner = RunFolders(
            folder: folder.appending(path: "runs"), program: URL(filePath: "/bin/sh"), patience: patience
        ) { request, place in
            guard request.loss != "refused" else { throw OfficeRefusal("no model serves yet") }
            return .init(arguments: [program.path, place.path, "\(request.iterations)"])
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Two stages; between them it waits for a file `go`.
    static let script = """
        set -e
        cd "$1"
        echo '{}' > run.json
        stage() {
          mkdir -p "$1"
          printf '{"fingerprint":"f","outcome":{"unit":"votes","came_in":9,"went_out":7,"dropped":{"no consent":2},"figures":[{"name":"rounds","value":"%s"}]}}' "$2" > "$1/part"
          mv "$1/part" "$1/done.json"
        }
        echo '[1/2] trust …'
        mkdir -p 01-trust
        echo '[{"user":"u1","trust":0.97,"votes":12,"agreement":0.9,"flags":[],"types":[]},{"user":"u2","trust":0.02,"votes":8,"flags":[{"kind":"inverse","reason":"votes against the others"}],"types":[]}]' > 01-trust/users.json
        stage 01-trust "$2"
        echo '[2/2] report …'
        while [ ! -e go ]; do sleep 0.05; done
        stage 02-report "$2"
        echo '<!DOCTYPE html><title>report</title><script>window.hacked = 1</script><p>better</p>' > report.html
        """

    func go(_ name: String) throws { try Data().write(to: folder.appending(path: "runs/\(name)/go")) }

    /// Waits until a run is in a state.
    func wait(
        _ name: String, _ state: ImprovementRun.State, stages: Int, lines: Int = 0
    ) async throws -> ImprovementRun {
        for _ in 0..<400 {
            if let run = try await runner.run(named: name), run.state == state, run.stages.count == stages,
                run.log.count >= lines
            {
                return run
            }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw WebDriver.Failure(description: "\(name) was never \(state) with \(stages) stages")
    }
}

@Suite("Server: models and rounds from the operator's page", .serialized)
struct LoopRoutesTests {
    @Test("promoting and rolling back: confirmed, with a reason, written down, refused in the registry's words")
    func models() async throws {
        let bench = try await OfficeBench(models: ShelfInMemory())
        try await bench.server.application().test(.router) { client in
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            func serving() async throws -> String? {
                let shelf = try await ann.send(.get, "/api/admin/models").object["shelf"] as? [String: any Sendable]
                return shelf?["serving"] as? String
            }
            #expect(try await serving() == "base")
            let path = "/api/admin/models/better/promote"
            for wrong in [
                #"{"reason":"because"}"#, #"{"confirm":"best","reason":"because"}"#,
                #"{"confirm":"better","reason":"x"}"#,
            ] {
                #expect(try await ann.send(.post, path, wrong).status == .badRequest)
            }
            #expect(try await bench.store.accesses(since: nil).isEmpty)
            #expect(
                try await ann.send(.post, path, #"{"confirm":"better","reason":"won the comparison"}"#).status == .ok)
            #expect(try await serving() == "better")
            let refused = try await ann.send(
                .post, "/api/admin/models/worse/promote", #"{"confirm":"worse","reason":"only trying"}"#)
            #expect(refused.status == .conflict && refused.text.contains("did not pass the gate"))
            #expect(
                try await ann.send(
                    .post, "/api/admin/models/worse/promote",
                    #"{"confirm":"worse","reason":"only trying","even_if_gate_failed":true}"#
                ).status == .ok)
            let back = try await ann.send(.post, "/api/admin/rollback", #"{"reason":"it was worse"}"#)
            #expect(back.object["serving"] as? String == "better")
            #expect(try await ann.send(.post, "/api/admin/rollback", #"{"reason":"go back more"}"#).status == .ok)
            #expect(try await ann.send(.post, "/api/admin/rollback", #"{"reason":"go back more"}"#).status == .conflict)
            let log = try await bench.store.accesses(since: nil)
            #expect(log.map(\.action) == ["promote", "promote", "promote", "roll_back", "roll_back", "roll_back"])
            #expect(log.map(\.subject) == ["better", "worse", "worse", "worse", "better", "base"])
            #expect(log[0].actor == "ann" && log[0].reason == "won the comparison")
        }
    }

    @Test("a round: begun, followed, finished; its report may do nothing; its people are shown")
    func round() async throws {
        let runs = try RunsBench()
        let bench = try await OfficeBench(runner: runs.runner)
        try await bench.server.application().test(.router) { client in
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            #expect(try await ann.send(.get, "/api/admin/trust").object["run"] == nil)
            for wrong in [
                "{}", #"{"name":"../x"}"#, #"{"name":"a","iterations":0}"#, #"{"name":"a","loss":"X;"}"#,
                #"{"name":"a","steps":0}"#,
            ] {
                #expect(try await ann.send(.post, "/api/admin/runs", wrong).status == .badRequest, "\(wrong)")
            }
            #expect(try await ann.send(.post, "/api/admin/runs", #"{"name":"a","loss":"refused"}"#).status == .conflict)
            #expect(
                try await ann.send(.post, "/api/admin/runs", #"{"name":"first","iterations":2}"#).status == .created)
            let half = try await runs.wait("first", .running, stages: 1, lines: 2)
            #expect(half.stageCount == 2 && half.log == ["[1/2] trust …", "[2/2] report …"])
            #expect(
                half.stages[0].dropped == ["no consent": 2]
                    && half.stages[0].figures == [.init(name: "rounds", value: "2")])
            let twice = try await ann.send(.post, "/api/admin/runs", #"{"name":"first"}"#)
            #expect(twice.status == .conflict && twice.text.contains("running already"))
            #expect(try await ann.send(.post, "/api/admin/runs", #"{"name":"other"}"#).status == .conflict)
            try runs.go("first")
            // The stream tells of it until the end.
            let events = try await ann.send(.get, "/api/admin/runs/first/events").events
            #expect(events.last?.name == "end" && events.last?.object["state"] as? String == "finished")
            _ = try await runs.wait("first", .finished, stages: 2)
            let report = try await ann.send(.get, "/api/admin/runs/first/report")
            #expect(report.status == .ok && report.text.contains("better"))
            let policy = try #require(report.headers[.contentSecurityPolicy])
            #expect(
                policy.contains("sandbox") && policy.contains("default-src 'none'") && !policy.contains("script-src"))
            for missing in [
                "/api/admin/runs/none/report", "/api/admin/runs/none/events", "/api/admin/runs/..%2F..%2Fetc/report",
            ] {
                #expect(try await ann.send(.get, missing).status == .notFound, "\(missing)")
            }
            let trust = try await ann.send(.get, "/api/admin/trust")
            #expect(trust.object["run"] as? String == "first" && trust.object["people"] as? Double == 2)
            #expect(trust.text.contains("votes against the others"))
            let bins = trust.object["bins"] as? [any Sendable] ?? []
            #expect(bins.compactMap { $0 as? Double } == [1] + [Double](repeating: 0, count: 18) + [1])
            #expect(try await bench.store.accesses(since: nil).map(\.action).contains("improve"))
        }
    }

    @Test("a round is stopped at once; another process's is seen by its lock and left alone")
    func stopping() async throws {
        let runs = try RunsBench()
        let bench = try await OfficeBench(runner: runs.runner)
        try await bench.server.application().test(.router) { client in
            let ann = OfficeBrowser(client)
            try await ann.signIn("ann")
            #expect(try await ann.send(.post, "/api/admin/runs", #"{"name":"r"}"#).status == .created)
            _ = try await runs.wait("r", .running, stages: 1)
            #expect(try await ann.send(.post, "/api/admin/runs/r/stop", "{}").status == .noContent)
            _ = try await runs.wait("r", .stopped, stages: 1)
            #expect(try await ann.send(.post, "/api/admin/runs/r/stop", "{}").status == .conflict)
            let lock = runs.folder.appending(path: "runs/r/lock").path
            let descriptor = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
            #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            #expect(try await runs.runner.run(named: "r")?.state == .running)
            #expect(try await ann.send(.post, "/api/admin/runs", #"{"name":"r"}"#).status == .conflict)
            close(descriptor)
            #expect(try await runs.runner.run(named: "r")?.state == .stopped)
            // Going on where it stopped.
            try runs.go("r")
            #expect(try await ann.send(.post, "/api/admin/runs", #"{"name":"r"}"#).status == .created)
            _ = try await runs.wait("r", .finished, stages: 2)
        }
    }

    @Test("a round that is stopped ends in order, and is ended where it does not", .timeLimit(.minutes(1)))
    func stoppingInOrder() async throws {
        func script(_ trap: String) -> String {
            """
            cd "$1"
            echo '{}' > run.json
            trap \(trap) TERM
            echo '[1/2] trust …'
            while true; do sleep 0.05; done
            """
        }
        let orderly = try RunsBench(script: script("'echo \"a checkpoint is kept\"; exit 0'"))
        try await orderly.runner.start(ImprovementRequest(name: "r"))
        _ = try await orderly.wait("r", .running, stages: 0, lines: 1)
        try await orderly.runner.stop("r")
        #expect(try await orderly.wait("r", .stopped, stages: 0, lines: 2).log.last == "a checkpoint is kept")
        let deaf = try RunsBench(script: script("''"), patience: .milliseconds(300))
        try await deaf.runner.start(ImprovementRequest(name: "r"))
        _ = try await deaf.wait("r", .running, stages: 0, lines: 1)
        try await deaf.runner.stop("r")
        _ = try await deaf.wait("r", .stopped, stages: 0)
    }

    @Test("a start that is refused leaves what the run said before")
    func refusedStart() async throws {
        let runs = try RunsBench()
        try await runs.runner.start(ImprovementRequest(name: "first"))
        _ = try await runs.wait("first", .running, stages: 1)
        try runs.go("first")
        let done = try await runs.wait("first", .finished, stages: 2, lines: 2)
        try await runs.runner.start(ImprovementRequest(name: "second"))
        _ = try await runs.wait("second", .running, stages: 1)
        await #expect(throws: OfficeRefusal.self) {
            try await runs.runner.start(ImprovementRequest(name: "first"))
        }
        let after = try await runs.runner.run(named: "first")
        #expect(after?.log == done.log)
        try await runs.runner.stop("second")
    }

    @Test("a run that fails says why, and a program that is not there is a refusal")
    func failing() async throws {
        let runs = try RunsBench(script: "echo 'no votes in the store' >&2; exit 2")
        try await runs.runner.start(ImprovementRequest(name: "x"))
        let run = try await runs.wait("x", .stopped, stages: 0, lines: 1)
        #expect(run.log.contains { $0.contains("no votes in the store") })
        let missing = RunFolders(folder: runs.folder, program: URL(filePath: "/nonexistent/loam")) { _, _ in
            .init(arguments: [])
        }
        await #expect(throws: OfficeRefusal.self) { try await missing.start(ImprovementRequest(name: "y")) }
    }

    @Test("the end of a long log is read, and lines are bounded")
    func log() throws {
        let runs = try RunsBench()
        let file = runs.folder.appending(path: "log")
        let long = String(repeating: "x", count: 1000)
        try Data(((0..<5000).map { "line \($0)" } + [long, "last"]).joined(separator: "\n").utf8).write(to: file)
        let lines = RunFolders.lastLines(of: file)
        #expect(lines.count == 14 && lines.last == "last" && lines[12].count == 400)
        #expect(RunFolders.lastLines(of: runs.folder.appending(path: "none")).isEmpty)
    }
}
