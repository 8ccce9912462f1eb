import Foundation
import ModelFormats
import Testing

@Suite struct ModelFolderTests {
    struct Configuration: Codable, Equatable {
        var modelType: String
        var hiddenSize: Int
        enum CodingKeys: String, CodingKey {
            case modelType = "model_type"
            case hiddenSize = "hidden_size"
        }
    }

    func code(_ expected: ModelFormatsError.Code, _ part: String) -> (any Error) -> Bool {
        { error in
            guard let error = error as? ModelFormatsError else { return false }
            return error.code == expected && error.description.contains(part)
        }
    }

    @Test func readsAShardedModelAsOne() throws {
        let folder = try ModelFolder(fixtures.appendingPathComponent("sharded"))
        #expect(try folder.configuration(Configuration.self) == Configuration(modelType: "llama", hiddenSize: 2))
        #expect(try folder.modelType() == "llama")
        let weights = try folder.weights()
        #expect(weights.names == ["first", "second", "third"])
        #expect(weights.entry("second")?.shape == [1, 2])
        #expect(try weights.withBytes(of: "third") { Data($0) } == bytes([3, 3, 3].map { Float($0).bitPattern }))
        #expect(throws: ModelFormatsError.self) { try weights.withBytes(of: "fourth") { _ in } }
    }

    @Test func refusesAnIndexThatLies() throws {
        try withFolder { url in
            let folder = try ModelFolder(url)
            let shard = "model-00001-of-00001.safetensors"
            try SafeTensorsWriter.write(
                [("a", .uint8, [1], Data([1])), ("b", .uint8, [1], Data([2]))], to: folder.file(shard))
            func index(_ map: [String: String]) throws -> ModelWeights {
                try folder.encode(["weight_map": map], to: "model.safetensors.index.json")
                return try folder.weights()
            }
            #expect(try index(["a": shard, "b": shard]).names == ["a", "b"])
            #expect(throws: ModelFormatsError.self) { try index(["a": "../\(shard)"]) }
            #expect { try index(["a": shard]) } throws: { code(.malformed, "\"b\"")($0) }
            #expect { try index(["a": shard, "b": shard, "c": shard]) } throws: { code(.malformed, "\"c\"")($0) }
            #expect { try index(["a": "model-00002-of-00002.safetensors"]) } throws: { code(.unreadable, "00002")($0) }
            // The tensor is there, but in another file than the index says.
            let second = "model-00002-of-00002.safetensors"
            try SafeTensorsWriter.write([("c", .uint8, [1], Data([3]))], to: folder.file(second))
            #expect(try index(["a": shard, "b": shard, "c": second]).names == ["a", "b", "c"])
            #expect { try index(["a": second, "b": shard, "c": second]) } throws: {
                code(.malformed, "weight_map puts \"a\" in \(second), which lacks it")($0)
            }
            // The same tensor in two files.
            try SafeTensorsWriter.write([("b", .uint8, [1], Data([3]))], to: folder.file(second))
            #expect { try index(["a": shard, "b": second]) } throws: { code(.malformed, "in another file too")($0) }
            #expect {
                try index(Dictionary(uniqueKeysWithValues: (0..<5000).map { ("t\($0)", "m\($0).safetensors") }))
            } throws: { code(.malformed, "names 5000 files")($0) }
            try Data("{\"weight_map\": 3}".utf8).write(to: folder.file("model.safetensors.index.json"))
            #expect { try folder.weights() } throws: { code(.malformed, "weight_map")($0) }
        }
    }

    @Test func errorsNameTheFileAndTheField() throws {
        try withFolder { url in
            #expect { try ModelFolder(url.appendingPathComponent("absent")) } throws: {
                code(.unreadable, "absent")($0)
            }
            let folder = try ModelFolder.create(at: url.appendingPathComponent("deep/model"))
            #expect { try folder.weights() } throws: { code(.unreadable, "model.safetensors")($0) }
            try folder.write(Data(), to: "pytorch_model.bin")
            #expect { try folder.weights() } throws: { code(.unreadable, "pytorch_model.bin")($0) }
            // A sparse file of many gigabytes is refused by its size, not read.
            try Data().write(to: folder.file("generation_config.json"))
            let huge = try FileHandle(forWritingTo: folder.file("generation_config.json"))
            try huge.truncate(atOffset: 1 << 36)
            #expect { try folder.generationConfiguration() } throws: { code(.malformed, "68719476736 bytes")($0) }
            try folder.write(Data("{}".utf8), to: "generation_config.json")
            #expect { try folder.tokenizer() } throws: { code(.unreadable, "tokenizer.json")($0) }
            #expect { try folder.modelType() } throws: { code(.unreadable, "config.json")($0) }
            try folder.write(Data(#"{"model_type": "llama"}"#.utf8), to: "config.json")
            #expect { try folder.configuration(Configuration.self) } throws: { code(.malformed, "hidden_size")($0) }
            try folder.write(Data("{".utf8), to: "config.json")
            #expect { try folder.modelType() } throws: { code(.malformed, "config.json")($0) }
        }
    }

    @Test func generationConfigurationReadsANumberOrAList() throws {
        try withFolder { url in
            let folder = try ModelFolder(url)
            #expect(try folder.generationConfiguration() == GenerationConfiguration())
            for (json, ids) in [
                (#"{"eos_token_id": 2}"#, [2]), (#"{"eos_token_id": [2, 5]}"#, [2, 5]),
                (#"{"eos_token_id": null}"#, []),
            ] {
                try folder.write(Data(json.utf8), to: "generation_config.json")
                let read = try folder.generationConfiguration()
                #expect(read.endIDs == ids)
                try folder.encode(read, to: "generation_config.json")
                #expect(try folder.generationConfiguration() == read)
            }
            let every = GenerationConfiguration(
                endIDs: [2], beginID: 1, padID: 0, temperature: 0.5, topP: 0.9, topK: 7, maximumNewTokens: 8,
                repetitionPenalty: 1.5, stopStrings: ["x"], samples: true, minP: 0.25, typicalP: 0.75, noRepeatSize: 3,
                beamCount: 4, lengthPenalty: 0.5, minimumNewTokens: 2)
            try folder.encode(every, to: "generation_config.json")
            #expect(try folder.generationConfiguration() == every)
            let names = try String(contentsOf: folder.file("generation_config.json"), encoding: .utf8)
            for name in [
                "min_p", "typical_p", "no_repeat_ngram_size", "num_beams", "length_penalty", "min_new_tokens",
            ] {
                #expect(names.contains("\"\(name)\""))
            }
            for (json, stops) in [
                (#"{"stop_strings": "end"}"#, ["end"]), (#"{"stop_strings": ["a", "b"]}"#, ["a", "b"]),
                (#"{"stop_strings": null}"#, nil),
            ] as [(String, [String]?)] {
                try folder.write(Data(json.utf8), to: "generation_config.json")
                #expect(try folder.generationConfiguration().stopStrings == stops)
            }
            try folder.write(Data(#"{"eos_token_id": "x"}"#.utf8), to: "generation_config.json")
            #expect { try folder.generationConfiguration() } throws: { code(.malformed, "eos_token_id")($0) }
        }
    }

    @Test func cardHasAHeadThatYAMLReadsAsText() throws {
        let card = ModelCard(
            name: "garden-1", license: "apache-2.0", languages: ["en", "no"], baseModel: "garden: 0",
            tags: ["dialogue", "1e3"], library: "transformers", task: "text-generation", summary: "Talks of gardens.",
            facts: [.init("seed", "7 | 8")], sections: [.init("Limits", "Knows only gardens.")])
        // "no" is a Norwegian code and a YAML boolean; "1e3" is a YAML number; a colon would begin a map.
        let expected = """
            ---
            license: apache-2.0
            language:
            - en
            - "no"
            library_name: transformers
            pipeline_tag: text-generation
            base_model: "garden: 0"
            tags:
            - dialogue
            - "1e3"
            ---

            # garden-1

            Talks of gardens.

            | | |
            | --- | --- |
            | seed | 7 \\| 8 |

            ## Limits

            Knows only gardens.

            """
        #expect(card.markdown == expected)
        try withFolder { url in
            try card.write(to: try ModelFolder(url))
            #expect(try String(contentsOf: url.appendingPathComponent("README.md"), encoding: .utf8) == expected)
        }
    }
}
