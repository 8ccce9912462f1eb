import Foundation
import Testing

/// What a command does where nobody says: the model's own `generation_config.json`, and the model that ships.
@Suite("A model's wishes")
struct ModelWishes {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A copy of the sample model with other wishes.
    private func model(wishing wishes: [String: Any]) throws -> String {
        let place = folder.url.appending(path: "model-\(UUID().uuidString.prefix(8))")
        try FileManager.default.copyItem(at: LoamProcess.root.appending(path: "Models/loam-sample"), to: place)
        let file = place.appending(path: "generation_config.json")
        let own = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        try JSONSerialization.data(withJSONObject: own.merging(wishes) { $1 }).write(to: file)
        return place.path
    }

    private func reply(_ model: String, _ more: [String] = []) throws -> String {
        let result = try LoamProcess.run(
            ["generate", "--model", model, "--prompt", "Hello! How are you?", "--threads", "2"] + more)
        #expect(result.status == 0, "\(result.errors)")
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("generation_config.json says how a model is sampled, and flags say otherwise")
    func wishes() throws {
        let greedy = try model(wishing: ["do_sample": false])
        let whole = try reply(greedy)
        #expect(try reply(greedy, ["--seed", "2"]) == whole && !whole.isEmpty)
        #expect(try reply("Models/loam-sample", ["--temperature", "0"]) == whole)
        // Five draws that all equal the likeliest reply would mean that the flag went unheard.
        #expect(
            try (1...5).contains {
                try reply(greedy, ["--temperature", "1.5", "--top-p", "1", "--seed", "\($0)"]) != whole
            })

        let terse = try model(wishing: ["do_sample": false, "max_new_tokens": 2])
        let short = try reply(terse)
        #expect(whole.hasPrefix(short) && short.count < whole.count, "\(short)")
        #expect(try reply(terse, ["--max-tokens", "48"]) == whole)
    }

    @Test("a broken generation_config.json is named")
    func broken() throws {
        let odd = try model(wishing: ["temperature": "warm"])
        let result = try LoamProcess.run(["generate", "--model", odd, "--prompt", "Hello!"])
        #expect(result.status == 2 && result.errors.contains("generation_config.json"), "\(result.errors)")
    }

    @Test("without a model, the one that ships talks")
    func shipped() throws {
        let registry = ["--registry", folder("registry")]
        let result = try LoamProcess.run(["generate", "--prompt", "Hi! How are you?", "--threads", "2"] + registry)
        #expect(result.status == 0, "\(result.errors)")
        let named = try LoamProcess.run(
            ["generate", "--model", "Models/loam-base", "--prompt", "Hi! How are you?", "--threads", "2"])
        #expect(result.output == named.output && !named.output.isEmpty)
    }
}
