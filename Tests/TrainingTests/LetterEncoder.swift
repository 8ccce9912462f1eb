import Conversations
import Foundation
import LanguageModels
import ModelFormats
import Statistics
import Testing
import Tokenizers
import Torch

@testable import Training

/// An encoder for tests.
enum LetterEncoder {
    /// A BERT folder of a few thousand weights whose vocabulary is letters.
    static func folder() throws -> URL {
        let folder = TrainerTests.folder()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
        let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + letters + letters.map { "##" + $0 }
        let vocabulary = Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($1, $0) })
        let (width, wide, places) = (16, 32, 128)
        let config: [String: Any] = [
            "model_type": "bert", "vocab_size": tokens.count, "hidden_size": width, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": wide, "max_position_embeddings": places,
            "type_vocab_size": 2,
            "layer_norm_eps": 1e-12, "hidden_act": "gelu", "pad_token_id": 0,
        ]
        try JSONSerialization.data(withJSONObject: config).write(to: folder.appending(path: "config.json"))
        let special = tokens.prefix(4).enumerated().map { index, text in
            [
                "id": index, "content": text, "special": true, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false,
            ] as [String: Any]
        }
        let tokenizer: [String: Any] = [
            "version": "1.0", "added_tokens": special,
            "normalizer": [
                "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true,
            ] as [String: Any],
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true] as [String: Any],
            "model": [
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": vocabulary,
            ] as [String: Any],
        ]
        try JSONSerialization.data(withJSONObject: tokenizer).write(to: folder.appending(path: "tokenizer.json"))
        let generator = try Generator(seed: 6)
        var tensors: [(String, Tensor)] = []
        func add(_ name: String, _ shape: [Int]) throws {
            tensors.append(("bert." + name, try Tensor.randn(shape, generator: generator) * 0.1))
        }
        func norm(_ name: String) throws {
            tensors.append(("bert.\(name).weight", try Tensor.ones([width])))
            tensors.append(("bert.\(name).bias", try Tensor.zeros([width])))
        }
        func linear(_ name: String, _ out: Int, _ from: Int) throws {
            try add(name + ".weight", [out, from])
            try add(name + ".bias", [out])
        }
        try add("embeddings.word_embeddings.weight", [tokens.count, width])
        try add("embeddings.position_embeddings.weight", [places, width])
        try add("embeddings.token_type_embeddings.weight", [2, width])
        try norm("embeddings.LayerNorm")
        for layer in 0..<2 {
            let at = "encoder.layer.\(layer)."
            for part in ["query", "key", "value"] { try linear(at + "attention.self.\(part)", width, width) }
            try linear(at + "attention.output.dense", width, width)
            try norm(at + "attention.output.LayerNorm")
            try linear(at + "intermediate.dense", wide, width)
            try linear(at + "output.dense", width, wide)
            try norm(at + "output.LayerNorm")
        }
        try TensorFile.write(tensors, to: folder.appending(path: "model.safetensors"))
        return folder
    }
}
