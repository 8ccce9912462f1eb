import Testing
import Torch

@Suite("Tensor: shape, indexing and reading back")
struct LayoutTests {
    private let grid = [0, 1, 2, 3, 4, 5]

    @Test("made of numbers and read back")
    func creation() throws {
        #expect(try Tensor([1.5, 2.5] as [Float]).dtype == .float32)
        #expect(try Tensor([1.5, 2.5]).dtype == .float64)
        #expect(try Tensor([true, false]).bools() == [true, false])
        #expect(try Tensor([1.5] as [Float], dtype: .bfloat16).dtype == .bfloat16)
        #expect(try Tensor.zeros([2, 0]).count == 0)
        #expect(try Tensor.full([2], 7, dtype: .int64).ints() == [7, 7])
        #expect(try Tensor.ones([], dtype: .float64).item() == 1)
        #expect(try Tensor.arange(3).ints() == [0, 1, 2])
        #expect(try Tensor([2.7, -2.7]).ints() == [2, -2])
        let tensor = try Tensor(grid, shape: [2, 3])
        #expect(tensor.shape == [2, 3] && tensor.rank == 2 && tensor.count == 6 && tensor.device == .cpu)
        #expect(tensor.description == "Tensor(int64 [2, 3])")
    }

    @Test("every type survives a round through its bytes", arguments: DType.allCases)
    func bytes(_ type: DType) throws {
        let tensor = try Tensor([0, 1, 1, 0, 1, 0], shape: [3, 2], dtype: type)
        #expect(tensor.dtype == type)
        let copy = try tensor.transpose(0, 1).withBytes { bytes in
            #expect(bytes.count == 6 * type.byteCount)
            return try Tensor(bytes: bytes, shape: [2, 3], dtype: type)
        }
        #expect(try copy.ints() == [0, 1, 1, 1, 0, 0])
    }

    @Test("bfloat16 keeps eight bits")
    func bfloat16() throws {
        #expect(try Tensor([1.00390625, 257] as [Float], dtype: .bfloat16).floats() == [1, 256])
    }

    @Test("shapes")
    func shapes() throws {
        let x = try Tensor(grid, shape: [2, 3])
        #expect(try x.reshape([3, -1]).shape == [3, 2])
        #expect(try x.transpose(0, 1).ints() == [0, 3, 1, 4, 2, 5])
        #expect(try !x.transpose(0, 1).isContiguous && x.transpose(0, 1).contiguous().isContiguous)
        #expect(try x.unsqueeze(1).permute([2, 0, 1]).shape == [3, 2, 1])
        #expect(try x.unsqueeze(-1).squeeze(-1).shape == [2, 3])
        #expect(try x.narrow(dim: 1, start: 1, length: 2).ints() == [1, 2, 4, 5])
        #expect(try x.select(dim: 0, index: -1).ints() == [3, 4, 5])
        #expect(try Tensor([1, 2], shape: [2, 1]).expand([2, 3]).ints() == [1, 1, 1, 2, 2, 2])
        #expect(try Tensor([1, 2]).repeatInterleave(2, dim: 0).ints() == [1, 1, 2, 2])
        #expect(try Tensor.cat([x, x], dim: 1).shape == [2, 6])
        #expect(try Tensor.stack([x, x], dim: 0).shape == [2, 2, 3])
        #expect(try Tensor.ones([3, 3]).tril().floats() == [1, 0, 0, 1, 1, 0, 1, 1, 1])
        #expect(try Tensor.ones([2, 2]).tril(diagonal: -1).floats() == [0, 0, 1, 0])
    }

    @Test("picking and putting by index")
    func indexing() throws {
        let x = try Tensor(grid, shape: [2, 3])
        let places = try Tensor([2, 0], shape: [2, 1])
        #expect(try x.gather(dim: 1, index: places).ints() == [2, 3])
        #expect(try x.indexSelect(dim: 1, index: Tensor([2, 0])).ints() == [2, 0, 5, 3])
        let source = try Tensor([9, 8], shape: [2, 1])
        #expect(try x.scatter(dim: 1, index: places, source: source).ints() == [0, 1, 9, 8, 4, 5])
        #expect(try x.scatterAdd(dim: 1, index: places, source: source).ints() == [0, 1, 11, 11, 4, 5])
        #expect(try x.ints() == grid)
        let table = try Tensor([0, 1, 10, 11, 20, 21] as [Float], shape: [3, 2])
        #expect(try Tensor([2, 0]).embedding(weight: table).floats() == [20, 21, 0, 1])
    }

    @Test("reductions along all and along one")
    func reductions() throws {
        let x = try Tensor([1, 5, 3, 4, 2, 6] as [Float], shape: [2, 3])
        #expect(try x.sum().item() == 21 && x.mean().item() == 3.5)
        #expect(try x.sum(dim: 0).floats() == [5, 7, 9])
        #expect(try x.mean(dim: 1, keepDim: true).shape == [2, 1])
        #expect(try x.max(dim: 1).values.floats() == [5, 6] && x.max(dim: 1).indices.ints() == [1, 2])
        #expect(try x.argmax(dim: 0).ints() == [1, 0, 1])
        #expect(try x.cumsum(dim: 1).floats() == [1, 6, 9, 4, 6, 12])
        let sorted = try x.sort(dim: 1, descending: true)
        #expect(try sorted.values.floats() == [5, 3, 1, 6, 4, 2] && sorted.indices.ints() == [1, 2, 0, 2, 0, 1])
        // softmax(0, ln 3) = (1/4, 3/4); its log-sum is ln 4. A million more changes nothing.
        let y = try Tensor([0, 1.0986122886681098])
        #expect(close(try y.softmax(dim: 0).doubles(), [0.25, 0.75], within: 1e-12))
        #expect(close(try (y + 1e6).logSoftmax(dim: 0).doubles(), [-1.3862943611, -0.2876820724], within: 1e-9))
        #expect(close(try y.logSumExp(dim: 0, keepDim: true).doubles(), [1.3862943611198906], within: 1e-12))
    }

    @Test("of equal elements topK takes the lowest index first")
    func topK() throws {
        let x = try Tensor([3, 7, 7, 1, 7, 3] as [Float])
        #expect(try x.topK(2, dim: 0).indices.ints() == [1, 2])
        #expect(try x.topK(4, dim: 0).indices.ints() == [1, 2, 4, 0])
        #expect(try x.topK(6, dim: 0).indices.ints() == [1, 2, 4, 0, 5, 3])
        #expect(try x.topK(0, dim: 0).values.count == 0)
        // Settled rows beside an unsettled one, and a whole vocabulary of one value.
        let rows = try Tensor([1, 2, 3, 2, 2, 2] as [Float], shape: [2, 3])
        #expect(try rows.topK(2, dim: 1).indices.ints() == [2, 1, 0, 1])
        #expect(try Tensor.zeros([5000]).topK(3, dim: 0).indices.ints() == [0, 1, 2])
        // The same as a stable sort, on many ties.
        let many = try Tensor((0..<1000).map { ($0 * 7919) % 50 })
        for k in [1, 20, 21, 500] {
            let expected = try many.sort(dim: 0, descending: true).indices.narrow(dim: 0, start: 0, length: k).ints()
            #expect(try many.topK(k, dim: 0).indices.ints() == expected)
        }
    }

    @Test("writing in place goes through a view")
    func inPlace() throws {
        let x = try Tensor.zeros([2, 3])
        try x.narrow(dim: 1, start: 1, length: 2).copy(from: Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]))
        #expect(try x.floats() == [0, 1, 2, 0, 3, 4])
        try x.add(inPlace: Tensor.ones([2, 3]), scale: 2)
        try x.multiply(inPlace: 10)
        try x.multiply(inPlace: Tensor([1, 0, 1] as [Float]))
        #expect(try x.floats() == [20, 0, 40, 20, 0, 60])
        let copy = try x.clone()
        try x.zero()
        #expect(try x.sum().item() == 0 && copy.sum().item() == 140)
    }
}
