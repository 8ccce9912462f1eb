import Foundation
import LanguageModels
import ModelFormats
import Testing
import Torch

/// Folders that do not fit: one clear error each, naming the file, the field and its value.
@Suite("Families: folders")
struct FamilyFolderTests {
    /// What loading a changed folder of a family says.
    private func message(_ family: String, drop: [String] = [], _ set: [String: Any]) throws -> String {
        try FixtureFiles.withChangedFolder(FixtureFiles.family(family), drop: drop, set: set) { folder in
            do {
                _ = try PretrainedDecoder.load(folder: folder)
                return "loaded"
            } catch {
                let text = "\(error)"
                #expect(text.hasPrefix(folder.path + "/") || text.hasPrefix(folder.path + ":"), "\(text)")
                #expect(error is LanguageModelError || error is ModelFormatsError)
                return text
            }
        }
    }

    @Test("what changes the maths and is not supported is refused by file, field and value")
    func refused() throws {
        let cases: [(String, [String: Any], String)] = [
            ("gpt2", ["model_type": "gpt_neo"], "config.json: model_type “gpt_neo” is not supported; gpt2, opt"),
            ("gpt2", ["architectures": ["GPT2DoubleHeadsModel"]], "architectures “GPT2DoubleHeadsModel” is not"),
            ("llama", ["architectures": ["LlamaForSequenceClassification"]], "SequenceScorer loads it"),
            ("gpt2", ["activation_function": "xielu"], "config.json: activation_function “xielu” is not supported"),
            ("gpt2", ["add_cross_attention": true], "config.json: add_cross_attention true is not supported"),
            ("opt", ["activation_function": "mish"], "activation_function “mish”"),
            ("llama", ["quantization_config": ["quant_method": "gptq"]], "quantization_config {quant_method: “gptq”}"),
            ("llama", ["rope_parameters": ["rope_type": "yarn", "factor": 4]], "rope_parameters.rope_type “yarn”"),
            ("llama", ["rope_parameters": ["rope_type": "linear"]], "lacks \"factor\""),
            ("llama", ["rope_parameters": ["rope_type": "linear", "factor": 0]], "rope_parameters.factor is 0.0"),
            (
                "llama", ["rope_parameters": ["rope_type": "default", "mrope_section": [2, 2]]],
                "rope_parameters.mrope_section [2, 2] is not supported"
            ),
            (
                "llama", ["rope_parameters": ["rope_type": "default", "partial_rotary_factor": 0.5]],
                "rope_parameters.partial_rotary_factor 0.5"
            ),
            ("llama", ["rope_scaling": ["type": "linear", "factor": 2]], "rope_scaling and rope_parameters disagree"),
            ("llama", ["partial_rotary_factor": 0.5], "partial_rotary_factor 0.5"),
            ("llama", ["final_logit_softcapping": 30.0], "final_logit_softcapping 30"),
            ("llama", ["hidden_act": "relu2"], "hidden_act “relu2”"),
            ("qwen2", ["layer_types": ["full_attention", "chunked_attention"]], "layer_types “chunked_attention”"),
            ("qwen2", ["layer_types": ["sliding_attention"]], "layer_types has 1 entries, num_hidden_layers is 2"),
            ("qwen2", ["use_sliding_window": false], "layer_types asks for “sliding_attention”"),
            ("qwen2", ["sliding_window": 0], "sliding_window is 0"),
            ("mistral", ["layer_types": ["full_attention", "sliding_attention"]], "layer_types “full_attention”"),
            ("mistral", ["sliding_window": -3], "sliding_window is -3"),
            ("llama", ["num_attention_heads": 0], "num_attention_heads is 0"),
            ("opt", ["num_attention_heads": 5], "hidden_size 32 is no multiple of num_attention_heads 5"),
            ("gpt2", ["n_head": 5], "n_embd 32 is no multiple of n_head 5"),
            ("gpt2", ["bos_token_id": 96], "bos_token_id is 96, the vocabulary has 96"),
            ("llama", ["eos_token_id": [1, 200]], "eos_token_id is 200"),
            ("qwen3", ["vocab_size": "many"], "config.json: field \"vocab_size\" should be of type Int"),
        ]
        for (family, set, part) in cases {
            let found = try message(family, set)
            #expect(found.contains(part), "\(set): \(found)")
        }
    }

    @Test("no value of any field brings loading down", arguments: FixtureFiles.families)
    func anyValue(_ family: String) throws {
        let source = FixtureFiles.family(family)
        let data = try Data(contentsOf: source.appending(path: "config.json"))
        let fields = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let odd: [Any] = [
            NSNull(), -1, 0, 7, 1 << 24, 1 << 40, Int.min, 0.5, -1e308, "x", true, [Int](), [1, -2], ["y"],
            ["rope_type": "llama3", "factor": 1e-300, "low_freq_factor": 1, "high_freq_factor": 2] as [String: Any],
        ]
        try FixtureFiles.withChangedFolder(source, set: [:]) { folder in
            for (name, value) in fields.keys.sorted().flatMap({ name in odd.map { (name, $0) } }) {
                let changed = try JSONSerialization.data(withJSONObject: fields.merging([name: value]) { $1 })
                try changed.write(to: folder.appending(path: "config.json"))
                do {
                    _ = try PretrainedDecoder.load(folder: folder)
                } catch {
                    let isOurs = error is LanguageModelError || error is ModelFormatsError
                    #expect(isOurs && "\(error)".contains(folder.path), "\(name) = \(value): \(error)")
                }
            }
        }
    }

    @Test("neutral values of the same fields are no obstacle")
    func neutral() throws {
        #expect(
            try message(
                "llama",
                [
                    "quantization_config": NSNull(), "partial_rotary_factor": 1.0, "pruned_heads": [String: Int](),
                    "is_encoder_decoder": false, "logit_scale": 1, "unknown_to_everyone": 3,
                ]) == "loaded")
        // Old files name no type.
        #expect(try message("gpt2-bare", drop: ["model_type"], [:]) == "loaded")
        #expect(try message("gpt2", drop: ["model_type", "architectures"], [:]).contains("neither model_type nor"))
        // A base model's class is enough where the head is the embedding.
        #expect(try message("opt", ["architectures": ["OPTModel"]]) == "loaded")
    }

    @Test("tensors that do not fit are named")
    func tensors() throws {
        let cases: [(String, [String: Any], String)] = [
            ("llama", ["attention_bias": true], "the weights lack model.layers.0.self_attn.q_proj.bias"),
            (
                "llama-bias", ["attention_bias": false],
                "the weights hold model.layers.0.self_attn.k_proj.bias, for which this architecture has no place"
            ),
            ("qwen3", ["model_type": "llama", "architectures": ["LlamaForCausalLM"]], "self_attn.k_norm.weight, for"),
            ("gpt2", ["n_inner": 64], "transformer.h.0.mlp.c_fc.bias has the shape [128], config.json says [64]"),
            ("opt", ["do_layer_norm_before": false], "the weights hold model.decoder.final_layer_norm.bias"),
            ("opt-350m", ["do_layer_norm_before": true], "the weights lack model.decoder.final_layer_norm.weight"),
            (
                "opt", ["word_embed_proj_dim": 16],
                "embed_tokens.weight has the shape [96, 32], config.json says [96, 16]"
            ),
            (
                "llama", ["vocab_size": 97],
                "model.embed_tokens.weight has the shape [96, 32], config.json says [97, 32]"
            ),
            ("gpt2", ["tie_word_embeddings": false], "the weights lack lm_head.weight"),
            ("llama", ["tie_word_embeddings": true], "lm_head.weight differs from model.embed_tokens.weight"),
        ]
        for (family, set, part) in cases {
            let found = try message(family, set)
            #expect(found.contains(part), "\(set): \(found)")
        }
    }

    @Test("a tied head that stands in the file once more is no obstacle; integers are no weights")
    func oddFiles() throws {
        try FixtureFiles.withChangedFolder(FixtureFiles.family("opt"), set: [:]) { folder in
            let place = try ModelFolder(folder)
            func rewrite(_ change: (inout [SafeTensorsWriter.Item]) -> Void) throws {
                let weights = try ModelFolder(FixtureFiles.family("opt")).weights()
                var items: [SafeTensorsWriter.Item] = try weights.names.compactMap { name in
                    guard let entry = weights.entry(name) else { return nil }
                    return (name, entry.dtype, entry.shape, try weights.withBytes(of: name) { Data($0) })
                }
                change(&items)
                try SafeTensorsWriter.write(items, to: place.file("model.safetensors"))
            }
            try rewrite { items in
                let embedding = items.first { $0.name == "model.decoder.embed_tokens.weight" }
                if let embedding { items.append(("lm_head.weight", embedding.dtype, embedding.shape, embedding.bytes)) }
            }
            #expect(throws: Never.self) { try PretrainedDecoder.load(folder: folder) }
            try rewrite { $0[3].dtype = .int16 }
            let integers = #expect(throws: LanguageModelError.self) { try PretrainedDecoder.load(folder: folder) }
            #expect(integers?.description.contains("is of type I16, which is not supported") == true)
            try rewrite { $0.append(("extra", .float32, [1], Data(count: 4))) }
            let extra = #expect(throws: LanguageModelError.self) { try PretrainedDecoder.load(folder: folder) }
            #expect(extra?.description.contains("hold extra") == true)
        }
    }

    @Test("shards: a missing one, a tensor in the wrong one and one that the index leaves out are said")
    func shards() throws {
        let (first, second) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
        func message(_ change: (URL, inout [String: String]) throws -> Void) throws -> String {
            try FixtureFiles.withChangedFolder(FixtureFiles.family("llama"), set: [:]) { folder in
                let place = try ModelFolder(folder)
                struct Index: Codable {
                    var weightMap: [String: String]
                    enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }
                }
                var index = try place.decode(Index.self, from: "model.safetensors.index.json")
                try change(folder, &index.weightMap)
                try place.encode(index, to: "model.safetensors.index.json")
                do {
                    _ = try PretrainedDecoder.load(folder: folder)
                    return "loaded"
                } catch { return "\(error)" }
            }
        }
        #expect(try message { _, _ in } == "loaded")
        let missing = try message { folder, _ in
            try FileManager.default.removeItem(at: folder.appending(path: second))
        }
        #expect(missing.contains("\(second): cannot open"))
        let wrong = try message { _, map in map["lm_head.weight"] = map["lm_head.weight"] == first ? second : first }
        #expect(wrong.contains("weight_map puts \"lm_head.weight\" in"))
        let absent = try message { _, map in map["model.norm.weight"] = nil }
        #expect(absent.contains("weight_map does not name \"model.norm.weight\""))
    }

    @Test("generation_config.json wins over config.json, and must fit the vocabulary")
    func generation() throws {
        let model = try PretrainedDecoder.load(folder: FixtureFiles.family("llama"))
        #expect(model.configuration.endIDs == [2, 5] && model.configuration.padID == 3)
        try FixtureFiles.withChangedFolder(FixtureFiles.family("gpt2"), set: ["eos_token_id": 7]) { folder in
            #expect(try PretrainedDecoder.load(folder: folder).configuration.endIDs == [7])
            let place = try ModelFolder(folder)
            try place.encode(GenerationConfiguration(endIDs: [1, 96]), to: "generation_config.json")
            let error = #expect(throws: LanguageModelError.self) { try PretrainedDecoder.load(folder: folder) }
            #expect(error?.description.contains("generation_config.json: eos_token_id is 96") == true)
        }
    }

    @Test("a tokenizer with more tokens than the model has rows is refused")
    func vocabulary() throws {
        let configuration = try PretrainedDecoder.load(folder: FixtureFiles.family("gpt2")).configuration
        #expect(throws: Never.self) { try configuration.requireVocabulary(tokens: 90) }
        let error = #expect(throws: LanguageModelError.self) { try configuration.requireVocabulary(tokens: 97) }
        #expect(error?.description == "tokenizer.json has 97 tokens, config.json's vocab_size only 96")
    }

    @Test("each family knows its own folders alone")
    func families() throws {
        #expect(PretrainedDecoder.modelTypes == ["gpt2", "opt", "llama", "mistral", "qwen2", "qwen3"])
        #expect(try PretrainedDecoder.load(folder: FixtureFiles.family("qwen3")) is Qwen3Model)
        #expect(try PretrainedDecoder.load(folder: FixtureFiles.llama) is LlamaModel)
        let error = #expect(throws: LanguageModelError.self) { try OPTModel(folder: FixtureFiles.family("gpt2")) }
        #expect(error?.description.contains("model_type “gpt2” is not supported here; opt is") == true)
        #expect(throws: ModelFormatsError.self) {
            try PretrainedDecoder.load(folder: FixtureFiles.folder.appending(path: "nowhere"))
        }
    }

    @Test("positions past a learned table are an error, not a wrong number")
    func pastTheTable() throws {
        for family in ["gpt2", "opt"] {
            let model = try PretrainedDecoder.load(folder: FixtureFiles.family(family))
            let (ids, positions) = try inputs([[5, 6]], from: 95)
            #expect(throws: TorchError.self) {
                try model.hidden(ids, positions: positions, mask: .causal, cache: nil)
            }
        }
    }
}
