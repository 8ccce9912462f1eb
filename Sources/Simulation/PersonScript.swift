import Conversations

/// One person in one conversation: what they want to talk about, and their next turn given what the bot said.
struct PersonScript: Sendable {
    let world: World
    let persona: Persona
    private var random: SplitMix64
    /// Turns still to come.
    private(set) var turnsLeft: Int
    private var told: [Act] = []
    private var lastTopic: Act?
    private var asked: Set<Act> = []
    private var isFirst = true
    /// The personal detail that this person will give away, if any.
    private var detail: Act?

    /// `turns` is how many turns the person takes, `detail` something private that they let slip.
    init(_ world: World, _ persona: Persona, turns: Int, detail: Act? = nil, random: SplitMix64) {
        self.world = world
        self.persona = persona
        self.random = random
        self.detail = detail
        turnsLeft = turns
    }

    /// The next turn, or `nil` when the person has left. `wasBad` says whether the bot's last reply was bad: people
    /// notice and sometimes complain.
    mutating func next(after state: TalkState, wasBad: Bool) -> String? {
        guard turnsLeft > 0 else { return nil }
        turnsLeft -= 1
        let acts = isFirst ? opening() : following(state, wasBad: wasBad)
        isFirst = false
        var sentences: [String] = []
        for act in acts {
            if let sentence = world.personGrammar.sentence(for: act, &random) { sentences.append(sentence) }
            if act.kind == .tellMemory { told.append(act) }
            if act.kind.isQuestion { asked.insert(act) }
            if !act.domain.isEmpty, act.kind != .tellMemory { lastTopic = act }
        }
        return sentences.joined(separator: " ")
    }

    private mutating func opening() -> [Act] {
        guard random.chance(0.75) else { return [request()] }
        let greeting = Act(kind: .greet, value: persona.greeting)
        switch random.index(10) {
        case 0..<4: return [greeting]
        case 4, 5: return [greeting, Act(kind: .howAreYou)]
        case 6, 7: return [greeting, persona.memory("name")]
        default: return [greeting, request()]
        }
    }

    private mutating func following(_ state: TalkState, wasBad: Bool) -> [Act] {
        if wasBad, let request = state.request, request.kind != .complain, random.chance(0.12) {
            let complaint = Act(kind: .complain)
            return request.kind.isQuestion ? [complaint, request] : [complaint]
        }
        if random.chance(persona.isAdversarial ? 0.07 : 0.008) { return [Act(kind: .provoke)] }
        if let detail, random.chance(0.5) {
            self.detail = nil
            return [detail]
        }
        var acts: [Act] = []
        if let answer = answer(to: state), random.chance(0.8) {
            acts.append(answer)
            if random.chance(0.45) { return acts }
        }
        if turnsLeft == 0, random.chance(0.4) {
            return acts + (random.chance(0.25) ? [Act(kind: .thanks), Act(kind: .bye)] : [Act(kind: .bye)])
        }
        if acts.isEmpty, random.chance(0.025) { return [Act(kind: .thanks)] }
        return acts + [request()]
    }

    /// What the person says to the bot's own question.
    private mutating func answer(to state: TalkState) -> Act? {
        for act in state.lastReply {
            switch act.kind {
            case .askMood: return mood()
            case .askWhy: return state.heard(.tellLike) ? reason(state.tasteDomain) : nil
            case .askCompany: return Act(kind: .giveCompany, value: random.pick(world.names.companions) ?? "")
            case .askBack where act.domain.isEmpty:
                guard let request = state.request else { return nil }
                if request.kind == .howAreYou { return mood() }
                if request.kind == .askBotName { return persona.memory("name") }
                return world.taste(request.domain) == nil ? nil : liking(request.domain)
            case .askBack: return liking(act.domain)
            default: continue
            }
        }
        return nil
    }

    /// A reason that belongs to the domain, or one that always fits.
    private mutating func reason(_ domain: String) -> Act {
        Act(kind: .giveReason, domain: random.chance(0.5) ? "" : domain)
    }

    private mutating func mood() -> Act {
        let isGood = random.chance(0.7)
        return Act(
            kind: .tellMood, domain: isGood ? "good" : "bad",
            value: random.pick(isGood ? world.names.goodMoods : world.names.badMoods) ?? "")
    }

    private func liking(_ domain: String) -> Act {
        Act(kind: .tellLike, domain: domain, subject: persona.likes[domain] ?? "")
    }

    /// Something new to ask or tell.
    private mutating func request() -> Act {
        for _ in 0..<6 {
            let act = candidate()
            if !asked.contains(act), !told.contains(act) { return act }
        }
        return candidate()
    }

    private mutating func candidate() -> Act {
        // People often stay with a thing for a second question.
        if let lastTopic, !lastTopic.subject.isEmpty, world.entityClass(lastTopic.domain) != nil, random.chance(0.3) {
            return fact(lastTopic.domain, lastTopic.subject)
        }
        let untold = told.filter { memory in !asked.contains { $0.kind == .askMemory && $0.domain == memory.domain } }
        if !isFirst, let memory = random.pick(untold), random.chance(0.4) {
            return Act(
                kind: .askMemory, domain: memory.domain,
                subject: memory.domain == "pet" || memory.domain == "plan" ? memory.subject : "")
        }
        let kind = random.pick(weighted: Self.wishes) ?? .fact
        switch kind {
        case .fact:
            let kind = random.pick(weighted: Self.classes) ?? "animal"
            return fact(kind, random.pick(world.entityClass(kind)?.members(persona.vocabulary) ?? [])?.name ?? "")
        case .about:
            let kind = random.pick(weighted: Self.classes) ?? "animal"
            let name = random.pick(world.entityClass(kind)?.members(persona.vocabulary) ?? [])?.name ?? ""
            return Act(kind: .askAbout, domain: kind, subject: name)
        case .taste:
            let domain = random.pick(weighted: Self.domains) ?? "music"
            if random.chance(0.35) { return Act(kind: .askFavourite, domain: domain) }
            let item = random.pick(world.taste(domain)?.members(persona.vocabulary) ?? []) ?? ""
            return Act(kind: .askTaste, domain: domain, subject: item)
        case .tellTaste:
            let domain = random.pick(weighted: Self.domains) ?? "music"
            return random.chance(0.75)
                ? liking(domain) : Act(kind: .tellDislike, domain: domain, subject: persona.dislikes[domain] ?? "")
        case .tell: return persona.memory(random.pick(weighted: Self.memories) ?? "pet")
        case .recommendation:
            return Act(kind: .askRecommendation, domain: random.pick(weighted: Self.recommendations) ?? "food")
        case .bot: return Act(kind: random.chance(0.55) ? .askBotName : .askBotNature)
        case .mood: return mood()
        case .unknownMemory:
            let domain = random.pick(["name", "home", "job"]) ?? "name"
            return Act(
                kind: told.contains { $0.domain == domain } ? .askBotName : .askMemory,
                domain: told.contains { $0.domain == domain } ? "" : domain)
        }
    }

    private mutating func fact(_ domain: String, _ entity: String) -> Act {
        let attributes = world.entityClass(domain)?.attributes ?? []
        return Act(
            kind: .askFact, domain: domain, attribute: random.pick(attributes)?.name ?? "", subject: entity)
    }

    private enum Wish {
        case fact, about, taste, tellTaste, tell, recommendation, bot, mood, unknownMemory
    }

    // How often people come with what. The shares of the flaw contexts follow from these.
    private static let wishes: [(Wish, Double)] = [
        (.fact, 36), (.about, 6), (.taste, 18), (.tellTaste, 11), (.tell, 14), (.recommendation, 12), (.bot, 4),
        (.mood, 5), (.unknownMemory, 2),
    ]
    private static let classes: [(String, Double)] = [
        ("animal", 33), ("dish", 12), ("instrument", 24), ("town", 17), ("tool", 14),
    ]
    private static let domains: [(String, Double)] = [
        ("music", 19), ("food", 19), ("sport", 17), ("hobby", 17), ("film", 28),
    ]
    private static let memories: [(String, Double)] = [
        ("pet", 30), ("name", 10), ("home", 15), ("job", 15), ("plan", 30),
    ]
    private static let recommendations: [(String, Double)] = [
        ("film", 23), ("food", 17), ("town", 17), ("music", 27), ("hobby", 16),
    ]
}
