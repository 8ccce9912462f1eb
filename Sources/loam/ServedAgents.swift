import ArgumentParser
import Dialogue
import Foundation
import Generation
import Server
import Storage
import Torch

/// Opens models the way a server was told to: with its safety layers, its memory and its search. The encoder is opened once.
struct ServedAgents: Sendable {
    private let encoder: SentenceEncoder
    private let safety: SafetyGuard
    private let store: any ConversationStore
    private let bot: BotOptions?
    private let packing: PackedWeight.Bits?
    private let guidance: Double?

    /// - Parameters:
    ///   - encoder: the sentence encoder's folder.
    ///   - guidance: weight of DIRECTOR's classifier; `nil` leaves it to the model.
    init(
        encoder: String, store: any ConversationStore, bot: BotOptions?, packing: PackedWeight.Bits?,
        guidance: Double? = nil
    ) throws {
        let place = URL(filePath: encoder)
        self.encoder = try SentenceEncoder(folder: place, dtype: Device.cpu.matrixType)
        safety = try SafetyLayers.open(self.encoder, folder: place, tuned: bot?.safety)
        self.store = store
        self.bot = bot
        self.packing = packing
        self.guidance = guidance
    }

    /// A bot that answers with the model in a folder.
    func agent(_ folder: URL?, _ id: String?) throws -> DialogueAgent { try agent(folder, id) { _ in } }

    /// - Parameter onOpening: gets the local model, where one answers.
    private func agent(_ folder: URL?, _ id: String?, onOpening: (ReplyGenerator) -> Void) throws -> DialogueAgent {
        func place() throws -> URL {
            guard let folder else { throw ValidationError("--model is needed where no --endpoint answers") }
            return folder
        }
        func open() throws -> ReplyGenerator {
            let model = try ReplyGenerator(
                folder: place(), modelID: id, dtype: ReplyGenerator.fastestType(place(), packing: packing),
                packing: packing, options: .init(guidance: guidance))
            onOpening(model)
            return model
        }
        if let bot {
            return try bot.agent(
                generator: open, folder: place, encoder: encoder, safety: safety, store: store)
        }
        return try DialogueAgent(generator: open(), safety: safety)
    }

    /// The same with what the API serves beside it.
    func served(_ folder: URL?, _ id: String?, api: APIOptions?) throws -> (bot: DialogueAgent, beside: SideModels) {
        var local: ReplyGenerator?
        let bot = try agent(folder, id) { local = $0 }
        let encoder = encoder
        let beside = SideModels(
            embedding: EmbeddingModel(
                id: api?.embeddingModel ?? APIOptions.usualEmbeddingModel, encoder: encoder,
                maximumTokens: encoder.maximumLength, tokenCount: { encoder.tokenCount(of: $0) }),
            moderation: ModerationModel(safety: safety), reward: try api?.judge(encoder: encoder), completer: local,
            gauge: local)
        return (bot, beside)
    }
}
