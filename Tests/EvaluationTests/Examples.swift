import Conversations
import Evaluation
import Foundation
import Statistics

/// Made-up results for tests.
enum Examples {
    static let words = [
        "the garden looks lovely today", "tell me more about your cat", "I would plant beans this spring",
        "that sounds like a long trip", "my favourite soup is leek and potato",
    ]

    /// An arm that answers `prompts` prompts of `prompts / 4` people, of which a share is good.
    static func arm(
        _ name: String, good: Double, unsafe: Double = 0, coherence: Double = -2, oddBelow: Double? = nil,
        isModel: Bool = true,
        prompts: Int = 200,
        reply: ((Int) -> String)? = nil, seed: UInt64 = 1
    ) throws -> ArmResult {
        var generator = SeededGenerator(seed: seed)
        let judged = (0..<prompts).map { number -> ArmResult.Judged in
            let isGood = generator.chance(good)
            let text = reply?(number) ?? words[number % 5] + " \(number)"
            return ArmResult.Judged(
                cluster: "person \(number / 4)", sample: .init(reply: text, earlier: ["a quiet day at the lake"]),
                good: isGood ? 1 : 0, reason: isGood ? nil : (number % 3 == 0 ? "off_topic" : "nonsensical"),
                isUnsafe: generator.chance(unsafe), coherence: coherence)
        }
        return try ArmResult(
            name: name, isModel: isModel, replies: judged, likedPerplexity: 12.5, margin: 0.12, oddBelow: oddBelow,
            bootstrap: Bootstrap(replicates: 300))
    }

    static func report(_ text: String = "A plain word") throws -> ReportData {
        let arms = try [
            arm("base", good: 0.62, unsafe: 0.03, seed: 1),
            arm("base, temperature 0.7", good: 0.66, isModel: false, seed: 2),
            arm("base, greedy", good: 0.68, isModel: false, seed: 3),
            arm("SFT on good", good: 0.7, unsafe: 0.02, seed: 4),
            arm("round 1", good: 0.78, unsafe: 0.01, seed: 5), arm(text, good: 0.84, unsafe: 0.01, seed: 6),
        ]
        let table = try ComparisonTable(arms, base: "base", bootstrap: Bootstrap(replicates: 300))
        var generator = SeededGenerator(seed: 3)
        let trust = (0..<240).map { $0 % 5 == 0 ? generator.uniform(0, 0.3) : generator.uniform(0.6, 1) }
        let steps = (0..<60).map { Double($0 * 10) }
        return ReportData(
            title: text, subtitle: "3,000 conversations · a base of 5 million weights \(text)", madeAt: "1 May 2025",
            verdict: try PromotionGate().judge(table, candidate: text),
            flow: [
                FlowStage(
                    name: "import", unit: "conversations", cameIn: 3000, wentOut: 2871,
                    dropped: [.init("no consent \(text)", 92), .init("empty", 37)],
                    figures: [NamedValue("votes", "4,210")]),
                FlowStage(name: "de-identify", unit: "conversations", cameIn: 2871, wentOut: 2871),
                FlowStage(
                    name: "trust \(text)", unit: "votes", cameIn: 4210, wentOut: 3104,
                    dropped: [.init("little trust in the voter", 906), .init("replaced by a later vote", 200)]),
                FlowStage(
                    name: "training set", unit: "votes", cameIn: 3104, wentOut: 2500, dropped: [.init("held out", 604)]),
            ],
            trust: TrustSection(
                method: "user-types", trust: trust,
                flagged: [
                    .init(
                        name: "person \(text)", trust: 0.03, votes: 14, agreement: 0.4,
                        reasons: ["14 of 14 votes are thumbs up, whatever was voted on. \(text)"])
                ], notes: [text]),
            comparison: table,
            rewardModel: RewardModelSection(
                rankers: [
                    .init(
                        name: "reward model", auc: Interval(estimate: 0.74, lower: 0.69, upper: 0.79), isBaseline: false
                    ),
                    .init(
                        name: "encoder, logistic", auc: Interval(estimate: 0.68, lower: 0.62, upper: 0.73),
                        isBaseline: true),
                    .init(
                        name: "TF-IDF \(text)", auc: Interval(estimate: 0.63, lower: 0.57, upper: 0.69),
                        isBaseline: true),
                    .init(
                        name: "reply length", auc: Interval(estimate: 0.52, lower: 0.46, upper: 0.58), isBaseline: true),
                ], heldOutPeople: 48, heldOutVotes: 512),
            curves: [
                TrainingCurve(
                    title: "CRINGE, round 1 \(text)", quantity: "loss per token, nats",
                    series: [
                        .init(name: "likelihood", steps: steps, values: steps.map { 2.5 + 1.5 / (1 + $0 / 60) }),
                        .init(
                            name: "contrastive \(text)", steps: steps, values: steps.map { 0.9 + 0.5 / (1 + $0 / 90) }),
                    ])
            ],
            samples: [
                ChangedReply(
                    context: [
                        Turn(.human, "Do you like soup? \(text)"), Turn(.bot, "I do!"), Turn(.human, "Which kind?"),
                    ],
                    before: "soup soup soup \(text)", after: "Leek and potato, with a lot of pepper. \(text)",
                    beforeGood: 0.11,
                    afterGood: 0.93)
            ], provenance: [NamedValue("seed", "7"), NamedValue("log \(text)", "sha256 \(text)")], notes: [text])
    }
}
