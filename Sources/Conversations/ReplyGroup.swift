/// The bot's replies to one and the same message: several where the person asked for another, or was shown two to choose from.
///
/// What the person made of them is kept as labels on the replies, which travel with the conversation through stores and logs.
public struct ReplyGroup: Sendable, Hashable {
    /// Two replies that were shown side by side.
    public struct Comparison: Sendable, Hashable {
        public enum Outcome: Sendable, Hashable {
            /// Nobody has chosen yet.
            case open
            /// The reply with this id was preferred.
            case preferred(String)
            case bothBad
        }

        /// Ids of the two, from left to right as they were shown.
        public var order: [String]
        public var outcome: Outcome

        public init(order: [String], outcome: Outcome) {
            self.order = order
            self.outcome = outcome
        }
    }

    /// Labels of the person's own choices.
    public static let personSource = "person"
    /// Labels of two replies side by side; those that logs of arenas come with are of this source too.
    public static let battleSource = "arena"
    static let kept = "kept"
    static let shown = "shown"
    static let bothBad = "both_bad"

    /// The replies in the order in which they were made, at least one.
    public var replies: [Message]
    /// Place of the one that the conversation goes on from.
    public var keptPlace: Int
    /// The two among them that were shown side by side, if any.
    public var comparison: Comparison?

    /// The reply that the conversation goes on from.
    public var keptReply: Message { replies[keptPlace] }

    /// Labels for the replies once the person keeps the one with an id, by reply.
    public func labels(keeping id: String) -> [String: [Annotation]] {
        Dictionary(
            replies.map { reply in
                var labels = reply.annotations.filter { !$0.isKept }
                if reply.id == id { labels.append(.kept) }
                return (reply.id, labels)
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Labels for the replies once the person chose between the two side by side; empty where there are no such two.
    /// - Parameter outcome: the choice; of replies that are both bad the one on the left is kept.
    public func labels(choosing outcome: Comparison.Outcome) -> [String: [Annotation]] {
        guard let comparison else { return [:] }
        let keptID: String
        switch outcome {
        case .open: return [:]
        case .preferred(let id):
            guard comparison.order.contains(id) else { return [:] }
            keptID = id
        case .bothBad: keptID = comparison.order[0]
        }
        var result = labels(keeping: keptID)
        for id in comparison.order {
            var labels = (result[id] ?? []).filter { $0.source != Self.battleSource || $0.label == Self.shown }
            let word = outcome == .bothBad ? Self.bothBad : id == keptID ? "winner" : "loser"
            labels.append(Annotation(source: Self.battleSource, label: word, value: 1))
            result[id] = labels
        }
        return result
    }

    /// The label of a reply that is shown beside another: its place from the left, from 0.
    public static func shown(at place: Int) -> Annotation {
        Annotation(source: battleSource, label: shown, value: Double(place))
    }
}

extension Annotation {
    /// The person went back to this reply.
    public static let kept = Annotation(source: ReplyGroup.personSource, label: ReplyGroup.kept, value: 1)

    var isKept: Bool { source == ReplyGroup.personSource && label == ReplyGroup.kept }
}

extension Conversation {
    /// The replies beside a reply of the bot, itself included; `nil` for a person's message and an unknown one.
    public func replyGroup(of messageID: String) -> ReplyGroup? {
        guard let place = messages.firstIndex(where: { $0.id == messageID }), messages[place].sender == .bot else {
            return nil
        }
        let places = siblingPlaces(of: place)
        let replies = places.map { messages[$0] }
        let onWay = Set(mainPath)
        return ReplyGroup(
            replies: replies,
            keptPlace: places.firstIndex { onWay.contains($0) } ?? Self.keptPlace(among: replies),
            comparison: Self.comparison(among: replies))
    }

    /// The conversation as it led to a message: that one and what came before it, without the replies that were dropped.
    public func line(to messageID: String) -> Conversation? {
        guard let place = messages.firstIndex(where: { $0.id == messageID }) else { return nil }
        return line(path(to: place) + [place])
    }

    /// The conversation along `mainPath`: as the person sees it.
    public var mainLine: Conversation { line(mainPath) }

    private func line(_ places: [Int]) -> Conversation {
        if places.count == messages.count { return self }
        var line = self
        line.messages = places.map { messages[$0] }
        return line
    }

    /// Places of the replies that answer the same message as the one at a place.
    func siblingPlaces(of place: Int) -> [Int] {
        // In a plain row every message answers another one.
        guard messages.contains(where: { $0.parentID != nil }) else { return [place] }
        let parents = parents
        return messages.indices.filter { messages[$0].sender == .bot && parents[$0] == parents[place] }
    }

    /// The place of the last turn's reply that is kept; the last message where there is nothing to choose.
    var headPlace: Int? {
        guard let last = messages.last, last.sender == .bot, last.parentID != nil else { return messages.indices.last }
        let places = siblingPlaces(of: messages.count - 1)
        return places[Self.keptPlace(among: places.map { messages[$0] })]
    }

    /// The one that was gone back to last, else the newest.
    private static func keptPlace(among replies: [Message]) -> Int {
        replies.lastIndex { $0.annotations.contains { $0.isKept } } ?? replies.count - 1
    }

    private static func comparison(among replies: [Message]) -> ReplyGroup.Comparison? {
        func labels(_ reply: Message) -> [Annotation] {
            reply.annotations.filter { $0.source == ReplyGroup.battleSource }
        }
        let shown = replies.compactMap { reply in
            labels(reply).first { $0.label == ReplyGroup.shown }.map { (reply, $0.value ?? 0) }
        }.sorted { $0.1 < $1.1 }.map(\.0)
        guard shown.count == 2 else { return nil }
        let winner = shown.first { labels($0).contains { $0.label == "winner" } }
        let isBad = shown.allSatisfy { labels($0).contains { $0.label == ReplyGroup.bothBad } }
        return ReplyGroup.Comparison(
            order: shown.map(\.id),
            outcome: winner.map { .preferred($0.id) } ?? (isBad ? .bothBad : .open))
    }
}
