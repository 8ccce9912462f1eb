import Conversations

/// One conversation of a deployment while it goes on.
struct DeployedTalk: Sendable {
    var conversation: Conversation
    var script: PersonScript
    var voter: Voter
    var correcting: ReplyGrammar
    var random: SplitMix64
    /// What has been said, as a model sees it.
    private(set) var turns: [Turn] = []
    /// The judge's verdicts by message id.
    private(set) var verdicts: [String: Verdict] = [:]
    private var state = TalkState()
    private var wasBad = false

    init(
        conversation: Conversation, script: PersonScript, voter: Voter, correcting: ReplyGrammar, random: SplitMix64
    ) {
        self.conversation = conversation
        self.script = script
        self.voter = voter
        self.correcting = correcting
        self.random = random
    }

    /// The person's next turn; false when they have left.
    mutating func speak(_ reader: TalkReader) -> Bool {
        guard let said = script.next(after: state, wasBad: wasBad) else { return false }
        let turn = Turn(.human, said)
        turns.append(turn)
        reader.follow(turn, &state)
        conversation.messages.append(Message(id: nextID, sender: .human, text: said))
        return true
    }

    /// The bot's reply, judged, and the person's feedback on it.
    mutating func hear(
        _ text: String, _ record: GenerationRecord?, _ reader: TalkReader, _ judge: WorldJudge, _ world: World
    ) {
        let verdict = judge.verdict(on: text, in: state)
        wasBad = !verdict.isGood
        var message = Message(id: nextID, sender: .bot, text: text, generation: record)
        verdicts[message.id] = verdict
        let now = state
        let writer = correcting
        let feedback = voter.feedback(
            on: verdict, &random,
            comment: { world.personGrammar.sentence(for: Act(kind: .complain), &$0) },
            correction: { writer.reply(to: now, &$0) })
        if let feedback { message.feedback = [feedback] }
        conversation.messages.append(message)
        if feedback?.rating == .dislike, random.chance(0.04),
            let complaint = world.personGrammar.sentence(for: Act(kind: .complain), &random)
        {
            conversation.messages.append(
                Message(id: nextID, sender: .human, text: complaint, isDislikeFeedback: true))
        }
        let turn = Turn(.bot, text)
        turns.append(turn)
        reader.follow(turn, &state)
    }

    /// What the log shows of it: mostly the conversation, sometimes with a habit of real logs.
    mutating func logged(_ brokenShare: Double) -> [Conversation] {
        guard random.chance(brokenShare) else { return [conversation] }
        switch random.index(3) {
        case 0:
            conversation.messages.insert(Message(id: "\(conversation.id).e", sender: .human, text: ""), at: 0)
            return [conversation]
        case 1:
            guard var again = conversation.messages.first else { return [conversation] }
            again.id = "\(conversation.id).d"
            conversation.messages.insert(again, at: 1)
            return [conversation]
        default: return [conversation, conversation]
        }
    }

    private var nextID: String { "\(conversation.id).\(conversation.messages.count)" }
}
