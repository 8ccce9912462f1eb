import Foundation
import Testing

/// Flag over environment over `loam.yaml` over default, by the real binary.
@Suite("Settings")
struct SettingsFile {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func config(_ yaml: String, _ arguments: [String] = ["--json"], environment: [String: String] = [:]) throws
        -> LoamProcess.Result
    {
        _ = try folder.write(yaml, to: "loam.yaml")
        return try LoamProcess.run(["config"] + arguments, folder: folder.url, environment: environment)
    }

    private struct Setting: Decodable, Equatable {
        var value: [String]
        var from: String
    }

    private func settings(_ result: LoamProcess.Result) throws -> [String: [String: Setting]] {
        #expect(result.status == 0, "\(result.errors)")
        return try JSONDecoder().decode([String: [String: Setting]].self, from: Data(result.output.utf8))
    }

    @Test("the environment wins over the file, a command's own part over the top, secrets are hidden")
    func precedence() throws {
        let yaml = "threads: 4\nkey: secret.key\nimprove:\n  threads: 3\n  keep: [Loam, Ada]\n"
        let found = try settings(config(yaml, environment: ["LOAM_STORE": "there.sqlite"]))
        #expect(found["generate"]?["threads"] == Setting(value: ["4"], from: "loam.yaml:1"))
        #expect(found["improve"]?["threads"] == Setting(value: ["3"], from: "loam.yaml:4"))
        #expect(found["improve"]?["keep"]?.value == ["Loam", "Ada"])
        #expect(found["serve"]?["store"] == Setting(value: ["there.sqlite"], from: "LOAM_STORE"))
        #expect(found["deidentify"]?["key"]?.value == ["(hidden)"])
        let over = try settings(config(yaml, environment: ["LOAM_THREADS": "7"]))
        #expect(over["improve"]?["threads"] == Setting(value: ["7"], from: "LOAM_THREADS"))
        // The nearest wins, at whatever depth; a list is nothing for the environment.
        let nested = "level: 0.1\ntrial:\n  share: 0.2\n  start:\n    share: 0.3\n"
        let trial = try settings(config(nested, environment: ["LOAM_KEEP": "Ada"]))
        #expect(trial["trial start"]?["share"] == Setting(value: ["0.3"], from: "loam.yaml:5"))
        #expect(trial["trial start"]?["level"] == Setting(value: ["0.1"], from: "loam.yaml:1"))
        #expect(trial["improve"]?["keep"] == nil)
        // A name that is a command too: a value is the option's, keys are the command's.
        let both = try settings(config("store: all.sqlite\ntrust:\n  list: true\n"))
        #expect(both["serve"]?["store"] == Setting(value: ["all.sqlite"], from: "loam.yaml:1"))
        #expect(both["store check"]?["store"]?.value == ["all.sqlite"])
        #expect(both["trust"]?["list"]?.value == ["true"])
        // A password is nobody's business, wherever it stands in an address.
        let address = "postgres://loam:sec/ret@localhost/chats?sslmode=require&sslpassword=x"
        let remote = try settings(config("", environment: ["LOAM_STORE": address]))
        #expect(
            remote["serve"]?["store"]?.value
                == ["postgres://loam:(hidden)@localhost/chats?sslmode=require&sslpassword=(hidden)"])
        let one = try settings(config("", ["score", "--json"]))
        #expect(one["score"]?["threads"] == Setting(value: ["2"], from: "default"))
    }

    @Test("a command does as the file says, and as its flags say before that")
    func used() throws {
        _ = try folder.write("trust:\n  list: true\n", to: "loam.yaml")
        let listed = try LoamProcess.run(["trust"], folder: folder.url)
        #expect(listed.status == 0 && listed.output.contains("user-types"), "\(listed.errors)")
        _ = try folder.write("generate:\n  model: nowhere\n  prompt: hello\n", to: "loam.yaml")
        let file = try LoamProcess.run(["generate"], folder: folder.url)
        #expect(file.status == 2 && file.errors.contains("nowhere"), "\(file.errors)")
        let flag = try LoamProcess.run(["generate", "--model", "elsewhere"], folder: folder.url)
        #expect(flag.status == 2 && flag.errors.contains("elsewhere"), "\(flag.errors)")
    }

    @Test("an unknown key, a wrong value and broken YAML are errors that name the line")
    func faults() throws {
        for (yaml, part) in [
            ("threads: 2\nthreds: 4\n", "loam.yaml:2: no command has a setting threds"),
            ("improve:\n  threads: 2\n  port: 8080\n", "loam.yaml:3: loam improve has no setting port"),
            ("improve: 3\n", "loam.yaml:1: improve should hold"), ("- a\n", "loam.yaml:1: should be keys"),
            ("threads: {a: 1}\n", "loam.yaml:1: threads should be"), ("a: [\n", "loam.yaml"),
        ] {
            let result = try config(yaml)
            #expect(result.status == 2 && result.errors.contains(part), "\(yaml): \(result.errors)")
        }
        _ = try folder.write("trust:\n  list: maybe\n", to: "loam.yaml")
        let odd = try LoamProcess.run(["trust"], folder: folder.url)
        #expect(odd.status == 2 && odd.errors.contains("list should be true or false"), "\(odd.errors)")
    }
}
