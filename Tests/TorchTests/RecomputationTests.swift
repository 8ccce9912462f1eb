import Testing
import Torch

@Suite("Recomputation")
struct RecomputationTests {
    struct Broken: Error {}

    private func numbers(_ shape: [Int], seed: UInt64) throws -> Tensor {
        try Tensor.randn(shape, generator: Generator(seed: seed))
    }

    @Test("a recomputed part gives the same value and the same gradients, and runs once more for them")
    func sameGradients() throws {
        let weight = try numbers([6, 5], seed: 1)
        func gradients(recomputes: Bool) throws -> (value: Double, x: [Float], weight: [Float], calls: Int) {
            let x = try numbers([4, 5], seed: 2).requireGradient()
            let own = try weight.clone().requireGradient()
            var calls = 0
            let body: (Tensor) throws -> Tensor = { x in
                calls += 1
                return try x.linear(weight: own).tanh()
            }
            let y = try recomputes ? (x * 2).recomputed(body) : body(x * 2)
            let loss = try y.square().sum()
            try loss.backward()
            return (
                try loss.item(), try #require(x.gradient).floats(), try #require(own.gradient).floats(), calls
            )
        }
        let (plain, again) = (try gradients(recomputes: false), try gradients(recomputes: true))
        #expect(plain.value == again.value)
        #expect(plain.x == again.x)
        #expect(plain.weight == again.weight)
        #expect(plain.calls == 1 && again.calls == 2)
    }

    @Test("parts may stand behind one another, and one that changes nothing keeps its gradient")
    func chain() throws {
        let x = try numbers([3], seed: 3).requireGradient()
        let y = try x.recomputed { $0 }.recomputed { try $0 * 3 }.recomputed { try $0.square() }
        try y.sum().backward()
        let expected = try x.detach().floats().map { 18 * $0 }
        let found = try #require(x.gradient).floats()
        #expect(zip(expected, found).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test("without the recording of gradients the body runs once, and its own error comes out")
    func plainAndErrors() throws {
        let x = try numbers([2], seed: 4).requireGradient()
        var calls = 0
        _ = try withoutGradients {
            try x.recomputed {
                calls += 1
                return try $0 * 2
            }
        }
        #expect(calls == 1)
        #expect(throws: Broken.self) { try x.recomputed { _ in throw Broken() } }
        // An error of the second time surfaces in the backward pass.
        var turn = 0
        let y = try x.recomputed { x in
            turn += 1
            if turn > 1 { throw Broken() }
            return try x * 2
        }
        #expect(throws: TorchError.self) { try y.sum().backward() }
    }

    @Test("nothing is left behind")
    func noLeak() throws {
        final class Witness: Sendable {}
        weak var witness: Witness?
        let before = Engine.liveTensorCount
        try {
            let held = Witness()
            witness = held
            let x = try numbers([2], seed: 4).requireGradient()
            func twice(_ x: Tensor) throws -> Tensor { try withExtendedLifetime(held) { try x * 2 } }
            for _ in 0..<2_000 { try x.recomputed { try twice($0) }.sum().backward() }
            _ = try x.recomputed { try twice($0) }
        }()
        #expect(witness == nil)
        // Of the whole process, and other suites run beside this one: what every pass left behind would be 2,000.
        #expect(Engine.liveTensorCount - before < 1_000)
    }

    @Test("a listener hears each pass once, with the whole gradient, until it goes")
    func listener() throws {
        let parameter = Parameter(try numbers([2], seed: 5).requireGradient())
        var heard: [[Float]] = []
        do {
            let listener = try GradientListener(parameter) {
                heard.append((try? parameter.value.gradient?.floats()) ?? [])
            }
            try withExtendedLifetime(listener) {
                // Used twice in one pass: told once, when both parts are in.
                try (parameter.value + parameter.value * 2).sum().backward()
                try parameter.value.sum().backward()
            }
        }
        try parameter.value.sum().backward()
        #expect(heard == [[3, 3], [4, 4]])
        try parameter.value.setGradient(Tensor([7, 8] as [Float]))
        #expect(try #require(parameter.value.gradient).floats() == [7, 8])
        #expect(throws: TorchError.self) { try parameter.value.setGradient(Tensor([7] as [Float])) }
    }
}
