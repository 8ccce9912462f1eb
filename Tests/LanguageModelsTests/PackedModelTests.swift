import Foundation
import LanguageModels
import ModelFormats
import Testing
import Torch

/// Packed models of every family: near the plain one, the same whatever is computed beside a sequence, the same after saving.
@Suite("Packed models")
struct PackedModelTests {
    private func model(_ family: String, _ bits: PackedWeight.Bits?) throws -> any DecoderFamily {
        let model = try PretrainedDecoder.load(folder: FixtureFiles.family(family), dtype: .bfloat16)
        if let bits { try model.pack(bits, head: bits) }
        #expect(model.isPacked == (bits != nil))
        return model
    }

    private func row(_ count: Int, _ salt: Int, of model: any Decoder) -> [Int] {
        (0..<count).map { ($0 * 7 + salt * 13 + 5) % model.configuration.vocabularySize }
    }

    /// The measure is the plain model in bfloat16: its numbers carry 8 bits. 16 packed bits, which attend in float32, may not be
    /// worse. 8 bits with a scale of a row round weights of normal spread by about 8 times as much in the square (measured:
    /// 4 to 11), 4 bits with a scale of a group by another 80 times (35 to 107).
    @Test("16, 8 and 4 bits give the plain model's logits, but for rounding", arguments: FixtureFiles.families)
    func near(family: String) throws {
        let plain = try PretrainedDecoder.load(folder: FixtureFiles.family(family))
        let rows = [row(19, 1, of: plain), row(19, 2, of: plain)]
        let exact = try Continuation(model: plain).logits(rows).doubles()
        func error(_ bits: PackedWeight.Bits?) throws -> Double {
            let ours = try Continuation(model: model(family, bits)).logits(rows).doubles()
            return zip(exact, ours).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let (rounding, sixteen, eight, four) = try (error(nil), error(.sixteen), error(.eight), error(.four))
        // The portable kernels leave many rows to libtorch, which attends in bfloat16 whatever the weights are.
        #expect(0 < sixteen && sixteen <= (PackedWeight.hasFastKernels ? 1 : 2) * rounding, "\(sixteen), \(rounding)")
        #expect(sixteen < eight && eight < 14 * rounding, "\(eight), \(rounding)")
        #expect(eight < four && four < (PackedWeight.hasFastKernels ? 150 : 300) * eight, "\(four), \(eight)")
        #expect(four < 0.2 * exact.reduce(0) { $0 + $1 * $1 })
    }

    @Test(
        "a sequence has the same bits alone, in a batch, in pieces, and among others in one row",
        arguments: FixtureFiles.families, PackedWeight.Bits.allCases)
    func independent(family: String, bits: PackedWeight.Bits) throws {
        // The 350M, whose norms stand behind, takes the plain path, where libtorch attends.
        guard family != "opt-350m", PackedWeight.hasFastKernels else { return }
        let model = try model(family, bits)
        let rows = (0..<3).map { row(21, $0, of: model) }
        try withoutGradients {
            let alone = try rows.map { try Continuation(model: model).logits([$0]).floats() }
            #expect(try Continuation(model: model).logits(rows).floats() == alone.flatMap { $0 })
            // In pieces with a cache.
            let caches = rows.map { _ in KVCache(layers: model.configuration.layerCount, capacity: 4) }
            var found = [[Float]](repeating: [], count: rows.count)
            for counts in [[4, 1, 9], [1, 1, 9], [16, 19, 3]] {
                var (ids, positions): ([Int], [Int]) = ([], [])
                for (index, count) in counts.enumerated() {
                    let start = caches[index].length
                    ids += rows[index][start..<(start + count)]
                    positions += start..<(start + count)
                }
                let hidden = try model.hidden(
                    Tensor(ids, shape: [1, ids.count]), positions: Tensor(positions, shape: [1, ids.count]),
                    mask: .causal,
                    cache: KVCache(packing: Array(zip(caches, counts)).map { (cache: $0, count: $1) }))
                let logits = try model.logits(hidden).floats()
                var start = 0
                for (index, count) in counts.enumerated() {
                    let width = model.configuration.vocabularySize
                    found[index] += logits[(start * width)..<((start + count) * width)]
                    start += count
                }
            }
            #expect(found == alone)
        }
    }

    @Test(
        "saved and loaded again it is the same, bit for bit", arguments: FixtureFiles.families,
        PackedWeight.Bits.allCases)
    func saving(family: String, bits: PackedWeight.Bits) throws {
        try FixtureFiles.withTemporaryFolder { place in
            let (model, folder) = (try model(family, bits), place.appending(path: "packed"))
            try model.save(to: folder, metadata: [:])
            #expect(try PretrainedDecoder.isPacked(folder))
            let again = try PretrainedDecoder.load(folder: folder, dtype: .bfloat16)
            #expect(again.isPacked)
            let rows = [row(11, 3, of: model)]
            #expect(
                try Continuation(model: again).logits(rows).floats() == Continuation(model: model).logits(rows).floats()
            )
            // And once more: the files are the same.
            let second = place.appending(path: "again")
            try again.save(to: second, metadata: [:])
            for file in ["model.safetensors", "config.json"] {
                #expect(
                    try Data(contentsOf: folder.appending(path: file)) == Data(contentsOf: second.appending(path: file))
                )
            }
        }
    }

    @Test("what a packed folder is not for is refused by name")
    func refusals() throws {
        try FixtureFiles.withTemporaryFolder { folder in
            try model("qwen2", .four).save(to: folder, metadata: [:])
            #expect(throws: LanguageModelError.self) { try PretrainedDecoder.load(folder: folder) }
            let config = folder.appending(path: "config.json")
            let written = try String(contentsOf: config, encoding: .utf8)
            for (old, new) in [
                ("\"group_size\" : 64", "\"group_size\" : 32"), ("\"version\" : 2", "\"version\" : 3"),
                ("\"bits\" : 4", "\"bits\" : 3"), ("\"loam\"", "\"gptq\""),
            ] {
                let changed = written.replacingOccurrences(of: old, with: new)
                #expect(changed != written)
                try changed.write(to: config, atomically: true, encoding: .utf8)
                let error = #expect(throws: LanguageModelError.self) {
                    try PretrainedDecoder.load(folder: folder, dtype: .bfloat16)
                }
                #expect(error?.description.contains("quantization_config") == true, "\(String(describing: error))")
            }
            // In the first version only 16 bits were others.
            try written.replacingOccurrences(of: "\"version\" : 2", with: "\"version\" : 1")
                .write(to: config, atomically: true, encoding: .utf8)
            #expect(try PretrainedDecoder.load(folder: folder, dtype: .bfloat16).isPacked)
        }
        // A matrix that is packed with others cannot be replaced alone.
        let packed = try model("qwen2", .eight)
        #expect(throws: LanguageModelError.self) { try packed.replaceLinears { $1 } }
    }

    @Test("the matrices of a packed model are those of the plain one, joined")
    func matrices() throws {
        for family in FixtureFiles.families {
            let (plain, packed) = (try model(family, nil), try model(family, .sixteen))
            func count(_ model: any DecoderFamily) -> Int {
                model.matrices.reduce(0) { sum, one in
                    sum + (one.matrix.packed?.shape ?? one.matrix.weight?.value.shape ?? []).reduce(1, *)
                }
            }
            #expect(count(plain) == count(packed), "\(family)")
            #expect(packed.matrices.count <= plain.matrices.count && packed.matrices.last?.name == "lm_head")
        }
    }
}
