import Conversations
import Foundation
import Hashing

/// What there is to rate, and in which order: a plain value, made from conversations and from what was rated so far.
///
/// Disputed replies come first (people's thumbs differ), then replies of the models that are being compared, then disliked
/// and liked ones. What some rater has begun is finished first, until `raters` of them have seen it.
struct RatingQueue: Sendable {
    /// A reply to put into a category.
    struct Reply: Sendable, Hashable {
        var conversationID: String
        var messageID: String
        var priority: Int

        var item: String { RatingQueue.name("reply", [conversationID, messageID]) }
    }

    /// Two conversations of different models, or two replies to the same words.
    struct Pair: Sendable, Hashable {
        struct Side: Sendable, Hashable {
            var conversationID: String
            /// `nil`: the whole conversation.
            var messageID: String?
            var model: String
        }

        /// In a fixed order; which one stands left differs between raters.
        var a: Side
        var b: Side
        var priority: Int

        var question: PairQuestion { a.messageID == nil ? .talkLonger : .betterReply }
        var item: String {
            RatingQueue.name(
                "pair", [a.conversationID, a.messageID ?? "", b.conversationID, b.messageID ?? ""])
        }
    }

    /// Opaque, the same on every server, and alike for real and known items.
    static func name(_ kind: String, _ parts: [String]) -> String {
        // Lengths keep different parts from running into the same text.
        let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
        return String(SHA256.hex("loam item " + kind + text).prefix(24))
    }

    /// Raters that each item goes to.
    let raters: Int
    private(set) var replies: [String: Reply] = [:]
    private(set) var pairs: [String: Pair] = [:]
    /// Who rated an item.
    private(set) var ratedBy: [String: Set<String>] = [:]
    /// Raters whose words count.
    var reliable: Set<String> = []

    init(raters: Int) { self.raters = max(1, raters) }

    // MARK: Filling

    /// Takes up a conversation's replies.
    /// - Parameter compared: models that are being compared, the newest ones.
    mutating func add(_ conversation: Conversation, compared: Set<String>) {
        for (place, message) in conversation.messages.enumerated()
        where message.sender == .bot && !message.isSafetyControlled && place > 0 && !message.text.isEmpty {
            let ratings = Set(message.feedback.compactMap(\.rating))
            var priority = 0
            if ratings.count > 1 { priority += 8 }
            if let model = message.generation?.model, compared.contains(model) { priority += 4 }
            if ratings.contains(.dislike) { priority += 2 }
            if ratings.contains(.like) { priority += 1 }
            let reply = Reply(conversationID: conversation.id, messageID: message.id, priority: priority)
            replies[reply.item] = reply
        }
        addSiblings(of: conversation)
    }

    /// Replies to the same words in one conversation.
    private mutating func addSiblings(of conversation: Conversation) {
        let answers = conversation.messages.filter { $0.sender == .bot && $0.parentID != nil && !$0.isSafetyControlled }
        for (_, siblings) in Dictionary(grouping: answers, by: { $0.parentID ?? "" }) where siblings.count > 1 {
            let two = siblings.suffix(2).sorted { $0.id < $1.id }
            guard two[0].text != two[1].text else { continue }
            let sides = two.map {
                Pair.Side(
                    conversationID: conversation.id, messageID: $0.id, model: $0.generation?.model ?? "unknown")
            }
            let pair = Pair(a: sides[0], b: sides[1], priority: sides[0].model == sides[1].model ? 1 : 4)
            pairs[pair.item] = pair
        }
    }

    /// Sets conversations of two models side by side: each of the one against one of the other, in an order that has nothing
    /// to do with what was said.
    mutating func add(conversations: [String: [String]], of models: (String, String), most: Int = 200) {
        func shuffled(_ model: String) -> [String] {
            (conversations[model] ?? []).map { (Self.name("order", [$0]), $0) }.sorted { $0 < $1 }.map(\.1)
        }
        for (a, b) in zip(shuffled(models.0), shuffled(models.1)).prefix(most) {
            let pair = Pair(
                a: .init(conversationID: a, model: models.0), b: .init(conversationID: b, model: models.1),
                priority: 2)
            pairs[pair.item] = pair
        }
    }

    mutating func note(_ item: String, ratedBy rater: String) { ratedBy[item, default: []].insert(rater) }

    // MARK: Asking

    /// How often an item was rated by those whose words count.
    func count(_ item: String) -> Int { ratedBy[item, default: []].intersection(reliable).count }

    /// Whether an item still needs somebody.
    private func isOpen(_ item: String, for rater: String, without skipped: Set<String>) -> Bool {
        count(item) < raters && !ratedBy[item, default: []].contains(rater) && !skipped.contains(item)
    }

    /// The next item for a rater; `nil` when there is nothing left for them.
    func next(_ task: RatingTask, for rater: String, skipping skipped: Set<String> = []) -> String? {
        let items: [(item: String, priority: Int)] =
            switch task {
            case .category: replies.map { ($0.key, $0.value.priority) }
            case .pair: pairs.map { ($0.key, $0.value.priority) }
            }
        // What is begun first; equals go by their names, which have nothing to do with what was said.
        func rank(_ entry: (item: String, priority: Int)) -> (Int, Int, String) {
            (count(entry.item) > 0 ? 1 : 0, entry.priority, entry.item)
        }
        return items.filter { isOpen($0.item, for: rater, without: skipped) }.max { rank($0) < rank($1) }?.item
    }

    /// Items that still need somebody, and those that are done.
    func progress(_ task: RatingTask) -> (open: Int, done: Int) {
        let items = task == .category ? Array(replies.keys) : Array(pairs.keys)
        let done = items.count { count($0) >= raters }
        return (items.count - done, done)
    }

    /// How many items a rater has rated, and how many are left for them.
    func progress(_ task: RatingTask, of rater: String) -> (rated: Int, left: Int) {
        let items = task == .category ? Array(replies.keys) : Array(pairs.keys)
        return (
            items.count { ratedBy[$0, default: []].contains(rater) },
            items.count { isOpen($0, for: rater, without: []) }
        )
    }

    /// Whether a pair's second side stands on the left for this rater: half of the time, and always the same.
    static func isSwapped(_ item: String, for rater: String) -> Bool {
        (SHA256.hex("loam sides " + item + " " + rater).utf8.first ?? 0) % 2 == 1
    }
}
