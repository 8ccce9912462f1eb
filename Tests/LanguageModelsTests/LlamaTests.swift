import Foundation
import LanguageModels
import Testing
import Torch

@Suite("Llama")
struct LlamaTests {
    private func model(_ dtype: DType = .float32) throws -> LlamaModel {
        try LlamaModel(folder: FixtureFiles.llama, dtype: dtype)
    }

    private func logits(_ model: LlamaModel, _ rows: [[Int]], compute: DType? = nil) throws -> Tensor {
        let (ids, positions) = try inputs(rows)
        return try withoutGradients {
            try model.logits(
                model.hidden(ids, positions: positions, mask: .causal, cache: nil, compute: compute))
        }
    }

    @Test("logits equal transformers' to 1e-4")
    func golden() throws {
        let golden = try FixtureFiles.golden()
        let logits = try logits(model(), golden.ids)
        #expect(logits.shape == [2, 14, 61] && logits.dtype == .float32)
        let expected = golden.logits.flatMap { $0.flatMap { $0 } }
        #expect(distance(try logits.doubles(), expected) < 1e-4)
        #expect(distance(try self.logits(model(.float64), golden.ids).doubles(), expected) < 1e-4)
    }

    @Test("bfloat16 runs and is close, with weights of either type")
    func bfloat16() throws {
        let golden = try FixtureFiles.golden()
        let expected = golden.logits.flatMap { $0.flatMap { $0 } }
        let spread = (expected.reduce(0) { $0 + $1 * $1 } / Double(expected.count)).squareRoot()
        for (weights, compute) in [(DType.float32, DType.bfloat16), (.bfloat16, nil)] as [(DType, DType?)] {
            let logits = try logits(model(weights), golden.ids, compute: compute)
            #expect(logits.dtype == .bfloat16)
            let error = zip(try logits.doubles(), expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let relative = (error / Double(expected.count)).squareRoot() / spread
            #expect(relative > 1e-5 && relative < 0.03, "relative error \(relative)")
        }
    }

    // MARK: - Greedy continuation: whole, with a cache, in a padded batch

    private func greedy(_ model: LlamaModel, _ prompt: [Int], count: Int) throws -> [Int] {
        var row = prompt
        for _ in 0..<count {
            row.append(try logits(model, [row]).select(dim: 1, index: -1).argmax(dim: -1).ints()[0])
        }
        return Array(row.dropFirst(prompt.count))
    }

    private func greedyCached(_ model: LlamaModel, _ prompt: [Int], count: Int, capacity: Int) throws -> [Int] {
        let cache = KVCache(layers: 2, capacity: capacity)
        var next = prompt
        var found: [Int] = []
        while found.count < count {
            let (ids, positions) = try inputs([next], from: cache.length)
            let hidden = try withoutGradients {
                try model.hidden(ids, positions: positions, mask: .causal, cache: cache)
            }
            next = try model.logits(hidden.select(dim: 1, index: -1)).argmax(dim: -1).ints()
            found += next
        }
        #expect(cache.length == prompt.count + count - 1)
        return found
    }

    @Test("greedy continuations equal transformers', without and with a cache of any size")
    func greedyContinuations() throws {
        let model = try model()
        for item in try FixtureFiles.golden().greedy {
            let count = item.continuation.count
            #expect(try greedy(model, item.prompt, count: count) == item.continuation)
            #expect(try greedyCached(model, item.prompt, count: count, capacity: 1) == item.continuation)
            #expect(try greedyCached(model, item.prompt, count: count, capacity: 64) == item.continuation)
        }
    }

    @Test("a left-padded batch with masks and positions continues like each row alone; rows may leave")
    func paddedBatch() throws {
        let model = try model()
        let items = try FixtureFiles.golden().greedy
        let columns = items.map(\.prompt.count).max() ?? 0
        let total = 20
        let padding = items.map { columns - $0.prompt.count }
        let prompts = zip(items, padding).map { Array(repeating: 0, count: $1) + $0.prompt }
        let cache = KVCache(layers: 2, capacity: 4)
        // bool [B, 1, T, S]: not later, not padding, but always itself.
        func mask(_ rows: [Int], from: Int, to: Int) throws -> AttentionMask {
            let values = rows.flatMap { row in
                (from..<to).flatMap { t in (0..<to).map { s in s == t || (s < t && s >= padding[row]) } }
            }
            return .explicit(try Tensor(values, shape: [rows.count, 1, to - from, to]))
        }
        var rows = [0, 1, 2]
        let ids = try Tensor(prompts.flatMap { $0 }, shape: [3, columns])
        let places = rows.flatMap { row in (0..<columns).map { max(0, $0 - padding[row]) } }
        var hidden = try model.hidden(
            ids, positions: Tensor(places, shape: [3, columns]), mask: mask(rows, from: 0, to: columns), cache: cache)
        var found = [[Int]](repeating: [], count: 3)
        for step in 0..<total {
            let next = try model.logits(hidden.select(dim: 1, index: -1)).argmax(dim: -1).ints()
            for (row, id) in zip(rows, next) { found[row].append(id) }
            var kept = Array(next.enumerated())
            if step == 7 {
                // The middle row is done and leaves.
                kept.remove(at: 1)
                rows.remove(at: 1)
                try cache.keep(rows: kept.map(\.offset))
            }
            let at = columns + step
            hidden = try withoutGradients {
                try model.hidden(
                    Tensor(kept.map(\.element), shape: [rows.count, 1]),
                    positions: Tensor(rows.map { at - padding[$0] }, shape: [rows.count, 1]),
                    mask: mask(rows, from: at, to: at + 1), cache: cache)
            }
        }
        #expect(found[0] == items[0].continuation)
        #expect(found[1] == Array(items[1].continuation.prefix(8)))
        #expect(found[2] == items[2].continuation)
    }

    @Test("several new tokens after a cached prefix see the prefix and each other in order")
    func chunkedPrefill() throws {
        let model = try model()
        let row = try FixtureFiles.golden().ids[0]
        let whole = try logits(model, [row])
        let cache = KVCache(layers: 2)
        var parts: [Tensor] = []
        for range in [0..<5, 5..<6, 6..<14] {
            let (ids, positions) = try inputs([Array(row[range])], from: range.lowerBound)
            parts.append(
                try model.logits(model.hidden(ids, positions: positions, mask: .causal, cache: cache)))
        }
        #expect(distance(try Tensor.cat(parts, dim: 1).doubles(), try whole.doubles()) < 1e-4)
    }

    @Test("packed documents with a mask give the logits of each alone")
    func packed() throws {
        let model = try model()
        let rows = try FixtureFiles.golden().ids
        let (first, second) = (Array(rows[0].prefix(6)), Array(rows[1].prefix(8)))
        let marks = Array(repeating: 0, count: 6) + Array(repeating: 1, count: 8)
        let mask = (0..<14).flatMap { t in (0..<14).map { s in s <= t && marks[s] == marks[t] } }
        let hidden = try model.hidden(
            Tensor(first + second, shape: [1, 14]),
            positions: Tensor(Array(0..<6) + Array(0..<8), shape: [1, 14]),
            mask: .explicit(Tensor(mask, shape: [1, 1, 14, 14])), cache: nil)
        let apart = try logits(model, [first]).doubles() + logits(model, [second]).doubles()
        #expect(distance(try model.logits(hidden).doubles(), apart) < 1e-4)
    }

    // MARK: - Fresh weights and learning

    private func fresh(seed: UInt64 = 5, tied: Bool = true) throws -> LlamaModel {
        try LlamaModel(
            LlamaConfiguration(
                vocabularySize: 40, hiddenSize: 32, intermediateSize: 64, layerCount: 3, headCount: 4,
                keyValueHeadCount: 2, contextLength: 32, tiesEmbeddings: tied, padID: 0, endIDs: [3]),
            generator: Generator(seed: seed))
    }

    @Test("fresh weights have the deviations they should and repeat by seed")
    func freshWeights() throws {
        let model = try fresh()
        let named = Dictionary(uniqueKeysWithValues: model.namedParameters.map { ($0.name, $0.parameter.value) })
        #expect(named.count == 1 + 3 * 9 + 1)
        func deviation(_ name: String) throws -> Double {
            try #require(named[name]).square().mean().sqrt().item()
        }
        #expect(abs(try deviation("model.layers.1.mlp.up_proj.weight") - 0.02) < 0.002)
        // Three layers write to the stream twice each: 0.02 / √6.
        #expect(abs(try deviation("model.layers.2.mlp.down_proj.weight") - 0.00816) < 0.0008)
        #expect(try deviation("model.norm.weight") == 1)
        #expect(model.parameterCount == 40 * 32 + 3 * (32 * 32 * 2 + 32 * 16 * 2 + 32 * 64 * 3 + 64) + 32)
        #expect(try fresh(tied: false).namedParameters.last?.name == "lm_head.weight")
        let table = "model.embed_tokens.weight"
        let again = try #require(try fresh().namedParameters.first { $0.name == table })
        let other = try #require(try fresh(seed: 6).namedParameters.first { $0.name == table })
        #expect(try named[table]?.floats() == again.parameter.value.floats())
        #expect(try named[table]?.floats() != other.parameter.value.floats())
    }

    @Test("learns a row by heart in bfloat16 over float32 weights; every weight gets a gradient and moves")
    func learns() throws {
        let model = try fresh()
        try model.requireGradients(true)
        let before = try model.namedParameters.map { try $0.parameter.value.floats() }
        let optimizer = try AdamW(groups: [(parameters: model.namedParameters, weightDecay: 0)])
        let row = [3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 32, 38]
        let (ids, positions) = try inputs([Array(row.dropLast())])
        let targets = try Tensor(Array(row.dropFirst()), shape: [1, 12])
        var losses: [Double] = []
        for step in 0..<40 {
            try optimizer.zeroGradients()
            let hidden = try model.hidden(
                ids, positions: positions, mask: .causal, cache: nil, compute: .bfloat16)
            let loss = try model.logits(hidden).crossEntropy(targets: targets).mean()
            try loss.backward()
            if step == 0 {
                for (name, parameter) in model.namedParameters {
                    let gradient = try #require(parameter.value.gradient, "\(name)")
                    #expect(gradient.dtype == .float32)
                    #expect(try gradient.abs().sum().item() > 0, "\(name)")
                }
            }
            _ = try clipGradients(model.namedParameters.map(\.parameter), maximumNorm: 1)
            try optimizer.step(learningRate: 1e-2)
            losses.append(try loss.item())
        }
        #expect(abs(losses[0] - log(40)) < 0.3)
        #expect(try #require(losses.last) < 0.1)
        for (now, old) in zip(model.namedParameters, before) {
            #expect(try now.parameter.value.floats() != old, "\(now.name)")
        }
    }

    @Test("input that does not fit is an error")
    func badInput() throws {
        let model = try fresh()
        let (ids, positions) = try inputs([[1, 2, 3]])
        #expect(throws: LanguageModelError.self) {
            try model.hidden(ids.reshape([3]), positions: positions, mask: .causal, cache: nil)
        }
        #expect(throws: LanguageModelError.self) {
            try model.hidden(ids, positions: Tensor([0, 1]), mask: .causal, cache: nil)
        }
        #expect(throws: TorchError.self) {
            try model.hidden(Tensor([1, 40, 2], shape: [1, 3]), positions: positions, mask: .causal, cache: nil)
        }
        let narrow = AttentionMask.explicit(try Tensor.ones([1, 1, 2, 2], dtype: .bool))
        #expect(throws: TorchError.self) { try model.hidden(ids, positions: positions, mask: narrow, cache: nil) }
        #expect(throws: LanguageModelError.self) {
            try model.hidden(ids, positions: positions, mask: .causal, cache: KVCache(layers: 2))
        }
        // A step that fails leaves the cache as it was.
        let cache = KVCache(layers: 3)
        _ = try model.hidden(ids, positions: positions, mask: .causal, cache: cache)
        let wide = try inputs([[1], [2]], from: 3)
        #expect(throws: TorchError.self) {
            try model.hidden(wide.ids, positions: wide.positions, mask: .causal, cache: cache)
        }
        #expect(cache.length == 3)
    }
}
