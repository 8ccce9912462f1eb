import Conversations
import Foundation
import Statistics

/// One arm of a comparison: what a model, with one way of decoding, was judged to be worth on the shared prompts.
public struct ArmResult: Sendable, Hashable, Codable {
    /// `base`, `base, greedy`, `SFT on good`, `round 2`: unique in its table.
    public var name: String
    /// Whether it tells of another model than the base, or only of another decoding.
    public var isModel: Bool
    /// Share of replies that the judge calls good.
    public var good: Interval
    /// Share of replies with each fault, of all replies; largest first in `sortedReasons`.
    public var reasons: [String: Interval]
    /// Share of unsafe replies.
    public var unsafe: Interval
    /// Share that an exact judge calls good, where there is one (a made-up world).
    public var truth: Interval?
    /// Perplexity of liked replies of held-out people, per token.
    public var likedPerplexity: Double?
    /// Mean log-probability per token of liked replies less that of disliked ones, in nats.
    public var margin: Double?
    /// What was counted in the replies.
    public var metrics: ReplyMetrics
    /// Perplexity of the replies under the base model: exp of minus the mean over replies of log-probability per token.
    /// Much above the base's own means nonsense.
    public var coherencePerplexity: Double?
    /// Share of odd replies, of all: those that the base finds less likely, per token, than 19 in 20 replies that
    /// people liked, and those that have no likelihood, such as empty ones. Nonsense lands there; `nil` where no liked
    /// replies were held out.
    public var odd: Double?
    /// Per prompt: what `good` and `unsafe` average, for paired comparison.
    public var goodByPrompt: [Double]
    public var unsafeByPrompt: [Double]
    /// Per prompt the person or conversation it comes from: intervals draw these whole.
    public var clusters: [String]

    enum CodingKeys: String, CodingKey {
        case name, good, reasons, unsafe, truth, margin, metrics, odd, clusters
        case isModel = "is_model"
        case likedPerplexity = "liked_perplexity"
        case coherencePerplexity = "coherence_perplexity"
        case goodByPrompt = "good_by_prompt"
        case unsafeByPrompt = "unsafe_by_prompt"
    }

    /// One reply and its verdicts.
    public struct Judged: Sendable, Hashable {
        /// The person or conversation the prompt comes from.
        public var cluster: String
        public var sample: ReplyMetrics.Sample
        /// 1 or 0; a probability where the judge's should be averaged as it is.
        public var good: Double
        /// The fault, for a reply that is not good.
        public var reason: String?
        public var isUnsafe: Bool
        /// Mean log-probability per token under the base, in nats.
        public var coherence: Double?
        /// An exact judge's verdict.
        public var truth: Bool?

        public init(
            cluster: String, sample: ReplyMetrics.Sample, good: Double, reason: String? = nil, isUnsafe: Bool,
            coherence: Double? = nil, truth: Bool? = nil
        ) {
            self.cluster = cluster
            self.sample = sample
            self.good = good
            self.reason = reason
            self.isUnsafe = isUnsafe
            self.coherence = coherence
            self.truth = truth
        }
    }

    /// - Parameters:
    ///   - replies: One per prompt, in the prompts' order, which is the same for every arm of a table.
    ///   - likedPerplexity: `nil` where it was not measured; a number that is not finite counts as not measured.
    ///   - oddBelow: Mean log-probability per token under the base below which a reply counts as odd.
    /// - Throws: `EvaluationError` when there are no replies, `StatisticsError` when a verdict is not a finite number.
    public init(
        name: String, isModel: Bool, replies: [Judged], likedPerplexity: Double? = nil, margin: Double? = nil,
        oddBelow: Double? = nil, bootstrap: Bootstrap = Bootstrap()
    ) throws {
        guard !replies.isEmpty else { throw EvaluationError(.empty, "the arm “\(name)” has no replies") }
        let clusters = replies.map(\.cluster)
        func share(_ value: (Judged) -> Double) throws -> Interval {
            try bootstrap.share(replies.map(value), clusters: clusters)
        }
        self.name = name
        self.isModel = isModel
        self.clusters = clusters
        goodByPrompt = replies.map(\.good)
        unsafeByPrompt = replies.map { $0.isUnsafe ? 1 : 0 }
        good = try share(\.good)
        unsafe = try share { $0.isUnsafe ? 1 : 0 }
        var reasons: [String: Interval] = [:]
        for reason in Set(replies.compactMap(\.reason)) { reasons[reason] = try share { $0.reason == reason ? 1 : 0 } }
        self.reasons = reasons
        truth = replies.contains { $0.truth != nil } ? try share { $0.truth == true ? 1 : 0 } : nil
        self.likedPerplexity = likedPerplexity.flatMap { $0.isFinite ? $0 : nil }
        self.margin = margin.flatMap { $0.isFinite ? $0 : nil }
        metrics = try ReplyMetrics(replies.map(\.sample))
        let coherences = replies.compactMap(\.coherence).filter(\.isFinite)
        let mean = coherences.reduce(0, +) / Double(max(1, coherences.count))
        coherencePerplexity = coherences.isEmpty ? nil : exp(-mean)
        odd = oddBelow.flatMap { limit in
            // Left out, replies without a word would make an arm that falls silent look ordinary.
            let ordinary = replies.count { reply in reply.coherence.map { $0 >= limit } ?? false }
            return coherences.isEmpty ? nil : 1 - Double(ordinary) / Double(replies.count)
        }
    }

    /// Faults, most frequent first.
    public var sortedReasons: [(reason: String, share: Interval)] {
        reasons.map { (reason: $0.key, share: $0.value) }
            .sorted { ($1.share.estimate, $0.reason) < ($0.share.estimate, $1.reason) }
    }
}
