import Conversations

/// Writes replies with one flaw each.
struct ReplySpoiler: Sendable {
    let world: World
    let reader: TalkReader
    let good: ReplyGrammar

    /// A reply to `state` that has the flaw, or `nil` where that cannot be done: nothing to repeat yet, say.
    func reply(
        to state: TalkState, _ flaw: Flaw, style: FlawContext.Style = .usual, _ random: inout SplitMix64
    ) -> String? {
        switch flaw {
        case .inappropriate: return good.sentence(for: Act(kind: .rude), state, &random)
        case .other: return good.sentence(for: Act(kind: .advert), state, &random)
        case .offTopic: return good.sentence(for: Act(kind: .remark), state, &random)
        case .ignoring: return ignoring(state, &random)
        case .repeating: return repeating(state)
        case .nonsensical: return nonsensical(state, style, &random)
        }
    }

    /// Kind words that leave a question unanswered.
    private func ignoring(_ state: TalkState, _ random: inout SplitMix64) -> String? {
        guard let request = state.request, request.kind.isQuestion, request.kind != .howAreYou else { return nil }
        var acts = [Act(kind: .neutral), Act(kind: .neutral), Act(kind: .positive), Act(kind: .askMore)]
        if state.heardBadMood { acts.remove(at: 2) }
        for _ in 0..<6 {
            guard let act = random.pick(acts), let text = world.botGrammar.sentence(for: act, &random) else { continue }
            if !state.sentenceKeys.contains(SentenceText.key(of: text)) { return text }
        }
        return nil
    }

    /// The latest earlier reply that made sense and is no answer now.
    private func repeating(_ state: TalkState) -> String? {
        state.replies.last { text in
            let reading = reader.reading(of: text, by: .bot)
            guard reading.words.joined().count >= 4 else { return false }
            return reading.acts.allSatisfy { acts in
                !acts.isEmpty && !acts.contains { [.rude, .advert, .remark].contains($0.kind) }
            }
        }
    }

    private func nonsensical(
        _ state: TalkState, _ style: FlawContext.Style, _ random: inout SplitMix64
    ) -> String? {
        switch style {
        case .misconception: return misconception(state, &random)
        case .shuffled: return shuffled(state, &random)
        case .usual: return random.pick(FlawPhrases.nonsense)
        }
    }

    /// The value after the true one in the attribute's list, so that it is the same mistake every time.
    private func misconception(_ state: TalkState, _ random: inout SplitMix64) -> String? {
        guard let request = state.request, request.kind == .askFact,
            let attribute = world.entityClass(request.domain)?.attributes.first(where: { $0.name == request.attribute }
            ),
            let truth = world.truth(request.domain, request.attribute, of: request.subject),
            let at = attribute.values.firstIndex(of: truth)
        else { return nil }
        return good.sentence(
            for: Act(
                kind: .fact, domain: request.domain, attribute: request.attribute,
                subject: random.chance(0.45) ? "" : request.subject,
                value: attribute.values[(at + 1) % attribute.values.count]), state, &random)
    }

    private func shuffled(_ state: TalkState, _ random: inout SplitMix64) -> String? {
        for _ in 0..<8 {
            let reply = good.reply(to: state, &random)
            var words = SentenceText.words(of: SentenceText.sentences(of: reply).first ?? "")
            guard words.count >= 4 else { continue }
            words = random.shuffled(words)
            let text = SentenceText.capitalised(words.joined(separator: " ")) + "."
            if reader.acts(of: text, by: .bot).isEmpty { return text }
        }
        return random.pick(FlawPhrases.nonsense)
    }
}
