import ArgumentParser
import Conversations
import Dialogue
import Foundation
import Generation
import Storage
import Torch

struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Talk in the terminal.",
        discussion: """
            /good, /bad REASON, /say WHAT IT SHOULD HAVE SAID, /undo, /agree, /disagree, /memory, /memory N NEW WORDS,
            /forget N, /forget all, /look, /quit. Thumbs land in the store as those of the page do.

            Example: loam chat --model models/base --store chats.sqlite --look-inside
            """)

    @Flag(name: .long, help: "Show what led to each reply: decisions, query, documents, memory, safety verdicts.")
    var lookInside = false

    @OptionGroup var model: ModelOptions
    @OptionGroup var bot: BotOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var places: PlaceOptions

    func validate() throws { try model.draw.requireRanges() }

    func run() async throws {
        let place = URL(filePath: places.encoderFolder)
        let encoder = try SentenceEncoder(folder: place, dtype: Device.cpu.matrixType)
        let store = try await store.location.open()
        let agent = try bot.agent(
            generator: model.open, folder: model.folder, encoder: encoder,
            safety: SafetyLayers.open(encoder, folder: place, tuned: bot.safety), store: store)
        let sampling = try model.sampling(of: bot.endpoint == nil ? model.folder() : nil)
        try await TerminalChat(agent: agent, store: store, sampling: sampling, looksInside: lookInside).run()
    }
}
