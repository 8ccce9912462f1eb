import ArgumentParser
import Conversations
import Foundation
import Generation
import Improvement
import Simulation
import Storage
import Torch

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "A deployment in a box: simulated people chat and vote; the truth is written beside it.",
        discussion: """
            Without --model the people talk with the small world's own bot. With --dialogues only talk is written, no votes:
            a corpus to pre-train on.

            Example: loam simulate --people 600 --trolls 0.3 --seed 2026 --out chat-log.jsonl
            """)

    @Option(name: .long, help: "How many people talk.")
    var people = 600

    @Option(name: .long, help: "Share of people who are adversarial.")
    var trolls = 0.3

    /// How the people vote.
    enum Votes: String, ExpressibleByArgument, CaseIterable {
        case sample, paper

        var habits: VotingHabits {
            switch self {
            case .sample: .sample
            case .paper: .paper
            }
        }
    }

    @Option(
        name: .long,
        help:
            "sample: one reply in three gets a thumb, 93 % of honest likes and 88 % of dislikes are right; paper: as in BB3x, one in ten, 70 % and 79 %."
    )
    var votes: Votes = .sample

    @Option(name: .long, help: "Write this many dialogues without votes instead.")
    var dialogues: Int?

    @Option(name: .long, help: "With --dialogues: multiplies how often the bot errs; 1 is about 15 % of its replies.")
    var flaws = 1.0

    @Option(name: .long, help: "The log; the truth goes to the same name with .truth.jsonl.")
    var out: String

    @Option(name: .long, help: "Folder of a model that they talk with.")
    var model: String?

    @Option(name: .long, help: "Makes the run repeatable.")
    var seed: UInt64 = 2026

    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var conversations: Int
        var file: String
    }

    func run() async throws {
        guard people > 0, (0...1).contains(trolls) else {
            throw ValidationError("--people must be at least 1 and --trolls from 0 to 1")
        }
        guard flaws >= 0, flaws.isFinite else { throw ValidationError("--flaws must be 0 or more") }
        guard flaws == 1 || dialogues != nil else { throw ValidationError("--flaws goes with --dialogues") }
        if let dialogues {
            guard dialogues > 0 else { throw ValidationError("--dialogues must be at least 1, it is \(dialogues)") }
            guard model == nil else {
                throw ValidationError("--dialogues goes without --model: the small world's own bot talks in them")
            }
        }
        let world = try World()
        let file = URL(filePath: out)
        if let dialogues {
            let report = try PretrainingCorpus(world, seed: seed, flawScale: flaws).write(dialogues, to: file)
            common.console.say("\(report)")
            try common.console.result(Answer(conversations: dialogues, file: out))
            return
        }
        var settings = DeploymentSettings.sample
        settings.seed = seed
        settings.people = people
        settings.adversarialShare = trolls
        settings.votes = votes.habits
        let outcome: Deployment.Outcome
        if let model {
            settings.recordsGeneration = true
            outcome = try await Deployment(world, settings).run(
                ReplyGenerator(
                    folder: URL(filePath: model), dtype: ReplyGenerator.fastestType(URL(filePath: model))))
        } else {
            outcome = try await Deployment(world, settings).run(WorldBot(world, vocabulary: .seen))
        }
        let truth = file.deletingPathExtension().appendingPathExtension("truth.jsonl")
        try outcome.write(log: file, truth: truth)
        try common.console.result(Answer(conversations: outcome.conversations.count, file: out))
        common.console.show(
            "\(outcome.conversations.count) conversations in \(out); the truth in \(truth.lastPathComponent)")
    }
}

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks the installation and says what to do about each fault.",
        discussion: "Example: loam doctor")

    @Option(name: .long, help: "The port that `loam serve` is to take.")
    var port = 8080

    @OptionGroup var places: PlaceOptions
    @OptionGroup var registry: RegistryOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Check: Encodable {
        var part: String
        var fine: Bool
        var says: String
    }

    func validate() throws {
        try PortCheck.requirePort(port)
    }

    func run() async throws {
        var checks: [Check] = []
        func check(_ part: String, _ advice: String, _ body: () async throws -> String) async {
            do {
                checks.append(Check(part: part, fine: true, says: try await body()))
            } catch {
                checks.append(Check(part: part, fine: false, says: "\(error) — \(advice)"))
            }
        }
        await check("engine", "run Scripts/setup, or set LOAM_LIBTORCH") {
            let product = try Tensor([1.0, 2.0], shape: [1, 2]).matmul(Tensor([3.0, 4.0], shape: [2, 1])).item()
            guard product == 11 else { throw ImprovementFault(description: "1·3 + 2·4 came to \(product)") }
            return
                "libtorch \(Engine.version), \(Engine.threadCount) threads, CUDA \(Engine.isCUDAAvailable ? "there" : "not there")"
        }
        await check("encoder", "run Scripts/setup, or set LOAM_ENCODER") {
            let encoder = try SentenceEncoder(folder: URL(filePath: places.encoderFolder))
            let vectors = try await encoder.encode(["a cat sleeps", "the kitten naps", "stock prices fell"])
            func close(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
            guard close(vectors[0], vectors[1]) > close(vectors[0], vectors[2]) else {
                throw ImprovementFault(description: "\(places.encoderFolder): similar sentences are not similar")
            }
            return "\(places.encoderFolder), \(encoder.dimension) numbers a text"
        }
        await check("store", "choose another --store") {
            if case .file(let path) = store.location, !FileManager.default.fileExists(atPath: path) {
                return "\(store.name) is not there yet; it will be made"
            }
            let counts = try await store.location.open().counts()
            return "\(store.name): \(counts.conversations) conversations of \(counts.users) people"
        }
        await check("registry", "choose another --registry") {
            let registry = try registry.open()
            return
                "\(registry.url.path): \(try registry.entries().count) models, serving \(try registry.serving()?.id ?? "none")"
        }
        await check("port", "choose another --port for `loam serve`") { try PortCheck.text(of: port) }
        try common.console.result(checks)
        for check in checks { common.console.show("\(check.fine ? "ok   " : "FAULT") \(check.part): \(check.says)") }
        if checks.contains(where: { !$0.fine }) { throw ExitCode(1) }
    }
}
