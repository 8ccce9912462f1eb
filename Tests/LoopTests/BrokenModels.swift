import Foundation
import Testing

/// Model folders, settings and prompts that cannot be used: one line that names what is at fault, and exit status 2.
@Suite("Broken models")
struct BrokenModels {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let tests = LoamProcess.root.appending(path: "Tests")

    /// A copy of a tiny checkpoint of a family, with a fixture's tokenizer where one is named.
    private func model(_ family: String, tokenizer: String? = nil, drop: String? = nil) throws -> String {
        let files = FileManager.default
        let place = folder.url.appending(path: "model-\(UUID().uuidString.prefix(8))")
        try files.createDirectory(at: place, withIntermediateDirectories: true)
        let source = Self.tests.appending(path: "LanguageModelsTests/Fixtures/families/\(family)")
        for name in try files.contentsOfDirectory(atPath: source.path) where name != drop && name != "golden.json" {
            try files.copyItem(at: source.appending(path: name), to: place.appending(path: name))
        }
        if let tokenizer {
            try files.copyItem(
                at: Self.tests.appending(path: "TokenizersTests/Fixtures/kinds/\(tokenizer).json"),
                to: place.appending(path: "tokenizer.json"))
        }
        return place.path
    }

    /// What the command says, in its one line.
    private func fault(_ arguments: [String], input: String? = nil) throws -> String {
        let result = try LoamProcess.run(arguments, input: input)
        #expect(result.status == 2, "\(arguments): \(result.status) \(result.errors)")
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 1, "\(result.errors)")
        #expect(result.output.isEmpty)
        return result.errors
    }

    private func generate(_ model: String, _ more: [String] = ["--prompt", "hello"]) throws -> String {
        try fault(["generate", "--model", model] + more)
    }

    @Test("a folder that is not there, or is no model")
    func noFolder() throws {
        #expect(try generate(folder("nowhere")).contains("nowhere"))
        #expect(try generate(folder.url.path).contains("config.json"))
        #expect(try generate(try model("qwen2")).contains("has no tokenizer.json"))
        #expect(try generate(try model("gpt2", tokenizer: "gpt2", drop: "config.json")).contains("config.json"))
        #expect(try fault(["tokenize", "--model", folder("nowhere")], input: "a\n").contains("nowhere"))
        let data = try folder.write("a text\n", to: "texts.txt")
        #expect(try fault(["score", "--model", folder("nowhere"), "--data", data]).contains("nowhere"))
    }

    @Test("a missing shard, a cut file and a broken configuration")
    func brokenFiles() throws {
        let shard = "model-00002-of-00002.safetensors"
        #expect(try generate(try model("llama", tokenizer: "llama3", drop: shard)).contains(shard))
        let cut = try model("opt", tokenizer: "opt")
        let weights = URL(filePath: cut).appending(path: "model.safetensors")
        try Data(contentsOf: weights).prefix(900).write(to: weights)
        #expect(try generate(cut).contains("model.safetensors"))
        let odd = try model("gpt2", tokenizer: "gpt2")
        try Data("{".utf8).write(to: URL(filePath: odd).appending(path: "config.json"))
        #expect(try generate(odd).contains("config.json"))
    }

    @Test("a tokenizer with more tokens than the model")
    func mismatch() throws {
        let odd = try model("qwen2", tokenizer: "qwen2")
        let said = try generate(odd)
        #expect(said.contains("tokenizer.json has 427 tokens") && said.contains("vocab_size"), "\(said)")
        let data = try folder.write("a text\n", to: "texts.txt")
        #expect(try fault(["score", "--model", odd, "--data", data]).contains("427"))
    }

    @Test("a prompt past the context, and settings out of range")
    func past() throws {
        let long = String(repeating: "what do you like? ", count: 200)
        let said = try generate("Models/loam-sample", ["--prompt", long])
        #expect(said.contains("context of 256") && said.contains("48 are kept for the reply"), "\(said)")
        #expect(try generate("Models/loam-sample", ["--prompt", "a", "--top-k=-1"]).contains("top_k"))
        #expect(try generate("Models/loam-sample", ["--prompt", "a", "--max-tokens", "0"]).contains("max_tokens"))
        let odd = #"[{"sender": "human", "text": "a"}, {"sender": "king", "text": "b"}]"#
        let turns = try folder.write(odd, to: "turns.json")
        #expect(try generate("Models/loam-sample", ["--messages", turns]).contains("turns.json: turn 2"))
    }

    @Test("lines that cannot be read are named by their number")
    func lines() throws {
        let data = try folder.write("{\"text\": \"a\"}\n{\"txt\": 1}\n", to: "texts.jsonl")
        let score = try LoamProcess.run(["score", "--model", "Models/loam-sample", "--data", data])
        #expect(score.status == 2 && score.errors.contains("texts.jsonl:2"), "\(score.errors)")
        let ids = try LoamProcess.run(["detokenize", "--model", "Models/loam-sample"], input: "5 6\n7 x\n")
        #expect(ids.status == 2 && ids.errors.contains("line 2"), "\(ids.errors)")
    }
}
