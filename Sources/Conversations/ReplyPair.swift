/// Two replies to the same history of which people preferred one.
public struct ReplyPair: Sendable, Hashable {
    /// How it is known.
    public enum Evidence: String, Sendable, Hashable, CaseIterable {
        /// A person wrote what it should have said.
        case correction
        /// One of two regenerated replies was liked, the other disliked.
        case votes
        /// The conversation went on from one of several regenerated replies.
        case kept
        /// One model's reply won over another's.
        case battle
    }

    public var messageID: String
    /// Whose word it is.
    public var userID: String
    public var context: [Turn]
    public var chosen: String
    public var rejected: String
    public var evidence: Evidence

    public init(
        messageID: String, userID: String, context: [Turn], chosen: String, rejected: String, evidence: Evidence
    ) {
        self.messageID = messageID
        self.userID = userID
        self.context = context
        self.chosen = chosen
        self.rejected = rejected
        self.evidence = evidence
    }
}

extension Conversation {
    /// Places of the messages on the way to the last one: the conversation without the replies that were dropped. Of several
    /// replies at the end it is the one that the person went back to, else the newest.
    public var mainPath: [Int] {
        guard let head = headPlace else { return [] }
        return path(to: head) + [head]
    }

    /// The replies that answer the same message as this one, itself included, in order; empty for a person's message.
    public func siblings(of messageID: String) -> [Message] {
        guard let place = messages.firstIndex(where: { $0.id == messageID }), messages[place].sender == .bot else {
            return []
        }
        return siblingPlaces(of: place).map { messages[$0] }
    }

    /// All pairs that people's words make: corrections against the replies they correct, and among regenerated replies the
    /// liked against the disliked, the kept against the dropped, a battle's winner against its loser. Canned and empty
    /// replies are left out, and so are pairs of equal texts.
    public var replyPairs: [ReplyPair] {
        var pairs: [ReplyPair] = []
        func add(_ place: Int, _ user: String, _ chosen: String, _ rejected: String, _ evidence: ReplyPair.Evidence) {
            guard chosen != rejected, !chosen.isEmpty, !rejected.isEmpty else { return }
            pairs.append(
                ReplyPair(
                    messageID: messages[place].id, userID: user, context: turns(before: place), chosen: chosen,
                    rejected: rejected, evidence: evidence))
        }
        func isUsable(_ place: Int) -> Bool {
            messages[place].sender == .bot && !messages[place].isCanned && !messages[place].text.isEmpty
        }
        for place in messages.indices where isUsable(place) {
            for feedback in messages[place].feedback {
                if let better = feedback.correction {
                    add(place, feedback.userID, better, messages[place].text, .correction)
                }
            }
        }
        guard messages.contains(where: { $0.parentID != nil }) else { return pairs }
        let parents = parents
        var groups: [Int: [Int]] = [:]
        for place in messages.indices where isUsable(place) { groups[parents[place] ?? -1, default: []].append(place) }
        let kept = Set(mainPath)
        let hasChild = Set(parents.compactMap { $0 })
        for (_, group) in groups.sorted(by: { $0.key < $1.key }) where group.count > 1 {
            for a in group {
                for b in group where a != b {
                    if let user = voter(for: a, against: b) {
                        add(a, user, messages[a].text, messages[b].text, .votes)
                    } else if isWinner(a, over: b) {
                        add(a, userID, messages[a].text, messages[b].text, .battle)
                    } else if kept.contains(a), hasChild.contains(a), !kept.contains(b), !hasChild.contains(b),
                        voter(for: b, against: a) == nil, !isWinner(b, over: a), !areEqual(a, b)
                    {
                        add(a, userID, messages[a].text, messages[b].text, .kept)
                    }
                }
            }
        }
        return pairs
    }

    /// Someone who liked one and disliked the other.
    private func voter(for a: Int, against b: Int) -> String? {
        messages[a].feedback.first { liked in
            liked.rating == .like
                && messages[b].feedback.contains { $0.userID == liked.userID && $0.rating == .dislike }
        }?.userID
    }

    private func isWinner(_ a: Int, over b: Int) -> Bool { isLabelled(a, "winner") && isLabelled(b, "loser") }

    /// Someone saw both side by side and found neither better: that the talk had to go on from one of them says nothing.
    private func areEqual(_ a: Int, _ b: Int) -> Bool {
        ["tie", ReplyGroup.bothBad].contains { isLabelled(a, $0) && isLabelled(b, $0) }
    }

    private func isLabelled(_ place: Int, _ label: String) -> Bool {
        messages[place].annotations.contains { $0.source == ReplyGroup.battleSource && $0.label == label }
    }
}
