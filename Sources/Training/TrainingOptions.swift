import Torch

/// How a model is trained. Settings are grouped by purpose; the defaults suit small models on a CPU.
public struct TrainingOptions: Sendable, Hashable, Codable {
    /// Number type of the forward and backward pass; weights and optimiser state stay float32.
    public enum ComputeType: String, Sendable, Hashable, Codable, CaseIterable {
        case bfloat16, float32

        /// What the device multiplies fastest (`Device.matrixType`).
        public static func fastest(on device: Device = .cpu) -> Self {
            device.matrixType == .bfloat16 ? .bfloat16 : .float32
        }

        public var dtype: DType {
            switch self {
            case .bfloat16: .bfloat16
            case .float32: .float32
            }
        }
    }

    /// What moves the weights.
    public enum OptimizerKind: String, Sendable, Hashable, Codable, CaseIterable {
        /// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101).
        case adamW = "adamw"
        /// Muon for the matrices of the layers, AdamW for all else.
        case muon
    }

    // How long and how fast
    /// Optimiser steps in all, those before a resume included.
    public var steps: Int
    /// Peak learning rate.
    public var learningRate: Double
    /// Steps over which the rate rises from 0.
    public var warmUp: Int
    /// How the rate goes down after the warm-up.
    public var schedule: Schedule.Kind
    /// The rate at the end as a share of the peak.
    public var floor: Double

    // Optimiser
    public var optimizer: OptimizerKind
    public var weightDecay: Double
    /// Also decay embeddings; norms and biases never are.
    public var decaysEmbeddings: Bool
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double
    /// Gradients longer than this are scaled down to it.
    public var clip: Double
    /// Share of the embeddings, and of what each part of a layer adds to them, that is dropped in each pass (Srivastava et al.
    /// 2014), so that a model which sees its data many times does not learn it by heart.
    public var dropout: Double

    // Cost
    /// Rows per forward pass; a step of more rows accumulates gradients. The result does not depend on it.
    public var rowsPerMicroBatch: Int
    /// Most supervised tokens whose logits exist at once. The result does not depend on it.
    public var lossChunk: Int
    public var compute: ComputeType
    /// Keep one layer's inner values at a time and compute them again for the gradient (gradient checkpointing): less memory,
    /// a third more time, the same result.
    public var recomputesLayers: Bool

    // When to stop, and what is measured on the way
    /// Evaluate every so many steps, and after the last; 0 never does.
    public var evaluateEvery: Int
    /// Stop before the last step when a figure no longer gets better; `nil` never does.
    public var earlyStopping: EarlyStopping?

    // Safety net
    /// A checkpoint every so many steps, and one at the end; 0 keeps the one at the end only.
    public var checkpointEvery: Int
    /// Training stops with an error when the mean cross-entropy of wanted tokens exceeds this many nats; `nil` allows
    /// twice that of guessing, `2 ln V`.
    public var divergenceLimit: Double?

    /// Seeds the draws of the loss. The source of batches has its own seed.
    public var seed: UInt64

    public init(
        steps: Int, learningRate: Double = 3e-4, warmUp: Int = 10, schedule: Schedule.Kind = .cosine,
        floor: Double = 0.1, optimizer: OptimizerKind = .adamW,
        weightDecay: Double = 0.1, decaysEmbeddings: Bool = false, beta1: Double = 0.9, beta2: Double = 0.95,
        epsilon: Double = 1e-8, clip: Double = 1, dropout: Double = 0, rowsPerMicroBatch: Int = 16,
        lossChunk: Int = 2048,
        compute: ComputeType = .fastest(), recomputesLayers: Bool = false, evaluateEvery: Int = 0,
        earlyStopping: EarlyStopping? = nil, checkpointEvery: Int = 0, divergenceLimit: Double? = nil, seed: UInt64 = 0
    ) {
        self.steps = steps
        self.learningRate = learningRate
        self.warmUp = warmUp
        self.schedule = schedule
        self.floor = floor
        self.optimizer = optimizer
        self.weightDecay = weightDecay
        self.decaysEmbeddings = decaysEmbeddings
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.clip = clip
        self.dropout = dropout
        self.rowsPerMicroBatch = rowsPerMicroBatch
        self.lossChunk = lossChunk
        self.compute = compute
        self.recomputesLayers = recomputesLayers
        self.evaluateEvery = evaluateEvery
        self.earlyStopping = earlyStopping
        self.checkpointEvery = checkpointEvery
        self.divergenceLimit = divergenceLimit
        self.seed = seed
    }

    /// - Throws: `TrainingError` naming the option outside its range.
    public func validate() throws {
        func require(_ holds: Bool, _ name: String, _ rule: String) throws {
            guard holds else { throw TrainingError(.options, "\(name) must be \(rule)") }
        }
        try require(steps > 0, "steps", "1 or more, is \(steps)")
        try require(learningRate > 0 && learningRate.isFinite, "learning_rate", "above 0, is \(learningRate)")
        try require(warmUp >= 0, "warm_up", "0 or more, is \(warmUp)")
        try require(floor >= 0 && floor <= 1, "floor", "between 0 and 1, is \(floor)")
        try require(weightDecay >= 0 && weightDecay.isFinite, "weight_decay", "0 or more, is \(weightDecay)")
        try require(beta1 >= 0 && beta1 < 1, "beta1", "from 0 up to below 1, is \(beta1)")
        try require(beta2 >= 0 && beta2 < 1, "beta2", "from 0 up to below 1, is \(beta2)")
        try require(epsilon > 0, "epsilon", "above 0, is \(epsilon)")
        try require(clip > 0, "clip", "above 0, is \(clip)")
        try require(dropout >= 0 && dropout < 1, "dropout", "from 0 up to below 1, is \(dropout)")
        try require(rowsPerMicroBatch > 0, "rows_per_micro_batch", "1 or more, is \(rowsPerMicroBatch)")
        try require(lossChunk > 0, "loss_chunk", "1 or more, is \(lossChunk)")
        try require(checkpointEvery >= 0, "checkpoint_every", "0 or more, is \(checkpointEvery)")
        try require(evaluateEvery >= 0, "evaluate_every", "0 or more, is \(evaluateEvery)")
        if let earlyStopping {
            try require(
                earlyStopping.patience > 0, "early_stopping.patience", "1 or more, is \(earlyStopping.patience)")
            try require(
                earlyStopping.minimumImprovement >= 0, "early_stopping.minimum_improvement",
                "0 or more, is \(earlyStopping.minimumImprovement)")
            try require(evaluateEvery > 0, "evaluate_every", "1 or more for early stopping")
        }
    }

    enum CodingKeys: String, CodingKey {
        case steps, schedule, floor, optimizer, beta1, beta2, epsilon, clip, dropout, compute, seed
        case learningRate = "learning_rate"
        case warmUp = "warm_up"
        case weightDecay = "weight_decay"
        case decaysEmbeddings = "decays_embeddings"
        case rowsPerMicroBatch = "rows_per_micro_batch"
        case lossChunk = "loss_chunk"
        case checkpointEvery = "checkpoint_every"
        case divergenceLimit = "divergence_limit"
        case recomputesLayers = "recomputes_layers"
        case evaluateEvery = "evaluate_every"
        case earlyStopping = "early_stopping"
    }
}

extension TrainingOptions {
    /// What a file does not say keeps its default; `steps` must be there.
    public init(from decoder: any Swift.Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init(steps: try box.decode(Int.self, forKey: .steps))
        func read<T: Decodable>(_ key: CodingKeys, _ path: WritableKeyPath<TrainingOptions, T>) throws {
            if let value = try box.decodeIfPresent(T.self, forKey: key) { self[keyPath: path] = value }
        }
        try read(.learningRate, \.learningRate)
        try read(.warmUp, \.warmUp)
        try read(.schedule, \.schedule)
        try read(.floor, \.floor)
        try read(.optimizer, \.optimizer)
        try read(.weightDecay, \.weightDecay)
        try read(.decaysEmbeddings, \.decaysEmbeddings)
        try read(.beta1, \.beta1)
        try read(.beta2, \.beta2)
        try read(.epsilon, \.epsilon)
        try read(.clip, \.clip)
        try read(.dropout, \.dropout)
        try read(.rowsPerMicroBatch, \.rowsPerMicroBatch)
        try read(.lossChunk, \.lossChunk)
        try read(.compute, \.compute)
        try read(.recomputesLayers, \.recomputesLayers)
        try read(.evaluateEvery, \.evaluateEvery)
        earlyStopping = try box.decodeIfPresent(EarlyStopping.self, forKey: .earlyStopping)
        try read(.checkpointEvery, \.checkpointEvery)
        divergenceLimit = try box.decodeIfPresent(Double.self, forKey: .divergenceLimit)
        try read(.seed, \.seed)
    }
}
