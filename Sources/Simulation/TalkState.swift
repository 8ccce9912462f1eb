/// Where a conversation stands, worked out from its text alone.
struct TalkState: Sendable {
    /// What the last human turn does, in order; empty when it makes no sense to the world.
    var turn: [Act] = []
    var turnText = ""
    /// The part of the last human turn that the reply must answer: its last question, else its last statement.
    var request: Act?
    /// Requests of earlier turns.
    var earlierRequests: [Act] = []
    /// Human turns so far.
    var exchanges = 0
    /// How the person opened: `howdy`, `hello`, empty for none.
    var opening = ""
    /// What the person told of themselves, by `pet:dog`, `name`, `plan:Monday`, …
    var memories: [String: Act] = [:]
    /// Groups of domains that the person has brought up.
    var groups: Set<String> = []
    /// Domain of taste that the person last spoke of.
    var tasteDomain = ""
    /// The entity that the person last spoke of.
    var entity: Act?
    /// Whole replies of the bot, their sentences and their content.
    var replies: [String] = []
    var replyKeys: Set<String> = []
    var sentenceKeys: Set<String> = []
    var contents: Set<Act> = []
    /// Acts of the bot's last reply, one reading a sentence.
    var lastReply: [Act] = []
    /// What the bot said it likes (true) or does not.
    var opinions: [String: Bool] = [:]

    static func memoryKey(_ act: Act) -> String {
        act.domain == "pet" || act.domain == "plan" ? "\(act.domain):\(act.subject)" : act.domain
    }

    /// True when the last human turn holds such an act.
    func heard(_ kinds: Act.Kind...) -> Bool { turn.contains { kinds.contains($0.kind) } }

    var heardBadMood: Bool { turn.contains { $0.kind == .tellMood && $0.domain == "bad" } }

    mutating func hear(_ text: String, _ acts: [Act], _ world: World) {
        if let request { earlierRequests.append(request) }
        if exchanges == 0, let greeting = acts.first(where: { $0.kind == .greet }) { opening = greeting.value }
        exchanges += 1
        turn = acts
        turnText = text
        request = acts.last { $0.kind.isQuestion } ?? acts.last
        for act in acts {
            if act.kind == .tellMemory { memories[Self.memoryKey(act)] = act }
            if !act.domain.isEmpty, act.kind != .tellMood, act.kind != .shareContact {
                groups.insert(world.group(of: act.domain))
            }
            if world.taste(act.domain) != nil { tasteDomain = act.domain }
            if act.kind == .askFact || act.kind == .askAbout { entity = act }
        }
    }

    mutating func say(_ text: String, _ reading: TalkReader.Reading) {
        replies.append(text)
        replyKeys.insert(reading.key)
        sentenceKeys.formUnion(reading.keys)
        lastReply = reading.acts.compactMap(\.first)
        for act in reading.acts.joined() where act.kind.isSubstantive {
            contents.insert(resolved(act))
            if !act.subject.isEmpty {
                if act.kind == .like || act.kind == .favourite { opinions[act.subject] = true }
                if act.kind == .dislike { opinions[act.subject] = false }
            }
        }
        // "Yes, I do" takes its subject from the question.
        if let request, request.kind == .askTaste {
            for act in lastReply where act.subject.isEmpty {
                if act.kind == .like { opinions[request.subject] = true }
                if act.kind == .dislike { opinions[request.subject] = false }
            }
        }
    }

    /// The act with its pronoun replaced by what was asked about.
    func resolved(_ act: Act) -> Act {
        guard act.subject.isEmpty else { return act }
        var full = act
        if act.kind == .fact, let entity, entity.domain == act.domain { full.subject = entity.subject }
        if act.kind == .like || act.kind == .dislike, let request, request.domain == act.domain {
            full.subject = request.subject
        }
        if act.kind == .recall, let request, request.kind == .askMemory, request.domain == act.domain {
            full.subject = request.subject
        }
        return full
    }
}
