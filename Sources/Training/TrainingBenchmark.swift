import LanguageModels
import Statistics
import Torch

/// Times training steps on made-up tokens of the shape that a benchmark asks for.
public enum TrainingBenchmark {
    /// What a step takes.
    public struct Figures: Sendable, Hashable, Codable {
        /// Median time of a step, forward to optimiser.
        public var secondsPerStep: Double
        public var tokensPerStep: Int
        public var steps: Int

        public var tokensPerSecond: Double { Double(tokensPerStep) / secondsPerStep }
    }

    /// Runs a few steps on full rows of random ids, half of them good and half bad where the loss knows bad ones.
    /// - Parameters:
    ///   - rows: Rows per step.
    ///   - length: Tokens per row.
    ///   - warmUp: Steps before the clock starts.
    /// - Returns: The median over `steps`.
    public static func run(
        model: any LanguageModels.Decoder, loss: any TokenLoss, rows: Int, length: Int, steps: Int = 5, warmUp: Int = 2,
        compute: TrainingOptions.ComputeType = .bfloat16, rowsPerMicroBatch: Int? = nil
    ) throws -> Figures {
        var generator = SeededGenerator(seed: 1)
        let vocabulary = model.configuration.vocabularySize
        let examples = try (0..<2 * rows).map { index in
            let ids = (0..<length).map { _ in Int32(generator.index(below: vocabulary)) }
            let label: TokenLabel = loss.negativeLabels.isEmpty || index % 2 == 0 ? .good : .bad
            return try TokenizedExample(ids: ids, labels: [TokenLabel](repeating: label, count: length))
        }
        let source: any BatchSource =
            loss.negativeLabels.isEmpty
            ? try PackedSource(examples, rowLength: length, rowsPerStep: rows, seed: 0)
            : try BalancedSampler(
                examples, rowLength: length, goodPerStep: (rows + 1) / 2, badPerStep: rows / 2, seed: 0)
        var options = TrainingOptions(
            steps: warmUp + steps, rowsPerMicroBatch: rowsPerMicroBatch ?? rows, compute: compute)
        options.divergenceLimit = .infinity
        let trainer = try Trainer(model: model, loss: loss, source: source, options: options)
        for _ in 0..<warmUp { _ = try trainer.trainStep() }
        let times = try (0..<max(1, steps)).map { _ in try trainer.trainStep().wall.seconds }.sorted()
        return Figures(secondsPerStep: times[times.count / 2], tokensPerStep: rows * length, steps: times.count)
    }
}
