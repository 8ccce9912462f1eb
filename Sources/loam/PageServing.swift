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

/// Serves one model, or two in a trial, with one store until it is told to stop.
struct PageServing {
    /// The model's folder; `nil` only where an endpoint answers.
    var model: URL?
    var modelID: String?
    var store: StoreLocation
    var encoder: String
    var sampling: Sampling
    var host = "127.0.0.1"
    var port: Int
    var threads: Int
    /// Where a trial is kept; `nil` serves the one model whatever runs.
    var registry: ModelRegistry?
    /// Bits that the weights are packed into; `nil` leaves that to the generator.
    var packing: PackedWeight.Bits?
    /// Weight of DIRECTOR's classifier; `nil` leaves it to the model.
    var guidance: Double?
    /// How the bot goes about a turn; a plain chat where nobody says.
    var bot: BotOptions?
    /// Share of turns that are answered twice, for the person to choose.
    var compareShare = 0.0
    /// The operator's and the raters' pages, as they were asked for.
    var office = OfficeChoices()
    /// How the API is guarded and reached; as it is by default where nobody says.
    var api: APIOptions?

    func run() async throws {
        try Engine.setThreadCount(threads)
        var logger = Logger(label: "loam.server")
        logger.logLevel = api?.logRequests == true ? .info : .notice
        let modelHost = ModelHost(.loading)
        let store = try await store.open()
        let console = Console(json: false)
        let (model, modelID, address, encoder) = (model, modelID, host, encoder)
        let (registry, packing, guidance, bot, api) = (registry, packing, guidance, bot, api)
        let served = ServedModel(host: modelHost, current: modelID) { entry in
            try ServedAgents(encoder: encoder, store: store, bot: bot, packing: packing, guidance: guidance)
                .served(URL(filePath: entry.path), entry.id, api: api)
        }
        let office = try OfficeServing(
            location: self.store, registry: registry, model: model?.path, encoder: encoder, threads: threads,
            choices: self.office
        ).office(store: store) { try await served.serve($0) }
        let server = try WebServer(
            host: modelHost, store: store, sampling: sampling, compareShare: compareShare, office: office,
            requiresKeys: api?.requireKeys ?? false, proxies: api?.proxies() ?? TrustedProxies(), logger: logger)
        let loading = Task {
            do {
                let agents = try ServedAgents(
                    encoder: encoder, store: store, bot: bot, packing: packing, guidance: guidance)
                let (base, beside) = try agents.served(model, modelID, api: api)
                await modelHost.offer(beside)
                guard let registry, let trial = try registry.trial() else {
                    await modelHost.become(.ready(base))
                    return
                }
                let tried = try agents.agent(URL(filePath: registry.entry(trial.model).path), trial.model)
                let both = TrialAnswerer(base: base, trial: tried, assignment: try trial.assignment())
                await modelHost.become(.ready(both))
                console.say("\(trial.model) is tried on \(Int((100 * trial.share).rounded())) % of the people")
                await TrialServing(registry: registry, trial: trial, store: store, console: console).watch(both)
            } catch {
                // A server that ends while it loads has said why already.
                guard !Task.isCancelled else { return }
                console.say("the model could not be loaded: \(error)")
                await modelHost.become(.failed("\(error)"))
            }
        }
        let following = Task {
            await loading.value
            if let registry { await served.follow(registry, console: console) }
        }
        let tidying = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(30))
                Engine.releaseFreeMemory()
            }
        }
        defer {
            loading.cancel()
            following.cancel()
            tidying.cancel()
        }
        let scheme = api?.tls == nil ? "http" : "https"
        let onRunning: @Sendable (Int) async -> Void = { port in
            console.say("talk to it at \(scheme)://\(address):\(port)/  (Ctrl-C ends it)")
        }
        if let tls = api?.tls {
            try await server.application(hostname: host, port: port, tls: tls, onRunning: onRunning).runService()
        } else {
            try await server.application(hostname: host, port: port, onRunning: onRunning).runService()
        }
    }
}
