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
            (
                [
                    "improve", "--labelled=-1", "--log", "a.jsonl", "--model", "m", "--out", folder("run"),
                    "--registry", folder("registry"),
                ], "--labelled must be"
            ),
            (["simulate", "--dialogues=-1", "--out", folder("d.jsonl")], "--dialogues must be"),
            (["simulate", "--dialogues=1", "--model", "m", "--out", folder("d.jsonl")], "without --model"),
            (["doctor", "--port=70000"], "--port must be"),
            (["embed", "--json"], "--json needs --out"),
            (["train", "pretrain", "--data", "a", "--out", folder("run"), "--held-out", "b"], "no use for --held-out"),
            (["train", "reward", "--data", "a", "--out", folder("run"), "--dropout", "0.1"], "no use for --dropout"),
            (["train", "sft", "--data", "a", "--out", folder("run"), "--context", "64"], "no use for --context"),
            (["train", "pretrain", "--data", "a", "--out", folder("run"), "--model", "m"], "no use for --model"),
            (
                ["evaluate", "--run", "r", "--model", "m", "--against", "n", "--temperature", "1"],
                "no use for --temperature"
            ),
        ] {
            let result = try LoamProcess.run(arguments)
            #expect(result.status == 2 && !result.wasKilled, "\(arguments): \(result.errors)")
            #expect(result.errors.contains(part), "\(arguments): \(result.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder("run")))
        #expect(!FileManager.default.fileExists(atPath: folder("d.jsonl")))
    }

    @Test("numbers that are out of range and options that say nothing together are wrong usage")
    func usage() throws {
        let cases: [(arguments: [String], part: String)] = [
            (["serve", "--port=70000"], "--port must be"), (["annotate", "--port=70000"], "--port must be"),
            (["quickstart", "--port=70000", "--out", folder("run")], "--port must be"),
            (["generate", "--model", "m", "--prompt", "hi", "--threads", "0"], "--threads must be"),
            (["score", "--model", "m", "--data", "a", "--threads", "5000"], "--threads must be"),
            (["export", "--to", "loam", "--out", folder("run"), "--trust", "u", "--min-trust", "5"], "--min-trust is"),
            (["deidentify", "--json"], "--json needs --out"), (["deidentify", "--as-used"], "goes with --score"),
            (["deidentify", "--score", "a", "--in", "b"], "--score reads the file"),
            (["serve", "--trusted-proxy", "here"], "Error: --trusted-proxy"),
            (["serve", "--search", "google"], "--search is local"), (["chat", "--top-p", "7"], "--top-p is 7.0"),
            (["serve", "--max-tokens", "0"], "--max-tokens is 0"),
            (["improve", "--log", "a", "--trust", "joynt", "--out", folder("run")], "--trust: no method"),
            (["improve", "--log", "a", "--from", "lome", "--out", folder("run")], "--from: unknown log format"),
            (["trust", "--votes", folder("none.csv"), "--out", folder("run")], "cannot read none.csv"),
            (["trust", "--votes", "a", "--method", "joynt", "--out", folder("run")], "no method is called"),
        ]
        for (arguments, part) in cases {
            let result = try LoamProcess.run(arguments)
            #expect(result.status == 2 && result.errors.contains(part), "\(arguments): \(result.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder("run")))
    }

    @Test("what a training would not hear is wrong usage, not silence")
    func unheard() throws {
        let cases: [(kind: String, option: String, part: String)] = [
            ("sft", "--rows 0", "--rows must be"), ("sft", "--threads 0", "--threads must be"),
            ("sft", "--device gpu", "cpu, cuda or cuda:N"), ("sft", "--shape frozen", "no use for --shape"),
            ("dpo", "--next-message", "no use for --next-message"), ("reward", "--members 2", "no use for --members"),
            ("reward", "--device cuda", "no use for --device"), ("safety", "--steps 20", "no use for --steps"),
            ("reward", "--learning-rate 0.1", "no use for --learning-rate"),
            ("reward", "--evaluate-every 5", "no use for --evaluate-every"),
            ("sft", "--lora-alpha 8", "--lora-alpha goes with --lora-rank"),
            ("sft", "--held-out b", "--held-out goes with --evaluate-every"),
            ("kto", "--evaluate-every 5", "--evaluate-every goes with --held-out"),
        ]
        for (kind, option, part) in cases {
            let words = option.split(separator: " ").map(String.init)
            let result = try LoamProcess.run(
                ["train", kind, "--data", "a", "--model", "m", "--out", folder("run")] + words)
            #expect(result.status == 2 && result.errors.contains(part), "\(kind) \(option): \(result.errors)")
        }
        // What a settings file has for every command is passed over by those that have no use for it.
        _ = try folder.write("model: elsewhere\ntrain:\n  shape: frozen\n  members: 3\n", to: "loam.yaml")
        let settled = try LoamProcess.run(
            ["train", "pretrain", "--data", "nowhere.jsonl", "--out", folder("run")], folder: folder.url)
        #expect(settled.errors.contains("nowhere.jsonl") && !settled.errors.contains("no use for"), "\(settled.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder("run")))
    }

    @Test("a broken line of a log is named by its file and number")
    func namedLine() throws {
        let broken = try folder.write("hello there\n{\"chat_id\":\n", to: "broken.jsonl")
        let file = try LoamProcess.run(["deidentify", "--in", broken, "--key", folder("k")])
        #expect(file.status == 2 && file.errors.contains("broken.jsonl:2: "), "\(file.errors)")
        let typed = try LoamProcess.run(
            ["deidentify", "--key", folder("k")], input: "hello\n{\"a\": 1}\n")
        #expect(typed.status == 2 && typed.errors.contains("standard input:2: message_history"), "\(typed.errors)")
    }

    @Test("de-identifying into a file says what was found as JSON; so does planting")
    func deidentified() throws {
        struct Treated: Decodable {
            var texts: Int
            var findings: [String: Int]
        }
        let chat = try folder.write("write to ann.lee@example.com\nhello there\n", to: "chat.txt")
        let treated = try LoamProcess.run([
            "deidentify", "--json", "--in", chat, "--out", folder("out.txt"), "--key", folder("k"),
        ])
        let answer = try JSONDecoder().decode(Treated.self, from: Data(treated.output.utf8))
        #expect(answer.texts == 2 && answer.findings == ["EMAIL_ADDRESS": 1], "\(treated.errors)")
        struct Planted: Decodable { var messages: Int }
        let span = #"{"entity_type": "PERSON", "start_position": 5, "end_position": 14}"#
        let labelled = try folder.write(
            #"[{"full_text": "I am Ann Leeds", "spans": [\#(span)]}]"#, to: "labelled.json")
        let log = try folder.write(
            #"{"chat_id": "c", "message_history": [{"sender": "human", "text": "Hi"}]}"# + "\n", to: "log.jsonl")
        let plant = try LoamProcess.run([
            "deidentify", "--json", "--plant", labelled, "--from", "loam", "--in", log, "--out", folder("planted.json"),
        ])
        #expect(try JSONDecoder().decode(Planted.self, from: Data(plant.output.utf8)).messages == 1, "\(plant.errors)")
    }

    @Test("lines that end as on Windows are as many texts, and bytes that are no text are named")
    func carriageReturns() throws {
        let data = try folder.write("hello there\r\nhow are you\r\n", to: "texts.txt")
        struct Scored: Decodable { var texts: Int }
        let scored = try LoamProcess.run(["score", "--model", "Models/loam-sample", "--data", data, "--json"])
        #expect(try JSONDecoder().decode(Scored.self, from: Data(scored.output.utf8)).texts == 2, "\(scored.errors)")
        let embedded = try LoamProcess.run(["embed", "--data", data])
        #expect(embedded.output.split(separator: "\n").count == 2, "\(embedded.errors)")
        let bytes = folder.url.appending(path: "bytes.txt")
        try Data([0x61, 0x0A, 0xC3, 0x28, 0x0A]).write(to: bytes)
        let odd = try LoamProcess.run(["score", "--model", "Models/loam-sample", "--data", bytes.path])
        #expect(odd.status == 2 && odd.errors.contains("bytes.txt:2: "), "\(odd.errors)")
    }

    @Test("looking for accounts in a store that is not there makes none")
    func mistypedStore() throws {
        for arguments in [["accounts", "list"], ["accounts", "remove", "ann"]] {
            let result = try LoamProcess.run(arguments + ["--store", folder("typo.sqlite")])
            #expect(result.status != 0 && result.errors.contains("typo.sqlite"), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder("typo.sqlite")))
        }
    }

    @Test("a log that is not there ends an import before anything is stored, whatever stands before it")
    func mistypedLog() throws {
        let line = #"{"chat_id": "c", "message_history": [{"sender": "human", "text": "Hi"}]}"#
        let log = try folder.write(line + "\n", to: "there.jsonl")
        let result = try LoamProcess.run([
            "import", "--from", "loam", log, folder("gone.jsonl"), "--store", folder("import.sqlite"),
        ])
        #expect(result.status == 2 && result.errors.contains("gone.jsonl: no such file"), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder("import.sqlite")))
    }

    @Test("of a person whom the store does not know it says that nothing is held")
    func nobody() throws {
        let line = #"{"chat_id": "c", "user_pseudo_id": "u", "message_history": [{"sender": "human", "text": "Hi"}]}"#
        let (log, store) = (try folder.write(line + "\n", to: "log.jsonl"), folder("chats.sqlite"))
        let imported = try LoamProcess.run(["import", "--from", "loam", log, "--store", store])
        #expect(imported.status == 0, "\(imported.errors)")
        let known = try LoamProcess.run(["store", "person", "u", "--reason", "asked", "--store", store])
        #expect(!known.output.isEmpty && known.errors.isEmpty, "\(known.errors)")
        let unknown = try LoamProcess.run(["store", "person", "w", "--reason", "asked", "--store", store])
        #expect(unknown.status == 0 && unknown.output.isEmpty)
        #expect(unknown.errors.contains("nothing is held of w"), "\(unknown.errors)")
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
