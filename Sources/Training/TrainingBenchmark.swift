import Foundation
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
        /// Median time of all processors together per step: what is left of a figure on a machine that others use too.
        public var processorSecondsPerStep = 0.0
        /// Arithmetic that a step asks for, per second.
        public var operationsPerSecond = 0.0

        public var tokensPerSecond: Double { Double(tokensPerStep) / secondsPerStep }
    }

    /// Models that speed is measured on.
    public enum Shape: String, Sendable, CaseIterable {
        /// 8 layers, 512 wide, 8 heads, 8,192 tokens of vocabulary: a Llama of 29.5M.
        case small
        /// GPT-2 of 124M.
        case gpt2 = "gpt2-124m"

        /// Rows of 256 tokens in a step.
        public var rows: Int { self == .small ? 16 : 4 }

        public func model(seed: UInt64 = 1) throws -> any DecoderFamily {
            let generator = try Generator(seed: seed)
            switch self {
            case .small:
                return try LlamaModel(
                    LlamaConfiguration(
                        vocabularySize: 8192, hiddenSize: 512, intermediateSize: 1376, layerCount: 8, headCount: 8,
                        contextLength: 1024, padID: 0), generator: generator)
            case .gpt2:
                return try GPT2Model(
                    GPT2Configuration(
                        vocabularySize: 50_257, hiddenSize: 768, layerCount: 12, headCount: 12, contextLength: 1024),
                    generator: generator)
            }
        }
    }

    /// What a step may minimise.
    public enum Loss: String, Sendable, CaseIterable {
        case sft, cringe, director, dpo
    }

    /// Steps of a shape on full rows of 256 tokens; DPO takes as many pairs as the others take rows, with the reference's
    /// log-probabilities at hand.
    public static func run(
        model: any LanguageModels.Decoder, loss: Loss, shape: Shape, steps: Int = 5, warmUp: Int = 2,
        recomputesLayers: Bool = false
    ) throws -> Figures {
        try time(
            trainer(model, loss, shape, steps: warmUp + steps, recomputesLayers: recomputesLayers), steps: steps,
            warmUp: warmUp)
    }

    /// How many SFT steps a step of another loss costs: the two take turns, so that a machine which gets slower or faster on the
    /// way slows or hastens both. The median over `steps` turns.
    public static func stepsOfSFT(_ loss: Loss, shape: Shape, steps: Int = 5, warmUp: Int = 2) throws -> Double {
        let plain = try trainer(shape.model(), .sft, shape, steps: warmUp + steps)
        let other = try trainer(shape.model(), loss, shape, steps: warmUp + steps)
        let ratios = try (0..<(warmUp + max(1, steps))).map { _ in
            let seconds = try plain.trainStep().wall.seconds
            return try other.trainStep().wall.seconds / seconds
        }
        return median(Array(ratios.dropFirst(warmUp)))
    }

    private static func trainer(
        _ model: any LanguageModels.Decoder, _ loss: Loss, _ shape: Shape, steps: Int, recomputesLayers: Bool = false
    ) throws -> Trainer {
        let made: any TrainingLoss
        let source: any BatchSource
        switch loss {
        case .sft:
            made = CrossEntropyLoss()
            source = try PackedSource(
                documents(shape, count: 2 * shape.rows, labels: [.good], model), rowLength: 256,
                rowsPerStep: shape.rows, seed: 0)
        case .cringe, .director:
            made =
                loss == .cringe
                ? try CRINGELoss()
                : try DirectorLoss(
                    head: DirectorHead(.separate, for: model.configuration, generator: Generator(seed: 2)),
                    learnsPositives: true)
            source = try BalancedSampler(
                documents(shape, count: 2 * shape.rows, labels: [.good, .bad], model), rowLength: 256,
                goodPerStep: (shape.rows + 1) / 2, badPerStep: shape.rows / 2, seed: 0)
        case .dpo:
            let pairs = try documents(shape, count: 2 * shape.rows, labels: [.good, .bad], model)
            made = try DPOLoss(reference: ReferenceLogProbabilities(values: pairs.map { _ in -2400 }))
            source = try PairSource(pairs, rowLength: 512, pairsPerStep: shape.rows, seed: 0)
        }
        // A pair is two rows in one; four of them fit the loss's chunk, whose logits then need no second pass.
        var options = options(steps: steps, rows: loss == .dpo ? 4 : shape.rows, compute: .fastest())
        options.recomputesLayers = recomputesLayers
        return try Trainer(model: model, loss: made, source: source, options: options)
    }

    /// Documents of 256 random tokens, all of them learned, their labels in turn.
    private static func documents(
        _ shape: Shape, count: Int, labels: [TokenLabel], _ model: any LanguageModels.Decoder
    ) throws -> [TokenizedExample] {
        var generator = SeededGenerator(seed: 1)
        let vocabulary = model.configuration.vocabularySize
        return try (0..<count).map { index in
            try TokenizedExample(
                ids: (0..<256).map { _ in Int32(generator.index(below: vocabulary)) },
                labels: [TokenLabel](repeating: labels[index % labels.count], count: 256))
        }
    }

    /// Lengths of chat documents as people write them: a context of a few turns and a reply, whose median is 12 tokens
    /// (log-normal, cut at 256).
    public static func chatLengths(_ count: Int, seed: UInt64 = 1) -> [(context: Int, reply: Int)] {
        var generator = SeededGenerator(seed: seed)
        func draw(_ median: Double, _ spread: Double, most: Int) -> Int {
            let normal = (-2 * log(1 - generator.uniform())).squareRoot() * cos(2 * .pi * generator.uniform())
            return min(most, max(2, Int((median * exp(spread * normal)).rounded())))
        }
        return (0..<count).map { _ in (draw(18, 0.8, most: 160), draw(12, 0.6, most: 90)) }
    }

    /// Steps on packed chat documents, all of whose tokens are learned, as a padded peer learns them.
    public static func runPacked(
        model: any LanguageModels.Decoder, lengths: [Int], documentsPerStep: Int = 64, steps: Int = 5, warmUp: Int = 2
    ) throws -> Figures {
        var generator = SeededGenerator(seed: 1)
        let vocabulary = model.configuration.vocabularySize
        let examples = try lengths.map { length in
            try TokenizedExample(
                ids: (0..<length).map { _ in Int32(generator.index(below: vocabulary)) },
                labels: [TokenLabel](repeating: .good, count: length))
        }
        let source = try BalancedSampler(
            examples, rowLength: 256, goodPerStep: documentsPerStep, badPerStep: 0, seed: 0)
        return try time(
            try Trainer(
                model: model, loss: CrossEntropyLoss(), source: source,
                options: options(steps: warmUp + steps, rows: 64, compute: .fastest())), steps: steps, warmUp: warmUp)
    }

    private static func options(
        steps: Int, rows: Int, compute: TrainingOptions.ComputeType
    ) -> TrainingOptions {
        var options = TrainingOptions(steps: steps, rowsPerMicroBatch: rows, compute: compute)
        options.divergenceLimit = .infinity
        return options
    }

    private static func time(_ trainer: Trainer, steps: Int, warmUp: Int) throws -> Figures {
        for _ in 0..<warmUp { _ = try trainer.trainStep() }
        var (wall, processor, tokens, work): ([Double], [Double], [Int], [Double]) = ([], [], [], [])
        let arithmetic = StepArithmetic(trainer.model)
        for _ in 0..<max(1, steps) {
            let used = processorSeconds()
            let metrics = try trainer.trainStep()
            processor.append(processorSeconds() - used)
            wall.append(metrics.wall.seconds)
            tokens.append(metrics.tokens)
            work.append(
                arithmetic.operations(
                    lengths: try trainer.lengths(step: metrics.step - 1), supervised: metrics.supervised))
        }
        var figures = Figures(
            secondsPerStep: median(wall), tokensPerStep: tokens.reduce(0, +) / tokens.count, steps: wall.count)
        figures.processorSecondsPerStep = median(processor)
        figures.operationsPerSecond = median(zip(work, wall).map { $0 / $1 })
        return figures
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Time of this process on all processors so far.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Runs a few steps on full rows of random ids, half of them good and half bad where the loss knows bad ones.
    /// - Parameters:
    ///   - rows: Rows per step.
    ///   - length: Tokens per row.
    ///   - warmUp: Steps before the clock starts.
    /// - Returns: The median over `steps`.
    public static func run(
        model: any LanguageModels.Decoder, loss: any TokenLoss, rows: Int, length: Int, steps: Int = 5, warmUp: Int = 2,
        compute: TrainingOptions.ComputeType = .fastest(), rowsPerMicroBatch: Int? = nil
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
        return try time(
            try Trainer(
                model: model, loss: loss, source: source,
                options: options(steps: warmUp + steps, rows: rowsPerMicroBatch ?? rows, compute: compute)),
            steps: steps, warmUp: warmUp)
    }
}
