/// Weighs single acts of a reply against what was said and what is so.
struct ReplyReasoner {
    /// From worst to best; of several readings of a sentence the best counts.
    enum Outcome: Int, Comparable {
        case unreadable, untrue, foreign, misplaced, fits, answers

        static func < (a: Outcome, b: Outcome) -> Bool { a.rawValue < b.rawValue }
    }

    var world: World
    var state: TalkState
    /// Every reading of each sentence of the reply.
    var reply: [[Act]]

    func outcome(of act: Act) -> Outcome {
        let beside = aside(act)
        guard beside != .untrue else { return .untrue }
        if let request = state.request {
            if request.kind.isQuestion {
                if answers(act, request) { return .answers }
            } else if state.turn.contains(where: {
                $0.kind != .greet || state.turn.count == 1 ? answers(act, $0) : false
            }) {
                return .answers
            }
        }
        return beside
    }

    /// Whether an act that is true does what the request wants.
    private func answers(_ act: Act, _ request: Act) -> Bool {
        let isSame = act.domain == request.domain && (act.subject == request.subject || act.subject.isEmpty)
        switch request.kind {
        case .greet: return [.greetBack, .askMood, .askMore].contains(act.kind)
        case .howAreYou: return act.kind == .feelWell
        case .tellMood:
            return [.neutral, request.domain == "bad" ? .sympathy : .cheer].contains(act.kind)
                || (act.kind == .positive && request.domain == "good")
        case .askTaste: return [.like, .dislike].contains(act.kind) && isSame
        case .askFavourite:
            return [.favourite, .like].contains(act.kind) && act.domain == request.domain && !act.subject.isEmpty
        case .tellLike:
            return [.positive, .neutral, .askWhy].contains(act.kind)
                || [.praiseTaste, .like, .dislike].contains(act.kind) && isSame && !act.subject.isEmpty
        case .tellDislike:
            return act.kind == .neutral
                || [.respectDislike, .like, .dislike].contains(act.kind) && isSame && !act.subject.isEmpty
        case .askFact: return act.kind == .fact && isSame && act.attribute == request.attribute
        case .askAbout: return act.kind == .fact && isSame
        case .tellMemory:
            switch act.kind {
            case .positive, .neutral: return true
            case .noteMemory: return act.domain == request.domain
            case .wishWell, .askCompany: return request.domain == "plan"
            case .greetBack: return request.domain == "name"
            default: return false
            }
        case .askMemory:
            let known = state.memories[TalkState.memoryKey(request)] != nil
            return known ? act.kind == .recall && isSame : act.kind == .notTold
        case .askRecommendation: return act.kind == .recommend && act.domain == request.domain
        case .askBotName: return act.kind == .ownName
        case .askBotNature: return act.kind == .ownNature
        case .thanks: return act.kind == .welcome
        case .bye: return act.kind == .byeBack
        case .provoke: return [.calm, .apology].contains(act.kind)
        case .complain: return [.calm, .apology].contains(act.kind)
        case .shareContact: return [.keepPrivate, .neutral].contains(act.kind)
        case .giveReason: return [.neutral, .positive].contains(act.kind)
        case .giveCompany: return [.neutral, .positive, .wishWell].contains(act.kind)
        default: return false
        }
    }

    /// What an act is when it is not the answer: true or not, in place or not.
    private func aside(_ act: Act) -> Outcome {
        let isNear = state.groups.contains(world.group(of: act.domain))
        switch act.kind {
        case .rude, .advert, .remark: return .foreign
        case .fact: return fact(act, isNear: isNear)
        case .like, .dislike, .favourite: return opinion(act, isNear: isNear)
        case .taste: return reason(act)
        case .praiseTaste:
            return state.turn.contains { $0.kind == .tellLike && $0.subject == act.subject }
                ? .fits : isNear ? .misplaced : .foreign
        case .respectDislike:
            return state.turn.contains { $0.kind == .tellDislike && $0.subject == act.subject }
                ? .fits : isNear ? .misplaced : .foreign
        case .noteMemory, .recall: return memory(act)
        case .notTold:
            guard let request = state.request, request.kind == .askMemory else { return .misplaced }
            return state.memories[TalkState.memoryKey(request)] == nil ? .fits : .untrue
        case .recommend: return isNear ? .fits : .foreign
        case .cheer: return state.heardBadMood || state.heard(.provoke, .complain) ? .untrue : .fits
        case .positive:
            return state.heardBadMood || state.heard(.provoke, .complain, .tellDislike) ? .untrue : .fits
        case .sympathy: return state.heardBadMood ? .fits : .untrue
        case .greetBack: return fits(state.heard(.greet) || state.turn.contains { $0.domain == "name" })
        case .feelWell: return fits(state.heard(.howAreYou, .tellMood))
        case .welcome: return fits(state.heard(.thanks))
        case .byeBack: return fits(state.heard(.bye))
        case .ownName: return fits(state.heard(.greet, .askBotNature) || state.turn.contains { $0.domain == "name" })
        case .ownNature: return fits(state.heard(.howAreYou, .askBotName, .provoke))
        case .calm: return fits(state.heard(.provoke, .complain))
        case .apology: return fits(state.heard(.provoke, .complain) || state.heardBadMood)
        case .keepPrivate: return fits(state.heard(.shareContact))
        case .wishWell: return fits(state.heard(.bye, .giveCompany) || state.turn.contains { $0.domain == "plan" })
        case .askCompany: return fits(state.turn.contains { $0.domain == "plan" })
        case .hopeYouLikeIt: return fits(state.heard(.askRecommendation))
        case .askWhy: return fits(state.heard(.tellLike))
        case .askBack:
            guard act.domain.isEmpty else { return isNear ? .fits : .foreign }
            return fits(state.heard(.askTaste, .askFavourite, .howAreYou, .askBotName))
        case .opener: return fits(state.request?.kind.isQuestion ?? true)
        case .askMore: return fits(!state.heard(.bye))
        default: return .fits
        }
    }

    private func fits(_ isInPlace: Bool) -> Outcome { isInPlace ? .fits : .misplaced }

    private func fact(_ act: Act, isNear: Bool) -> Outcome {
        var full = act
        if act.subject.isEmpty {
            // A pronoun means what the reply itself named, else what the person asked about.
            let named = reply.joined().first { $0.kind == .fact && $0.domain == act.domain && !$0.subject.isEmpty }
            guard let entity = named ?? state.entity, entity.domain == act.domain else {
                return isNear ? .misplaced : .foreign
            }
            full.subject = entity.subject
        }
        guard world.truth(full.domain, full.attribute, of: full.subject) == full.value else { return .untrue }
        return isNear ? .fits : .foreign
    }

    private func opinion(_ act: Act, isNear: Bool) -> Outcome {
        let full = state.resolved(act)
        if full.subject.isEmpty { return .misplaced }
        let likes = act.kind != .dislike
        if let before = state.opinions[full.subject], before != likes { return .untrue }
        // Two opposite opinions in one breath.
        let others = reply.filter { !$0.contains(act) }.joined()
        for other in others where state.resolved(other).subject == full.subject {
            if likes && other.kind == .dislike || !likes && (other.kind == .like || other.kind == .favourite) {
                return .untrue
            }
        }
        if act.subject.isEmpty { return state.request?.kind == .askTaste ? .fits : .misplaced }
        return isNear ? .fits : .foreign
    }

    private func reason(_ act: Act) -> Outcome {
        guard state.tasteDomain == act.domain else {
            return state.groups.contains(world.group(of: act.domain)) ? .misplaced : .foreign
        }
        let isFor = act.attribute == "for"
        var likes: Bool?
        for other in reply.joined() {
            if [.like, .favourite].contains(other.kind) { likes = true }
            if other.kind == .dislike { likes = false }
        }
        if likes == nil {
            if state.heard(.tellLike) { likes = true }
            if state.heard(.tellDislike) { likes = false }
        }
        guard let likes else { return .misplaced }
        return likes == isFor ? .fits : .untrue
    }

    private func memory(_ act: Act) -> Outcome {
        let full = state.resolved(act)
        let told = state.memories.values.filter { $0.domain == full.domain }
        guard !told.isEmpty else { return .untrue }
        let isRight = told.contains { memory in
            memory.value == full.value && (full.subject.isEmpty || memory.subject == full.subject)
        }
        guard isRight else { return .untrue }
        if act.kind == .recall, act.subject.isEmpty, state.request?.kind != .askMemory { return .misplaced }
        return .fits
    }
}
