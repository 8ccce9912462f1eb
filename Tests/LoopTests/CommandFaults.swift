import Foundation
import Testing

/// What goes wrong at the command line ends before it does harm, and what is asked for as JSON is JSON; by the real binary.
@Suite("Command faults")
struct CommandFaults {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ name: String) throws -> String {
        try String(contentsOf: folder.url.appending(path: name), encoding: .utf8)
    }

    @Test("a file is de-identified into itself")
    func intoItself() throws {
        let file = try folder.write("write to ann.lee@example.com\nhello there\n", to: "chat.txt")
        let result = try LoamProcess.run(["deidentify", "--in", file, "--out", file, "--key", folder("k")])
        #expect(result.status == 0, "\(result.errors)")
        let lines = try text("chat.txt").split(separator: "\n")
        #expect(lines.count == 2 && lines.last == "hello there")
        #expect(try !text("chat.txt").contains("ann.lee@example.com"))
    }

    @Test("what is there stays where there is nothing to read, or a line is broken")
    func staysWhole() throws {
        let kept = try folder.write("what was there\n", to: "kept.txt")
        let broken = try folder.write("hello there\n{\"chat_id\":\n", to: "broken.jsonl")
        for input in [folder("nowhere.txt"), broken] {
            let result = try LoamProcess.run(["deidentify", "--in", input, "--out", kept, "--key", folder("k")])
            #expect(result.status != 0)
            #expect(try text("kept.txt") == "what was there\n")
            #expect(!FileManager.default.fileExists(atPath: kept + ".part"))
        }
    }

    @Test("numbers that nothing can be made of are wrong usage, before anything is begun")
    func numbers() throws {
        for (arguments, part) in [
            (
                [
                    "improve", "--generations=-1", "--log", "a.jsonl", "--model", "m", "--out", folder("run"),
                    "--registry", folder("registry"),
                ], "--generations must be"
            ),
            (["simulate", "--dialogues=-1", "--out", folder("d.jsonl")], "--dialogues must be"),
            (["simulate", "--dialogues=1", "--model", "m", "--out", folder("d.jsonl")], "without --model"),
            (["doctor", "--port=70000"], "--port must be"),
            (["embed", "--json"], "--json needs --out"),
            (["train", "pretrain", "--data", "a", "--out", folder("run"), "--held-out", "b"], "no use for --held-out"),
            (["train", "reward", "--data", "a", "--out", folder("run"), "--dropout", "0.1"], "no use for --dropout"),
            (["train", "sft", "--data", "a", "--out", folder("run"), "--context", "64"], "are for pretrain"),
            (["train", "pretrain", "--data", "a", "--out", folder("run"), "--model", "m"], "from nothing"),
            (
                ["evaluate", "--run", "r", "--model", "m", "--against", "n", "--temperature", "1"],
                "draws replies as the run did"
            ),
        ] {
            let result = try LoamProcess.run(arguments)
            #expect(result.status == 2 && !result.wasKilled, "\(arguments): \(result.errors)")
            #expect(result.errors.contains(part), "\(arguments): \(result.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder("run")))
        #expect(!FileManager.default.fileExists(atPath: folder("d.jsonl")))
    }

    @Test("looking for accounts in a store that is not there makes none")
    func mistypedStore() throws {
        for arguments in [["accounts", "list"], ["accounts", "remove", "ann"]] {
            let result = try LoamProcess.run(arguments + ["--store", folder("typo.sqlite")])
            #expect(result.status != 0 && result.errors.contains("typo.sqlite"), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder("typo.sqlite")))
        }
    }

    @Test("--json is JSON and nothing else, of no trial and of the trust methods too")
    func json() throws {
        let trial = try LoamProcess.run(["trial", "status", "--json", "--registry", folder("registry")])
        #expect(trial.status == 0 && trial.output == "{}\n", "\(trial.errors)")
        let list = try LoamProcess.run(["trust", "--list", "--json"])
        struct Method: Decodable { var name: String }
        let methods = try JSONDecoder().decode([Method].self, from: Data(list.output.utf8))
        #expect(methods.contains { $0.name == "joint" })
    }

    @Test("loam doctor says whether the port is free")
    func port() throws {
        #if os(Linux)
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let handle = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        defer { close(handle) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let given = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(handle, $0, length) == 0 && listen(handle, 1) == 0 && getsockname(handle, $0, &length) == 0
            }
        }
        try #require(given)
        let port = Int(UInt16(bigEndian: address.sin_port))
        struct Check: Decodable {
            var part: String
            var fine: Bool
            var says: String
        }
        func said() throws -> Check? {
            let result = try LoamProcess.run([
                "doctor", "--json", "--port", "\(port)", "--encoder", folder("none"), "--registry", folder("registry"),
                "--store", folder("none.sqlite"),
            ])
            // There is no encoder in that folder.
            #expect(result.status == 1, "\(result.errors)")
            return try JSONDecoder().decode([Check].self, from: Data(result.output.utf8)).first { $0.part == "port" }
        }
        let taken = try #require(try said())
        #expect(taken.fine && taken.says.contains("\(port) is taken"))
    }
}
