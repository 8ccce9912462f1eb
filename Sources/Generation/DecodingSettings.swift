import Conversations

/// How one sequence of tokens is drawn: everything that a request may say, in terms of ids.
public struct DecodingSettings: Sendable, Hashable {
    public var sampler: TokenSampler
    public var rules: DrawingRules
    public var penalties: TokenPenalties
    /// Takes the place of the sampler's `topP` where it is set.
    public var factualNucleus: FactualNucleus?
    /// The reply ends before the first of these.
    public var stops: [String]
    /// Beam search with this many hypotheses; 1 draws instead.
    public var beamCount: Int
    public var lengthPenalty: Double
    /// γ of the model's `TokenGuide`; 0 is off.
    public var guidance: Double
    /// How many of the most probable tokens to report beside each drawn one.
    public var topLogProbabilities: Int
    public var seed: UInt64

    public init(sampler: TokenSampler, rules: DrawingRules, seed: UInt64 = 0) {
        self.sampler = sampler
        self.rules = rules
        self.seed = seed
        penalties = TokenPenalties()
        factualNucleus = nil
        stops = []
        beamCount = 1
        lengthPenalty = 0.65
        guidance = 0
        topLogProbabilities = 0
    }

    /// The settings of a request.
    /// - Parameters:
    ///   - endIDs: tokens that end a reply.
    ///   - suppressedIDs: tokens that a reply never holds.
    ///   - sentenceEnds: tokens at which the factual nucleus opens again.
    /// - Throws: `GenerationError` `setting` for a number out of range, by the name it has on the wire.
    public init(
        _ sampling: Sampling, endIDs: Set<Int>, suppressedIDs: Set<Int> = [], sentenceEnds: Set<Int> = []
    ) throws {
        guard sampling.maximumTokens > 0 else {
            throw GenerationError(.setting, "max_tokens is \(sampling.maximumTokens), should be 1 or more")
        }
        self.init(
            sampler: try TokenSampler(
                temperature: sampling.temperature, topP: sampling.topP, topK: sampling.topK, minP: sampling.minP,
                typicalP: sampling.typicalP),
            rules: DrawingRules(
                endIDs: endIDs, suppressedIDs: suppressedIDs, minimumTokens: sampling.minimumTokens,
                maximumTokens: sampling.maximumTokens, blockedNGram: sampling.blockedNGram,
                blockedContextNGram: sampling.blockedContextNGram),
            seed: sampling.seed)
        penalties.repetition = sampling.repetitionPenalty
        penalties.presence = sampling.presencePenalty
        penalties.frequency = sampling.frequencyPenalty
        penalties.contextPresence = sampling.contextPresencePenalty
        penalties.contextFrequency = sampling.contextFrequencyPenalty
        penalties.bias = sampling.logitBias
        if let schedule = sampling.factualNucleus {
            factualNucleus = try FactualNucleus(
                start: sampling.topP, decay: schedule.decay, floor: schedule.floor, sentenceEnds: sentenceEnds)
        }
        stops = sampling.stops
        beamCount = sampling.beamCount
        lengthPenalty = sampling.lengthPenalty
        guidance = sampling.guidance
        try validate()
    }

    /// - Throws: `GenerationError` `setting` for a number out of range.
    public func validate() throws {
        try penalties.validate()
        guard rules.maximumTokens > 0 else {
            throw GenerationError(.setting, "max_tokens is \(rules.maximumTokens), should be 1 or more")
        }
        for (name, value) in [
            ("no_repeat_ngram_size", rules.blockedNGram), ("context_no_repeat_ngram_size", rules.blockedContextNGram),
            ("min_tokens", rules.minimumTokens),
        ] where value < 0 {
            throw GenerationError(.setting, "\(name) is \(value), should be 0 or more")
        }
        guard rules.minimumTokens <= rules.maximumTokens else {
            throw GenerationError(
                .setting,
                "min_tokens is \(rules.minimumTokens), should be at most max_tokens, which is \(rules.maximumTokens)")
        }
        guard (1...64).contains(beamCount) else {
            throw GenerationError(.setting, "num_beams is \(beamCount), should be between 1 and 64")
        }
        guard lengthPenalty.isFinite, guidance.isFinite else {
            throw GenerationError(.setting, "length_penalty is \(lengthPenalty) and guidance \(guidance): not numbers")
        }
        guard (0...128).contains(topLogProbabilities) else {
            throw GenerationError(.setting, "top_logprobs is \(topLogProbabilities), should be between 0 and 128")
        }
        guard stops.count <= 64, stops.allSatisfy({ $0.utf8.count <= 1024 }) else {
            throw GenerationError(.setting, "stop takes at most 64 texts of 1024 bytes")
        }
    }
}
