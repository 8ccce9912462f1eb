import Foundation
import LanguageModels
import ModelFormats
import Testing
import Torch

@Suite("LoRA adapters")
struct LoRAAdapterTests {
    struct Golden: Decodable {
        var family: String
        var ids: [[Int]]
        var logits: [[[Double]]]
    }

    private func folder(_ name: String) -> URL { FixtureFiles.folder.appending(path: "adapters/\(name)") }

    private func golden(_ name: String) throws -> Golden {
        try JSONDecoder().decode(Golden.self, from: Data(contentsOf: folder(name).appending(path: "golden.json")))
    }

    @Test("merged it computes what PEFT's merge computes", arguments: ["llama", "gpt2"])
    func merge(_ name: String) throws {
        let golden = try golden(name)
        let expected = golden.logits.flatMap { $0.flatMap { $0 } }
        let adapter = try LoRAAdapter(folder: folder(name))
        let model = try PretrainedDecoder.load(folder: FixtureFiles.family(golden.family))
        #expect(distance(try Continuation(model: model).logits(golden.ids).doubles(), expected) > 0.1)
        try adapter.merge(into: model)
        #expect(distance(try Continuation(model: model).logits(golden.ids).doubles(), expected) < 1e-4)
        // PEFT saves the head that it changes; the adapter's own then counts, whatever the model has.
        let other = try PretrainedDecoder.load(folder: FixtureFiles.family(golden.family))
        if let head = other.namedParameters.first(where: { $0.name == "lm_head.weight" }) {
            try head.parameter.value.zero()
            try adapter.merge(into: other)
            #expect(distance(try Continuation(model: other).logits(golden.ids).doubles(), expected) < 1e-4)
        }
        // Saved it is a plain model.
        try FixtureFiles.withTemporaryFolder { place in
            try model.save(to: place, metadata: [:])
            let again = try PretrainedDecoder.load(folder: place)
            #expect(distance(try Continuation(model: again).logits(golden.ids).doubles(), expected) < 1e-4)
        }
        // In bfloat16, which the file of one has, the sum is rounded once.
        guard name == "gpt2" else { return }
        let short = try PretrainedDecoder.load(folder: FixtureFiles.family(golden.family), dtype: .bfloat16)
        try adapter.merge(into: short)
        for (a, b) in zip(short.namedParameters, model.namedParameters) {
            #expect(try a.parameter.value.doubles() == b.parameter.value.to(.bfloat16).doubles(), "\(a.name)")
        }
    }

    @Test("ranks and scales follow the patterns; rank-stabilised ones go by the root")
    func scales() throws {
        let factors = try LoRAAdapter(folder: folder("llama")).factors
        #expect(factors.count == 7)
        #expect(factors["model.layers.0.self_attn.q_proj"]?.down.shape == [2, 32])
        #expect(factors["model.layers.0.self_attn.q_proj"]?.scale == 10 / 2.0.squareRoot())
        #expect(factors["model.layers.0.self_attn.v_proj"]?.scale == 5)
        #expect(factors["model.layers.1.self_attn.v_proj"]?.scale == 10 / 3.0.squareRoot())
        #expect(factors["model.layers.1.mlp.down_proj"]?.scale == 3)
        #expect(try LoRAAdapter(folder: folder("gpt2")).factors.values.allSatisfy { $0.scale == 5.0 / 3 })
    }

    /// Loads a changed copy of the adapter and merges it; says what went wrong.
    private func message(
        _ set: [String: Any], into family: String = "llama",
        _ change: (inout [SafeTensorsWriter.Item]) -> Void = { _ in }
    ) throws -> String {
        try FixtureFiles.withTemporaryFolder { place in
            let source = folder("llama")
            var fields =
                try JSONSerialization.jsonObject(
                    with: Data(contentsOf: source.appending(path: "adapter_config.json"))) as? [String: Any] ?? [:]
            fields.merge(set) { $1 }
            try JSONSerialization.data(withJSONObject: fields).write(to: place.appending(path: "adapter_config.json"))
            let weights = try ModelWeights(file: source.appending(path: "adapter_model.safetensors"))
            var items: [SafeTensorsWriter.Item] = try weights.names.compactMap { name in
                guard let entry = weights.entry(name) else { return nil }
                return (name, entry.dtype, entry.shape, try weights.withBytes(of: name) { Data($0) })
            }
            change(&items)
            try SafeTensorsWriter.write(items, to: place.appending(path: "adapter_model.safetensors"))
            let model = try PretrainedDecoder.load(folder: FixtureFiles.family(family))
            let before = try model.namedParameters.map { try $0.parameter.value.floats() }
            do {
                try LoRAAdapter(folder: place).merge(into: model)
                return "merged"
            } catch {
                // Nothing changed by half.
                #expect(try model.namedParameters.map { try $0.parameter.value.floats() } == before)
                #expect("\(error)".hasPrefix(place.path))
                return "\(error)"
            }
        }
    }

    @Test("adapters of other kinds, and ones that do not fit, are refused by name")
    func refused() throws {
        #expect(try message([:]) == "merged")
        let fields: [([String: Any], String)] = [
            (["peft_type": "IA3"], "adapter_config.json: peft_type “IA3” is not supported"),
            (["use_dora": true], "use_dora true is not supported"), (["bias": "all"], "bias “all” is not supported"),
            (["modules_to_save": ["score"]], "modules_to_save [“score”]"), (["lora_bias": true], "lora_bias true"),
            (["init_lora_weights": "pissa"], "init_lora_weights “pissa”"),
            (["layer_replication": [[0, 2]]], "layer_replication [[0, 2]]"),
            (["rank_pattern": ["(a+)+$": 2]], "rank_pattern “(a+)+$” is not supported"),
            (["rank_pattern": ["q_proj": 2, "self_attn.q_proj": 3]], "rank_pattern has several values for"),
            (["r": 0], "r is 0"), (["r": 5], "needs lora_A [5, in]"),
            (["lora_alpha": "x"], "adapter_config.json: field \"lora_alpha\""),
        ]
        for (set, part) in fields {
            let found = try message(set)
            #expect(found.contains(part), "\(set): \(found)")
        }
        #expect(try message([:], into: "llama-bias").contains("lm_head is tied to the embedding"))
        #expect(
            try message([:], into: "gpt2") { $0.removeAll { $0.name.contains("lm_head") } }
                .contains("model.layers.0.mlp.down_proj is no part of this model"))
        #expect(try message([:], into: "qwen3").contains("merged"))
        #expect(try message([:], into: "mistral").contains("changes [48, 32], the model's is [32, 32]"))
        #expect(
            try message([:]) { items in items.removeAll { $0.name.contains("layers.0.self_attn.q_proj.lora_B") } }
                .contains("model.layers.0.self_attn.q_proj needs lora_A"))
        #expect(
            try message([:]) { items in
                items.append(("base_model.model.x.lora_embedding_A", .float32, [1], Data(count: 4)))
            }
            .contains("x.lora_embedding_A is not supported"))
        #expect(try message([:]) { $0.removeAll() }.contains("no factors"))
        #expect(
            try message([:]) { items in
                for index in items.indices {
                    items[index].name = items[index].name.replacingOccurrences(of: ".weight", with: ".default.weight")
                }
            } == "merged")
        #expect(throws: ModelFormatsError.self) { try LoRAAdapter(folder: FixtureFiles.family("llama")) }
    }
}
