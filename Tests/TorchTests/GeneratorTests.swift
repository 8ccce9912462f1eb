import Testing
import Torch

@Suite("Generator")
struct GeneratorTests {
    @Test("a seed repeats, another differs")
    func seeds() throws {
        func draw(_ seed: UInt64) throws -> [Float] {
            let generator = try Generator(seed: seed)
            return try Tensor.randn([40], generator: generator).floats()
                + Tensor.uniform([3], generator: generator).floats()
        }
        #expect(try draw(1) == draw(1))
        #expect(try draw(1) != draw(2))
    }

    @Test("a saved state goes on with the same numbers, of every kind")
    func state() throws {
        let generator = try Generator(seed: 9)
        // An odd number of normal draws leaves half a pair behind, which is state too.
        _ = try Tensor.randn([3], generator: generator)
        let state = try generator.state()
        func draw(_ generator: Generator) throws -> [Double] {
            try Tensor.randn([5], generator: generator).doubles() + Tensor.uniform([4], generator: generator).doubles()
                + Tensor.permutation(6, generator: generator).doubles()
                + Tensor.ones([8]).multinomial(3, generator: generator).doubles()
        }
        let first = try draw(generator)
        try generator.restore(state)
        #expect(try draw(generator) == first)
        let other = try Generator(seed: 1)
        try other.restore(state)
        #expect(try draw(other) == first)
        #expect(throws: TorchError.self) { try other.restore([1, 2, 3]) }
    }

    @Test("numbers have the distribution they claim")
    func distributions() throws {
        let generator = try Generator(seed: 4)
        let normal = try Tensor.randn([20_000], generator: generator, dtype: .float64)
        #expect(abs(try normal.mean().item()) < 0.03)
        #expect(abs(try normal.square().mean().item() - 1) < 0.05)
        let uniform = try Tensor.uniform([20_000], generator: generator)
        #expect(abs(try uniform.mean().item() - 0.5) < 0.01)
        #expect(try uniform.less(than: 1).all().item() == 1 && uniform.less(than: 0).any().item() == 0)
        #expect(try Tensor.permutation(9, generator: generator).ints().sorted() == Array(0..<9))
        // Draws are without replacement and never a place of weight 0.
        let drawn = try Tensor([0, 1, 2, 0, 3] as [Float]).multinomial(3, generator: generator).ints()
        #expect(drawn.sorted() == [1, 2, 4])
        let counts = try (0..<600).reduce(into: 0) { sum, _ in
            sum += try Tensor([1, 3] as [Float]).multinomial(1, generator: generator).ints()[0]
        }
        #expect(abs(Double(counts) / 600 - 0.75) < 0.08)
        #expect(throws: TorchError.self) { try Tensor([-1, 1] as [Float]).multinomial(1, generator: generator) }
    }
}
