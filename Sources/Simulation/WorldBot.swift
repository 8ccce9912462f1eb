import Conversations

/// A bot that lives in the world: good replies by the grammar, spoiled in some contexts. It stands in for a model.
public struct WorldBot: TextGenerator {
    public let modelID: String
    private let reader: TalkReader
    private let good: ReplyGrammar
    private let spoiler: ReplySpoiler
    /// Multiplies every flaw's probability: 1 gives about 15 % bad replies, 0 none.
    private let flawScale: Double

    public init(
        _ world: World, flawScale: Double = 1, vocabulary: World.Vocabulary = .facts, modelID: String = "world-bot"
    ) {
        self.init(
            world, reader: TalkReader(world), flawScale: flawScale, vocabulary: vocabulary, modelID: modelID)
    }

    init(
        _ world: World, reader: TalkReader, flawScale: Double, vocabulary: World.Vocabulary,
        modelID: String = "world-bot"
    ) {
        self.modelID = modelID
        self.reader = reader
        good = ReplyGrammar(world: world, vocabulary: vocabulary)
        spoiler = ReplySpoiler(world: world, reader: reader, good: good)
        self.flawScale = flawScale
    }

    /// A reply to a conversation whose last turn is the person's.
    func reply(in state: TalkState, _ random: inout SplitMix64) -> String {
        if let context = FlawContext.all.first(where: { $0.applies(state) }) {
            if random.chance(context.probability * flawScale),
                let text = spoiler.reply(to: state, context.flaw, style: context.style, &random)
            {
                return text
            }
            return good.reply(to: state, &random)
        }
        for (flaw, probability) in FlawContext.background where random.chance(probability * flawScale) {
            if let text = spoiler.reply(to: state, flaw, style: .shuffled, &random) { return text }
        }
        return good.reply(to: state, &random)
    }

    /// A reply without flaw: what a correction says.
    func correction(in state: TalkState, _ random: inout SplitMix64) -> String { good.reply(to: state, &random) }

    public func reply(
        to turns: [Turn], sampling: Sampling, onPiece: (@Sendable (String) -> Void)?
    ) async throws -> Reply {
        var random = SplitMix64(seed: sampling.seed)
        let text = reply(in: reader.state(after: turns), &random)
        onPiece?(text)
        return Reply(
            text: text, finishReason: "stop", tokenCount: SentenceText.words(of: text).count, meanLogProbability: 0)
    }

    public func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] {
        var replies: [Reply] = []
        for (i, history) in histories.enumerated() {
            var own = sampling
            own.seed = sampling.seed &+ UInt64(i)
            replies.append(try await reply(to: history, sampling: own, onPiece: nil))
        }
        return replies
    }
}
