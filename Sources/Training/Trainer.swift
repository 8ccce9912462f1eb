import Foundation
import LanguageModels
import Statistics
import Torch

/// Trains a decoder with any loss: the one loop behind pre-training and every method.
///
/// Everything random depends on a seed and the step's number, so a run that is cut at any step and resumed ends with the
/// same weights, bit for bit, as one uncut on the same machine and thread count.
public final class Trainer {
    public let model: any LanguageModels.Decoder
    public let options: TrainingOptions
    public let loss: any TrainingLoss
    /// Steps done.
    public private(set) var step = 0
    /// The step that this run went on from; 0 for a fresh one.
    public private(set) var resumedFrom = 0
    private var source: any BatchSource
    private let parameters: [(name: String, parameter: Parameter)]
    private let optimizer: AdamW
    private let schedule: Schedule
    private let folder: URL?
    private let checkpoints: CheckpointFolder?
    private let device: Device
    private let clock = ContinuousClock()

    /// Prepares a run, or the rest of one when `folder` has a checkpoint.
    /// - Parameters:
    ///   - model: Trained in place.
    ///   - source: Where batches come from.
    ///   - folder: Gets `metrics.jsonl` and `checkpoints/`; `nil` keeps nothing.
    /// - Throws: `TrainingError` when an option or the data is at fault, or the checkpoint is of another run.
    public init(
        model: any LanguageModels.Decoder, loss: any TrainingLoss, source: any BatchSource, options: TrainingOptions,
        folder: URL? = nil
    ) throws {
        try options.validate()
        self.model = model
        self.loss = loss
        self.source = source
        self.options = options
        self.folder = folder
        parameters = model.namedParameters + loss.namedParameters
        guard let first = parameters.first else { throw TrainingError(.options, "the model has no parameters") }
        device = first.parameter.value.device
        let vocabulary = model.configuration.vocabularySize
        if let odd = source.examples.firstIndex(where: { $0.ids.contains { $0 < 0 || $0 >= vocabulary } }) {
            throw TrainingError(.data, "document \(odd) has a token id outside the model's vocabulary of \(vocabulary)")
        }
        if let long = source.examples.firstIndex(where: { $0.count > model.configuration.contextLength }) {
            throw TrainingError(
                .data,
                "document \(long) has \(source.examples[long].count) tokens, the model's context "
                    + "\(model.configuration.contextLength)")
        }
        optimizer = try Self.optimizer(parameters, options: options)
        schedule = Schedule(
            options.schedule, peak: options.learningRate, warmUp: options.warmUp, total: options.steps,
            floor: options.floor)
        checkpoints = try folder.map { try CheckpointFolder($0.appending(path: "checkpoints")) }
        for (_, parameter) in parameters { parameter.value = try parameter.value.requireGradient(true) }
        try resume()
    }

    /// Decay falls on matrices; vectors (norms, biases) and, unless asked for, embeddings have none.
    private static func optimizer(
        _ parameters: [(name: String, parameter: Parameter)], options: TrainingOptions
    ) throws -> AdamW {
        func decays(_ name: String, _ parameter: Parameter) -> Bool {
            parameter.value.rank >= 2 && (options.decaysEmbeddings || !name.contains("embed"))
        }
        let decayed = parameters.filter { decays($0.name, $0.parameter) }
        let rest = parameters.filter { !decays($0.name, $0.parameter) }
        return try AdamW(
            groups: [
                (parameters: decayed, weightDecay: options.weightDecay), (parameters: rest, weightDecay: 0),
            ].filter { !$0.parameters.isEmpty }, betas: (options.beta1, options.beta2), epsilon: options.epsilon)
    }

    // MARK: - Running

    /// Trains to the last step.
    /// - Parameters:
    ///   - onStep: Called after each step.
    ///   - shouldStop: Asked before each step. When it says yes a checkpoint is written and `CancellationError` thrown;
    ///     a run in the same folder then goes on from there.
    /// - Throws: `TrainingError` `diverged` with step and documents named; the weights are then those before the step
    ///   and the last checkpoint is untouched. `file` when a checkpoint cannot be written.
    @discardableResult
    public func run(
        onStep: (StepMetrics) throws -> Void = { _ in }, shouldStop: () -> Bool = { Task.isCancelled }
    ) throws -> TrainingSummary {
        let log = try folder.map { try MetricsLog($0.appending(path: "metrics.jsonl"), after: step) }
        var last: StepMetrics?
        var seconds = 0.0
        var tokens = 0
        let first = step
        while step < options.steps {
            if shouldStop() {
                try save()
                throw CancellationError()
            }
            let metrics = try trainStep()
            try log?.append(metrics)
            try onStep(metrics)
            last = metrics
            seconds += metrics.wall.seconds
            tokens += metrics.tokens
            if options.checkpointEvery > 0, step % options.checkpointEvery == 0, step < options.steps { try save() }
        }
        if step > first { try save() }
        return TrainingSummary(
            steps: step, resumedFrom: resumedFrom, last: last, seconds: seconds, tokens: tokens,
            epochs: source.epochs(after: step))
    }

    /// One optimiser step.
    public func trainStep() throws -> StepMetrics {
        let began = clock.now
        let rows = try source.rows(step: step)
        let batches = stride(from: 0, to: rows.count, by: options.rowsPerMicroBatch).map { start in
            let part = rows[start..<min(start + options.rowsPerMicroBatch, rows.count)]
            return Batch(
                rows: part.map { row in row.map { source.examples[$0] } }, padID: model.configuration.padID ?? 0,
                numbers: part.flatMap { $0 })
        }
        var begun = try loss.begin(
            LossContext(
                model: model, batches: batches, rowsPerMicroBatch: options.rowsPerMicroBatch, device: device,
                compute: options.compute, chunkLength: options.lossChunk,
                draws: SeededGenerator(seed: options.seed).fork("draws", step)))
        let supervised = begun.supervised
        guard supervised > 0 else {
            throw TrainingError(
                .data, "step \(step + 1) has no token that \(loss.summary) learns from (\(names(rows)))")
        }
        var sums = LossSums()
        try optimizer.zeroGradients()
        for batch in begun.batches where !batch.targets.isEmpty {
            let hidden = try model.predictorStates(of: batch, on: device, compute: options.compute.dtype)
            sums += try begun.backward(hidden: hidden, batch: batch)
        }
        let norm = try clipGradients(parameters.map(\.parameter), maximumNorm: options.clip)
        try check(sums, norm: norm, rows: rows)
        let rate = schedule.rate(at: step)
        try optimizer.step(learningRate: rate)
        step += 1
        let tokens = begun.batches.reduce(0) { $0 + $1.tokenCount }
        let spent = (clock.now - began) / .seconds(1)
        return StepMetrics(
            step: step, loss: sums.loss, ce: sums.positive, ct: sums.negative,
            pplGood: sums.goodCrossEntropy.map(exp), pplBad: sums.badCrossEntropy.map(exp),
            logpsChosen: sums.chosenLogProbability, logpsRejected: sums.rejectedLogProbability, margin: sums.margin,
            gradientNorm: norm,
            learningRate: rate, tokens: tokens, supervised: supervised, epochs: source.epochs(after: step),
            wall: .init(seconds: spent, tokensPerSecond: Double(tokens) / max(spent, 1e-9)))
    }

    private func check(_ sums: LossSums, norm: Double, rows: [[Int]]) throws {
        guard sums.loss.isFinite, norm.isFinite else {
            throw TrainingError(
                .diverged,
                "step \(step + 1): loss \(spell(sums.loss)), gradient norm \(spell(norm)) (\(names(rows))); "
                    + "a lower learning_rate than \(options.learningRate) may help")
        }
        let limit = options.divergenceLimit ?? 2 * log(Double(model.configuration.vocabularySize))
        if let mean = sums.goodCrossEntropy, mean > limit {
            throw TrainingError(
                .diverged,
                "step \(step + 1): cross-entropy \(mean) is above \(limit) nats, far worse than guessing "
                    + "(\(names(rows))); a lower learning_rate than \(options.learningRate) may help")
        }
    }

    /// The sign of a NaN says nothing; the same fault must read the same everywhere.
    private func spell(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

    /// The step's documents, the first few by number.
    private func names(_ rows: [[Int]]) -> String {
        let all = rows.flatMap { $0 }
        let few = all.prefix(8).map(String.init).joined(separator: ", ")
        return "documents \(few)\(all.count > 8 ? " and \(all.count - 8) more" : "")"
    }

    // MARK: - Checkpoints

    private var identity: CheckpointIdentity {
        CheckpointIdentity(
            options: options, loss: loss.summary, source: source.summary,
            data: CheckpointIdentity.fingerprint(source.examples))
    }

    /// Writes a checkpoint of the steps done; nothing when there is no folder.
    public func save() throws {
        guard let checkpoints else { return }
        try checkpoints.write(
            step: step, identity: identity, weights: parameters.map { ($0.name, $0.parameter.value) },
            optimizer: optimizer.state())
    }

    private func resume() throws {
        guard let checkpoints, let found = try checkpoints.latest() else { return }
        try found.identity.requireSame(as: identity, file: found.folder.path)
        let weights = try TensorFile.read(found.folder.appending(path: CheckpointFolder.weightsName), device: device)
        try withoutGradients {
            for (name, parameter) in parameters {
                guard let saved = weights[name], saved.shape == parameter.value.shape else {
                    throw TrainingError(.checkpoint, "\(found.folder.path): \(name) is missing or of another shape")
                }
                try parameter.value.copy(from: saved)
            }
        }
        try optimizer.load(
            state: TensorFile.read(found.folder.appending(path: CheckpointFolder.optimizerName), device: device))
        step = found.step
        resumedFrom = found.step
    }
}

/// What a run came to.
public struct TrainingSummary: Sendable, Hashable {
    /// Steps done in all.
    public var steps: Int
    /// The step that this run went on from.
    public var resumedFrom: Int
    /// The last step's figures; `nil` when there was nothing left to do.
    public var last: StepMetrics?
    /// Time of this run's steps, without checkpoints.
    public var seconds: Double
    /// Tokens of this run's steps, without padding.
    public var tokens: Int
    /// Passes over the data.
    public var epochs: Double

    public var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}
