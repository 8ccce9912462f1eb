import Foundation
import LanguageModels
import ModelFormats
import Testing
import Torch

@Suite("Sequence scorers")
struct SequenceScorerTests {
    struct Golden: Decodable {
        var texts: [[Int]]
        var scores: [[Double]]
    }

    static let families = ["llama", "qwen2", "gpt2", "opt"]

    private func folder(_ family: String) -> URL { FixtureFiles.folder.appending(path: "scorers/\(family)") }

    private func golden(_ family: String) throws -> Golden {
        try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder(family).appending(path: "golden.json")))
    }

    /// Scores of a batch padded with the model's pad id on one side.
    private func scores(_ scorer: SequenceScorer, _ texts: [[Int]], left: Bool, last: Tensor? = nil) throws -> Tensor {
        let length = texts.map(\.count).max() ?? 0
        let rows = texts.map { text in
            let padding = Array(repeating: 0, count: length - text.count)
            return left ? padding + text : text + padding
        }
        let starts = texts.map { left ? length - $0.count : 0 }
        let positions = starts.flatMap { start in (0..<length).map { max(0, $0 - start) } }
        let mask = starts.flatMap { start in
            (0..<length).flatMap { t in (0..<length).map { s in s == t || (s < t && s >= start) } }
        }
        return try withoutGradients {
            try scorer.scores(
                Tensor(rows.flatMap { $0 }, shape: [rows.count, length]),
                positions: Tensor(positions, shape: [rows.count, length]),
                mask: .explicit(Tensor(mask, shape: [rows.count, 1, length, length])), last: last)
        }
    }

    @Test("scores equal transformers', one by one and padded on either side", arguments: families)
    func equal(_ family: String) throws {
        let (scorer, golden) = (try SequenceScorer(folder: folder(family)), try golden(family))
        let expected = golden.scores.flatMap { $0 }
        let alone = try golden.texts.flatMap { try scores(scorer, [$0], left: true).doubles() }
        #expect(distance(alone, expected) < 1e-4)
        for left in [true, false] {
            #expect(distance(try scores(scorer, golden.texts, left: left).doubles(), expected) < 1e-4)
        }
        let ends = try Tensor(golden.texts.map { $0.count - 1 })
        #expect(distance(try scores(scorer, golden.texts, left: false, last: ends).doubles(), expected) < 1e-4)
    }

    @Test("labels come from id2label, and a saved scorer is the same bit for bit", arguments: families)
    func roundTrip(_ family: String) throws {
        let scorer = try SequenceScorer(folder: folder(family))
        let labels = [
            "qwen2": ["bad", "fair", "good"], "opt": ["LABEL_0", "LABEL_1"],
        ]
        #expect(scorer.labels == labels[family] ?? ["LABEL_0"])
        #expect(scorer.namedParameters.last?.name == "score.weight")
        try FixtureFiles.withTemporaryFolder { place in
            try scorer.save(to: place, metadata: ["made_by": "a test"])
            let again = try SequenceScorer(folder: place)
            #expect(again.labels == scorer.labels)
            let (ours, theirs) = (try ModelFolder(place).weights(), try ModelFolder(folder(family)).weights())
            #expect(ours.names == theirs.names)
            for name in ours.names {
                let same = try ours.withBytes(of: name) { a in
                    try theirs.withBytes(of: name) { a.elementsEqual($0) }
                }
                #expect(same, "\(name)")
            }
        }
    }

    @Test("a fresh head on a language model learns, with gradients down to the embedding")
    func fresh() throws {
        let scorer = try SequenceScorer(
            decoder: FixtureFiles.family("qwen2"), labels: ["reward"], generator: Generator(seed: 3))
        try scorer.requireGradients(true)
        let optimizer = try AdamW(groups: [(parameters: scorer.namedParameters, weightDecay: 0)])
        let (ids, positions) = try inputs([[5, 9, 31], [7, 22, 14]])
        let targets = try Tensor([1, 0] as [Float], shape: [2, 1])
        var losses: [Double] = []
        for _ in 0..<20 {
            try optimizer.zeroGradients()
            let scores = try scorer.scores(ids, positions: positions, mask: .causal)
            let loss = try scores.bceWithLogits(targets: targets).mean()
            try loss.backward()
            try optimizer.step(learningRate: 1e-2)
            losses.append(try loss.item())
        }
        #expect(try #require(losses.last) < losses[0] / 4)
        let embedding = scorer.namedParameters.first { $0.name == "model.embed_tokens.weight" }
        #expect(embedding?.parameter.value.gradient != nil)
        try FixtureFiles.withTemporaryFolder { place in
            try scorer.save(to: place)
            let again = try SequenceScorer(folder: place)
            let now = try scorer.scores(ids, positions: positions, mask: .causal).doubles()
            #expect(try again.scores(ids, positions: positions, mask: .causal).doubles() == now)
        }
        // An untied head is left behind when a language model becomes a scorer.
        let untied = try SequenceScorer(decoder: FixtureFiles.family("llama"), generator: Generator(seed: 3))
        try FixtureFiles.withTemporaryFolder { place in
            try untied.save(to: place)
            #expect(try ModelFolder(place).weights().entry("lm_head.weight") == nil)
            #expect(throws: Never.self) { try SequenceScorer(folder: place) }
        }
    }

    @Test("what is no scorer, and rows without an end, are errors")
    func errors() throws {
        func message(drop: [String] = [], _ set: [String: Any]) throws -> String {
            try FixtureFiles.withChangedFolder(folder("llama"), drop: drop, set: set) { folder in
                do {
                    _ = try SequenceScorer(folder: folder)
                    return "loaded"
                } catch { return "\(error)" }
            }
        }
        #expect(try message(["architectures": ["LlamaForCausalLM"]]).contains("LlamaForSequenceClassification is"))
        #expect(try message(["id2label": ["0": "a", "2": "b"]]).contains("id2label lacks 1"))
        #expect(
            try message(["id2label": ["0": "a", "1": "b"]]).contains("score.weight has the shape [1, 16], config.json"))
        #expect(try message(drop: ["id2label"], ["num_labels": -1]).contains("num_labels is -1"))
        try FixtureFiles.withChangedFolder(folder("llama"), drop: ["pad_token_id"], set: [:]) { folder in
            let scorer = try SequenceScorer(folder: folder)
            let (ids, positions) = try inputs([[5, 9], [7, 8]])
            let error = #expect(throws: LanguageModelError.self) {
                try scorer.scores(ids, positions: positions, mask: .causal)
            }
            #expect(error?.description.contains("pad_token_id") == true)
            #expect(throws: Never.self) {
                try scorer.scores(ids, positions: positions, mask: .causal, last: Tensor([1, 1]))
            }
        }
        let body = try SequenceScorer(folder: folder("llama")).body
        #expect(throws: LanguageModelError.self) { try body.logits(Tensor.zeros([1, 1, 16])) }
    }

    private static let python = ProcessInfo.processInfo.environment["LOAM_PYTHON"]

    @Test("transformers loads the scorers that we save", .enabled(if: python != nil))
    func transformers() throws {
        try FixtureFiles.withTemporaryFolder { place in
            let folders = try Self.families.map { family in
                let (scorer, golden) = (try SequenceScorer(folder: folder(family)), try golden(family))
                let saved = place.appending(path: family)
                try scorer.save(to: saved)
                let expected = ["ids": [golden.texts[0]], "scores": [golden.scores[0]]] as [String: Any]
                try JSONSerialization.data(withJSONObject: expected).write(to: saved.appending(path: "expected.json"))
                return saved.path
            }
            let process = Process()
            process.executableURL = URL(filePath: try #require(Self.python))
            process.arguments =
                [FixtureFiles.root.appending(path: "Scripts/fixtures/language_models.py").path, "check"] + folders
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
    }
}
