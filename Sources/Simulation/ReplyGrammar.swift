import Conversations

/// Writes good replies: what the state asks for, sometimes with an opening, a further remark or a question back.
struct ReplyGrammar: Sendable {
    let world: World
    /// What a recommendation or a favourite may name.
    var vocabulary: World.Vocabulary = .facts

    /// A good reply to where the conversation stands, avoiding sentences that the bot has said before.
    func reply(to state: TalkState, _ random: inout SplitMix64) -> String {
        for _ in 0..<8 {
            let text = plan(for: state, &random).compactMap { sentence(for: $0, state, &random) }.joined(separator: " ")
            if !text.isEmpty, !state.replyKeys.contains(SentenceText.key(of: text)) || isFormula(state) { return text }
        }
        return "I see."
    }

    private func isFormula(_ state: TalkState) -> Bool {
        guard let kind = state.request?.kind else { return true }
        return [.greet, .howAreYou, .thanks, .bye, .provoke, .complain, .shareContact].contains(kind)
    }

    /// One sentence, another one where the first was said before.
    func sentence(for act: Act, _ state: TalkState, _ random: inout SplitMix64) -> String? {
        var sentence: String?
        for _ in 0..<4 {
            sentence = world.botGrammar.sentence(for: act, &random)
            guard let sentence, state.sentenceKeys.contains(SentenceText.key(of: sentence)) else { break }
        }
        return sentence
    }

    /// The acts of a good reply, in order.
    private func plan(for state: TalkState, _ random: inout SplitMix64) -> [Act] {
        guard let request = state.request else { return [Act(kind: .neutral), Act(kind: .askMore)] }
        var plan: [Act] = []
        if state.heard(.greet), request.kind != .greet, random.chance(0.4) { plan.append(greeting(&random)) }
        if request.kind.isQuestion {
            if state.heard(.complain), random.chance(0.6) { plan.append(Act(kind: .apology)) }
            if state.heardBadMood { plan.append(Act(kind: .sympathy)) }
            if plan.isEmpty, ![.howAreYou, .askBotName, .askBotNature].contains(request.kind), random.chance(0.12) {
                plan.append(Act(kind: .opener))
            }
        }
        return plan + body(for: request, state, &random)
    }

    private func greeting(_ random: inout SplitMix64) -> Act {
        Act(kind: .greetBack, value: random.pick(["hi", "hello", "hey"]) ?? "hello")
    }

    private func body(for request: Act, _ state: TalkState, _ random: inout SplitMix64) -> [Act] {
        let domain = request.domain
        switch request.kind {
        case .greet:
            return [greeting(&random)] + maybe(0.7, [random.chance(0.5) ? .askMood : .askMore], &random)
        case .howAreYou: return [Act(kind: .feelWell)] + maybe(0.4, [random.chance(0.7) ? .askBack : .askMood], &random)
        case .tellMood:
            let isBad = domain == "bad"
            return [Act(kind: isBad ? .sympathy : random.chance(0.6) ? .cheer : .positive)]
                + maybe(0.3, [.askMore], &random)
        case .askTaste: return opinion(on: request, state, &random)
        case .askFavourite: return favourite(domain, state, &random)
        case .tellLike:
            let item = request.subject
            let choice = random.index(10)
            if choice < 4 {
                return [Act(kind: .praiseTaste, domain: domain, subject: item)] + maybe(0.4, [.askWhy], &random)
            }
            if choice < 6, state.opinions[item] != false {
                return [Act(kind: .like, domain: domain, attribute: "too", subject: item)]
                    + maybe(0.3, [.askWhy], &random)
            }
            return [Act(kind: choice < 8 ? .positive : .neutral)] + maybe(0.6, [.askWhy], &random)
        case .tellDislike:
            return [
                random.chance(0.6)
                    ? Act(kind: .respectDislike, domain: domain, subject: request.subject) : Act(kind: .neutral)
            ]
                + maybe(0.3, [.askMore], &random)
        case .askFact: return facts([request.attribute], request, state, &random)
        case .askAbout:
            let attributes = random.shuffled(world.entityClass(domain)?.attributes.map(\.name) ?? [])
            return facts(Array(attributes.prefix(1 + random.index(2))), request, state, &random)
        case .tellMemory: return note(request, &random)
        case .askMemory:
            guard let told = state.memories[TalkState.memoryKey(request)] else { return [Act(kind: .notTold)] }
            let isShort = !["name", "home", "job"].contains(domain) && random.chance(0.3)
            return [Act(kind: .recall, domain: domain, subject: isShort ? "" : told.subject, value: told.value)]
        case .askRecommendation:
            return [recommendation(domain, &random)] + maybe(0.3, [.hopeYouLikeIt], &random)
        case .askBotName: return [Act(kind: .ownName)] + maybe(0.2, [.askBack], &random)
        case .askBotNature: return [Act(kind: .ownNature)] + maybe(0.2, [.askMore], &random)
        case .thanks: return [Act(kind: .welcome)] + maybe(0.3, [.askMore], &random)
        case .bye: return [Act(kind: .byeBack)]
        case .provoke: return [Act(kind: .calm)] + maybe(0.3, [.askMore], &random)
        case .complain: return [Act(kind: .apology)] + maybe(0.4, [.askMore], &random)
        case .shareContact: return [Act(kind: .keepPrivate)]
        case .giveReason:
            return [Act(kind: random.chance(0.5) ? .neutral : .positive)] + maybe(0.4, [.askMore], &random)
        case .giveCompany: return [Act(kind: random.chance(0.5) ? .wishWell : .positive)]
        default: return [Act(kind: .neutral)]
        }
    }

    private func maybe(_ p: Double, _ kinds: [Act.Kind], _ random: inout SplitMix64) -> [Act] {
        random.chance(p) ? kinds.map { Act(kind: $0) } : []
    }

    private func opinion(on request: Act, _ state: TalkState, _ random: inout SplitMix64) -> [Act] {
        let likes = state.opinions[request.subject] ?? random.chance(0.65)
        let isShort = random.chance(0.25)
        var acts = [
            Act(kind: likes ? .like : .dislike, domain: request.domain, subject: isShort ? "" : request.subject)
        ]
        if random.chance(0.4) {
            acts.append(Act(kind: .taste, domain: request.domain, attribute: likes ? "for" : "against"))
        }
        return acts + maybe(0.3, [.askBack], &random)
    }

    private func favourite(_ domain: String, _ state: TalkState, _ random: inout SplitMix64) -> [Act] {
        let items = (world.taste(domain)?.members(vocabulary) ?? []).filter { state.opinions[$0] != false }
        guard let item = items.first(where: { state.opinions[$0] == true }) ?? random.pick(items)
        else { return [Act(kind: .neutral)] }
        var acts = [Act(kind: .favourite, domain: domain, subject: item)]
        if random.chance(0.25) { acts.append(Act(kind: .taste, domain: domain, attribute: "for")) }
        return acts + maybe(0.4, [.askBack], &random)
    }

    private func facts(
        _ attributes: [String], _ request: Act, _ state: TalkState, _ random: inout SplitMix64
    ) -> [Act] {
        var acts: [Act] = []
        for attribute in attributes {
            guard let value = world.truth(request.domain, attribute, of: request.subject) else { continue }
            let isShort = !acts.isEmpty || (request.kind == .askFact && random.chance(0.45))
            acts.append(
                Act(
                    kind: .fact, domain: request.domain, attribute: attribute, subject: isShort ? "" : request.subject,
                    value: value))
        }
        return acts + maybe(0.1, [.askMore], &random)
    }

    private func note(_ told: Act, _ random: inout SplitMix64) -> [Act] {
        let named = Act(
            kind: .noteMemory, domain: told.domain,
            subject: told.domain == "plan" && random.chance(0.5) ? "" : told.subject, value: told.value)
        let isPlan = told.domain == "plan"
        switch random.index(10) {
        case 0..<6: return [named] + (isPlan ? maybe(0.3, [.askCompany], &random) : [])
        case 6, 7:
            return isPlan
                ? [Act(kind: .wishWell)] + maybe(0.4, [.askCompany], &random) : [Act(kind: .positive)]
        default: return [Act(kind: .neutral)] + maybe(0.3, [.askMore], &random)
        }
    }

    func recommendation(_ domain: String, _ random: inout SplitMix64) -> Act {
        let items: [String]
        switch domain {
        case "film": items = world.names.titles(vocabulary)
        case "food": items = world.entityClass("dish")?.members(vocabulary).map(\.name) ?? []
        case "town": items = world.entityClass("town")?.members(vocabulary).map(\.name) ?? []
        default: items = world.taste(domain)?.members(vocabulary) ?? []
        }
        return Act(kind: .recommend, domain: domain, value: random.pick(items) ?? "")
    }
}
