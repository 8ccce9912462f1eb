import Conversations
import Deidentification
import Foundation
import Storage

/// Consented, de-identified conversations out of a store, as a log or as lines that trainers read.
public struct DatasetExport: Sendable {
    /// The shapes of `docs/formats.md`.
    public enum Shape: String, Sendable, CaseIterable {
        /// Conversations, one per line.
        case loam
        /// Liked replies with their context: TRL conversational language modelling.
        case sft = "trl-sft"
        /// Every thumb: TRL unpaired preference.
        case kto = "trl-kto"
        /// A correction against the reply it corrects: TRL explicit preference.
        case dpo = "trl-dpo"
    }

    public struct Result: Sendable, Encodable {
        public var file: String
        public var lines: Int
        public var conversations: Int
        public var withoutConsent: Int
    }

    struct Message: Encodable {
        var role: String
        var content: String
        init(_ turn: Turn) {
            role = turn.sender == .bot ? "assistant" : "user"
            content = turn.text
        }
    }
    struct Language: Encodable { var messages: [Message] }
    struct Unpaired: Encodable {
        var prompt: [Message]
        var completion: [Message]
        var label: Bool
    }
    struct Preference: Encodable {
        var prompt: [Message]
        var chosen: [Message]
        var rejected: [Message]
    }

    public var shape: Shape
    /// Names that de-identification leaves alone: the bot's own, the operator's brand.
    public var keptNames: [String]

    public init(shape: Shape, keptNames: [String] = []) {
        self.shape = shape
        self.keptNames = keptNames
    }

    /// Writes one file into `folder`: `conversations.jsonl` or `<shape>.jsonl`, whole or not at all.
    public func run(store: any ConversationStore, to folder: URL, key: URL) async throws -> Result {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var random = SystemRandomNumberGenerator()
        let deidentifier = try Deidentifier(
            key: DeidentificationKey.loadOrCreate(at: key, using: &random), lexicon: Lexicon(kept: keptNames))
        let file = folder.appending(path: shape == .loam ? "conversations.jsonl" : "\(shape.rawValue).jsonl")
        let half = file.appendingPathExtension("part")
        guard FileManager.default.createFile(atPath: half.path, contents: nil) else {
            throw ImprovementError.folder(half.path, "may not be written")
        }
        let handle = try FileHandle(forWritingTo: half)
        var result = Result(file: file.path, lines: 0, conversations: 0, withoutConsent: 0)
        for try await conversation in store.conversations(consent: .none) {
            guard conversation.consent >= .improve else {
                result.withoutConsent += 1
                continue
            }
            result.conversations += 1
            let (clean, _) = deidentifier.deidentify(conversation)
            for line in try lines(of: clean) {
                try handle.write(contentsOf: line + Data("\n".utf8))
                result.lines += 1
            }
        }
        try handle.synchronize()
        try handle.close()
        try? FileManager.default.removeItem(at: file)
        try FileManager.default.moveItem(at: half, to: file)
        return result
    }

    /// The lines of one conversation.
    func lines(of conversation: Conversation) throws -> [Data] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let votes = conversation.votedReplies
        switch shape {
        case .loam: return [Data(conversation.jsonLine.utf8)]
        case .sft:
            return try votes.filter { $0.rating == .like }.map {
                try encoder.encode(Language(messages: ($0.context + [Turn(.bot, $0.reply)]).map(Message.init)))
            }
        case .kto:
            return try votes.compactMap { vote in
                try vote.rating.map {
                    try encoder.encode(
                        Unpaired(
                            prompt: vote.context.map(Message.init), completion: [Message(Turn(.bot, vote.reply))],
                            label: $0 == .like))
                }
            }
        case .dpo:
            return try votes.compactMap { vote in
                guard let correction = vote.correction, correction != vote.reply else { return nil }
                return try encoder.encode(
                    Preference(
                        prompt: vote.context.map(Message.init), chosen: [Message(Turn(.bot, correction))],
                        rejected: [Message(Turn(.bot, vote.reply))]))
            }
        }
    }
}
