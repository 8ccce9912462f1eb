import Conversations

/// The turn's end: replies are asked for, judged, and one of them is said; and the record of it all.
extension ReplyTurn {
    // MARK: Reply

    mutating func finishKnowledge() -> Step {
        // Topic, memory, search: what was searched for stands nearest to the reply.
        knowledge.sort {
            KnowledgeKind.allCases.firstIndex(of: $0.kind)! < KnowledgeKind.allCases.firstIndex(of: $1.kind)!
        }
        return reply(replyInputs())
    }

    func replyInputs() -> [ModuleInput] {
        func input(_ module: DialogueModule, _ knowledge: [Knowledge]) -> ModuleInput {
            let isStyled = module == .styleReply
            return ModuleInput(
                module, turns: turns, memories: isStyled ? plan.persona.map { Fact(.bot, $0) } : [],
                knowledge: knowledge, style: plan.replyStyle)
        }
        let combined: ModuleInput
        switch knowledge.count {
        case 0: combined = input(plan.replyStyle == nil ? .plainReply : .styleReply, [])
        case 1: combined = input(knowledge[0].kind.reply, knowledge)
        default: combined = input(.searchReply, knowledge)
        }
        guard knowledge.count > 1, plan.conditioning != .combined else { return [combined] }
        // Each kind by its own name: the reference tells its modules apart by their place in a list, and mixes two up.
        let separate = knowledge.map { input($0.kind.reply, [$0]) }
        return plan.conditioning == .both ? [combined] + separate : separate
    }

    mutating func reply(_ inputs: [ModuleInput]) -> Step {
        phase = .replying
        // Far from the seeds of batches and choices, which count up from the first.
        let seed = sampling.seed &+ UInt64(attempt) &* 0x9E37_79B9_7F4A_7C15
        let calls = inputs.compactMap { write($0, seed: seed) }
        guard !calls.isEmpty else { return giveUp() }
        return ask(calls)
    }

    mutating func replied(_ answered: [(TurnCall, TurnAnswer)]) -> Step {
        candidates = []
        for (call, answer) in answered {
            guard case .write(let asked) = call else { continue }
            let number = replyCalls
            replyCalls += 1
            guard case .output(let said) = answer else {
                _ = output(asked, answer)
                continue
            }
            record(asked, said)
            let text = ReplyText(said.reply.text)
            if text.text.isEmpty {
                fail("nothing to say")
            } else {
                candidates.append(
                    Candidate(
                        text: text, output: said, call: asked, number: number, record: result.modules.count - 1))
            }
        }
        // The most probable first: the largest of the negative numbers, where the reference takes the smallest.
        candidates.sort {
            ($1.output.reply.meanLogProbability, $0.number) < ($0.output.reply.meanLogProbability, $1.number)
        }
        return judge()
    }

    mutating func judge() -> Step {
        guard let next = candidates.first else { return tryAgain() }
        phase = .judging
        return ask([.check(.reply(next.text.text, context: turns))])
    }

    mutating func judged(_ answered: [(TurnCall, TurnAnswer)]) -> Step {
        guard !candidates.isEmpty else { return tryAgain() }
        var candidate = candidates.removeFirst()
        for case (_, .verdict(let outcome)) in answered {
            candidate.verdict = outcome
            if outcome.isUnsafe {
                unsafe = outcome
                fail("unsafe: " + outcome.reason, of: candidate)
                return shown.isEmpty ? judge() : breakOff(candidate, for: outcome)
            }
        }
        if let fault = fault(in: candidate.text.text) {
            fail(fault.description, of: candidate)
            guard shown.isEmpty else {
                // What was read already is the reply.
                candidate.text = ReplyText(shown)
                return say(candidate)
            }
            // The first that may be said, should no better one come.
            if flawed.map({ !$0.fault.mayBeSaid && fault.mayBeSaid }) ?? true { flawed = (candidate, fault) }
            return judge()
        }
        return say(candidate)
    }

    func fault(in text: String) -> ReplyFault? {
        if earlier.contains(ReplyText.key(of: text)) { return .repeatsItself }
        if occasion == .opening, MemoryText.namesSpeakers(text) { return .talksForPerson }
        if isShownAtOnce { return nil }
        let facts = recollection.all.map { Fact($0.owner, $0.text) } + plan.persona.map { Fact(.bot, $0) }
        return ReplyFault(in: text, after: turns, facts: facts)
    }

    mutating func tryAgain() -> Step {
        // Greedy drawing would say the same again. An opening gets three more tries, from the same memories each time: the
        // reference forgets some of them for good on the way.
        if attempt < (occasion == .opening ? 3 : 1), drawsAtRandom {
            attempt += 1
            candidates = []
            return occasion == .opening ? open() : reply(replyInputs())
        }
        // Saying the same again is dull; it is still better than no reply of the model. Taking the person's part is not.
        if let flawed, flawed.fault.mayBeSaid { return say(flawed.candidate) }
        if let unsafe {
            return canned(
                unsafe.cannedReply ?? plan.canned.forUnsafeReply, failure: "unsafe_BlenderBot3", verdict: unsafe)
        }
        return giveUp()
    }

    var drawsAtRandom: Bool {
        let modules: [DialogueModule] = occasion == .opening ? [.opening] : replyInputs().map(\.module)
        return modules.contains { module in
            let own = plan.sampling(of: module, turn: sampling)
            return own.temperature > 0 && own.beamCount == 1
        }
    }

    mutating func giveUp() -> Step {
        let step = canned(plan.canned.forNoReply, failure: "unsafe_model_crash")
        guard case .finished(var done) = step else { return step }
        done.isCrash = true
        result = done
        return .finished(done)
    }

    mutating func say(_ candidate: Candidate) -> Step {
        phase = .done
        result.text = candidate.text.text
        // The message has its text already.
        if candidate.output.reply.text.contains(candidate.text.text) { result.modules[candidate.record].output = "" }
        if occasion == .opening { result.text = MemoryText.withoutSpeakers(result.text) }
        result.replyCall = candidate.number
        result.finishReason = candidate.text.isCut ? "stop" : candidate.output.reply.finishReason
        result.tokenCount = candidate.output.reply.tokenCount
        result.promptTokenCount = candidate.output.reply.promptTokenCount
        result.cachedTokenCount = candidate.output.reply.cachedTokenCount
        result.tokens = candidate.output.reply.tokens
        result.safety = candidate.verdict.decisions
        let drawn = candidate.call.sampling
        result.generation = GenerationRecord(
            model: candidate.output.model, temperature: drawn.temperature, topP: drawn.topP, seed: drawn.seed,
            meanLogProbability: candidate.output.reply.meanLogProbability)
        return .finished(result)
    }

    /// What was shown passed and stays; the rest is not said, and the bot turns to something else.
    mutating func breakOff(_ candidate: Candidate, for outcome: SafetyOutcome) -> Step {
        let turning = outcome.cannedReply ?? plan.canned.forUnsafeReply
        let step = canned(shown + " " + turning, failure: "unsafe_BlenderBot3", verdict: outcome)
        guard case .finished(var done) = step else { return step }
        done.replyCall = candidate.number
        done.tokenCount = candidate.output.reply.tokenCount
        done.promptTokenCount = candidate.output.reply.promptTokenCount
        done.cachedTokenCount = candidate.output.reply.cachedTokenCount
        result = done
        return .finished(done)
    }

    /// For what somebody said of a reply.
    mutating func thanks() -> Step {
        // Before it is finished: nobody learns from a thumb on it.
        result.isThanks = true
        return canned(plan.canned.toFeedback)
    }

    mutating func canned(_ text: String, failure: String? = nil, verdict: SafetyOutcome? = nil) -> Step {
        phase = .done
        result.text = text
        result.failure = failure
        result.finishReason = "stop"
        (result.tokenCount, result.promptTokenCount, result.cachedTokenCount) = (0, 0, 0)
        result.tokens = nil
        // Not said, so not used.
        result.usedMemoryID = nil
        if let verdict {
            result.isSafetyControlled = true
            result.safety = verdict.decisions
        }
        return .finished(result)
    }

    // MARK: Record

    /// What a module said, recorded; `nil` when it said nothing.
    mutating func output(_ call: ModuleCall, _ answer: TurnAnswer) -> String? {
        switch answer {
        case .output(let said):
            record(call, said)
            return said.reply.text
        case .failure(let reason):
            note(call.module, by: "", failure: reason)
            return nil
        default: return nil
        }
    }

    mutating func record(_ call: ModuleCall, _ said: ModuleOutput) {
        result.modules.append(ModuleRecord(call.module, said))
    }

    mutating func note(
        _ module: DialogueModule, by model: String, output: String = "", failure: String? = nil
    ) {
        result.modules.append(
            ModuleRecord(module: module.rawValue, model: model, output: output, failure: failure))
    }

    /// Says of the last record that its output was not used.
    mutating func fail(_ reason: String) {
        guard let place = result.modules.indices.last else { return }
        result.modules[place].failure = reason
    }

    /// Says why a reply was not said; what is unsafe, or would be taken for the person's words, is not written down.
    mutating func fail(_ reason: String, of candidate: Candidate) {
        result.modules[candidate.record].failure = reason
        if candidate.verdict.isUnsafe { result.modules[candidate.record].output = "" }
    }
}
