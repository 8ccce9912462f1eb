import ArgumentParser
import Conversations
import Foundation
import Improvement
import Simulation
import Storage

struct QuickstartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quickstart",
        abstract: "The whole loop on the bundled sample log, then the improved bot at a local address.",
        discussion: """
            Reads Samples/chat-log.jsonl (600 simulated people, three in ten of them trolls), improves Models/loam-sample in
            three rounds, shows before and after with the exact judge of the simulated world beside the reward model, writes
            report.html and serves the bot that passed the gate. Cut off, it goes on where it stopped.

            Example: loam quickstart --no-serve
            """)

    @Option(name: .long, help: "The run's folder.")
    var out = "runs/quickstart"

    @Flag(name: .long, inversion: .prefixedNo, help: "Serve the bot at the end.")
    var serve = true

    @Option(name: .long, help: "The port of the page.")
    var port = 8080

    @Option(name: .long, help: "The log.")
    var log: String?

    @Option(name: .long, help: "The model to improve.")
    var model: String?

    @OptionGroup var loop: LoopOptions
    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    func validate() throws { try PortCheck.requirePort(port) }

    func run() async throws {
        let other = try loop.other(store: nil)
        let store = other?.store ?? out + "/store.sqlite"
        var configuration = ImproveConfiguration(
            logs: [log ?? PlaceOptions.beside("Samples/chat-log.jsonl")], format: "loam", store: store,
            model: model ?? PlaceOptions.beside("Models/loam-sample"), encoder: places.encoderFolder)
        configuration.world = true
        configuration.keptNames = World.publicNames
        configuration.evaluation.folds = 1
        // Enough that a gate which asks for certainty about rare unsafe replies can be passed by a model that has few.
        configuration.evaluation.prompts = 1_000
        try loop.apply(to: &configuration)
        let registry = try ModelRegistry(URL(filePath: out + "/registry"))
        let console = common.console
        var improvement = ImprovementLoop(
            configuration: configuration, folder: try RunFolder(URL(filePath: out)), registry: registry,
            codeVersion: Version.number, now: { Date() }, onEvent: console.show)
        improvement.beginsWith = other?.folder
        // The server, which comes after it, ends by signals in its own way.
        let begun = improvement
        let result = try await Interruption.cancelling { try await begun.run() }
        console.show(result.summary)
        try console.result(result.report)
        guard serve else { return }
        let serving = try registry.serving()
        console.say(
            serving == nil ? "the new model did not pass the gate: the base is served" : "serving \(serving?.id ?? "")")
        try await PageServing(
            model: URL(filePath: serving?.path ?? configuration.model), modelID: serving?.id ?? "base",
            store: StoreLocation(store),
            encoder: places.encoderFolder, sampling: configuration.evaluation.sampling, port: port,
            threads: loop.threads, registry: registry
        ).run()
    }
}
