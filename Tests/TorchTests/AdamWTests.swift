import Foundation
import Testing
import Torch

/// Against steps of `torch.optim.AdamW`, recorded by `Scripts/fixtures/adamw.py`.
@Suite("AdamW")
struct AdamWTests {
    struct Fixture: Decodable {
        struct Step: Decodable {
            var rate: Double
            var gradients: [String: [Float]]
            var after: [String: [Double]]
        }
        var shapes: [String: [Int]]
        var decays: [String: Double]
        var start: [String: [Float]]
        var steps: [Step]
    }

    static func fixture() throws -> Fixture {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/adamw.json")
        return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
    }

    /// A run in the middle of which one may leave and go on.
    private struct Run {
        let fixture: Fixture
        let parameters: [(name: String, parameter: Parameter)]
        let optimizer: AdamW

        init(_ fixture: Fixture) throws {
            self.fixture = fixture
            parameters = try fixture.shapes.keys.sorted().map { name in
                let start = try #require(fixture.start[name])
                return (name, Parameter(try Tensor(start, shape: fixture.shapes[name]).requireGradient()))
            }
            optimizer = try AdamW(
                groups: parameters.map { (parameters: [$0], weightDecay: fixture.decays[$0.name] ?? 0) },
                betas: (0.9, 0.95), epsilon: 1e-8)
        }

        func step(_ number: Int) throws {
            let step = fixture.steps[number]
            try optimizer.zeroGradients()
            for (name, parameter) in parameters {
                guard let gradient = step.gradients[name] else { continue }
                try (parameter.value * Tensor(gradient, shape: fixture.shapes[name])).sum().backward()
            }
            try optimizer.step(learningRate: step.rate)
        }
    }

    @Test("every step equals torch's")
    func equalsTorch() throws {
        let run = try Run(Self.fixture())
        for number in run.fixture.steps.indices {
            try run.step(number)
            for (name, parameter) in run.parameters {
                let expected = try #require(run.fixture.steps[number].after[name])
                #expect(close(try parameter.value.doubles(), expected, within: 2e-6), "step \(number), \(name)")
            }
        }
        #expect(run.optimizer.stepCount == run.fixture.steps.count)
        #expect(try #require(run.optimizer.state()["vector.step"]).item() == 5)
    }

    @Test("goes on bit for bit from a saved state, which later steps do not touch")
    func resume() throws {
        let whole = try Run(Self.fixture())
        for number in 0..<3 { try whole.step(number) }
        let state = try whole.optimizer.state()
        let weights = try whole.parameters.map { try $0.parameter.value.floats() }
        for number in 3..<6 { try whole.step(number) }

        let second = try Run(Self.fixture())
        for ((name, parameter), saved) in zip(second.parameters, weights) {
            try withoutGradients { try parameter.value.copy(from: Tensor(saved, shape: second.fixture.shapes[name])) }
        }
        try second.optimizer.load(state: state)
        #expect(second.optimizer.stepCount == 3)
        for number in 3..<6 { try second.step(number) }
        for (a, b) in zip(whole.parameters, second.parameters) {
            #expect(try a.parameter.value.floats() == b.parameter.value.floats())
        }
    }

    @Test("a state that does not fit is refused by name and changes nothing")
    func foreignState() throws {
        let run = try Run(Self.fixture())
        try run.step(0)
        let state = try run.optimizer.state()
        let fresh = try Run(Self.fixture())
        var missing = state
        missing["matrix.exp_avg"] = nil
        #expect(throws: TorchError(.argument, "the optimiser's state lacks \"matrix.exp_avg\"")) {
            try fresh.optimizer.load(state: missing)
        }
        var wrong = state
        wrong["vector.exp_avg"] = try Tensor.zeros([3])
        #expect(throws: TorchError(.shape, "\"vector.exp_avg\" has shape [3], the parameter [4]")) {
            try fresh.optimizer.load(state: wrong)
        }
        var stray = state
        stray["other.step"] = try Tensor.zeros([])
        #expect(throws: TorchError.self) { try fresh.optimizer.load(state: stray) }
        #expect(fresh.optimizer.stepCount == 0)
        #expect(try #require(fresh.optimizer.state()["vector.exp_avg"]).abs().sum().item() == 0)
    }

    @Test("a parameter given twice and numbers out of range are refused")
    func badSettings() throws {
        let parameter = Parameter(try Tensor.zeros([2]))
        #expect(throws: TorchError.self) {
            try AdamW(groups: [([("a", parameter)], 0), ([("a", parameter)], 0.1)])
        }
        #expect(throws: TorchError.self) { try AdamW(groups: [], betas: (0.9, 1)) }
    }
}
