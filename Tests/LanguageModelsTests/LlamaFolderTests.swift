import Foundation
import LanguageModels
import ModelFormats
import Testing
import Torch

@Suite("Llama: folders")
struct LlamaFolderTests {
    private func bytes(_ model: LlamaModel) throws -> [String: [UInt8]] {
        Dictionary(
            uniqueKeysWithValues: try model.namedParameters.map { name, parameter in
                (name, try parameter.value.withBytes { [UInt8]($0) })
            })
    }

    @Test("saved and loaded again it is the same bit for bit", arguments: [DType.float32, .bfloat16])
    func roundTrip(_ dtype: DType) throws {
        try FixtureFiles.withTemporaryFolder { folder in
            var configuration = LlamaConfiguration(
                vocabularySize: 30, hiddenSize: 16, intermediateSize: 24, layerCount: 2, headCount: 4,
                keyValueHeadCount: 1, headDimension: 6, contextLength: 20, ropeTheta: 777, tiesEmbeddings: false,
                beginID: 1, padID: 0, endIDs: [2, 5])
            configuration.normEpsilon = 3e-6
            let model = try LlamaModel(configuration, generator: Generator(seed: 1), dtype: dtype)
            try model.save(to: folder.appending(path: "saved"), metadata: ["made_by": "a test"])
            let again = try LlamaModel(folder: folder.appending(path: "saved"), dtype: dtype)
            #expect(again.llama == configuration)
            #expect(again.configuration.endIDs == [2, 5] && again.configuration.headDimension == 6)
            #expect(try bytes(again) == bytes(model))
            let weights = try ModelFolder(folder.appending(path: "saved")).weights()
            #expect(weights.metadata["made_by"] == "a test" && weights.metadata["format"] == "pt")
        }
    }

    @Test("transformers' folder, saved by us, keeps names and numbers")
    func resave() throws {
        try FixtureFiles.withTemporaryFolder { folder in
            let model = try LlamaModel(folder: FixtureFiles.llama)
            try model.save(to: folder)
            let ours = try ModelFolder(folder).weights()
            let theirs = try ModelFolder(FixtureFiles.llama).weights()
            #expect(ours.names == theirs.names)
            for name in theirs.names {
                let same = try ours.withBytes(of: name) { a in
                    try theirs.withBytes(of: name) { b in a.elementsEqual(b) }
                }
                #expect(same, "\(name)")
            }
        }
    }

    @Test("both spellings of the rotation's base are read")
    func ropeSpellings() throws {
        let base: [String: Any] = [
            "model_type": "llama", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "max_position_embeddings": 16,
        ]
        func read(_ more: [String: Any]) throws -> LlamaConfiguration {
            let data = try JSONSerialization.data(withJSONObject: base.merging(more) { $1 })
            return try JSONDecoder().decode(LlamaConfiguration.self, from: data)
        }
        #expect(try read([:]).ropeTheta == 10_000)
        #expect(try read(["rope_theta": 5]).ropeTheta == 5)
        #expect(try read(["rope_parameters": ["rope_theta": 7, "rope_type": "default"]]).ropeTheta == 7)
        let plain = try read(["eos_token_id": [1, 2], "num_key_value_heads": NSNull()])
        #expect(plain.endIDs == [1, 2] && plain.keyValueHeadCount == 2 && plain.headDimension == 4)
        #expect(try read(["eos_token_id": 3]).endIDs == [3])
        for odd in [
            ["rope_scaling": ["rope_type": "yarn"]], ["hidden_act": "xielu"],
            ["rope_parameters": ["rope_type": "longrope", "rope_theta": 7]],
        ] as [[String: Any]] {
            let error = #expect(throws: LanguageModelError.self) { try read(odd) }
            #expect(error?.code == .configuration && error?.description.contains("not supported") == true)
        }
    }

    @Test("a configuration that makes no sense names its field")
    func badConfigurations() throws {
        func message(_ change: (inout LlamaConfiguration) -> Void) -> String {
            var configuration = LlamaConfiguration(
                vocabularySize: 10, hiddenSize: 8, intermediateSize: 8, layerCount: 1, headCount: 2, contextLength: 8)
            change(&configuration)
            do {
                try configuration.validate()
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message { _ in } == "")
        #expect(message { $0.hiddenSize = 0 }.contains("hidden_size"))
        #expect(message { $0.vocabularySize = 1 << 40 }.contains("vocab_size"))
        #expect(message { $0.keyValueHeadCount = 3 }.contains("num_key_value_heads"))
        #expect(message { $0.headDimension = 3 }.contains("head_dim"))
        #expect(message { $0.ropeTheta = 0 }.contains("rope_theta"))
        #expect(message { $0.normEpsilon = .nan }.contains("rms_norm_eps"))
        #expect(message { $0.endIDs = [4, 10] }.contains("eos_token_id"))
        #expect(message { $0.padID = -1 }.contains("pad_token_id"))
    }

    @Test("a folder with a wrong tensor, a missing one or another family says so")
    func badFolders() throws {
        try FixtureFiles.withTemporaryFolder { folder in
            let model = try LlamaModel(folder: FixtureFiles.llama)
            try model.save(to: folder)
            let place = try ModelFolder(folder)
            var narrower = model.llama
            narrower.intermediateSize = 47
            try place.encode(narrower, to: "config.json")
            let shape = #expect(throws: LanguageModelError.self) { try LlamaModel(folder: folder) }
            #expect(shape?.description.contains("model.layers.0.mlp.gate_proj.weight has the shape [48, 32]") == true)
            var deeper = model.llama
            deeper.layerCount = 3
            try place.encode(deeper, to: "config.json")
            let missing = #expect(throws: LanguageModelError.self) { try LlamaModel(folder: folder) }
            #expect(missing?.description.contains("lack model.layers.2.input_layernorm.weight") == true)
            try place.write(Data(#"{"model_type": "other"}"#.utf8), to: "config.json")
            let family = #expect(throws: LanguageModelError.self) { try LlamaModel(folder: folder) }
            #expect(family?.description.contains("“other” is not supported") == true)
            try place.write(Data(#"{"model_type": "llama", "vocab_size": "ten"}"#.utf8), to: "config.json")
            let field = #expect(throws: ModelFormatsError.self) { try LlamaModel(folder: folder) }
            #expect(field.map { "\($0)" }?.contains("config.json") == true)
        }
    }

    private static let python = ProcessInfo.processInfo.environment["LOAM_PYTHON"]

    /// Set LOAM_PYTHON to a Python that has torch and transformers.
    @Test("transformers loads what we save", .enabled(if: python != nil), arguments: [true, false])
    func transformers(_ tied: Bool) throws {
        try FixtureFiles.withTemporaryFolder { folder in
            let model = try LlamaModel(
                LlamaConfiguration(
                    vocabularySize: 50, hiddenSize: 32, intermediateSize: 40, layerCount: 2, headCount: 4,
                    keyValueHeadCount: 2, contextLength: 32, ropeTheta: 300, tiesEmbeddings: tied, beginID: 1,
                    padID: 0, endIDs: [2]), generator: Generator(seed: 8))
            for (_, parameter) in model.namedParameters where parameter.value.rank == 2 {
                try parameter.value.multiply(inPlace: 10)
            }
            try model.save(to: folder)
            let rows = [[4, 8, 15, 16, 23, 42], [1, 1, 2, 3, 5, 8]]
            let (ids, positions) = try inputs(rows)
            let logits = try model.logits(model.hidden(ids, positions: positions, mask: .causal, cache: nil))
            let values = try logits.doubles()
            let nested = (0..<2).map { row in
                (0..<6).map { t in Array(values[((row * 6 + t) * 50)..<((row * 6 + t + 1) * 50)]) }
            }
            let expected = try JSONSerialization.data(withJSONObject: ["ids": rows, "logits": nested] as [String: Any])
            try expected.write(to: folder.appending(path: "expected.json"))
            let process = Process()
            process.executableURL = URL(filePath: try #require(Self.python))
            process.arguments = [
                FixtureFiles.root.appending(path: "Scripts/fixtures/language_models.py").path, "check", folder.path,
            ]
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
    }
}
