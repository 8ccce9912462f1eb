import LanguageModels
import Statistics
import Torch

/// What a trainer minimises: a `TokenLoss`, which is a sum over tokens, or a `SequenceLoss`, which looks at whole replies.
public protocol TrainingLoss: Sendable {
    /// Name and settings: the same text means the same loss.
    var summary: String { get }
    /// Weights of its own that are learned with the model's (DIRECTOR's head), under names that the model does not use.
    var namedParameters: [(name: String, parameter: Parameter)] { get }
    /// Begins an optimiser step: works out what depends on all of its documents.
    func begin(_ context: LossContext) throws -> any LossStep
}

extension TrainingLoss {
    public var namedParameters: [(name: String, parameter: Parameter)] { [] }
}

/// What a loss is told at the beginning of an optimiser step.
public struct LossContext {
    public let model: any LanguageModels.Decoder
    /// All micro-batches of the step.
    public let batches: [Batch]
    public let rowsPerMicroBatch: Int
    public let device: Device
    /// Number type of the forward and backward pass.
    public let compute: TrainingOptions.ComputeType
    /// Most supervised tokens whose logits exist at once.
    public let chunkLength: Int
    /// Random numbers of this step.
    public let draws: SeededGenerator
    /// Called before the backward passes that complete a micro-batch's gradients: those after it add to each weight's gradient
    /// as often in every step. Gradients are handed to other processes from then on.
    public var beforeLastPasses: () throws -> Void = {}
    /// Whether other processes wait for the gradients: then the head runs in passes of its own even where one would do.
    public var isShared = false

    public init(
        model: any LanguageModels.Decoder, batches: [Batch], rowsPerMicroBatch: Int = 16, device: Device = .cpu,
        compute: TrainingOptions.ComputeType, chunkLength: Int = 2048, draws: SeededGenerator = SeededGenerator(seed: 0)
    ) {
        self.model = model
        self.batches = batches
        self.rowsPerMicroBatch = rowsPerMicroBatch
        self.device = device
        self.compute = compute
        self.chunkLength = chunkLength
        self.draws = draws
    }
}

/// One optimiser step of a loss. It is shown each of its `batches` once, in order.
public protocol LossStep {
    /// The micro-batches to run: those of the context unless the loss makes its own (repetition unlikelihood does).
    var batches: [Batch] { get }
    /// Tokens that it learns from; none is an error.
    var supervised: Int { get }
    /// Forward and backward from hidden states to the parameters.
    /// - Parameter hidden: `[n, H]`, the states that predict the batch's supervised tokens, part of the model's graph.
    mutating func backward(hidden: Tensor, batch: Batch) throws -> LossSums
    /// Passes over a batch that another process runs: what is drawn for it is drawn here too.
    mutating func skip(_ batch: Batch)
}

extension LossStep {
    public mutating func skip(_ batch: Batch) {}
}

/// A step of a loss that is a sum over tokens.
struct TokenLossStep: LossStep {
    let batches: [Batch]
    let supervised: Int
    private let loss: any TokenLoss
    private let model: any LanguageModels.Decoder
    private let chunked: ChunkedLoss
    private let divisors: (positive: Double, negative: Double)
    private var draws: SeededGenerator

    init(_ loss: any TokenLoss, _ context: LossContext) {
        self.loss = loss
        batches = context.batches
        model = context.model
        chunked = ChunkedLoss(
            loss: loss, chunkLength: context.chunkLength, isUniform: context.isShared,
            beforeLast: context.beforeLastPasses)
        let labels = batches.flatMap(\.labels)
        divisors = loss.divisors(labels: labels, weights: batches.flatMap(\.weights))
        let carried = loss.positiveLabels.union(loss.negativeLabels)
        supervised = labels.count { carried.contains($0) }
        draws = context.draws
    }

    mutating func skip(_ batch: Batch) {
        if loss.needsDraws { for _ in batch.targets { _ = draws.uniform() } }
    }

    mutating func backward(hidden: Tensor, batch: Batch) throws -> LossSums {
        let uniforms = loss.needsDraws ? batch.targets.map { _ in draws.uniform() } : nil
        return try chunked.backward(model: model, hidden: hidden, batch: batch, divisors: divisors, uniforms: uniforms)
    }
}
