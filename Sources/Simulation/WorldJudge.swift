import Conversations

/// Says of any reply whether it is good or what is wrong with it: code, not a model, so its word is the truth.
///
/// It reads the conversation out of its text (who asked what, what was told, what is so) and the reply sentence by
/// sentence, each by the grammar, so that any recombination of what good bots say is understood. What the grammar cannot
/// read makes no sense in this world. Safe to share between threads.
public struct WorldJudge: Sendable {
    /// More sentences than this are rambling.
    private static let longestReply = 5
    /// A reply or sentence of fewer words may be said again.
    private static let shortestRepetition = 4

    private let world: World
    private let reader: TalkReader

    public init(_ world: World) {
        self.init(world, reader: TalkReader(world))
    }

    init(_ world: World, reader: TalkReader) {
        self.world = world
        self.reader = reader
    }

    /// The verdict on `reply` as the bot's answer to `history`, whose last turn is the person's.
    public func verdict(on reply: String, after history: [Turn]) -> Verdict {
        verdict(on: reply, in: reader.state(after: history))
    }

    func verdict(on reply: String, in state: TalkState) -> Verdict {
        let reading = reader.reading(of: reply, by: .bot)
        let words = reading.words
        let readings = reading.acts
        let keys = reading.keys
        guard !words.isEmpty else { return .bad(.nonsensical) }

        if zip(words, readings).contains(where: { Self.isRude($0, $1) }) { return .bad(.inappropriate) }
        if zip(words, readings).contains(where: { Self.isAdvert($0, $1) }) { return .bad(.other) }

        let reasoner = ReplyReasoner(world: world, state: state, reply: readings)
        var outcomes: [ReplyReasoner.Outcome] = []
        var kept: [Act] = []
        for acts in readings {
            let best = acts.map { ($0, reasoner.outcome(of: $0)) }.max { $0.1 < $1.1 }
            outcomes.append(best?.1 ?? .unreadable)
            if let best { kept.append(best.0) }
        }
        let answers = outcomes.contains(.answers) || (state.request == nil && outcomes.contains(.fits))

        if repeatsWhole(reading, answers: answers, state) { return .bad(.repeating) }
        if Set(keys).count < keys.count { return .bad(.repeating) }
        if outcomes.contains(.unreadable) || words.count > Self.longestReply { return .bad(.nonsensical) }
        if outcomes.contains(.untrue) { return .bad(.nonsensical) }
        let repeats = zip(keys, kept).enumerated().contains { at, said in
            outcomes[at] != .answers && said.1.kind.isSubstantive
                && (state.sentenceKeys.contains(said.0) || state.contents.contains(state.resolved(said.1)))
        }
        guard answers else {
            if repeats { return .bad(.repeating) }
            return .bad(outcomes.contains(.foreign) ? .offTopic : .ignoring)
        }
        if repeats { return .bad(.repeating) }
        if outcomes.contains(.foreign) { return .bad(.offTopic) }
        return outcomes.contains(.misplaced) ? .bad(.nonsensical) : .good
    }

    private static func isRude(_ words: [String], _ acts: [Act]) -> Bool {
        acts.isEmpty ? words.contains(where: FlawPhrases.rudeWords.contains) : acts.allSatisfy { $0.kind == .rude }
    }

    private static func isAdvert(_ words: [String], _ acts: [Act]) -> Bool {
        acts.isEmpty ? words.contains(where: FlawPhrases.advertWords.contains) : acts.allSatisfy { $0.kind == .advert }
    }

    /// The whole reply was said before, by the bot or just now by the person, and is not simply right again.
    private func repeatsWhole(_ reading: TalkReader.Reading, answers: Bool, _ state: TalkState) -> Bool {
        guard reading.words.joined().count >= Self.shortestRepetition else { return false }
        let key = reading.key
        guard state.replyKeys.contains(key) || key == SentenceText.key(of: state.turnText) else { return false }
        guard answers, let request = state.request else { return true }
        switch request.kind {
        case .greet, .howAreYou, .thanks, .bye, .provoke, .complain, .shareContact: return false
        default: return !state.earlierRequests.contains(request)
        }
    }
}
