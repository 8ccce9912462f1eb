import Conversations

/// One turn of the bot as a state machine (the order of BlenderBot 3, Shuster et al. 2022): calls come out, their answers
/// go in, in the same order. It does nothing itself and knows no clock, so that a test can play it by hand.
///
/// Calls that come out together do not depend on each other: they are to be made at once. Memories are written by
/// `MemoryTurn`, after the reply is on its way.
public struct ReplyTurn: Sendable {
    /// What the turn answers.
    public enum Occasion: Sendable, Hashable {
        /// The last turn, which is the person's.
        case turn
        /// Nothing yet: the bot speaks first.
        case opening
        /// What the person said would have been better: it was feedback, and gets thanks; help, where they speak of hurting
        /// themselves.
        case feedback
    }

    /// What happens next.
    public enum Step: Sendable, Hashable {
        /// Make these calls at once.
        case calls([TurnCall])
        case finished(TurnResult)
    }

    enum Phase: Sendable {
        case idle, checking, deciding, preparing, checkingQuery, searching, reading, replying, judging, done
    }

    /// A reply that may be said.
    struct Candidate: Sendable {
        var text: ReplyText
        var output: ModuleOutput
        var call: ModuleCall
        /// Number of the call among the calls for replies, from 0.
        var number: Int
        /// Place of its record.
        var record: Int
        var verdict = SafetyOutcome()
    }

    let plan: TurnPlan
    let occasion: Occasion
    let turns: [Turn]
    let lastReplyID: String?
    let feedback: String
    let sampling: Sampling
    let isShownAtOnce: Bool
    let earlier: [[Unicode.Scalar]]

    var phase = Phase.idle
    var pending: [TurnCall] = []
    var result = TurnResult()
    var recollection = Recollection()
    var wantsSearch = false
    var wantsMemory = false
    var documents: [SearchDocument] = []
    var knowledge: [Knowledge] = []
    var attempt = 0
    var replyCalls = 0
    var candidates: [Candidate] = []
    var flawed: (candidate: Candidate, fault: ReplyFault)?
    var unsafe: SafetyOutcome?
    /// What the person has read of the reply already.
    var shown = ""

    /// - Parameters:
    ///   - turns: the talk so far, oldest first, without feedback.
    ///   - lastReplyID: id of the bot's last message, which a complaint is about.
    ///   - feedback: the words of the feedback that the turn answers (`Occasion.feedback`), which are in no turn.
    ///   - sampling: how replies are drawn where neither plan nor style says; its seed is the turn's.
    ///   - isShownAtOnce: whether pieces are shown while they are drawn: then a reply can only be taken back before its
    ///     first piece, and faults of the whole are not looked for.
    public init(
        plan: TurnPlan, occasion: Occasion = .turn, turns: [Turn], lastReplyID: String? = nil, feedback: String = "",
        sampling: Sampling, isShownAtOnce: Bool = false
    ) {
        self.plan = plan
        self.occasion = occasion
        self.turns = turns
        self.lastReplyID = lastReplyID
        self.feedback = feedback
        self.sampling = sampling
        self.isShownAtOnce = isShownAtOnce
        earlier = turns.filter { $0.sender == .bot }.map { ReplyText.key(of: $0.text) }
    }

    // MARK: Begin

    /// The first step.
    public mutating func start() -> Step {
        switch occasion {
        case .feedback:
            guard !feedback.isEmpty else { return thanks() }
            phase = .checking
            return ask([.check(.person(feedback, context: turns))])
        case .opening:
            phase = .checking
            return ask(plan.memory == .never ? [] : [.recall("")])
        case .turn:
            phase = .checking
            guard let last = turns.last, last.sender == .human else { return ask([]) }
            return ask([.check(unansweredWords)] + (plan.memory == .never ? [] : [.recall(last.text)]))
        }
    }

    /// All that the person said since the bot last spoke: the model reads it, so it is looked at, also where an earlier turn was
    /// never answered (its reply was stopped, or a client sends several).
    private var unansweredWords: CheckedText {
        let start = (turns.lastIndex { $0.sender == .bot }).map { $0 + 1 } ?? 0
        return .person(
            turns[start...].map(\.text).joined(separator: "\n"), context: Array(turns[..<start]))
    }

    /// The next step.
    /// - Parameters:
    ///   - answers: one for each call of the last step, in order.
    ///   - shown: the beginning of the reply among them that the person has read meanwhile; it passed, and is said whatever
    ///     becomes of the rest.
    public mutating func resume(_ answers: [TurnAnswer], shown: String = "") -> Step {
        precondition(answers.count == pending.count, "one answer for each call")
        self.shown += shown
        let calls = pending
        pending = []
        let answered = Array(zip(calls, answers))
        switch phase {
        case .checking: return checked(answered)
        case .deciding: return decided(answered)
        case .preparing: return prepared(answered)
        case .checkingQuery: return queryChecked(answered)
        case .searching: return searched(answered)
        case .reading: return read(answered)
        case .replying: return replied(answered)
        case .judging: return judged(answered)
        case .idle, .done: return .finished(result)
        }
    }

    /// Calls, or the next phase at once where there is nothing to call.
    mutating func ask(_ calls: [TurnCall]) -> Step {
        pending = calls
        return calls.isEmpty ? resume([]) : .calls(calls)
    }

    func write(_ input: ModuleInput, seed: UInt64? = nil) -> TurnCall? {
        plan.call(input, replySampling: sampling, seed: seed ?? sampling.seed).map(TurnCall.write)
    }

    mutating func checked(_ answered: [(TurnCall, TurnAnswer)]) -> Step {
        for (_, answer) in answered {
            switch answer {
            case .verdict(let outcome):
                result.personDecisions = outcome.decisions
                // Feedback quotes what was wrong, and gets its thanks whatever it says; help goes before thanks.
                if outcome.isUnsafe, occasion != .feedback || outcome.needsHelp {
                    return canned(
                        outcome.cannedReply ?? plan.canned.toUnsafePerson, failure: "unsafe_Human", verdict: outcome)
                }
            case .recollection(let found): recollection = found
            case .failure(let reason): note(.memoryDecision, by: "recall", failure: reason)
            default: break
            }
        }
        if occasion == .feedback { return thanks() }
        if plan.memory != .never {
            let all = recollection.all.map { MemoryText.line($0.owner, $0.text) }
            result.memory = MemoryRecord(memories: all)
        }
        if occasion == .opening { return open() }
        if plan.recovers, let said = turns.last, turns.dropLast().last?.sender == .bot,
            Complaint(said.text) != nil, let lastReplyID
        {
            var step = canned(plan.canned.toComplaint(seed: sampling.seed))
            if case .finished(var done) = step {
                done.asksAbout = lastReplyID
                result = done
                step = .finished(done)
            }
            return step
        }
        return decide()
    }

    mutating func open() -> Step {
        let known = recollection.all.map { Fact($0.owner, $0.text) } + plan.persona.map { Fact(.bot, $0) }
        let input = ModuleInput(.opening, turns: [], memories: known, style: plan.replyStyle)
        return reply([input])
    }

    // MARK: Decide

    mutating func decide() -> Step {
        phase = .deciding
        var calls: [TurnCall] = []
        switch plan.search {
        case .never: break
        case .always:
            wantsSearch = true
            result.search = SearchRecord(decision: Self.search)
        case .decide:
            result.search = SearchRecord()
            if let call = write(ModuleInput(.searchDecision, turns: turns)) { calls.append(call) }
        }
        switch plan.memory {
        case .never: break
        case .always:
            wantsMemory = !recollection.near.isEmpty
        case .decide:
            // Nothing that bears on the words: there is nothing to decide.
            if recollection.near.isEmpty {
                result.memory?.decision = Self.noMemory
            } else if let call = write(ModuleInput(.memoryDecision, turns: turns, memories: nearFacts)) {
                calls.append(call)
            } else {
                // The style has no such module: nearness decides.
                wantsMemory = true
            }
        }
        return ask(calls)
    }

    var nearFacts: [Fact] { recollection.near.map { Fact($0.owner, $0.text) } }

    static let search = "search"
    static let noSearch = "do not search"
    static let memory = "access memory"
    static let noMemory = "do not access memory"

    mutating func decided(_ answered: [(TurnCall, TurnAnswer)]) -> Step {
        for (call, answer) in answered {
            guard case .write(let asked) = call, let said = output(asked, answer) else { continue }
            let decision = plan.style(of: asked.module).decision(said, of: asked.module)
            if decision == nil { fail("neither yes nor no: counted as no") }
            if asked.module == .searchDecision { wantsSearch = decision ?? false }
            if asked.module == .memoryDecision { wantsMemory = decision ?? false }
        }
        if plan.search != .never { result.search?.decision = wantsSearch ? Self.search : Self.noSearch }
        if plan.memory != .never { result.memory?.decision = wantsMemory ? Self.memory : Self.noMemory }
        return prepare()
    }

    // MARK: Knowledge

    /// Query, memory and topic do not wait for each other.
    mutating func prepare() -> Step {
        phase = .preparing
        var calls: [TurnCall] = []
        if wantsSearch {
            if let call = write(ModuleInput(.searchQuery, turns: turns)) {
                calls.append(call)
            } else if let last = turns.last {
                // No module for it: the person's words are the query.
                result.search?.query = SearchQuery.plain(last.text)
            }
        }
        if wantsMemory {
            if recollection.near.count == 1 {
                use(recollection.near[0], by: "recall", output: recollection.near[0].text)
            } else if let call = write(ModuleInput(.memoryKnowledge, turns: turns, memories: nearFacts)) {
                calls.append(call)
            } else {
                use(recollection.near[0], by: "recall", output: recollection.near[0].text)
            }
        }
        let isAlone = !wantsSearch && !wantsMemory
        if plan.topic == .always
            || (plan.topic == .otherwise && isAlone && (plan.search, plan.memory) != (.never, .never))
        {
            if let call = write(ModuleInput(.topicKnowledge, turns: turns)) { calls.append(call) }
        }
        return ask(calls)
    }

    mutating func prepared(_ answered: [(TurnCall, TurnAnswer)]) -> Step {
        for (call, answer) in answered {
            guard case .write(let asked) = call, let said = output(asked, answer) else { continue }
            let text = plan.style(of: asked.module).answer(said, of: asked.module)
            switch asked.module {
            case .searchQuery: result.search?.query = text.isEmpty ? nil : text
            case .topicKnowledge: learn(.topic, text)
            case .memoryKnowledge:
                // Only a memory that is there counts, as it is kept; a made-up one is thrown away.
                if let memory = recollection.meant(by: text) {
                    use(memory, by: nil, output: said)
                } else {
                    fail("no memory says so")
                }
            default: break
            }
        }
        guard wantsSearch else { return finishKnowledge() }
        guard let query = result.search?.query else { return noDocuments("no query was written") }
        phase = .checkingQuery
        return ask([.check(.query(query))])
    }

    mutating func queryChecked(_ answered: [(TurnCall, TurnAnswer)]) -> Step {
        var refusal: String?
        for case (_, let answer) in answered {
            switch answer {
            case .verdict(let outcome) where outcome.isUnsafe:
                refusal = "the query was not sent: " + outcome.reason
                // What may not be sent is not written down as if it had been.
                result.search?.query = nil
            case .failure(let reason): refusal = "the query could not be checked: \(reason)"
            default: break
            }
        }
        if let refusal { return noDocuments(refusal) }
        phase = .searching
        return ask([.search(result.search?.query ?? "", count: plan.documentCount)])
    }

    mutating func searched(_ answered: [(TurnCall, TurnAnswer)]) -> Step {
        for case (_, let answer) in answered {
            switch answer {
            case .found(let findings):
                result.search?.provider = findings.provider
                documents = findings.documents
            case .failure(let reason): return noDocuments(reason)
            default: break
            }
        }
        guard !documents.isEmpty else { return noDocuments("nothing was found") }
        result.search?.documents = documents
        phase = .reading
        guard let call = write(ModuleInput(.searchKnowledge, turns: turns, documents: documents)) else {
            learn(.search, documents[0].content)
            return finishKnowledge()
        }
        return ask([call])
    }

    /// The turn goes on without a search: about its topic where the plan has one, and the record says why.
    mutating func noDocuments(_ reason: String) -> Step {
        result.search?.failure = reason
        let hasTopic = knowledge.contains { $0.kind == .topic } || result.modules.contains { $0.module == "ckm" }
        guard plan.topic == .otherwise, !wantsMemory || knowledge.isEmpty, !hasTopic,
            let call = write(ModuleInput(.topicKnowledge, turns: turns))
        else { return finishKnowledge() }
        phase = .reading
        return ask([call])
    }

    mutating func read(_ answered: [(TurnCall, TurnAnswer)]) -> Step {
        for (call, answer) in answered {
            guard case .write(let asked) = call, let said = output(asked, answer) else { continue }
            let text = plan.style(of: asked.module).answer(said, of: asked.module)
            learn(asked.module == .searchKnowledge ? .search : .topic, text)
        }
        return finishKnowledge()
    }

    mutating func learn(_ kind: KnowledgeKind, _ text: String) {
        // The words of a failure are not knowledge (they became it in the reference).
        guard !OutputText.isNothing(text) else { return }
        // A topic is taken from the talk. A small model names those that it was taught with, and answers "Hi!" with football.
        if kind == .topic, !MemoryGround.holds(text, in: turns.map(\.text).joined(separator: "\n"), after: "") {
            fail("nobody spoke of it")
            return
        }
        knowledge.append(Knowledge(kind, text))
        if kind == .search { result.search?.knowledge = text }
    }

    mutating func use(_ memory: Memory, by rule: String?, output: String) {
        if let rule { note(.memoryKnowledge, by: rule, output: output) }
        result.memory?.knowledge = MemoryText.line(memory.owner, memory.text)
        result.usedMemoryID = memory.id
        knowledge.append(Knowledge(.memory, memory.text, owner: memory.owner))
    }
}

extension ModuleRecord {
    init(_ module: DialogueModule, _ said: ModuleOutput) {
        self.init(
            module: module.rawValue, model: said.model, output: said.reply.text,
            promptTokens: said.reply.promptTokenCount, cachedTokens: said.reply.cachedTokenCount,
            tokens: said.reply.tokenCount)
    }
}
