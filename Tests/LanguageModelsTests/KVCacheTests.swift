import Testing
import Torch

@testable import LanguageModels

@Suite("Caches of keys and values")
struct KVCacheTests {
    /// A random model of two layers, four heads and two of keys.
    private func model() throws -> LlamaModel {
        try LlamaModel(
            LlamaConfiguration(
                vocabularySize: 50, hiddenSize: 24, intermediateSize: 32, layerCount: 2, headCount: 4,
                keyValueHeadCount: 2, contextLength: 64, tiesEmbeddings: false),
            generator: Generator(seed: 4))
    }

    private let rows = [[3, 9, 4, 7, 7, 1, 30], [5], [8, 2, 49, 6]]

    private func cache(_ capacity: Int = 2) -> KVCache { KVCache(layers: 2, capacity: capacity) }

    /// Last states of one sequence whose tokens are shown one pass each part.
    private func alone(_ model: LlamaModel, _ parts: [[Int]]) throws -> [[Double]] {
        let cache = cache()
        return try parts.map { part in
            let (ids, positions) = try inputs([part], from: cache.length)
            return try model.hidden(ids, positions: positions, mask: .causal, cache: cache).doubles()
        }
    }

    @Test("sequences packed into one row get what they get alone, and may join and leave between passes")
    func packed() throws {
        let model = try model()
        let caches = rows.map { _ in cache() }
        func pass(_ parts: [(row: Int, ids: [Int])]) throws -> [Double] {
            let positions = parts.flatMap { caches[$0.row].length..<(caches[$0.row].length + $0.ids.count) }
            return try model.hidden(
                Tensor(parts.flatMap(\.ids), shape: [1, positions.count]),
                positions: Tensor(positions, shape: [1, positions.count]), mask: .causal,
                cache: KVCache(packing: parts.map { (caches[$0.row], $0.ids.count) })
            ).doubles()
        }
        // The first is read in two chunks; the third joins late; the second leaves early.
        let first = try alone(model, [[3, 9, 4], [7, 7, 1, 30], [11]])
        let second = try alone(model, [[5], [21]])
        let third = try alone(model, [[8, 2, 49, 6], [2]])
        #expect(distance(try pass([(0, [3, 9, 4]), (1, [5])]), first[0] + second[0]) < 1e-5)
        #expect(
            distance(try pass([(1, [21]), (0, [7, 7, 1, 30]), (2, [8, 2, 49, 6])]), second[1] + first[1] + third[0])
                < 1e-5)
        #expect(distance(try pass([(0, [11]), (2, [2])]), first[2] + third[1]) < 1e-5)
        #expect(caches.map(\.length) == [8, 2, 5])
    }

    @Test("a beginning that was computed for one sequence serves another, whole, in part and in pieces")
    func segments() throws {
        let model = try model()
        let first = cache()
        let (ids, positions) = try inputs([rows[0]])
        _ = try model.hidden(ids, positions: positions, mask: .causal, cache: first)
        let expected = try alone(model, [[3, 9, 4, 7], [22, 23]])[1]
        func continued(_ cache: KVCache) throws -> [Double] {
            let (ids, positions) = try inputs([[22, 23]], from: cache.length)
            return try model.hidden(ids, positions: positions, mask: .causal, cache: cache).doubles()
        }
        let part = cache()
        try part.append(first.segment(0..<7), count: 4)
        #expect(part.length == 4)
        #expect(distance(try continued(part), expected) < 1e-6)
        let pieces = cache()
        let (front, back) = try first.segment(0..<6).split(at: 3)
        #expect(front.count == 3 && back.count == 3)
        try pieces.append(front, count: 3)
        try pieces.append(back, count: 1)
        #expect(distance(try continued(pieces), expected) < 1e-6)
        // 2 layers of keys and values of 2 heads of 6 floats.
        #expect(front.byteCount == 2 * 2 * 2 * 6 * 3 * 4)
        // All of it in one tensor, a layer's keys before its values.
        #expect(front.layers.shape == [4, 2, 3, 6] && back.layers.shape == [4, 2, 3, 6])
        // What a segment holds is its own: the sequence it came from goes on without touching it.
        _ = try continued(first)
        let again = cache()
        try again.append(front, count: 3)
        try again.append(back, count: 1)
        #expect(distance(try continued(again), expected) < 1e-6)
    }

    @Test("misuse is refused")
    func misuse() throws {
        let model = try model()
        let one = cache()
        let (ids, positions) = try inputs([[1, 2, 3]])
        _ = try model.hidden(ids, positions: positions, mask: .causal, cache: one)
        #expect(throws: LanguageModelError.self) { try one.segment(0..<4) }
        #expect(throws: LanguageModelError.self) { try one.segment(1..<1) }
        #expect(throws: LanguageModelError.self) { try KVCache(layers: 3).append(one.segment(0..<2), count: 2) }
        #expect(throws: LanguageModelError.self) { try self.cache().append(one.segment(0..<2), count: 3) }
        #expect(throws: LanguageModelError.self) { try one.segment(0..<2).split(at: 2) }
        let packing = KVCache(packing: [(one, 2)])
        #expect(throws: LanguageModelError.self) {
            try model.hidden(ids, positions: positions, mask: .causal, cache: packing)
        }
        let mask = AttentionMask.explicit(try Tensor.ones([1, 1, 3, 6], dtype: .bool))
        #expect(throws: LanguageModelError.self) {
            try model.hidden(ids, positions: positions, mask: mask, cache: KVCache(packing: [(one, 3)]))
        }
        let two = KVCache(layers: 2)
        let (pair, places) = try inputs([[1], [2]])
        _ = try model.hidden(pair, positions: places, mask: .causal, cache: two)
        #expect(throws: LanguageModelError.self) { try two.segment(0..<1) }
    }

    @Test("a sliding window is the mask that says the same, without a cache, with one, and within another mask")
    func window() throws {
        let generator = try Generator(seed: 9)
        let (length, window) = (9, 4)
        let query = try Tensor.randn([1, 4, length, 8], generator: generator)
        let key = try Tensor.randn([1, 2, length, 8], generator: generator)
        let value = try Tensor.randn([1, 2, length, 8], generator: generator)
        let seen = (0..<length).flatMap { t in (0..<length).map { $0 <= t && $0 > t - window } }
        let expected = try Attention()(
            query: query, key: key, value: value, layer: 0,
            mask: .explicit(Tensor(seen, shape: [1, 1, length, length])), cache: nil)
        let attention = Attention(window: window)
        let whole = try attention(query: query, key: key, value: value, layer: 0, mask: .causal, cache: nil)
        #expect(distance(try whole.doubles(), try expected.doubles()) < 1e-6)
        let causal = (0..<length).flatMap { t in (0..<length).map { $0 <= t } }
        let masked = try attention(
            query: query, key: key, value: value, layer: 0,
            mask: .explicit(Tensor(causal, shape: [1, 1, length, length])), cache: nil)
        #expect(distance(try masked.doubles(), try expected.doubles()) < 1e-6)
        let cache = KVCache(layers: 1, capacity: 1)
        var parts: [Tensor] = []
        for range in [0..<3, 3..<7, 7..<8, 8..<9] {
            func part(_ x: Tensor) throws -> Tensor {
                try x.narrow(dim: 2, start: range.lowerBound, length: range.count)
            }
            parts.append(
                try attention(
                    query: part(query), key: part(key), value: part(value), layer: 0, mask: .causal, cache: cache))
            cache.advance(by: range.count)
        }
        #expect(distance(try Tensor.cat(parts, dim: 1).doubles(), try expected.doubles()) < 1e-6)
    }
}
