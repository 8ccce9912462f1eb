import Foundation
import LanguageModels
import ModelFormats
import Testing
import Torch

/// Every family and every trap of its configuration against transformers.
@Suite("Families")
struct FamilyTests {
    @Test("logits equal transformers' to 1e-4, from float32 and float64 weights", arguments: FixtureFiles.families)
    func logits(_ family: String) throws {
        try FixtureFiles.withCases(of: family) { item, folder in
            let expected = item.logits.flatMap { $0.flatMap { $0 } }
            for dtype in [DType.float32, .float64] {
                let model = try PretrainedDecoder.load(folder: folder, dtype: dtype)
                let logits = try Continuation(model: model).logits(item.ids)
                #expect(logits.dtype == dtype && logits.shape == [item.ids.count, 11, 96])
                let worst = distance(try logits.doubles(), expected)
                #expect(worst < 1e-4, "\(family), \(item.name): \(worst)")
            }
        }
    }

    @Test(
        "64 greedy tokens equal transformers': anew, with a cache, after a prefix, in a padded batch",
        arguments: FixtureFiles.families)
    func greedy(_ family: String) throws {
        try FixtureFiles.withCases(of: family) { item, folder in
            guard !item.greedy.isEmpty else { return }
            let ways = Continuation(model: try PretrainedDecoder.load(folder: folder))
            let name = "\(family), \(item.name)"
            for golden in item.greedy {
                #expect(golden.continuation.count == 64)
                #expect(try ways.cached(golden.prompt, count: 64) == golden.continuation, "\(name)")
                // The prefix stands in the cache already; the rest of the prompt comes in one and in several passes.
                #expect(try ways.cached(golden.prompt, count: 64, parts: [3]) == golden.continuation, "\(name)")
                #expect(try ways.cached(golden.prompt, count: 64, parts: [1, 2]) == golden.continuation, "\(name)")
            }
            let first = item.greedy[0]
            #expect(try ways.whole(first.prompt, count: 64) == first.continuation, "\(name)")
            let batch = try ways.padded(item.greedy.map(\.prompt), count: 64)
            #expect(batch == item.greedy.map(\.continuation), "\(name)")
        }
    }

    @Test("bfloat16 runs and is close, with weights of either type", arguments: FixtureFiles.families)
    func bfloat16(_ family: String) throws {
        try FixtureFiles.withCases(of: family) { item, folder in
            let expected = item.logits.flatMap { $0.flatMap { $0 } }
            let spread = expected.reduce(0) { $0 + $1 * $1 }
            for (weights, compute) in [(DType.float32, DType.bfloat16), (.bfloat16, nil)] as [(DType, DType?)] {
                let model = try PretrainedDecoder.load(folder: folder, dtype: weights)
                let logits = try Continuation(model: model).logits(item.ids, compute: compute)
                #expect(logits.dtype == .bfloat16)
                let error = zip(try logits.doubles(), expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                let relative = (error / spread).squareRoot()
                #expect(relative > 1e-5 && relative < 0.05, "\(family), \(item.name): \(relative)")
            }
        }
    }

    @Test("saved and loaded again it is the same bit for bit, and keeps every field", arguments: FixtureFiles.families)
    func roundTrip(_ family: String) throws {
        try FixtureFiles.withCases(of: family) { item, folder in
            for dtype in [DType.float32, .bfloat16] {
                let model = try PretrainedDecoder.load(folder: folder, dtype: dtype)
                let saved = folder.appending(path: "saved")
                try model.save(to: saved, metadata: ["made_by": "a test"])
                let again = try PretrainedDecoder.load(folder: saved, dtype: dtype)
                #expect(again.configuration == model.configuration)
                #expect(again.namedParameters.map(\.name) == model.namedParameters.map(\.name))
                for (a, b) in zip(again.namedParameters, model.namedParameters) {
                    let same = try a.parameter.value.withBytes { a in
                        try b.parameter.value.withBytes { a.elementsEqual($0) }
                    }
                    #expect(same, "\(family): \(a.name)")
                }
                let (one, two) = (Continuation(model: model), Continuation(model: again))
                #expect(try one.logits(item.ids).doubles() == two.logits(item.ids).doubles())
            }
        }
    }

    /// Names that transformers writes, and the file's layout, come back as they were.
    @Test("transformers' file, saved in its own type, keeps names, shapes and bytes")
    func resave() throws {
        for (family, dtype) in [
            ("gpt2", DType.bfloat16), ("opt", .bfloat16), ("opt-350m", .bfloat16), ("llama", .float32),
            ("llama-bias", .bfloat16), ("qwen2", .bfloat16), ("qwen3", .bfloat16), ("mistral", .bfloat16),
        ] {
            try FixtureFiles.withTemporaryFolder { folder in
                let source = FixtureFiles.family(family)
                try PretrainedDecoder.load(folder: source, dtype: dtype).save(to: folder, metadata: [:])
                let (ours, theirs) = (try ModelFolder(folder).weights(), try ModelFolder(source).weights())
                #expect(ours.names == theirs.names, "\(family)")
                for name in theirs.names {
                    #expect(ours.entry(name)?.shape == theirs.entry(name)?.shape, "\(family): \(name)")
                    let same = try ours.withBytes(of: name) { a in
                        try theirs.withBytes(of: name) { b in a.elementsEqual(b) }
                    }
                    #expect(same, "\(family): \(name)")
                }
            }
        }
    }

    @Test("every weight gets a float32 gradient from a bfloat16 pass", arguments: FixtureFiles.families)
    func gradients(_ family: String) throws {
        let model = try PretrainedDecoder.load(folder: FixtureFiles.family(family))
        try model.requireGradients(true)
        let row = (0..<12).map { ($0 * 29 + 7) % 96 }
        let (ids, positions) = try inputs([Array(row.dropLast())])
        let targets = try Tensor(Array(row.dropFirst()), shape: [1, 11])
        let hidden = try model.hidden(ids, positions: positions, mask: .causal, cache: nil, compute: .bfloat16)
        try model.logits(hidden).crossEntropy(targets: targets).mean().backward()
        for (name, parameter) in model.namedParameters {
            let gradient = try #require(parameter.value.gradient, "\(name)")
            #expect(gradient.dtype == .float32)
            // A key's bias moves every score of a row by the same: its gradient is rounding alone.
            if !name.hasSuffix("k_proj.bias") { #expect(try gradient.abs().sum().item() > 0, "\(family): \(name)") }
        }
    }

    @Test("fresh models of every family learn a row by heart")
    func learns() throws {
        let gated = GatedConfiguration(
            vocabularySize: 40, hiddenSize: 32, intermediateSize: 64, layerCount: 2, headCount: 4,
            keyValueHeadCount: 2, headDimension: 10, contextLength: 32, endIDs: [3])
        var opt = OPTConfiguration(
            vocabularySize: 40, hiddenSize: 32, layerCount: 2, headCount: 4, feedForwardSize: 64, contextLength: 32,
            embeddingSize: 20)
        opt.normsBefore = false
        let generator = try Generator(seed: 4)
        let models: [any DecoderFamily] = [
            try GPT2Model(
                GPT2Configuration(vocabularySize: 40, hiddenSize: 32, layerCount: 2, headCount: 4, contextLength: 32),
                generator: generator),
            try OPTModel(opt, generator: generator), try Qwen2Model(Qwen2Configuration(gated), generator: generator),
            try Qwen3Model(Qwen3Configuration(gated), generator: generator),
            try MistralModel(MistralConfiguration(gated, windowSize: 4), generator: generator),
        ]
        let row = [3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 32, 38]
        let (ids, positions) = try inputs([Array(row.dropLast())])
        let targets = try Tensor(Array(row.dropFirst()), shape: [1, 12])
        for model in models {
            try model.requireGradients(true)
            let optimizer = try AdamW(groups: [(parameters: model.namedParameters, weightDecay: 0)])
            var losses: [Double] = []
            for _ in 0..<60 {
                try optimizer.zeroGradients()
                let hidden = try model.hidden(ids, positions: positions, mask: .causal, cache: nil, compute: .bfloat16)
                let loss = try model.logits(hidden).crossEntropy(targets: targets).mean()
                try loss.backward()
                _ = try clipGradients(model.namedParameters.map(\.parameter), maximumNorm: 1)
                try optimizer.step(learningRate: 1e-2)
                losses.append(try loss.item())
            }
            #expect(abs(losses[0] - log(40)) < 0.4, "\(type(of: model)): \(losses[0])")
            #expect(try #require(losses.last) < 0.15, "\(type(of: model)): \(losses.last ?? 9)")
        }
    }

    @Test("a window narrows packed documents as it narrows each alone")
    func packedWindow() throws {
        let model = try PretrainedDecoder.load(folder: FixtureFiles.family("mistral"))
        let rows = [(0..<8).map { $0 * 7 + 5 }, (0..<9).map { $0 * 5 + 11 }]
        let marks = Array(repeating: 0, count: 8) + Array(repeating: 1, count: 9)
        let mask = (0..<17).flatMap { t in (0..<17).map { s in s <= t && marks[s] == marks[t] } }
        let hidden = try model.hidden(
            Tensor(rows[0] + rows[1], shape: [1, 17]),
            positions: Tensor(Array(0..<8) + Array(0..<9), shape: [1, 17]),
            mask: .explicit(Tensor(mask, shape: [1, 1, 17, 17])), cache: nil)
        let ways = Continuation(model: model)
        let apart = try ways.logits([rows[0]]).doubles() + ways.logits([rows[1]]).doubles()
        #expect(distance(try model.logits(hidden).doubles(), apart) < 1e-4)
    }

    @Test("another matrix in the place of each is what then runs")
    func replacing() throws {
        for family in FixtureFiles.families {
            let model = try PretrainedDecoder.load(folder: FixtureFiles.family(family))
            var names: [String] = []
            try model.replaceLinears { name, linear in
                names.append(name)
                let weight = try #require(linear.weight).value
                return Linear(weight: Parameter(try weight * 0), bias: linear.bias)
            }
            #expect(Set(names).count == names.count && names.last == "lm_head")
            #expect(try Continuation(model: model).logits([[5, 6]]).abs().sum().item() == 0, "\(family)")
        }
    }

    private static let python = ProcessInfo.processInfo.environment["LOAM_PYTHON"]

    /// Set LOAM_PYTHON to a Python that has torch and transformers.
    @Test("transformers loads what we save and computes the same", .enabled(if: python != nil))
    func transformers() throws {
        try FixtureFiles.withTemporaryFolder { place in
            var folders: [String] = []
            for family in FixtureFiles.families {
                var count = 0
                try FixtureFiles.withCases(of: family) { item, folder in
                    let saved = place.appending(path: "\(family)-\(count)")
                    count += 1
                    try PretrainedDecoder.load(folder: folder).save(to: saved, metadata: [:])
                    let expected = ["ids": item.ids, "logits": item.logits] as [String: Any]
                    try JSONSerialization.data(withJSONObject: expected)
                        .write(to: saved.appending(path: "expected.json"))
                    folders.append(saved.path)
                }
            }
            #expect(folders.count == 21)
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
