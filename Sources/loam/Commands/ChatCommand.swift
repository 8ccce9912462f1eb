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
            /good, /bad REASON, /say WHAT IT SHOULD HAVE SAID, /undo, /quit. Thumbs land in the store as those of the page do.

            Example: loam chat --model models/base --store chats.sqlite
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var places: PlaceOptions

    func run() async throws {
        let generator = try model.open()
        let safety = try SafetyGuard(
            encoder: SentenceEncoder(folder: URL(filePath: places.encoderFolder), dtype: .bfloat16))
        let agent = DialogueAgent(generator: generator, safety: safety)
        let store = try await store.location.open()
        try await TerminalChat(agent: agent, store: store, sampling: model.sampling).run()
    }
}
