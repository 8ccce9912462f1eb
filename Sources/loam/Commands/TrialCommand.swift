import ArgumentParser
import Evaluation
import Foundation
import Improvement
import Server
import Statistics
import Storage

struct TrialCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trial",
        abstract: "Tries a model on a share of the people beside the one that serves.",
        discussion: """
            Each person stays with one model. `loam serve` stops the trial by itself when people of the tried model get unsafe
            replies or complain more often; `loam promote` or `loam trial end` ends it.

            Example: loam trial start 3f9a2c81d0e4 --share 0.1
            """,
        subcommands: [Start.self, Status.self, End.self])

    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begins a trial.", discussion: "Example: loam trial start 3f9a2c81d0e4 --share 0.1")

        @Argument(help: "The model's id, as `loam models` lists it.")
        var id: String

        @Option(name: .long, help: "Share of the people who talk to it, 0 to 1.")
        var share = 0.1

        @Option(name: .long, help: "Chance that a harmless model is ever stopped, by whichever guard-rail.")
        var level = 0.05

        @Flag(name: .long, help: "Even though it did not pass the gate.")
        var force = false

        @OptionGroup var registry: RegistryOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let trial = try registry.open().startTrial(of: id, share: share, level: level, at: Date(), force: force)
            try common.console.result(trial)
            common.console.show(
                "\(trial.model) is tried beside \(trial.base) once `loam serve` is started anew; `loam trial status` tells how it goes"
            )
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Likes, dislikes and guard-rails of both models so far.",
            discussion: "Example: loam trial status --store chats.sqlite")

        @OptionGroup var store: StoreOptions
        @OptionGroup var registry: RegistryOptions
        @OptionGroup var common: CommonOptions

        struct Answer: Encodable {
            /// `nil` where none was ever begun.
            var trial: ModelRegistry.Trial?
            var comparison: LiveComparison?
        }

        func run() async throws {
            let console = common.console
            let registry = try registry.open()
            guard let trial = try registry.lastTrial() else {
                try console.result(Answer())
                console.show("no trial yet; `loam trial start ID` begins one")
                return
            }
            let end = try registry.end(of: trial)
            let watch = TrialWatch(
                store: try await store.location.openExisting(), assignment: try trial.assignment(),
                start: trial.startedAt, level: trial.level, now: { end ?? Date() })
            let comparison = try await watch.look()
            try console.result(Answer(trial: trial, comparison: comparison))
            console.show(
                "\(trial.model) beside \(trial.base), \(Int((100 * trial.share).rounded())) % of the people: "
                    + (trial.outcome ?? (end == nil ? "running" : "over")))
            guard let comparison else {
                console.show("one of the two has had nobody yet")
                return
            }
            for arm in [comparison.base, comparison.trial] {
                console.show(
                    "\(arm.model): \(arm.people) people, \(arm.replies) replies, liked \(Self.percent(arm.liked)), "
                        + "disliked \(Self.percent(arm.disliked))")
            }
            for rail in comparison.guardRails {
                console.show(
                    String(
                        format: "%@: %.1f %% of the people against %.1f %%, p = %.3f%@", rail.name,
                        100 * rail.trialRate, 100 * rail.baseRate, rail.pValue, rail.isAlarm ? ", stop" : ""))
            }
        }

        private static func percent(_ value: Interval) -> String {
            String(format: "%.2f %% (%.2f–%.2f)", 100 * value.estimate, 100 * value.lower, 100 * value.upper)
        }
    }

    struct End: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends the running trial; everybody gets the model that serves.",
            discussion: "Example: loam trial end")

        @OptionGroup var registry: RegistryOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let registry = try registry.open()
            let running = try registry.trial()
            try registry.endTrial(outcome: "ended", at: Date())
            try common.console.result(try registry.lastTrial())
            common.console.show(running.map { "the trial of \($0.model) is over" } ?? "no trial runs")
        }
    }
}
