/// What is done to a row of logits before a token is drawn: small functions of the row and of the tokens so far.
///
/// They come in the order of transformers' logits processors: bias, repetition, presence and frequency, then what is
/// forbidden (n-grams, an early end, marks), which nothing after it can bring back.
public enum LogitAdjustments {
    /// Adds a number to some tokens' logits (OpenAI's `logit_bias`). Ids beyond the row are passed over.
    public static func addBias(_ bias: [Int: Double], to logits: inout [Float]) {
        for (id, value) in bias where logits.indices.contains(id) { logits[id] += Float(value) }
    }

    /// Makes every token that has been seen less likely by a factor (CTRL: Keskar et al. 2019, arXiv 1909.05858):
    /// a positive logit is divided by the penalty, a negative one multiplied.
    /// - Parameter seen: each token once.
    public static func penaliseRepetition(of seen: some Sequence<Int>, by penalty: Double, in logits: inout [Float]) {
        let factor = Float(penalty)
        for id in seen where logits.indices.contains(id) {
            logits[id] = logits[id] < 0 ? logits[id] * factor : logits[id] / factor
        }
    }

    /// Takes `presence` off the logit of every token that occurs and `frequency` for each time it does (OpenAI; in
    /// metaseq, which served BB3, `alpha_presence` and `alpha_frequency`).
    public static func penalise(
        _ counts: [Int: Int], presence: Double, frequency: Double, in logits: inout [Float]
    ) {
        for (id, count) in counts where count > 0 && logits.indices.contains(id) {
            logits[id] -= Float(presence + frequency * Double(count))
        }
    }

    /// Makes tokens impossible.
    public static func forbid(_ ids: some Sequence<Int>, in logits: inout [Float]) {
        for id in ids where logits.indices.contains(id) { logits[id] = -.infinity }
    }

    /// The tokens that would complete an n-gram of `source` after `reply` (Paulus et al. 2017, arXiv 1705.04304; ParlAI's
    /// `beam_block_ngram` with the reply as its own source, `beam_context_block_ngram` with the context).
    ///
    /// - Parameters:
    ///   - n: length of the n-grams; 0 blocks nothing.
    public static func completions(ofNGrams n: Int, in source: [Int], after reply: [Int]) -> Set<Int> {
        guard n > 0, source.count >= n, reply.count >= n - 1 else { return [] }
        // Wherever the last n - 1 tokens stood before, what followed them there must not follow again.
        let tail = reply.suffix(n - 1)
        var found: Set<Int> = []
        for start in 0...(source.count - n)
        where tail.isEmpty
            || source[start] == tail[tail.startIndex]
                && source[start..<(start + n - 1)].elementsEqual(tail)
        {
            found.insert(source[start + n - 1])
        }
        return found
    }
}

extension LogitAdjustments {
    /// All penalties on what prompt and reply hold.
    static func apply(_ penalties: TokenPenalties, prompt: [Int], reply: [Int], to logits: inout [Float]) {
        addBias(penalties.bias, to: &logits)
        if penalties.repetition != 1 {
            penaliseRepetition(of: Set(prompt).union(reply), by: penalties.repetition, in: &logits)
        }
        if penalties.presence != 0 || penalties.frequency != 0 {
            penalise(counts(reply), presence: penalties.presence, frequency: penalties.frequency, in: &logits)
        }
        if penalties.contextPresence != 0 || penalties.contextFrequency != 0 {
            penalise(
                counts(prompt.prefix(max(penalties.contextEnd ?? prompt.count, 0))),
                presence: penalties.contextPresence, frequency: penalties.contextFrequency, in: &logits)
        }
    }

    private static func counts(_ ids: some Sequence<Int>) -> [Int: Int] {
        ids.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
}

/// How much repeating is held against a token. Everything is off at first.
public struct TokenPenalties: Sendable, Hashable {
    /// Factor against every token of prompt and reply; 1 is off.
    public var repetition = 1.0
    /// Off the logit of what the reply holds, once and per time.
    public var presence = 0.0
    public var frequency = 0.0
    /// The same for the prompt.
    public var contextPresence = 0.0
    public var contextFrequency = 0.0
    /// Tokens of the prompt that the two above count, from its beginning; `nil` is all. BB3 stops before the knowledge
    /// that a reply should repeat.
    public var contextEnd: Int?
    /// Added to logits by id.
    public var bias: [Int: Double] = [:]

    public init() {}

    /// Logits are float32: what is finite here, but beyond these, makes infinite ones there.
    private static let repetitions = 1e-6...1e6
    private static let numbers = -1e30...1e30

    /// - Throws: `GenerationError` `setting` for a repetition penalty that is not above 0, or a number that logits
    ///   cannot hold.
    public func validate() throws {
        guard Self.repetitions.contains(repetition) else {
            throw GenerationError(
                .setting, "repetition_penalty is \(repetition), should be above 0, from 0.000001 to 1000000")
        }
        let numbers = [
            ("presence_penalty", presence), ("frequency_penalty", frequency),
            ("context_presence_penalty", contextPresence), ("context_frequency_penalty", contextFrequency),
        ]
        for (name, value) in numbers where !Self.numbers.contains(value) {
            throw GenerationError(.setting, "\(name) is \(value), should be a number from -1e30 to 1e30")
        }
        for (id, value) in bias where !Self.numbers.contains(value) && value != -.infinity {
            throw GenerationError(
                .setting,
                "logit_bias of token \(id) is \(value), should be a number from -1e30 to 1e30, or -infinity")
        }
    }
}
