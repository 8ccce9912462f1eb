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
    private let optimizer: any Optimizer
    private let schedule: Schedule
    private let folder: URL?
    private let origin: String?
    private let checkpoints: CheckpointFolder?
    private let device: Device
    private let clock = ContinuousClock()
    /// The processes that train this model together.
    public let group: any ProcessGroup
    private let exchange: GradientExchange
    /// Against which speed is measured; `nil` measures none.
    private let peak: ComputePeak?
    private let arithmetic: StepArithmetic
    private var stopping = EarlyStopping.State()
    /// The best weights so far where there is no folder to keep them in.
    private var bestWeights: [Tensor] = []
    /// What the data was when the run began.
    private lazy var fingerprint = CheckpointIdentity.fingerprint(source.examples)

    /// Prepares a run, or the rest of one when `folder` has a checkpoint.
    /// - Parameters:
    ///   - model: Trained in place.
    ///   - source: Where batches come from.
    ///   - folder: Gets `metrics.jsonl`, TensorBoard's event files and `checkpoints/`; `nil` keeps nothing. Of several
    ///     processes only the first one writes and reads there.
    ///   - group: The processes that train this model together, each on its share of every step. The result is that of one
    ///     process, to rounding.
    ///   - peak: The device's measured speed, for the log.
    ///   - origin: Says which model this is before it learns, and what of an adapter is not among its weights (its scale): a
    ///     checkpoint that was begun with another one is refused. `nil` does not ask.
    /// - Throws: `TrainingError` when an option or the data is at fault, or the checkpoint is of another run.
    public init(
        model: any LanguageModels.Decoder, loss: any TrainingLoss, source: any BatchSource, options: TrainingOptions,
        folder: URL? = nil, group: any ProcessGroup = SingleProcess(), peak: ComputePeak? = nil,
        origin: String? = nil
    ) throws {
        try options.validate()
        self.model = model
        self.loss = loss
        self.source = source
        self.options = options
        self.folder = folder
        self.origin = origin
        self.group = group
        self.peak = peak
        arithmetic = StepArithmetic(model)
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
        model.dropout = options.dropout
        guard model.dropout == options.dropout else {
            throw TrainingError(.options, "dropout \(options.dropout): this kind of model drops nothing")
        }
        optimizer = try Self.optimizer(parameters, of: model, options: options)
        schedule = Schedule(
            options.schedule, peak: options.learningRate, warmUp: options.warmUp, total: options.steps,
            floor: options.floor)
        checkpoints =
            group.isFirst ? try folder.map { try CheckpointFolder($0.appending(path: "checkpoints")) } : nil
        for (_, parameter) in parameters { parameter.value = try parameter.value.requireGradient(true) }
        exchange = try GradientExchange(parameters.map(\.parameter), group: group)
        try resume()
        try shareState()
    }

    /// Decay falls on matrices; vectors (norms, biases) and, unless asked for, embeddings have none. Muon takes the matrices of
    /// the layers.
    private static func optimizer(
        _ parameters: [(name: String, parameter: Parameter)], of model: any LanguageModels.Decoder,
        options: TrainingOptions
    ) throws -> any Optimizer {
        func decays(_ name: String, _ parameter: Parameter) -> Bool {
            parameter.value.rank >= 2 && (options.decaysEmbeddings || !model.isEmbedding(name))
        }
        func isInside(_ name: String) -> Bool { name.contains("layers.") || name.contains(".h.") }
        let matrices =
            options.optimizer == .muon ? parameters.filter { $0.parameter.value.rank == 2 && isInside($0.name) } : []
        let taken = Set(matrices.map(\.name))
        let others = parameters.filter { !taken.contains($0.name) }
        let adamW = try AdamW(
            groups: [
                (parameters: others.filter { decays($0.name, $0.parameter) }, weightDecay: options.weightDecay),
                (parameters: others.filter { !decays($0.name, $0.parameter) }, weightDecay: 0),
            ].filter { !$0.parameters.isEmpty }, betas: (options.beta1, options.beta2), epsilon: options.epsilon)
        guard options.optimizer == .muon else { return adamW }
        return try Muon(matrices: matrices, weightDecay: options.weightDecay, rest: adamW)
    }

    // MARK: - Running

    /// Trains to the last step, or until early stopping ends the run: the model then has the best weights.
    /// - Parameters:
    ///   - onStep: Called after each step, in the first process.
    ///   - evaluate: Figures of the model by name, asked for every `evaluateEvery` steps; they are logged as `eval/NAME`, and
    ///     early stopping may watch one. Of several processes the first one's count.
    ///   - shouldStop: Asked before each step. When it says yes a checkpoint is written and `CancellationError` thrown;
    ///     a run in the same folder then goes on from there.
    /// - Throws: `TrainingError` `diverged` with step and documents named; the weights are then those before the step
    ///   and the last checkpoint is untouched. `file` when a checkpoint cannot be written.
    @discardableResult
    public func run(
        onStep: (StepMetrics) throws -> Void = { _ in }, evaluate: (() throws -> [String: Double])? = nil,
        shouldStop: () -> Bool = { Task.isCancelled }
    ) throws -> TrainingSummary {
        let place = group.isFirst ? folder : nil
        let log = try place.map { try MetricsLog($0.appending(path: "metrics.jsonl"), after: step) }
        let events = try place.map { try EventLog(in: $0, after: step) }
        var last: StepMetrics?
        var seconds = 0.0
        var tokens = 0
        let first = step
        while step < options.steps, !stopping.hasStopped {
            if try group.any(shouldStop()) {
                try save()
                throw CancellationError()
            }
            var metrics = try trainStep()
            let isLast = step == options.steps
            var isBest = false
            let isAsked = options.evaluateEvery > 0 && (isLast || step % options.evaluateEvery == 0)
            // A step's own figures can be stopped by without any other.
            if isAsked, evaluate != nil || options.earlyStopping != nil {
                if let evaluate { metrics.evaluation = try agreed(evaluate()) }
                isBest = try noteBest(metrics)
            }
            try log?.append(metrics)
            try events?.append(metrics)
            if group.isFirst { try onStep(metrics) }
            last = metrics
            seconds += metrics.wall.seconds
            tokens += metrics.tokens
            let isDue = options.checkpointEvery > 0 && step % options.checkpointEvery == 0
            if !isLast, !stopping.hasStopped, isDue || isBest { try save() }
        }
        if step > first { try save() }
        if stopping.hasStopped {
            try restoreBest()
            for (_, parameter) in parameters { try group.broadcast(parameter.value) }
        }
        return TrainingSummary(
            steps: step, resumedFrom: resumedFrom, last: last, seconds: seconds, tokens: tokens,
            epochs: source.epochs(after: step), bestStep: stopping.hasStopped ? stopping.bestStep : nil)
    }

    /// The first process's figures, so that all come to the same decision.
    private func agreed(_ figures: [String: Double]) throws -> [String: Double] {
        guard group.size > 1 else { return figures }
        let names = figures.keys.sorted()
        let values = try group.sum(names.map { group.isFirst ? figures[$0] ?? 0 : 0 })
        return Dictionary(uniqueKeysWithValues: zip(names, values))
    }

    /// One optimiser step.
    public func trainStep() throws -> StepMetrics {
        let began = clock.now
        let rows = try source.rows(step: step)
        // Several processes need a micro-batch each.
        let most = min(options.rowsPerMicroBatch, max(1, (rows.count + group.size - 1) / group.size))
        let batches = stride(from: 0, to: rows.count, by: most).map { start in
            let part = rows[start..<min(start + most, rows.count)]
            return Batch(
                rows: part.map { row in row.map { source.examples[$0] } }, padID: model.configuration.padID ?? 0,
                numbers: part.flatMap { $0 })
        }
        // Several processes: armed before the passes that complete the last micro-batch's gradients.
        var isLastOfShare = false
        var context = LossContext(
            model: model, batches: batches, rowsPerMicroBatch: most, device: device,
            compute: options.compute, chunkLength: options.lossChunk,
            draws: SeededGenerator(seed: options.seed).fork("draws", step))
        context.isShared = group.size > 1
        context.beforeLastPasses = { [exchange] in if isLastOfShare { try exchange.arm() } }
        var begun = try loss.begin(context)
        let supervised = begun.supervised
        guard supervised > 0 else {
            throw TrainingError(
                .data, "step \(step + 1) has no token that \(loss.summary) learns from (\(names(rows)))")
        }
        var sums = LossSums()
        try optimizer.zeroGradients()
        let filled = begun.batches.filter { !$0.targets.isEmpty }
        let share = group.share(of: filled.count)
        model.recomputesLayers = options.recomputesLayers
        defer {
            model.recomputesLayers = false
            model.dropoutSeed = nil
        }
        for (number, batch) in filled.enumerated() {
            guard share.contains(number) else {
                begun.skip(batch)
                continue
            }
            isLastOfShare = number == share.upperBound - 1
            var draws = SeededGenerator(seed: options.seed).fork("dropout", step).fork("batch", number)
            model.dropoutSeed = draws.next()
            let hidden = try model.predictorStates(of: batch, on: device, compute: options.compute.dtype)
            sums += try begun.backward(hidden: hidden, batch: batch)
        }
        if group.size > 1 {
            try exchange.finish()
            sums.numbers = try group.sum(sums.numbers)
        }
        let norm = try clipGradients(parameters.map(\.parameter), maximumNorm: options.clip)
        try check(sums, norm: norm, rows: rows)
        let rate = schedule.rate(at: step)
        try optimizer.step(learningRate: rate)
        step += 1
        let tokens = begun.batches.reduce(0) { $0 + $1.tokenCount }
        let spent = (clock.now - began) / .seconds(1)
        let shareOfPeak = peak.map { peak in
            let lengths = rows.joined().map { source.examples[$0].count }
            return arithmetic.operations(lengths: lengths, supervised: supervised)
                / (max(spent, 1e-9) * peak.operationsPerSecond * Double(group.size))
        }
        return StepMetrics(
            step: step, loss: sums.loss, ce: sums.positive, ct: sums.negative,
            pplGood: sums.goodCrossEntropy.map(exp), pplBad: sums.badCrossEntropy.map(exp),
            logpsChosen: sums.chosenLogProbability, logpsRejected: sums.rejectedLogProbability, margin: sums.margin,
            gradientNorm: norm,
            learningRate: rate, tokens: tokens, supervised: supervised, epochs: source.epochs(after: step),
            wall: .init(
                seconds: spent, tokensPerSecond: Double(tokens) / max(spent, 1e-9), shareOfPeak: shareOfPeak))
    }

    /// Tokens of a step's documents.
    func lengths(step: Int) throws -> [Int] {
        try source.rows(step: step).joined().map { source.examples[$0].count }
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
            options: options, loss: loss.summary, source: source.summary, data: fingerprint, origin: origin)
    }

    /// Writes a checkpoint of the steps done; nothing when there is no folder, or in another process than the first.
    public func save() throws {
        guard let checkpoints else { return }
        try checkpoints.write(
            step: step, identity: identity, stopping: stopping,
            weights: parameters.map { ($0.name, $0.parameter.value) }, optimizer: optimizer.state())
    }

    private func resume() throws {
        guard let checkpoints, let found = try checkpoints.latest() else { return }
        try found.identity.requireSame(as: identity, file: found.folder.path)
        try load(found.folder)
        try optimizer.load(
            state: TensorFile.read(found.folder.appending(path: CheckpointFolder.optimizerName), device: device))
        step = found.step
        resumedFrom = found.step
        stopping = found.stopping
        // Nothing is left to do then but to have the best weights.
        if stopping.hasStopped { try restoreBest() }
    }

    private func load(_ folder: URL) throws {
        let weights = try TensorFile.read(folder.appending(path: CheckpointFolder.weightsName), device: device)
        try withoutGradients {
            for (name, parameter) in parameters {
                guard let saved = weights[name], saved.shape == parameter.value.shape else {
                    throw TrainingError(.checkpoint, "\(folder.path): \(name) is missing or of another shape")
                }
                try parameter.value.copy(from: saved)
            }
        }
    }

    /// Gives every process the first one's weights and place in the run: files need to be on one machine only.
    private func shareState() throws {
        guard group.size > 1 else { return }
        for (_, parameter) in parameters { try group.broadcast(parameter.value) }
        let state = try optimizer.state()
        for name in state.keys.sorted() { if let tensor = state[name] { try group.broadcast(tensor) } }
        try optimizer.load(state: state)
        // No number says "none": the sum of one number and zeros is that number.
        let own: [Double] = [Double(step), stopping.hasStopped ? 1 : 0, Double(stopping.misses), stopping.best ?? .nan]
        let numbers = try group.sum(group.isFirst ? own : own.map { _ in 0 })
        step = Int(numbers[0])
        resumedFrom = step
        guard !group.isFirst else { return }
        stopping.hasStopped = numbers[1] > 0
        stopping.misses = Int(numbers[2])
        stopping.best = numbers[3].isNaN ? nil : numbers[3]
    }

    // MARK: - Early stopping

    /// Takes note of an evaluation; says whether it is the best so far.
    private func noteBest(_ metrics: StepMetrics) throws -> Bool {
        guard let rule = options.earlyStopping else { return false }
        guard let value = metrics.figures.first(where: { $0.name == rule.metric })?.value else {
            throw TrainingError(
                .options,
                "early_stopping.metric \(rule.metric) is no figure of this run; there are "
                    + metrics.figures.map(\.name).joined(separator: ", "))
        }
        guard stopping.note(value, step: step, rule: rule) else { return false }
        if checkpoints == nil { bestWeights = try parameters.map { try $0.parameter.value.detach().clone() } }
        return true
    }

    /// The weights that had the best figure, from their checkpoint or from memory; all processes then have the first one's.
    private func restoreBest() throws {
        if let best = stopping.bestStep, let checkpoints {
            try load(checkpoints.folder(of: best))
        } else {
            try withoutGradients {
                for (weights, item) in zip(bestWeights, parameters) { try item.parameter.value.copy(from: weights) }
            }
        }
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
    /// The step whose weights the model has, when early stopping ended the run.
    public var bestStep: Int?

    public var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}
