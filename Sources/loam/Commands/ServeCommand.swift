import ArgumentParser
import Conversations
import Foundation
import Improvement

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "The web page and the API.",
        discussion: """
            People chat, press thumbs and say why; it lands in the store, where the next `loam improve --store` finds it.
            Without --model the registry decides: the model that serves, and beside it the one of a running `loam trial`. While
            none serves yet, the model that ships with Loam does.

            Once `loam accounts add` has made an account, operators find /admin and raters /rate.

            Example: loam serve --model models/base --store chats.sqlite --port 8080
            """)

    @Option(name: .long, help: "The port; 0 takes a free one.")
    var port = 8080

    @Option(name: .long, help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(name: .long, help: "Share of turns answered twice, for the person to choose, 0 to 1.")
    var compareShare = 0.0

    @OptionGroup var model: ModelOptions
    @OptionGroup var bot: BotOptions
    @OptionGroup var api: APIOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var places: PlaceOptions
    @OptionGroup var office: OfficeOptions

    func validate() throws {
        try PortCheck.requirePort(port)
        try model.draw.requireRanges()
        guard (0...1).contains(compareShare) else { throw ValidationError("--compare-share must be from 0 to 1.") }
    }

    func run() async throws {
        // Behind an endpoint no model of ours answers, so none need be here and no registry decides.
        let isRemote = bot.endpoint != nil
        let registry = isRemote || model.model != nil ? nil : try model.registry.open()
        let folder = try isRemote ? model.model.map { URL(filePath: $0) } : model.folder()
        try await PageServing(
            model: folder, modelID: registry?.serving()?.id,
            store: store.location, encoder: places.encoderFolder, sampling: model.sampling(of: folder), host: host,
            port: port, threads: model.threads, registry: registry,
            packing: model.packing(), guidance: model.guidance, bot: bot, compareShare: compareShare,
            office: office.choices, api: api
        ).run()
    }
}
