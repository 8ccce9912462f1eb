import Conversations
import Foundation

/// A request to `/v1/rewards`: what was said, and one reply or several to judge. Where neither is given the last of the
/// messages is judged, which then must be the assistant's.
struct RewardRequest: Decodable, Sendable {
    /// Most replies of one request.
    static let limit = 64

    var model: String?
    var messages: [CompletionRequest.ChatMessage]
    var reply: String?
    var replies: [String]?

    /// The turns before the replies, and the replies.
    func checked() throws -> (context: [Turn], replies: [String]) {
        guard reply == nil || replies == nil else {
            throw ServerError.invalid("replies", "Send 'reply' or 'replies', not both.")
        }
        var turns = try ChatTurns.of(messages)
        var judged = replies ?? reply.map { [$0] } ?? []
        if reply == nil, replies == nil {
            guard let last = turns.popLast(), last.sender == .bot else {
                throw ServerError.invalid(
                    "messages", "Without 'reply' or 'replies' the last of 'messages' must be the assistant's.")
            }
            judged = [last.text]
        } else if turns.last?.sender == .bot {
            throw ServerError.invalid("messages", "The last of 'messages' must be the user's, whom the replies answer.")
        }
        guard !judged.isEmpty, judged.count <= Self.limit, judged.allSatisfy({ !$0.isEmpty }) else {
            throw ServerError.invalid(
                "replies", "There must be from 1 to \(Self.limit) replies, none of them empty.")
        }
        return (turns, judged)
    }
}

/// The answer of `/v1/rewards`.
struct RewardAnswer: Encodable, Sendable {
    struct Entry: Encodable, Sendable {
        var object = "reward"
        var index: Int
        /// Log-odds of the probability: what a reward model trained on pairs would give.
        var reward: Double
        /// That people like the reply.
        var probability: Double

        init(index: Int, probability: Double) {
            self.index = index
            self.probability = probability
            // JSON knows no infinity; beyond this a double cannot tell a probability from 1.
            let inner = min(max(probability, 1e-15), 1 - 1e-15)
            reward = log(inner / (1 - inner))
        }
    }

    var object = "list"
    var model: String
    var data: [Entry]

    init(model: String, _ probabilities: [Double]) {
        self.model = model
        data = probabilities.enumerated().map { Entry(index: $0, probability: $1) }
    }
}
