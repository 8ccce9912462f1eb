import Conversations
import Evaluation
import Foundation
import Statistics
import Training
import Trust

/// Everything the run found, as `report.json` and as a page. It holds no time and no duration: the same run gives the same
/// bytes.
struct ReportStage: Stage {
    let name = "report"
    let configuration: ImproveConfiguration
    let lineage: Lineage

    var settings: [String: String] { ["version": "3"] }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let table = try RunFolder.read(ComparisonTable.self, from: work.file("table.json", of: "gate"))
        let verdict = try RunFolder.read(GateVerdict.self, from: work.file("verdict.json", of: "gate"))
        let report = ReportData(
            title: "Loam: one turn of the loop",
            subtitle: (configuration.logs.isEmpty ? [configuration.storeName] : configuration.logs)
                .map { URL(filePath: $0).lastPathComponent }.joined(separator: ", ")
                + " · base " + URL(filePath: configuration.model).lastPathComponent,
            verdict: verdict, flow: try flow(work), trust: try trust(work), comparison: table,
            rewardModel: try reward(work), curves: try curves(work), samples: try samples(work),
            provenance: lineage.inputs.sorted { $0.key < $1.key }.map { NamedValue($0.key, $0.value) } + [
                NamedValue("seed", "\(configuration.seed)"), NamedValue("method", configuration.loss.rawValue),
                NamedValue("rounds", "\(configuration.iterations)"), NamedValue("trust method", configuration.trust),
                NamedValue(
                    "decoding",
                    "temperature \(configuration.evaluation.sampling.temperature), top-p \(configuration.evaluation.sampling.topP), at most \(configuration.evaluation.sampling.maximumTokens) tokens"
                ),
            ],
            notes: notes(chosenRound: try work.chosenRound()))
        try report.json().write(to: work.own("report.json"), options: .atomic)
        try Data(HTMLReport(report).html.utf8).write(to: work.own("report.html"), options: .atomic)
        return StageOutcome(unit: "arms", cameIn: table.rows.count, wentOut: table.rows.count)
    }

    private func notes(chosenRound: Int) -> [String] {
        var notes = [
            "Round \(chosenRound) of \(configuration.iterations) is the candidate: the judge liked its replies to its own people best. "
                + "The people by whom the gate decides took no part in that choice.",
            "The judge is a reward model learnt from the votes of people whose votes and conversations the trained model never met; "
                + "the prompts come from a third group of people.",
            "“base, temperature …” is the untrained base with other decoding: what goes beyond it is learning, not sharpening.",
            Self.sftNote(configuration),
        ]
        if configuration.loss == .maskedCringe {
            notes.append(
                "masked-cringe is CRINGE (2211.05826) with an extension: the contrastive term acts only on tokens to which the model "
                    + "gives less than \(configuration.training.probabilityMask). The published form makes small models incoherent."
            )
        }
        if configuration.world {
            notes.append(
                "The log is simulated; the exact judge is code that knows the simulated world and takes no part in the loop."
            )
        }
        return notes
    }

    /// How the arm without bad replies compares with the rounds, in optimizer steps: each round has its own, on top of the one before.
    static func sftNote(_ configuration: ImproveConfiguration) -> String {
        let (rounds, steps) = (configuration.iterations, configuration.training.steps)
        let own = configuration.training.sftSteps ?? steps
        return "SFT on good learns from the log's good replies without the bad ones, in \(own) optimizer steps; "
            + (rounds == 1
                ? "the round takes \(steps)."
                : "each of the \(rounds) rounds takes \(steps), on top of those before it.")
    }

    /// Every finished stage's own words, read from its `done.json`.
    private func flow(_ work: StageWork) throws -> [FlowStage] {
        try work.earlier.map { (name: $0.key, place: $0.value) }.sorted {
            $0.place.lastPathComponent < $1.place.lastPathComponent
        }
        .map { name, place in
            let outcome = try RunFolder.read(StageRunner.Record.self, from: place.appending(path: "done.json")).outcome
            return FlowStage(
                name: name, unit: outcome.unit, cameIn: outcome.cameIn, wentOut: outcome.wentOut,
                dropped: outcome.dropped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                    .init($0.key, $0.value)
                },
                figures: outcome.figures.map { NamedValue($0.name, $0.value) })
        }
    }

    private func trust(_ work: StageWork) throws -> TrustSection {
        let people = try RunFolder.read([UserTrust].self, from: work.file("users.json", of: "trust"))
        let notes = try RunFolder.read([String].self, from: work.file("notes.json", of: "trust"))
        return TrustSection(
            method: configuration.trust, trust: people.map(\.trust), flagged: Self.flagged(people), notes: notes)
    }

    /// Everybody with a flag, least trusted first: the page names some of them, and counts them all.
    static func flagged(_ people: [UserTrust]) -> [TrustSection.FlaggedPerson] {
        people.filter { !$0.flags.isEmpty }.sorted { ($0.trust, $0.user) < ($1.trust, $1.user) }.map { person in
            TrustSection.FlaggedPerson(
                name: String(person.user.prefix(12)), trust: person.trust, votes: person.votes,
                agreement: person.agreement, reasons: person.flags.map(\.reason))
        }
    }

    private func reward(_ work: StageWork) throws -> RewardModelSection {
        let figures = try RunFolder.read(RewardStage.Figures.self, from: work.file("auc.json", of: "reward"))
        return RewardModelSection(
            rankers: figures.rows.enumerated().map { index, row in
                .init(
                    name: row.name, auc: Interval(estimate: row.auc, lower: row.lower, upper: row.upper),
                    isBaseline: index > 0)
            },
            heldOutPeople: figures.people, heldOutVotes: figures.votes,
            notes: [
                "Against the thumbs as they were given, the trolls' among them."
                    + (figures.folds > 1 ? " Cross-validated over people in \(figures.folds) folds." : "")
            ])
    }

    private func curves(_ work: StageWork) throws -> [TrainingCurve] {
        let stages = ["sft"] + (1...configuration.iterations).map { "\(configuration.loss.rawValue)-\($0)" }
        let series = try stages.map { stage in
            let steps = try RunFolder.readLines(StepMetrics.self, from: work.file("metrics.jsonl", of: stage))
            return TrainingCurve.Series(name: stage, steps: steps.map { Double($0.step) }, values: steps.map(\.ce))
        }
        return [
            TrainingCurve(title: "Training", quantity: "cross-entropy on good replies, nats per token", series: series)
        ]
    }

    /// Replies in which the candidate differs most from the base in the judge's eyes, gains and losses both, and some drawn
    /// by place alone.
    private func samples(_ work: StageWork) throws -> [ChangedReply] {
        let prompts = try RunFolder.readLines([Turn].self, from: work.file("prompts.jsonl", of: "evaluate"))
        let arms = try RunFolder.read([ArmResult].self, from: work.file("arms.json", of: "evaluate")).map(\.name)
        guard let last = try arms.firstIndex(of: "round \(work.chosenRound())") else { return [] }
        let before = try RunFolder.read(EvaluateStage.Answers.self, from: work.file("answers-0.json", of: "evaluate"))
        let after = try RunFolder.read(
            EvaluateStage.Answers.self, from: work.file("answers-\(last).json", of: "evaluate"))
        let changed = prompts.indices.filter {
            before.replies[$0] != after.replies[$0] && !before.unsafe[$0] && !after.unsafe[$0]
        }
        let byGain = changed.sorted { (after.good[$0] - before.good[$0], $0) > (after.good[$1] - before.good[$1], $1) }
        let chosen = byGain.prefix(6) + byGain.suffix(min(3, max(0, byGain.count - 6))) + changed.prefix(6)
        var seen: Set<Int> = []
        return chosen.filter { seen.insert($0).inserted }.map {
            ChangedReply(
                context: prompts[$0].suffix(4), before: before.replies[$0], after: after.replies[$0],
                beforeGood: before.good[$0], afterGood: after.good[$0])
        }
    }
}
