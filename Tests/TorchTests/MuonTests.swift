import Foundation
import Testing
import Torch

/// Against steps of `torch.optim.Muon`, recorded by `Scripts/fixtures/muon.py`, and against the iteration by hand.
@Suite("Muon")
struct MuonTests {
    struct Fixture: Decodable {
        struct Step: Decodable {
            var rate: Double
            var gradients: [String: [Float]]
            var after: [String: [Double]]
        }
        var shapes: [String: [Int]]
        var decay: Double
        var start: [String: [Float]]
        var steps: [Step]
    }

    static func fixture() throws -> Fixture {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/muon.json")
        return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
    }

    private struct Run {
        let fixture: Fixture
        let parameters: [(name: String, parameter: Parameter)]
        let vector: Parameter
        let optimizer: Muon

        init(_ fixture: Fixture) throws {
            self.fixture = fixture
            parameters = try fixture.shapes.keys.sorted().map { name in
                let start = try #require(fixture.start[name])
                return (name, Parameter(try Tensor(start, shape: fixture.shapes[name]).requireGradient()))
            }
            vector = Parameter(try Tensor([1, 2] as [Float], shape: [2]).requireGradient())
            optimizer = try Muon(
                matrices: parameters, weightDecay: fixture.decay,
                rest: AdamW(groups: [(parameters: [("vector", vector)], weightDecay: 0)]))
        }

        func step(_ number: Int) throws {
            let step = fixture.steps[number]
            try optimizer.zeroGradients()
            for (name, parameter) in parameters {
                guard let gradient = step.gradients[name] else { continue }
                try (parameter.value * Tensor(gradient, shape: fixture.shapes[name])).sum().backward()
            }
            try vector.value.sum().backward()
            try optimizer.step(learningRate: step.rate)
        }
    }

    @Test("every step equals torch's, but for the bfloat16 in which torch rounds")
    func equalsTorch() throws {
        let run = try Run(Self.fixture())
        for number in run.fixture.steps.indices {
            let rate = run.fixture.steps[number].rate
            try run.step(number)
            for (name, parameter) in run.parameters {
                let expected = try #require(run.fixture.steps[number].after[name])
                // A step moves each number by some 0.2 of the rate; the digits that bfloat16 lacks are some hundredths of that.
                let tolerance = 0.02 * Double(number + 1) * max(rate, 0.01)
                #expect(close(try parameter.value.doubles(), expected, within: tolerance), "step \(number), \(name)")
            }
        }
        #expect(run.optimizer.stepCount == run.fixture.steps.count)
        #expect(try run.vector.value.doubles() != [1, 2])
    }

    @Test("a diagonal gradient is stepped along by the polynomial of its singular values")
    func byHand() throws {
        let singular = [3.0, 1, 0.5]
        let start = Parameter(try Tensor.zeros([3, 4]).requireGradient())
        let optimizer = try Muon(matrices: [("m", start)], weightDecay: 0, rest: AdamW(groups: []))
        var gradient = [Float](repeating: 0, count: 12)
        for (place, value) in singular.enumerated() { gradient[place * 4 + place] = Float(value) }
        try (start.value * Tensor(gradient, shape: [3, 4])).sum().backward()
        try optimizer.step(learningRate: 0.1)

        let norm = singular.reduce(0) { $0 + $1 * $1 }.squareRoot()
        var expected = [Double](repeating: 0, count: 12)
        for (place, value) in singular.enumerated() {
            var x = value / norm
            for _ in 0..<5 {
                let square = x * x
                x *= 3.4445 - 4.7750 * square + 2.0315 * square * square
            }
            #expect((0.5...1.5).contains(x))
            expected[place * 4 + place] = -0.1 * 0.2 * 2 * x
        }
        let isExact = Device.cpu.matrixType == .float32
        #expect(close(try start.value.doubles(), expected, within: isExact ? 1e-6 : 2e-3))
    }

    @Test("goes on bit for bit from a saved state, which later steps do not touch")
    func resume() throws {
        let whole = try Run(Self.fixture())
        for number in 0..<2 { try whole.step(number) }
        let state = try whole.optimizer.state()
        #expect(Set(state.keys).isSuperset(of: ["tall.momentum_buffer", "vector.exp_avg", "step_count"]))
        let weights = try whole.parameters.map { try $0.parameter.value.floats() }
        let vector = try whole.vector.value.floats()
        for number in 2..<4 { try whole.step(number) }

        let second = try Run(Self.fixture())
        try withoutGradients {
            for ((name, parameter), saved) in zip(second.parameters, weights) {
                try parameter.value.copy(from: Tensor(saved, shape: second.fixture.shapes[name]))
            }
            try second.vector.value.copy(from: Tensor(vector, shape: [2]))
        }
        try second.optimizer.load(state: state)
        for number in 2..<4 { try second.step(number) }
        for (a, b) in zip(whole.parameters, second.parameters) {
            #expect(try a.parameter.value.floats() == b.parameter.value.floats())
        }
        #expect(try whole.vector.value.floats() == second.vector.value.floats())
    }

    @Test("what is no matrix, a name given twice and a state that does not fit are refused by name")
    func refusals() throws {
        let rest = try AdamW(groups: [])
        let vector = Parameter(try Tensor.zeros([2]))
        #expect(throws: TorchError(.shape, "Muon moves matrices, \"v\" has shape [2]")) {
            try Muon(matrices: [("v", vector)], weightDecay: 0, rest: rest)
        }
        let matrix = Parameter(try Tensor.zeros([2, 3]))
        #expect(throws: TorchError.self) {
            try Muon(matrices: [("m", matrix), ("m", matrix)], weightDecay: 0, rest: rest)
        }
        #expect(throws: TorchError.self) { try Muon(matrices: [], weightDecay: 0, momentum: 1, rest: rest) }
        #expect(throws: TorchError.self) { try Muon(matrices: [], weightDecay: 0, rounds: 0, rest: rest) }

        let run = try Run(Self.fixture())
        try run.step(0)
        var state = try run.optimizer.state()
        state["tall.momentum_buffer"] = try Tensor.zeros([4, 12])
        let fresh = try Run(Self.fixture())
        #expect(
            throws: TorchError(.shape, "\"tall.momentum_buffer\" has shape [4, 12], the parameter [12, 4]")
        ) { try fresh.optimizer.load(state: state) }
        state["tall.momentum_buffer"] = nil
        #expect(throws: TorchError(.argument, "the optimiser's state lacks \"tall.momentum_buffer\"")) {
            try fresh.optimizer.load(state: state)
        }
        #expect(fresh.optimizer.stepCount == 0)
    }
}
