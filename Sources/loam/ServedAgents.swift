import Dialogue
import Foundation
import Generation
import Storage
import Torch

/// Opens models the way a server was told to: with its safety layers, its memory and its search. The encoder is opened once.
struct ServedAgents: Sendable {
    private let encoder: SentenceEncoder
    private let safety: SafetyGuard
    private let store: any ConversationStore
    private let bot: BotOptions?
    private let packing: PackedWeight.Bits?

    /// - Parameter encoder: the sentence encoder's folder.
    init(encoder: String, store: any ConversationStore, bot: BotOptions?, packing: PackedWeight.Bits?) throws {
        let place = URL(filePath: encoder)
        self.encoder = try SentenceEncoder(folder: place, dtype: .bfloat16)
        safety = try SafetyLayers.open(self.encoder, folder: place, tuned: bot?.safety)
        self.store = store
        self.bot = bot
        self.packing = packing
    }

    /// A bot that answers with the model in a folder.
    func agent(_ folder: URL, _ id: String?) throws -> DialogueAgent {
        func open() throws -> ReplyGenerator {
            try ReplyGenerator(folder: folder, modelID: id, dtype: .bfloat16, packing: packing)
        }
        if let bot {
            return try bot.agent(
                generator: open, folder: { folder }, encoder: encoder, safety: safety, store: store)
        }
        return try DialogueAgent(generator: open(), safety: safety)
    }
}
