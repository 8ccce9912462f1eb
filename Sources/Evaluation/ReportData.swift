import Conversations
import Foundation
import Statistics

/// Everything a run's report shows: `report.json` holds it, `HTMLReport` draws it. A section without data is left out of the
/// page, but for a line that says so.
public struct ReportData: Sendable, Hashable, Codable {
    public var title: String
    /// One line under the title: which logs, which base.
    public var subtitle: String
    /// When it was made, as text; passed in, so that a rerun gives the same report.
    public var madeAt: String?
    public var verdict: GateVerdict?
    /// Stage by stage where the data went.
    public var flow: [FlowStage]
    public var trust: TrustSection?
    public var comparison: ComparisonTable?
    public var rewardModel: RewardModelSection?
    public var curves: [TrainingCurve]
    public var samples: [ChangedReply]
    /// What made it: hashes, configuration, seed, versions.
    public var provenance: [NamedValue]
    /// What a reader must know beside the figures.
    public var notes: [String]

    public init(
        title: String, subtitle: String = "", madeAt: String? = nil, verdict: GateVerdict? = nil,
        flow: [FlowStage] = [],
        trust: TrustSection? = nil, comparison: ComparisonTable? = nil, rewardModel: RewardModelSection? = nil,
        curves: [TrainingCurve] = [], samples: [ChangedReply] = [], provenance: [NamedValue] = [], notes: [String] = []
    ) {
        self.title = title
        self.subtitle = subtitle
        self.madeAt = madeAt
        self.verdict = verdict
        self.flow = flow
        self.trust = trust
        self.comparison = comparison
        self.rewardModel = rewardModel
        self.curves = curves
        self.samples = samples
        self.provenance = provenance
        self.notes = notes
    }

    enum CodingKeys: String, CodingKey {
        case title, subtitle, verdict, flow, trust, comparison, curves, samples, provenance, notes
        case madeAt = "made_at"
        case rewardModel = "reward_model"
    }

    /// The report as JSON with sorted keys: the same data gives the same bytes.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(self)
    }

    /// Reads what `json()` wrote.
    public init(json: Data) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        self = try decoder.decode(ReportData.self, from: json)
    }
}

/// A name with its value, both as shown.
public struct NamedValue: Sendable, Hashable, Codable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// One stage of the loop: what came in, what went out, what was dropped and why.
public struct FlowStage: Sendable, Hashable, Codable {
    public var name: String
    /// What is counted: conversations, votes, replies.
    public var unit: String
    public var cameIn: Int
    public var wentOut: Int
    /// Reason and count, in the order to show.
    public var dropped: [Drop]
    /// Further figures of the stage.
    public var figures: [NamedValue]

    /// Why some did not go on.
    public struct Drop: Sendable, Hashable, Codable {
        public var reason: String
        public var count: Int

        public init(_ reason: String, _ count: Int) {
            self.reason = reason
            self.count = count
        }
    }

    public init(
        name: String, unit: String, cameIn: Int, wentOut: Int, dropped: [Drop] = [], figures: [NamedValue] = []
    ) {
        self.name = name
        self.unit = unit
        self.cameIn = cameIn
        self.wentOut = wentOut
        self.dropped = dropped
        self.figures = figures
    }

    enum CodingKeys: String, CodingKey {
        case name, unit, dropped, figures
        case cameIn = "came_in"
        case wentOut = "went_out"
    }
}

/// Whom the run believed.
public struct TrustSection: Sendable, Hashable, Codable {
    public var method: String
    /// Trust of every person, 0 … 1.
    public var trust: [Double]
    /// People with a flag, least trusted first is best.
    public var flagged: [FlaggedPerson]
    public var notes: [String]

    /// One flagged person, pseudonymous.
    public struct FlaggedPerson: Sendable, Hashable, Codable {
        public var name: String
        public var trust: Double
        public var votes: Int
        public var agreement: Double?
        /// In plain words.
        public var reasons: [String]

        public init(name: String, trust: Double, votes: Int, agreement: Double?, reasons: [String]) {
            self.name = name
            self.trust = trust
            self.votes = votes
            self.agreement = agreement
            self.reasons = reasons
        }
    }

    public init(method: String, trust: [Double], flagged: [FlaggedPerson] = [], notes: [String] = []) {
        self.method = method
        self.trust = trust
        self.flagged = flagged
        self.notes = notes
    }
}

/// How well the reward model ranks held-out people's likes above their dislikes, beside simple baselines.
public struct RewardModelSection: Sendable, Hashable, Codable {
    /// One way of ranking with its ROC AUC.
    public struct Ranker: Sendable, Hashable, Codable {
        public var name: String
        public var auc: Interval
        /// Whether it is a baseline.
        public var isBaseline: Bool

        public init(name: String, auc: Interval, isBaseline: Bool) {
            self.name = name
            self.auc = auc
            self.isBaseline = isBaseline
        }

        enum CodingKeys: String, CodingKey {
            case name, auc
            case isBaseline = "is_baseline"
        }
    }
    public var rankers: [Ranker]
    /// Whose votes it was tested on.
    public var heldOutPeople: Int
    public var heldOutVotes: Int
    public var notes: [String]

    public init(rankers: [Ranker], heldOutPeople: Int, heldOutVotes: Int, notes: [String] = []) {
        self.rankers = rankers
        self.heldOutPeople = heldOutPeople
        self.heldOutVotes = heldOutVotes
        self.notes = notes
    }

    enum CodingKeys: String, CodingKey {
        case rankers, notes
        case heldOutPeople = "held_out_people"
        case heldOutVotes = "held_out_votes"
    }
}

/// A figure over the steps of a training.
public struct TrainingCurve: Sendable, Hashable, Codable {
    /// One line of it.
    public struct Series: Sendable, Hashable, Codable {
        public var name: String
        public var steps: [Double]
        /// As many as steps; what is not finite leaves a gap.
        public var values: [Double]

        public init(name: String, steps: [Double], values: [Double]) {
            self.name = name
            self.steps = steps
            self.values = values
        }
    }
    public var title: String
    /// What the values are, with unit.
    public var quantity: String
    public var series: [Series]

    public init(title: String, quantity: String, series: [Series]) {
        self.title = title
        self.quantity = quantity
        self.series = series
    }
}

/// A prompt that the candidate answers otherwise than the base.
public struct ChangedReply: Sendable, Hashable, Codable {
    public var context: [Turn]
    public var before: String
    public var after: String
    /// The judge's probability of "good", where it is to be shown.
    public var beforeGood: Double?
    public var afterGood: Double?

    public init(context: [Turn], before: String, after: String, beforeGood: Double? = nil, afterGood: Double? = nil) {
        self.context = context
        self.before = before
        self.after = after
        self.beforeGood = beforeGood
        self.afterGood = afterGood
    }

    enum CodingKeys: String, CodingKey {
        case context, before, after
        case beforeGood = "before_good"
        case afterGood = "after_good"
    }
}
