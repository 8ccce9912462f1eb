import ArgumentParser
import Conversations
import Dialogue
import Foundation
import Generation
import Hummingbird
import Improvement
import Logging
import Server
import Storage
import Torch

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "The web page and the API.",
        discussion: """
            People chat, press thumbs and say why; it lands in the store, where the next `loam improve --store` finds it.

            Example: loam serve --model models/base --store chats.sqlite --port 8080
            """)

    @Option(name: .long, help: "The port; 0 takes a free one.")
    var port = 8080

    @Option(name: .long, help: "The address to listen on.")
    var host = "127.0.0.1"

    @OptionGroup var model: ModelOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var places: PlaceOptions

    func run() async throws {
        try await PageServing(
            model: model.folder(), modelID: model.model == nil ? model.registry.open().serving()?.id : nil,
            store: URL(filePath: store.path), encoder: places.encoderFolder, sampling: model.sampling, host: host,
            port: port,
            threads: model.threads
        ).run()
    }
}

/// Serves one model with one store until it is told to stop.
struct PageServing {
    var model: URL
    var modelID: String?
    var store: URL
    var encoder: String
    var sampling: Sampling
    var host = "127.0.0.1"
    var port: Int
    var threads: Int

    func run() async throws {
        try Engine.setThreadCount(threads)
        var logger = Logger(label: "loam.server")
        logger.logLevel = .notice
        let modelHost = ModelHost(.loading)
        let server = try WebServer(host: modelHost, store: SQLiteStore(at: store), sampling: sampling, logger: logger)
        let console = Console(json: false)
        let (model, modelID, address) = (model, modelID, host)
        let loading = Task {
            do {
                let generator = try ReplyGenerator(folder: model, modelID: modelID, dtype: .bfloat16)
                let safety = try SafetyGuard(encoder: SentenceEncoder(folder: URL(filePath: encoder), dtype: .bfloat16))
                await modelHost.become(.ready(DialogueAgent(generator: generator, safety: safety)))
            } catch {
                console.say("the model could not be loaded: \(error)")
                await modelHost.become(.failed("\(error)"))
            }
        }
        defer { loading.cancel() }
        let application = server.application(hostname: host, port: port) { port in
            console.say("talk to it at http://\(address):\(port)/  (Ctrl-C ends it)")
        }
        try await application.runService()
    }
}
