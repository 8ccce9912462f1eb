import LanguageModels
import Testing
import Torch

@testable import Training

@Suite("Weights between a run's start and its end")
struct WeightInterpolationTests {
    /// Weights start at what they are, training adds 1 to each.
    private func ended(after share: Double) throws -> (start: [[Float]], end: [[Float]]) {
        let model = try TinyModel.make(vocabulary: 20)
        let weights = try WeightInterpolation(of: model)
        func values() throws -> [[Float]] { try model.namedParameters.map { try $0.parameter.value.floats() } }
        let start = try values()
        try withoutGradients {
            for item in model.namedParameters { try item.parameter.value.copy(from: item.parameter.value + 1) }
        }
        try weights.end(after: share)
        return (start, try values())
    }

    @Test("A quarter of the way adds a quarter of what training added, to every weight", arguments: [0, 0.25, 1])
    func share(_ share: Double) throws {
        let (start, end) = try ended(after: share)
        #expect(start.count > 4)
        for (a, b) in zip(start, end) {
            let worst = zip(a, b).map { abs(Double($1) - Double($0) - share) }.max() ?? 1
            #expect(worst < 1e-6)
        }
    }

    @Test("A head that learns beside the model goes as far as it does")
    func head() throws {
        let model = try TinyModel.make(vocabulary: 20)
        let head = try DirectorHead(.separate, for: model.configuration, generator: Generator(seed: 4))
        var weights = try WeightInterpolation(of: model)
        try weights.add(head.namedParameters)
        func values() throws -> [Float] {
            try (model.namedParameters + head.namedParameters).flatMap { try $0.parameter.value.floats() }
        }
        let start = try values()
        try withoutGradients {
            for item in model.namedParameters + head.namedParameters {
                try item.parameter.value.copy(from: item.parameter.value + 1)
            }
        }
        try weights.end(after: 0.25)
        let worst = zip(start, try values()).map { abs(Double($1) - Double($0) - 0.25) }.max() ?? 1
        #expect(worst < 1e-6)
    }

    @Test("A share outside 0…1 is refused", arguments: [-0.1, 1.5, .nan])
    func refused(_ share: Double) throws {
        #expect(throws: TrainingError.self) { try ended(after: share) }
    }
}
