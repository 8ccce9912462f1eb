import Foundation

/// A reply as it was drawn.
public struct DrawnReply: Sendable, Hashable {
    /// Without the token that ended it.
    public var ids: [Int]
    /// Whether the model ended it, or the limit did.
    public var ended: Bool
    /// Tokens drawn, the end included.
    public var tokenCount: Int
    /// Sum over the drawn tokens at temperature 1, in nats.
    public var logProbability: Double

    /// Per drawn token, in nats.
    public var meanLogProbability: Double { tokenCount > 0 ? logProbability / Double(tokenCount) : 0 }
}

/// A token with its log-probability at temperature 1 before any filter, in nats.
public struct TokenLogProbability: Sendable, Hashable {
    public var id: Int
    public var logProbability: Double
}

/// One reply in the making, whatever batch it is computed in: logits in, token out.
///
/// Its random numbers, penalties and limits are its own, so a reply does not depend on what is drawn beside it.
struct TokenDrawing {
    let settings: DecodingSettings
    let prompt: [Int]
    /// Most tokens of this reply: its context may be full before its wish.
    let limit: Int
    private(set) var reply = DrawnReply(ids: [], ended: false, tokenCount: 0, logProbability: 0)
    /// The token drawn last, which the model sees next.
    private(set) var next = 0
    private(set) var isDone = false
    private var randomness: ReplyRandomness
    private var factualNucleus: FactualNucleus?

    /// - Throws: `GenerationError` `setting` for settings out of range (a bias for a token beyond the vocabulary among
    ///   them) or an empty prompt, `mismatch` for a token of the prompt beyond the vocabulary.
    init(prompt: [Int], settings: DecodingSettings, vocabularySize: Int, contextLength: Int) throws {
        guard !prompt.isEmpty else {
            throw GenerationError(.setting, "every reply needs a prompt of one token or more")
        }
        if let stray = prompt.first(where: { !(0..<vocabularySize).contains($0) }) {
            throw GenerationError(.mismatch, "token \(stray) is beyond the model's vocabulary of \(vocabularySize)")
        }
        if let stray = settings.penalties.bias.keys.filter({ !(0..<vocabularySize).contains($0) }).min() {
            throw GenerationError(
                .setting, "logit_bias names token \(stray), the model's vocabulary has \(vocabularySize) tokens")
        }
        guard prompt.count <= contextLength else {
            throw GenerationError(
                .promptTooLong, "the prompt has \(prompt.count) tokens, the model's context holds \(contextLength)")
        }
        self.settings = settings
        self.prompt = prompt
        limit = min(settings.rules.maximumTokens, max(contextLength - prompt.count, 1))
        randomness = ReplyRandomness(seed: settings.seed)
        factualNucleus = settings.factualNucleus
    }

    /// Draws the next token.
    /// - Parameters:
    ///   - logits: the model's, of every token.
    ///   - total: ln Σ exp of them.
    /// - Returns: the log-probabilities to report: of the token, and of the most probable ones if asked for.
    mutating func draw(
        _ logits: UnsafeBufferPointer<Float>, total: Float
    ) throws -> (token: TokenLogProbability, top: [TokenLogProbability]) {
        var row = Array(logits)
        adjust(&row)
        var sampler = settings.sampler
        if let factualNucleus { sampler.topP = factualNucleus.p }
        let id = try sampler.draw(row, unit: randomness.unit())
        let top =
            settings.topLogProbabilities > 0 ? Self.top(settings.topLogProbabilities, of: logits, total: total) : []
        let drawn = TokenLogProbability(id: id, logProbability: Double(logits[id]) - Double(total))
        append(drawn)
        return (drawn, top)
    }

    /// The reply is over, by a stop string say.
    mutating func stop() {
        reply.ended = true
        isDone = true
    }

    /// Penalties, then what is forbidden.
    private func adjust(_ row: inout [Float]) {
        let rules = settings.rules
        LogitAdjustments.apply(settings.penalties, prompt: prompt, reply: reply.ids, to: &row)
        LogitAdjustments.forbid(rules.forbiddenNow(after: reply.ids, prompt: prompt), in: &row)
        LogitAdjustments.forbid(rules.suppressedIDs, in: &row)
    }

    private mutating func append(_ drawn: TokenLogProbability) {
        let id = drawn.id
        next = id
        reply.tokenCount += 1
        reply.logProbability += drawn.logProbability
        if settings.rules.endIDs.contains(id) {
            stop()
            return
        }
        reply.ids.append(id)
        isDone = reply.tokenCount >= limit
        factualNucleus?.append(id)
    }

    /// The most probable tokens, most probable first; of equal ones the lower id.
    static func top(_ count: Int, of logits: UnsafeBufferPointer<Float>, total: Float) -> [TokenLogProbability] {
        var best: [TokenLogProbability] = []
        for id in logits.indices {
            let value = Double(logits[id])
            guard best.count < count || value > best[best.count - 1].logProbability else { continue }
            let place = best.lastIndex { $0.logProbability >= value }.map { $0 + 1 } ?? 0
            best.insert(TokenLogProbability(id: id, logProbability: value), at: place)
            if best.count > count { best.removeLast() }
        }
        return best.map { TokenLogProbability(id: $0.id, logProbability: $0.logProbability - Double(total)) }
    }
}
