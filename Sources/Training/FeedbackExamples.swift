import Conversations

/// What conversations with feedback teach: liked and disliked replies, corrections, siblings of which one was preferred, and
/// what the modules of a turn gave, each weighted by the trust in who said so.
public struct FeedbackExamples: Sendable {
    /// Trust in a vote, 0 or more; a vote without trust teaches nothing.
    public var trust: @Sendable (VotedReply) -> Double
    /// Weight of a pair that only says which of several replies the person went on from; a thumb or a correction has its
    /// vote's own.
    public var keptWeight: Double
    /// Whether queries and knowledge of liked turns are examples too.
    public var includesModules: Bool

    /// What asks a model for the output of a module instead of a reply: the last turn of the context.
    public enum ModulePrompt: String, Sendable, CaseIterable {
        case query = "Query:"
        case searchKnowledge = "Interesting Fact:"
        case memoryKnowledge = "Personal Fact:"
    }

    public init(
        keptWeight: Double = 0.5, includesModules: Bool = false,
        trust: @escaping @Sendable (VotedReply) -> Double = { _ in 1 }
    ) {
        self.trust = trust
        self.keptWeight = keptWeight
        self.includesModules = includesModules
    }

    /// Examples and pairs of one conversation.
    /// - Parameter file: Where it comes from, for messages.
    public func data(of conversation: Conversation, file: String = "store") -> TrainingData {
        var data = TrainingData()
        let family = Family(conversation)
        let votes = conversation.votedReplies.map { (vote: $0, trust: trust($0)) }.filter { $0.trust > 0 }
        for (vote, weight) in votes {
            let correction = vote.correction.flatMap { $0.allSatisfy(\.isWhitespace) || $0 == vote.reply ? nil : $0 }
            if let correction {
                data.examples.append(
                    Sourced(
                        Example(context: vote.context, reply: correction, label: .good, weight: weight), file: file))
                data.pairs.append(
                    Sourced(
                        PreferencePair(context: vote.context, chosen: correction, rejected: vote.reply, weight: weight),
                        file: file))
            }
            var judged = vote
            // Who says what the bot should have said did not like what it said, thumb or not.
            if vote.rating == nil, correction != nil { judged.rating = .dislike }
            guard var example = Example(judged, weight: weight) else { continue }
            if example.label == .bad {
                let better = [correction].compactMap(\.self) + family.liked(besides: vote.index, votes.map(\.vote))
                if !better.isEmpty { example.betterReplies = better }
            }
            data.examples.append(Sourced(example, file: file))
            if includesModules, example.label == .good {
                data.examples += modules(of: conversation.messages[vote.index], vote.context, weight).map {
                    Sourced($0, file: file)
                }
            }
        }
        data.pairs += siblings(family, votes).map { Sourced($0, file: file) }
        return data
    }

    /// Of replies to one message: a liked one against a disliked one, either against one without a thumb, the better of two
    /// that were shown side by side, and the one that was answered against the others.
    private func siblings(_ family: Family, _ votes: [(vote: VotedReply, trust: Double)]) -> [PreferencePair] {
        var pairs: [PreferencePair] = []
        for group in family.groups {
            func standing(_ index: Int) -> (rating: Double, trust: Double) {
                let mine = votes.filter { $0.vote.index == index && $0.vote.rating != nil }
                let sum = mine.reduce(0) { $0 + ($1.vote.rating == .like ? $1.trust : -$1.trust) }
                return (sum == 0 ? 0 : sum > 0 ? 1 : -1, mine.map(\.trust).max() ?? 0)
            }
            for first in group {
                for second in group where second != first {
                    let (a, b) = (standing(first), standing(second))
                    let weight: Double
                    if a.rating > b.rating {
                        weight = min(a.rating == 0 ? 1 : a.trust, b.rating == 0 ? 1 : b.trust)
                    } else if a.rating == b.rating, let choice = family.choice(of: first, over: second) {
                        weight = trust(choice)
                    } else if a.rating == 0, b.rating == 0, family.isAnswered(first), !family.isAnswered(second),
                        family.choice(of: second, over: first) == nil
                    {
                        weight = keptWeight
                    } else {
                        continue
                    }
                    let (chosen, rejected) = (family.text(first), family.text(second))
                    guard weight > 0, chosen != rejected else { continue }
                    pairs.append(
                        PreferencePair(
                            context: family.context(first), chosen: chosen, rejected: rejected, weight: weight))
                }
            }
        }
        return pairs
    }

    private func modules(of message: Message, _ context: [Turn], _ weight: Double) -> [Example] {
        let outputs: [(ModulePrompt, String?)] = [
            (.query, message.search?.query), (.searchKnowledge, message.search?.knowledge),
            (.memoryKnowledge, message.memory?.knowledge),
        ]
        return outputs.compactMap { prompt, output in
            guard let output, !output.allSatisfy(\.isWhitespace) else { return nil }
            return Example(
                context: context + [Turn(.human, prompt.rawValue)], reply: output, label: .good, weight: weight)
        }
    }
}

/// Who answers whom in a conversation.
private struct Family {
    private let conversation: Conversation
    private let parents: [String?]
    /// Replies of the bot to one and the same message, two or more.
    let groups: [[Int]]

    init(_ conversation: Conversation) {
        self.conversation = conversation
        let messages = conversation.messages
        let parents: [String?] = messages.indices.map { messages[$0].parentID ?? ($0 > 0 ? messages[$0 - 1].id : nil) }
        self.parents = parents
        let replies = messages.indices.filter {
            messages[$0].sender == .bot && !messages[$0].isCanned && !messages[$0].text.allSatisfy(\.isWhitespace)
        }
        groups = Dictionary(grouping: replies.filter { parents[$0] != nil }) { parents[$0] }.values
            .filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    }

    func text(_ index: Int) -> String { conversation.messages[index].text }
    func context(_ index: Int) -> [Turn] { conversation.turns(before: index) }
    func isAnswered(_ index: Int) -> Bool { parents.contains(conversation.messages[index].id) }

    /// The person's choice of one of two replies side by side, as a vote for it; `nil` where they chose otherwise or not at all.
    func choice(of first: Int, over second: Int) -> VotedReply? {
        func has(_ index: Int, _ label: String) -> Bool {
            conversation.messages[index].annotations.contains {
                $0.source == ReplyGroup.battleSource && $0.label == label
            }
        }
        guard has(first, "winner"), has(second, "loser") else { return nil }
        return VotedReply(
            conversationID: conversation.id, messageID: conversation.messages[first].id, userID: conversation.userID,
            context: [], reply: text(first), rating: .like, index: first)
    }

    /// Liked replies to the same message.
    func liked(besides index: Int, _ votes: [VotedReply]) -> [String] {
        guard let group = groups.first(where: { $0.contains(index) }) else { return [] }
        return votes.filter { $0.index != index && group.contains($0.index) && $0.rating == .like }.map(\.reply)
    }
}

extension Conversation {
    /// What the person said next after a reply, where they went on with the talk from there; feedback on the reply is no turn.
    ///
    /// Of several replies to one message the person answered one: the message is said after that one alone.
    public func nextPersonMessage(after index: Int) -> String? {
        // The reply, and what was said of it.
        var mine: Set<Int> = [index]
        for place in messages.indices.dropFirst(index + 1) {
            guard let answered = placeAnswered(by: place), mine.contains(answered) else { continue }
            let message = messages[place]
            guard message.sender == .human else { return nil }
            guard message.isDislikeFeedback || message.text.allSatisfy(\.isWhitespace) else { return message.text }
            mine.insert(place)
        }
        return nil
    }

    /// The place of the message that the one at `place` answers, as `turns(before:)` has it: the one that it names where that
    /// comes earlier, else the one before.
    private func placeAnswered(by place: Int) -> Int? {
        if let id = messages[place].parentID, let named = messages[..<place].lastIndex(where: { $0.id == id }) {
            return named
        }
        return place > 0 ? place - 1 : nil
    }

    /// Every thumb of the conversation for a reward model, with what the person said next.
    public func rewardExamples(trust: (VotedReply) -> Double = { _ in 1 }) -> [RewardExample] {
        votedReplies.compactMap { vote in
            guard var example = RewardExample(vote, weight: trust(vote)) else { return nil }
            example.nextMessage = nextPersonMessage(after: vote.index)
            return example
        }
    }
}
