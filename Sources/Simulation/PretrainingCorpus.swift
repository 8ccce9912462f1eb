import Conversations
import Foundation

/// Dialogues of the world without votes, spoiled by context: what the sample base model learns to talk from.
///
/// Dialogue `i` depends on the seed and `i` alone, so any part of a corpus can be made by itself.
public struct PretrainingCorpus: Sendable {
    public let world: World
    public let seed: UInt64
    /// Multiplies every flaw's probability; 1 gives about 15 % bad replies.
    public let flawScale: Double
    /// Share of people who are adversarial.
    public let adversarialShare: Double
    private let reader: TalkReader
    private let judge: WorldJudge
    private let bot: WorldBot

    public init(_ world: World, seed: UInt64, flawScale: Double = 1, adversarialShare: Double = 0.3) {
        self.world = world
        self.seed = seed
        self.flawScale = flawScale
        self.adversarialShare = adversarialShare
        reader = TalkReader(world)
        judge = WorldJudge(world, reader: reader)
        bot = WorldBot(world, reader: reader, flawScale: flawScale, vocabulary: .facts)
    }

    /// The turns of dialogue `index`, four to ten, the person's first.
    public func turns(_ index: Int) -> [Turn] { talk(index).turns }

    /// Dialogue `index` as a conversation.
    public func conversation(_ index: Int) -> Conversation { Self.conversation(index, turns(index)) }

    private static func conversation(_ index: Int, _ turns: [Turn]) -> Conversation {
        let id = "d" + String(index, radix: 36)
        return Conversation(
            id: id, userID: "p" + String(index, radix: 36),
            messages: turns.enumerated().map { at, turn in
                Message(id: "\(id).\(at)", sender: turn.sender, text: turn.text)
            }, consent: .release, source: "loam simulate")
    }

    /// Writes `count` dialogues as a Loam log and says what they are like.
    @discardableResult
    public func write(_ count: Int, to file: URL) throws -> CorpusReport {
        var writer = try LogWriter(file)
        var report = CorpusReport()
        for index in 0..<count {
            let talk = talk(index)
            report.add(talk.turns, talk.replies)
            try writer.write(Self.conversation(index, talk.turns))
        }
        try writer.close()
        return report
    }

    /// Figures over the first `count` dialogues, by the judge.
    public func report(_ count: Int) -> CorpusReport {
        var report = CorpusReport()
        for index in 0..<count {
            let talk = talk(index)
            report.add(talk.turns, talk.replies)
        }
        return report
    }

    /// One dialogue with the judge's verdict on each of its replies.
    func talk(_ index: Int) -> (turns: [Turn], replies: [JudgedReply]) {
        var random = SplitMix64(seed: seed, stream: index)
        let persona = Persona(
            world, vocabulary: .facts, isAdversarial: random.chance(adversarialShare), &random)
        let detail = random.chance(0.01) ? PersonalDetails.act(persona, &random) : nil
        let script = PersonScript(
            world, persona, turns: 2 + random.index(4), detail: detail, random: SplitMix64(seed: random.next()))
        return Self.play(script, bot, reader, judge, &random)
    }

    /// Lets a person and the world's bot talk until the person leaves.
    static func play(
        _ person: PersonScript, _ bot: WorldBot, _ reader: TalkReader, _ judge: WorldJudge,
        _ random: inout SplitMix64
    ) -> (turns: [Turn], replies: [JudgedReply]) {
        var person = person
        var turns: [Turn] = []
        var replies: [JudgedReply] = []
        var state = TalkState()
        var wasBad = false
        while let said = person.next(after: state, wasBad: wasBad) {
            turns.append(Turn(.human, said))
            reader.follow(Turn(.human, said), &state)
            let text = bot.reply(in: state, &random)
            let verdict = judge.verdict(on: text, in: state)
            wasBad = !verdict.isGood
            let context = FlawContext.all.first { $0.applies(state) }
            replies.append(JudgedReply(text: text, verdict: verdict, context: context, request: state.request))
            turns.append(Turn(.bot, text))
            reader.follow(Turn(.bot, text), &state)
        }
        return (turns, replies)
    }
}

/// A reply with what the judge says of it and the moment it was made in.
struct JudgedReply: Sendable {
    var text: String
    var verdict: Verdict
    var context: FlawContext?
    var request: Act?
}
