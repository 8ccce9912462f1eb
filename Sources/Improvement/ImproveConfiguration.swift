import Conversations
import Evaluation
import Foundation
import Storage

/// Every setting of a run of the loop, fixed before it starts and kept as `run.json` beside its results.
///
/// The gate's rule and the decoding are part of it on purpose: neither may be chosen after the figures are seen.
public struct ImproveConfiguration: Sendable, Codable, Equatable {
    /// Log files, or folders of them, read in order; empty where the store already has the conversations.
    public var logs: [String]
    /// Name of a `LogFormat`.
    public var format: String
    /// What a log that says nothing of consent allows; `nil` is the format's own rule.
    public var consent: Consent?
    /// Where the conversations live: an SQLite file or `postgres://…`. Of the latter `run.json` keeps no user, password or options.
    public var store: String
    /// Folder of the model to improve.
    public var model: String
    /// Folder of the sentence encoder.
    public var encoder: String
    /// Names that de-identification leaves alone: the bot's own, the operator's brand. Without them a bot that people greet by
    /// name learns that it is called somebody else in every conversation.
    public var keptNames: [String]
    /// Whether de-identification finds names by the encoder too; `nil`, as in runs from before there was a choice, is no.
    public var findsNames: Bool?
    /// CRINGE rounds.
    public var iterations: Int
    public var loss: Loss
    public var seed: UInt64
    public var threads: Int
    /// Name of the trust method.
    public var trust: String
    /// A file of replies that raters judged, `item,label` (`loam annotate --anchors`), for the method `joint` to go by.
    public var anchors: String?
    public var training: TrainingSettings
    public var labels: LabelSettings
    public var evaluation: EvaluationSettings
    public var gate: GateRule
    /// True when the log comes from the small world, whose exact judge then stands beside the reward model.
    public var world: Bool

    /// What pushes bad replies down.
    public enum Loss: String, Sendable, Codable, CaseIterable {
        /// CRINGE as published (2211.05826).
        case cringe
        /// CRINGE whose contrastive term leaves alone what the model already finds unlikely or is sure of: see
        /// `docs/methods.md`. Small models turn incoherent under the published form.
        case maskedCringe = "masked-cringe"
        /// Unlikelihood on bad replies (1908.04319).
        case unlikelihood
        /// A per-token classifier beside the language-model head that steers generation (2206.07694).
        case director
        /// Pairs: corrections, and in each round the better against the worse of two replies drawn from the model that it
        /// starts from, which is also the reference (2305.18290, iterated).
        case dpo
        /// Single replies; the reference is the base in every round (2402.01306).
        case kto
        /// Good replies alone.
        case sft
    }

    public struct TrainingSettings: Sendable, Codable, Equatable {
        /// Optimizer steps per round.
        public var steps = 60
        /// Steps of the arm that learns from good replies alone; `nil` gives it those of one round. As many as all rounds together
        /// make the comparison one of equal compute.
        public var sftSteps: Int?
        /// Good replies per step; as many bad ones.
        public var half = 48
        public var learningRate = 3e-4
        public var warmUp = 6
        public var clip = 1.0
        /// Weight of the contrastive or unlikelihood term.
        public var alpha = 0.3
        /// The contrastive term acts on tokens to which the model gives less than this (masked CRINGE only).
        public var probabilityMask = 0.5
        /// Candidates of the contrastive term.
        public var k = 1
        /// Share of the way from a round's first weights to its last that the round's model takes (`WeightInterpolation`); `nil`,
        /// as in runs from before there was a choice, is all of it.
        public var interpolation: Double? = 1
        public var checkpointEvery = 20

        enum CodingKeys: String, CodingKey {
            case steps, half
            case sftSteps = "sft_steps"
            case warmUp = "warm_up"
            case learningRate = "learning_rate"
            case clip, alpha
            case probabilityMask = "probability_mask"
            case k, interpolation
            case checkpointEvery = "checkpoint_every"
        }
    }

    public struct LabelSettings: Sendable, Codable, Equatable {
        /// A reply without a trusted vote is good above this calibrated probability …
        public var goodAbove = 0.8
        /// … and bad below this one.
        public var badBelow = 0.3
        /// Nothing that people would call rude or inappropriate is learnt as good, whoever liked it, and it may be bad for that from so many
        /// nats beyond where they begin to call it so; `nil`, as in runs from before there was such a rule, is no such rule.
        public var rudeFrom: Double? = 0.5
        /// A vote counts as it stands when the trust in it is at least this.
        public var trustedFrom = 0.5
        /// At most this many replies are labelled by the reward model (0: none).
        public var mostLabelled = 4_000
        /// Replies that each later round draws from the training prompts.
        public var generations = 1_200
        /// At most this many prompts that end in an insult get several replies in each later round, which are held against each
        /// other; `nil`, as in runs from before there was such a step, is none.
        public var provokedPrompts: Int? = 200
        /// Replies that are drawn to each of them.
        public var provokedDraws: Int? = 5
        /// Copies of one good reply that a round may hold (the paper's cap).
        public var copies = 2
        /// True where trusted votes and corrections are all that is learnt from: no reply is labelled by the reward model, none is drawn, and
        /// it contradicts no vote. An arm to compare with, in which trust has to do alone what the reward model does otherwise; `nil`, as in
        /// runs from before there was a choice, is no.
        public var votesAlone: Bool?
        /// True where a reply in the log that the person answered is labelled by what they said next too; `nil`, as in runs from before
        /// there was a choice, is no. People whom trust does not believe are not listened to.
        public var nextMessage: Bool?

        enum CodingKeys: String, CodingKey {
            case goodAbove = "good_above"
            case badBelow = "bad_below"
            case rudeFrom = "rude_from"
            case trustedFrom = "trusted_from"
            case mostLabelled = "most_labelled"
            case generations, copies
            case provokedPrompts = "provoked_prompts"
            case provokedDraws = "provoked_draws"
            case votesAlone = "votes_alone"
            case nextMessage = "next_message"
        }
    }

    public struct EvaluationSettings: Sendable, Codable, Equatable {
        /// Histories of held-out people that every arm answers.
        public var prompts = 400
        /// Histories of the judge's people by which the candidate is chosen among the rounds.
        public var validationPrompts = 300
        /// The decoding that people will meet; arms that differ only in decoding say so in their name.
        public var sampling = Sampling(temperature: 1, topP: 0.95, maximumTokens: 40)
        /// Temperatures at which the untrained base stands beside the arms, so that sharpening is not mistaken for learning.
        public var baseTemperatures = [0.7, 0.5, 0]
        public var bootstraps = 1_000
        /// Folds over people in which the reward model is tested; 1 tests it once, on the held-out group.
        public var folds = 5

        enum CodingKeys: String, CodingKey {
            case prompts, sampling
            case validationPrompts = "validation_prompts"
            case baseTemperatures = "base_temperatures"
            case bootstraps, folds
        }
    }

    public init(logs: [String], format: String, store: String, model: String, encoder: String) {
        self.logs = logs
        self.format = format
        self.store = store
        self.model = model
        self.encoder = encoder
        keptNames = []
        iterations = 3
        loss = .maskedCringe
        seed = 0
        threads = 2
        trust = "joint"
        training = TrainingSettings()
        labels = LabelSettings()
        evaluation = EvaluationSettings()
        gate = GateRule()
        world = false
    }

    /// What is left of the settings without those that a stage names as its own (`Stage.settings`): runs that agree in it may have stages in
    /// common, up to the first that one of them does otherwise.
    var beforeStages: Self {
        let plain = Self(logs: [], format: format, store: "", model: "", encoder: "")
        var left = self
        (left.logs, left.store, left.model, left.encoder, left.anchors) = ([], "", "", "", nil)
        (left.iterations, left.loss, left.trust) = (plain.iterations, plain.loss, plain.trust)
        // Without the rule about people, as before there was one: runs from then still have their stages in common.
        (left.training, left.labels, left.gate) = (plain.training, plain.labels, GateRule(minimumPeople: nil))
        left.evaluation.prompts = plain.evaluation.prompts
        left.evaluation.validationPrompts = plain.evaluation.validationPrompts
        left.evaluation.baseTemperatures = plain.evaluation.baseTemperatures
        return left
    }

    /// The store for messages: a database's without user and password.
    var storeName: String { StoreLocation(store).name }

    /// As it may be kept in a file: a database's address without user, password and options.
    var withoutPassword: Self {
        guard case .postgres = StoreLocation(store) else { return self }
        var plain = self
        plain.store = storeName
        return plain
    }

    /// Names of the fields in which two runs differ.
    func differences(from other: Self) throws -> [String] {
        func fields(_ value: Self) throws -> [String: JSONValue] {
            guard case .object(let object) = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
            else { return [:] }
            return object
        }
        let (mine, theirs) = (try fields(self), try fields(other))
        return Set(mine.keys).union(theirs.keys).filter { mine[$0] != theirs[$0] }.sorted()
    }
}
