import Conversations
import Foundation
import Training
import Trust

/// All replies of the bot in a run's de-identified conversations, in a fixed order: what the learning stages read.
struct Corpus: Sendable {
    /// One reply of the model with what came before it.
    struct Item: Sendable {
        /// `conversation/message`: unique in the run.
        var id: String
        /// The conversation's person: splits go by it.
        var userID: String
        var context: [Turn]
        var reply: String
        /// The person's current thumb with its reasons, if any.
        var feedback: Feedback?
        var part: Part
        /// What the person said next, where they went on.
        var next: String?

        var rating: Rating? { feedback?.rating }
    }

    /// Who learns from whom: three groups of people with nobody in common.
    enum Part: String, Sendable, Codable, CaseIterable {
        /// Their votes and prompts train the model, and the reward model that labels for it.
        case learn
        /// Their votes train the reward model that judges, which the trained model never meets.
        case judge
        /// Their conversations are the held-out prompts and votes.
        case test
    }

    static func split(seed: UInt64) throws -> UserSplit {
        try UserSplit([("learn", 0.5), ("judge", 0.3), ("test", 0.2)], salt: "improve-\(seed)")
    }

    var items: [Item]

    /// Reads `conversations.jsonl` as the de-identify stage wrote it.
    init(_ file: URL, seed: UInt64) throws {
        let split = try Self.split(seed: seed)
        let reader = try LogFormat.loam.reader(of: file, options: LogReadingOptions(isStrict: true))
        items = []
        while let event = try reader.next() {
            guard case .conversation(let conversation) = event else { continue }
            let part = Part(rawValue: split.part(of: conversation.userID)) ?? .learn
            for (index, message) in conversation.messages.enumerated()
            where message.sender == .bot && !message.isCanned && !message.text.allSatisfy(\.isWhitespace) {
                items.append(
                    Item(
                        id: conversation.id + "/" + message.id, userID: conversation.userID,
                        context: conversation.turns(before: index), reply: message.text,
                        feedback: message.feedback.first { $0.userID == conversation.userID } ?? message.feedback.first,
                        part: part, next: conversation.nextPersonMessage(after: index)))
            }
        }
    }

    /// Places of the items with a thumb, in order.
    func voted(in part: Part? = nil) -> [Int] {
        items.indices.filter { items[$0].rating != nil && (part == nil || items[$0].part == part) }
    }
}

/// What trust made of one vote: a line of `votes.jsonl`.
struct WeighedVote: Sendable, Codable {
    /// `Corpus.Item.id`.
    var item: String
    var user: String
    var part: Corpus.Part
    var isUp: Bool
    /// Weight of the vote as given, 0 to 1.
    var weight: Double
    /// Probability that the reply is good, from the votes and the content together.
    var probability: Double
}
