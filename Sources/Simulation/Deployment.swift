import Conversations
import Foundation

/// A deployment in a box: simulated people talk with a bot, a model or the world's own, and vote.
public struct Deployment: Sendable {
    /// What came of it.
    public struct Outcome: Sendable {
        /// In the order in which they began.
        public var conversations: [Conversation]
        public var truth: HiddenTruth

        /// Writes the log and, beside it, the truth.
        public func write(log: URL, truth truthFile: URL) throws {
            var writer = try LogWriter(log)
            for conversation in conversations { try writer.write(conversation) }
            try writer.close()
            try truth.write(to: truthFile)
        }
    }

    public let world: World
    public let settings: DeploymentSettings
    private let reader: TalkReader
    private let judge: WorldJudge

    public init(_ world: World, _ settings: DeploymentSettings) {
        self.world = world
        self.settings = settings
        reader = TalkReader(world)
        judge = WorldJudge(world, reader: reader)
    }

    /// Lets everyone talk with `bot`. All conversations go on side by side, so that a model answers in batches. The
    /// outcome depends on the settings and the bot alone.
    public func run(_ bot: any TextGenerator) async throws -> Outcome {
        var talks = cast()
        var round: UInt64 = 0
        while true {
            var open: [Int] = []
            var histories: [[Turn]] = []
            for at in talks.indices where talks[at].speak(reader) {
                open.append(at)
                histories.append(talks[at].turns)
            }
            guard !open.isEmpty else { break }
            var sampling = settings.sampling
            sampling.seed = SplitMix64.seed(settings.seed, round)
            let replies = try await bot.replies(to: histories, sampling: sampling)
            for (offset, (at, reply)) in zip(open, replies).enumerated() {
                var record: GenerationRecord?
                if settings.recordsGeneration {
                    record = GenerationRecord(
                        model: bot.modelID, temperature: sampling.temperature, topP: sampling.topP,
                        seed: sampling.seed &+ UInt64(offset), meanLogProbability: reply.meanLogProbability)
                }
                talks[at].hear(reply.text, record, reader, judge, world)
            }
            round += 1
        }
        var truth = HiddenTruth()
        var conversations: [Conversation] = []
        for var talk in talks {
            truth.kinds[talk.conversation.userID] = talk.voter.kind
            truth.verdicts.merge(talk.verdicts) { $1 }
            conversations += talk.logged(settings.brokenShare)
        }
        return Outcome(conversations: conversations, truth: truth)
    }

    /// Everyone's conversations, not yet begun, in the order of their beginning.
    private func cast() -> [DeployedTalk] {
        var random = SplitMix64(seed: settings.seed)
        let kinds = settings.adversarialKinds.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value) }
        var seats: [(person: Int, Persona, Voter)] = []
        for person in 0..<settings.people {
            var own = SplitMix64(seed: settings.seed, stream: person)
            let isAdversarial = own.chance(settings.adversarialShare)
            let kind = isAdversarial ? own.pick(weighted: kinds) ?? .troll : .standard
            let persona = Persona(world, vocabulary: settings.vocabulary, isAdversarial: isAdversarial, &own)
            let voter = Voter(userID: "u" + Self.code(person, width: 3), kind: kind, habits: settings.votes)
            let count = 1 + own.index(max(1, 2 * settings.conversationsPerPerson - 1))
            for _ in 0..<count { seats.append((person, persona, voter)) }
        }
        seats = random.shuffled(seats)
        var time = settings.startedAt
        let correcting = ReplyGrammar(world: world, vocabulary: settings.vocabulary)
        return seats.enumerated().map { at, seat in
            var own = SplitMix64(seed: settings.seed ^ 0x7A1C, stream: at)
            time += Double(60 + own.index(900))
            let detail = own.chance(settings.detailShare) ? PersonalDetails.act(seat.1, &own) : nil
            let turns = max(1, settings.turns.lowerBound + own.index(settings.turns.count))
            let draw = own.unit()
            let consent: Consent =
                draw < settings.refusalShare
                ? .none : draw < settings.refusalShare + settings.releaseShare ? .release : .improve
            let script = PersonScript(
                world, seat.1, turns: turns, detail: detail, random: SplitMix64(seed: own.next()))
            return DeployedTalk(
                conversation: Conversation(
                    id: "c" + Self.code(at, width: 3), userID: seat.2.userID, consent: consent, startedAt: time),
                script: script, voter: seat.2, correcting: correcting, random: SplitMix64(seed: own.next()))
        }
    }

    private static func code(_ number: Int, width: Int) -> String {
        let digits = String(number, radix: 36)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension SplitMix64 {
    /// A seed for round `round` of a run.
    fileprivate static func seed(_ seed: UInt64, _ round: UInt64) -> UInt64 {
        var random = SplitMix64(seed: seed &+ round &* 0xD134_2543_DE82_EF95)
        return random.next() >> 12
    }
}
