import ArgumentParser
import Conversations
import Foundation
import Improvement
import Storage
import Trust

/// Settings of the loop that `improve` and `quickstart` share.
struct LoopOptions: ParsableArguments {
    @Option(name: .long, help: "CRINGE rounds.")
    var iterations = 3

    @Option(
        name: .long,
        help:
            "What pushes bad replies down: \(ImproveConfiguration.Loss.allCases.map(\.rawValue).joined(separator: ", "))."
    )
    var loss: ImproveConfiguration.Loss = .maskedCringe

    @Option(name: .long, help: "The trust method; `loam trust --list` names them.")
    var trust = "joint"

    @Option(name: .long, help: "Makes the run repeatable.")
    var seed: UInt64 = 1

    @Option(name: .long, help: "Threads of libtorch.")
    var threads = 2

    @Option(name: .long, help: "Optimizer steps per round.")
    var steps: Int?

    @Option(
        name: .long,
        help: "Optimizer steps of the arm that learns from good replies alone (default: those of one round).")
    var sftSteps: Int?

    @Option(name: .long, help: "Good replies per step; as many bad ones.")
    var half: Int?

    @Option(name: .long, help: "Histories of held-out people that every arm answers.")
    var prompts: Int?

    @Option(
        name: .long,
        help:
            "At most this many replies without a trusted vote are labelled by the reward model, drawn among all (default: 4000)."
    )
    var labelled: Int?

    @Option(name: .long, help: "Replies that each later round draws from the training prompts.")
    var generations: Int?

    @Flag(
        name: .long,
        help: "Learn from trusted votes and corrections alone: the reward model labels nothing. For comparison.")
    var votesAlone = false

    @Flag(
        name: .long,
        help: "Label replies of the log that people answered by what they said next too: who complains did not like it."
    )
    var nextMessage = false

    @Option(name: .long, help: "Peak learning rate of a round.")
    var learningRate: Double?

    @Option(name: .long, help: "Weight of the term that pushes bad replies down.")
    var alpha: Double?

    @Option(
        name: .long,
        help: "Share of the way from a round's first weights to its last that its model takes: 1 goes all the way.")
    var interpolation: Double?

    @Option(name: .long, help: "Replies that raters judged, columns item,label: see `loam annotate --anchors`.")
    var anchors: String?

    @Option(
        name: .long,
        help: "Folder of another run of the same logs, model and seed: begins with the stages that both do alike.")
    var beginWith: String?

    @OptionGroup var kept: KeptNames

    /// Before anything is done: the run's settings are kept, and a name that was mistyped would be kept with them.
    func validate() throws {
        do {
            _ = try TrustMethods.named(trust)
        } catch let error as TrustError {
            throw ValidationError("--trust: \(error.message)")
        }
    }

    /// The other run to begin with, and the store that holds its conversations.
    /// - Parameter given: The store that was named, if any.
    func other(store given: String?) throws -> (folder: RunFolder, store: String)? {
        guard let beginWith else { return nil }
        guard FileManager.default.fileExists(atPath: beginWith + "/run.json") else {
            throw ValidationError("--begin-with \(beginWith): no run of the loop (there is no run.json)")
        }
        let folder = try RunFolder(URL(filePath: beginWith))
        let store = try given ?? folder.store
        if given == nil, case .postgres = StoreLocation(store) {
            throw ValidationError(
                "give --store too: \(beginWith) keeps no user and password of \(StoreLocation(store).name)")
        }
        return (folder, store)
    }

    func apply(to configuration: inout ImproveConfiguration) throws {
        configuration.iterations = iterations
        configuration.loss = loss
        configuration.trust = trust
        configuration.seed = seed
        configuration.keptNames += kept.names
        configuration.threads = threads
        configuration.anchors = anchors
        if let steps { configuration.training.steps = steps }
        if let sftSteps { configuration.training.sftSteps = sftSteps }
        if let half { configuration.training.half = half }
        if let prompts { configuration.evaluation.prompts = prompts }
        if let labelled { configuration.labels.mostLabelled = labelled }
        if let generations { configuration.labels.generations = generations }
        if nextMessage { configuration.labels.nextMessage = true }
        if votesAlone { configuration.labels.votesAlone = true }
        if let learningRate { configuration.training.learningRate = learningRate }
        if let alpha { configuration.training.alpha = alpha }
        if let interpolation {
            guard interpolation > 0, interpolation <= 1 else {
                throw ValidationError("--interpolation must be above 0 and at most 1, it is \(interpolation)")
            }
            configuration.training.interpolation = interpolation
        }
        for (name, value) in [
            ("iterations", configuration.iterations), ("threads", threads), ("steps", configuration.training.steps),
            ("sft-steps", configuration.training.sftSteps ?? 1),
            ("half", configuration.training.half), ("prompts", configuration.evaluation.prompts),
        ] where value < 1 {
            throw ValidationError("--\(name) must be at least 1, it is \(value)")
        }
        for (name, value) in [
            ("labelled", configuration.labels.mostLabelled), ("generations", configuration.labels.generations),
        ] where value < 0 {
            throw ValidationError("--\(name) must be 0 or more, it is \(value)")
        }
    }
}

extension ImproveConfiguration.Loss: ExpressibleByArgument {}
extension Consent: ExpressibleByArgument {}

struct ImproveCommand: ResumableCommand {
    static let configuration = CommandConfiguration(
        commandName: "improve",
        abstract: "The whole loop on your logs: from votes to a better model and the proof of it.",
        discussion: """
            Every stage says what came in, what was left out and why. A run that is cut off goes on where it stopped when
            the same command is given again. The result is DIR/report.html, DIR/report.json and a candidate model, which
            is promoted only if it passes the gate, and not at all with --no-promote.

            Example: loam improve --log chats.jsonl --from loam --model models/base --out runs/first
            Example: loam improve --store chats.sqlite --out runs/june --no-promote
            """)

    @Option(
        name: .long, parsing: .upToNextOption,
        help: "Log files, or folders of them; none where --store already holds the conversations.")
    var log: [String] = []

    @Option(
        name: .customLong("from"),
        help: "The logs' format: \(LogFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = "loam"

    @Option(name: .long, help: "What a log that does not say allows: none, improve or release.")
    var consent: Consent?

    @Option(
        name: .long, help: "Folder of the model to improve (default: the one that serves, or else the one that ships).")
    var model: String?

    @Option(name: .long, help: "The run's folder.")
    var out: String

    @Option(
        name: .long,
        help:
            "The conversations: an SQLite file or postgres://… (default: LOAM_STORE, or OUT/store.sqlite).")
    var store: String?

    @Flag(inversion: .prefixedNo, help: "Find names by the encoder too when de-identifying.")
    var names = true

    @Flag(
        inversion: .prefixedNo,
        help:
            "Put a candidate that passes the gate in front of people; else it waits for `loam trial start` or `loam promote`."
    )
    var promote = true

    @OptionGroup var loop: LoopOptions
    @OptionGroup var places: PlaceOptions
    @OptionGroup var registry: RegistryOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        do {
            _ = try LogFormat(parsing: format)
        } catch {
            throw ValidationError("--from: \(error)")
        }
    }

    func run() async throws {
        let base = try registry.base(model)
        let registry = try registry.open()
        if log.isEmpty && store == nil {
            throw ValidationError("give --log FILE …, or --store with conversations in it")
        }
        let other = try loop.other(store: store)
        var configuration = ImproveConfiguration(
            logs: log, format: format, store: store ?? other?.store ?? out + "/store.sqlite", model: base,
            encoder: places.encoderFolder)
        configuration.consent = consent
        if names { configuration.findsNames = true }
        try loop.apply(to: &configuration)
        let console = common.console
        var improvement = ImprovementLoop(
            configuration: configuration, folder: try RunFolder(URL(filePath: out)), registry: registry,
            codeVersion: Version.number, now: { Date() }, onEvent: console.show)
        improvement.beginsWith = other?.folder
        improvement.promotes = promote
        let result = try await improvement.run()
        console.show(result.summary)
        if !promote, result.candidate.passedGate {
            console.show(
                "`loam trial start \(result.candidate.id)` shows it to a share of the people, `loam promote` to all of them"
            )
        }
        try console.result(result.report)
    }
}
