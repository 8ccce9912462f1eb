import Foundation
import LanguageModels
import ModelFormats
import Testing
import Torch

@Suite("LoRA models")
struct LoRAModelTests {
    static let ids = [[5, 6, 7, 8, 9, 10], [11, 12, 13, 14, 15, 16]]

    private func load(_ name: String) throws -> any DecoderFamily {
        try PretrainedDecoder.load(folder: FixtureFiles.family(name))
    }

    /// Names of the matrices, and of those that all families of one spelling have.
    private func modules(_ model: any DecoderFamily) throws -> [String] {
        var names: [String] = []
        try model.replaceLinears { name, linear in
            names.append(name)
            return linear
        }
        return names
    }

    private func logits(_ model: any LanguageModels.Decoder) throws -> [Double] {
        try Continuation(model: model).logits(Self.ids).doubles()
    }

    /// Loss and gradients of a pass over the ids.
    private func learn(_ model: any LanguageModels.Decoder) throws -> (loss: Double, gradients: [String: [Float]]) {
        for (_, parameter) in model.namedParameters {
            parameter.value = try parameter.value.requireGradient(true)
            try parameter.value.zeroGradient()
        }
        let (ids, positions) = try inputs(Self.ids)
        let hidden = try model.hidden(ids, positions: positions, mask: .causal, cache: nil, compute: nil)
        let logits = try model.logits(hidden)
        let loss = try logits.narrow(dim: 1, start: 0, length: 5).crossEntropy(
            targets: ids.narrow(dim: 1, start: 1, length: 5).contiguous()
        ).sum()
        try loss.backward()
        let gradients = try model.namedParameters.map { ($0.name, try $0.parameter.value.gradient?.floats() ?? []) }
        return (try loss.item(), Dictionary(uniqueKeysWithValues: gradients))
    }

    @Test("recomputed layers give the same loss and gradients", arguments: FixtureFiles.families)
    func recomputation(_ family: String) throws {
        let model = try load(family)
        let plain = try learn(model)
        model.recomputesLayers = true
        let again = try learn(model)
        #expect(plain.loss == again.loss)
        #expect(plain.gradients.count == model.namedParameters.count)
        #expect(plain.gradients == again.gradients)
        // Frozen embeddings: the adapter still gets its gradients.
        let lora = try LoRAModel(
            load(family), adapter: LoRAConfiguration(rank: 2, alpha: 4, targets: ["all-linear"]),
            generator: Generator(seed: 1))
        let apart = try learn(lora)
        lora.recomputesLayers = true
        #expect(try learn(lora).gradients == apart.gradients)
        #expect(apart.gradients.filter { $0.key.contains("lora_B") }.allSatisfy { $0.value.contains { $0 != 0 } })
    }

    @Test(
        "fresh it changes nothing; learned it is saved as PEFT has it, loaded, kept apart and merged alike",
        arguments: FixtureFiles.families)
    func roundTrip(_ family: String) throws {
        let base = try load(family)
        let before = try logits(base)
        let model = try LoRAModel(
            base, adapter: LoRAConfiguration(rank: 3, alpha: 6, targets: ["all-linear"]),
            generator: Generator(seed: 1))
        #expect(try logits(model) == before)
        #expect(try modules(base).filter { $0 != "lm_head" }.count * 2 == model.namedParameters.count)
        let optimizer = try AdamW(groups: [(parameters: model.namedParameters, weightDecay: 0)])
        let first = try learn(model).loss
        for _ in 0..<5 {
            try optimizer.step(learningRate: 0.05)
            _ = try learn(model)
        }
        #expect(try learn(model).loss < first - 0.5)
        let after = try logits(model)
        #expect(distance(after, before) > 0.05)
        #expect(try logits(base) == before, "the base must stay as it was")
        try FixtureFiles.withTemporaryFolder { place in
            try model.save(to: place, base: "the-base")
            let adapter = try LoRAAdapter(folder: place)
            #expect(adapter.configuration.rank == 3 && adapter.configuration.alpha == 6)
            #expect(distance(try logits(LoRAModel(base, adapter: adapter)), after) < 1e-6)
            #expect(distance(try logits(model.merged()), after) < 1e-4)
            let merged = try load(family)
            try adapter.merge(into: merged)
            #expect(distance(try logits(merged), after) < 1e-4)
            let fields =
                try JSONSerialization.jsonObject(
                    with: Data(contentsOf: place.appending(path: "adapter_config.json"))) as? [String: Any]
            #expect(fields?["peft_type"] as? String == "LORA")
            #expect(fields?["base_model_name_or_path"] as? String == "the-base")
            #expect(fields?["fan_in_fan_out"] as? Bool == family.hasPrefix("gpt2"))
            // Merged it is a plain model that saves; with the adapter beside it, it does not.
            try model.merged().save(to: place.appending(path: "merged"), metadata: [:])
            #expect(
                distance(try logits(PretrainedDecoder.load(folder: place.appending(path: "merged"))), after) < 1e-4)
        }
    }

    @Test("several adapters over one base answer each for itself, with a cache too")
    func several() throws {
        let base = try load("llama")
        let models = try (0..<3).map { seed in
            let model = try LoRAModel(
                base, adapter: LoRAConfiguration(rank: 2, alpha: 8), generator: Generator(seed: UInt64(seed)))
            for (name, parameter) in model.namedParameters where name.contains("lora_B") {
                try parameter.value.copy(
                    from: Tensor.randn(parameter.value.shape, generator: Generator(seed: UInt64(seed + 9))))
            }
            return model
        }
        #expect(models[0].namedParameters.allSatisfy { $0.name.contains("q_proj") || $0.name.contains("v_proj") })
        let answers = try models.map { try Continuation(model: $0).whole([5, 6, 7], count: 8) }
        #expect(Set(answers).count == 3)
        for (model, answer) in zip(models, answers) {
            #expect(try Continuation(model: model).cached([5, 6, 7], count: 8) == answer)
        }
        let plain = try [base, load("llama")].map { try Continuation(model: $0).whole([5, 6, 7], count: 8) }
        #expect(plain[0] == plain[1])
    }

    @Test("PEFT's own adapters kept apart compute what PEFT's merge computes", arguments: ["llama", "gpt2"])
    func peft(_ name: String) throws {
        struct Golden: Decodable {
            var family: String
            var ids: [[Int]]
            var logits: [[[Double]]]
        }
        let folder = FixtureFiles.folder.appending(path: "adapters/\(name)")
        let golden = try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder.appending(path: "golden.json")))
        let expected = golden.logits.flatMap { $0.flatMap { $0 } }
        let model = try LoRAModel(load(golden.family), adapter: LoRAAdapter(folder: folder))
        #expect(distance(try Continuation(model: model).logits(golden.ids).doubles(), expected) < 1e-4)
        let packed = try load(golden.family)
        try packed.pack(.eight)
        if name == "gpt2" {
            // Beside weights in 8 bits: about the same.
            let rounded = try LoRAModel(packed, adapter: LoRAAdapter(folder: folder))
            #expect(distance(try Continuation(model: rounded).logits(golden.ids).doubles(), expected) < 0.5)
            #expect(throws: LanguageModelError.self) { try rounded.merged() }
        } else {
            // Queries, keys and values are one matrix by then.
            let error = #expect(throws: LanguageModelError.self) {
                try LoRAModel(packed, adapter: LoRAAdapter(folder: folder))
            }
            #expect(error.map { "\($0)" }?.contains("merge the adapter, then pack the model") == true)
        }
    }

    @Test("a head that the adapter brought along is what is merged and saved, not the base's")
    func ownHead() throws {
        let (base, other) = (try load("llama"), try load("llama"))
        let head = try #require(other.namedParameters.first { $0.name == "lm_head.weight" }).parameter
        try head.value.copy(from: head.value * 2)
        let learned = try LoRAModel(
            other, adapter: LoRAConfiguration(rank: 2, alpha: 4, targets: ["lm_head"]), generator: Generator(seed: 1))
        let expected = try logits(learned)
        #expect(distance(try logits(base), expected) > 0.01)
        try FixtureFiles.withTemporaryFolder { place in
            try learned.save(to: place)
            let model = try LoRAModel(base, adapter: LoRAAdapter(folder: place))
            #expect(distance(try logits(model), expected) < 1e-6)
            #expect(distance(try logits(model.merged()), expected) < 1e-4)
            try model.save(to: place)
            #expect(distance(try logits(LoRAModel(base, adapter: LoRAAdapter(folder: place))), expected) < 1e-6)
            // Packed matrices cannot be changed for others.
            let packed = try load("llama")
            try packed.pack(.eight)
            let error = #expect(throws: LanguageModelError.self) {
                try LoRAModel(packed, adapter: LoRAAdapter(folder: place))
            }
            #expect(error.map { "\($0)" }?.contains("merge the adapter, then pack the model") == true)
        }
    }

    @Test("dropout follows the pass's seed, drops its share, and none without a seed")
    func dropout() throws {
        let model = try LoRAModel(
            load("llama"), adapter: LoRAConfiguration(rank: 2, alpha: 4, dropout: 0.5), generator: Generator(seed: 1))
        for (name, parameter) in model.namedParameters where name.contains("lora_B") {
            try parameter.value.copy(from: Tensor.ones(parameter.value.shape, dtype: .float32))
        }
        let plain = try logits(model)
        model.dropoutSeed = 3
        let (first, again) = (try logits(model), try logits(model))
        #expect(first == again && first != plain)
        model.dropoutSeed = 4
        #expect(try logits(model) != first)
        // The seed is the pass's, so a recomputed layer drops the same.
        let gradients = try learn(model).gradients
        model.recomputesLayers = true
        #expect(try learn(model).gradients == gradients)
        model.dropoutSeed = nil
        #expect(try logits(model) == plain)
    }

    @Test(
        "what layers add is dropped by the pass's seed, in every family, under an adapter too",
        arguments: FixtureFiles.families)
    func residualDropout(_ family: String) throws {
        let model = try load(family)
        let plain = try learn(model).loss
        #expect(model.dropout == 0)
        model.dropoutSeed = 3
        #expect(try learn(model).loss == plain, "without a share nothing is dropped")
        model.dropout = 0.3
        let first = try learn(model)
        #expect(try first.loss != plain && learn(model).loss == first.loss)
        model.recomputesLayers = true
        #expect(try learn(model).gradients == first.gradients)
        model.dropoutSeed = 4
        #expect(try learn(model).loss != first.loss)
        model.dropoutSeed = nil
        #expect(try learn(model).loss == plain, "without a seed nothing is dropped")
        let adapted = try LoRAModel(
            load(family), adapter: LoRAConfiguration(rank: 2, alpha: 4), generator: Generator(seed: 1))
        adapted.dropout = 0.3
        #expect(try logits(adapted) == logits(model))
        adapted.dropoutSeed = 3
        #expect(try logits(adapted) != logits(model))
    }

    @Test("what cannot be is said by name")
    func refused() throws {
        let base = try load("llama-bias")
        func message(_ lora: LoRAConfiguration) throws -> String {
            do {
                _ = try LoRAModel(base, adapter: lora, generator: Generator(seed: 1))
                return ""
            } catch { return "\(error)" }
        }
        #expect(try message(LoRAConfiguration(rank: 0, alpha: 1)).contains("rank is 0"))
        #expect(try message(LoRAConfiguration(rank: 1, alpha: 1, dropout: 1)).contains("dropout is 1"))
        #expect(try message(LoRAConfiguration(rank: 1, alpha: 1, targets: ["x"])).contains("none of the targets x"))
        #expect(try message(LoRAConfiguration(rank: 1, alpha: 1, targets: ["x"])).contains("q_proj"))
        #expect(
            try message(LoRAConfiguration(rank: 1, alpha: 1, targets: ["lm_head"])).contains("tied to the embedding"))
        let adapter = try LoRAAdapter(folder: FixtureFiles.folder.appending(path: "adapters/llama"))
        #expect(throws: LanguageModelError.self) { try LoRAModel(load("gpt2"), adapter: adapter) }
    }
}
