/// How a reply is drawn. Whatever is not said is off, so that a plain `Sampling` is temperature and nucleus.
public struct Sampling: Sendable, Hashable, Codable {
    /// The factual nucleus (Lee et al. 2022, arXiv 2206.04624), as BB3's OPT models draw: the nucleus narrows within a
    /// sentence, where the facts stand, and opens again at the next.
    public struct FactualNucleus: Sendable, Hashable {
        /// Factor of `topP` for each token of a sentence after its second (λ).
        public var decay: Double
        /// What `topP` never falls below (ω).
        public var floor: Double

        public init(decay: Double = 0.9, floor: Double = 0.3) {
            self.decay = decay
            self.floor = floor
        }
    }

    /// 0 is greedy.
    public var temperature: Double
    /// Nucleus: keep the smallest set of tokens whose probability reaches this; 1 keeps all.
    public var topP: Double
    /// At most this many tokens.
    public var maximumTokens: Int
    /// No n-gram of this length twice in a reply; 0 is off.
    public var blockedNGram: Int
    public var seed: UInt64

    /// Only the k most probable tokens; 0 keeps all.
    public var topK = 0
    /// Only tokens at least this many times as probable as the most probable one; 0 keeps all.
    public var minP = 0.0
    /// Only the most typical tokens until their probability reaches this; 1 keeps all.
    public var typicalP = 1.0
    /// Divides (or, below 0, multiplies) the logit of every token of prompt and reply so far; 1 is off.
    public var repetitionPenalty = 1.0
    /// Taken off the logit of every token that the reply holds; 0 is off.
    public var presencePenalty = 0.0
    /// Taken off the logit of a token for each time that the reply holds it; 0 is off.
    public var frequencyPenalty = 0.0
    /// The same two for the tokens of the prompt, as BB3's OPT models have them.
    public var contextPresencePenalty = 0.0
    public var contextFrequencyPenalty = 0.0
    /// Added to the logits of these token ids.
    public var logitBias: [Int: Double] = [:]
    /// No n-gram of this length that the prompt holds; 0 is off.
    public var blockedContextNGram = 0
    /// Fewest tokens before the reply may end.
    public var minimumTokens = 0
    /// The reply ends before the first of these texts, which is not part of it.
    public var stops: [String] = []
    /// Beam search with this many hypotheses instead of drawing; 1 is off.
    public var beamCount = 1
    /// How much a beam's score is divided by for its length (Wu et al. 2016, arXiv 1609.08144), as an exponent.
    public var lengthPenalty = 0.65
    /// `nil` is off.
    public var factualNucleus: FactualNucleus?
    /// The reply comes with its tokens and their log-probabilities, and so many of the most probable tokens in each one's
    /// place; `nil` leaves all that out.
    public var topLogProbabilities: Int?
    /// How much a per-token classifier steers, where the model has one (DIRECTOR's γ); 0 is off.
    public var guidance = 0.0

    public init(
        temperature: Double = 0.8, topP: Double = 0.95, maximumTokens: Int = 48, blockedNGram: Int = 0, seed: UInt64 = 0
    ) {
        self.temperature = temperature
        self.topP = topP
        self.maximumTokens = maximumTokens
        self.blockedNGram = blockedNGram
        self.seed = seed
    }

    enum CodingKeys: String, CodingKey {
        case temperature, seed
        case topP = "top_p"
        case maximumTokens = "max_tokens"
        case blockedNGram = "no_repeat_ngram_size"
        case topK = "top_k"
        case minP = "min_p"
        case typicalP = "typical_p"
        case repetitionPenalty = "repetition_penalty"
        case presencePenalty = "presence_penalty"
        case frequencyPenalty = "frequency_penalty"
        case contextPresencePenalty = "context_presence_penalty"
        case contextFrequencyPenalty = "context_frequency_penalty"
        case logitBias = "logit_bias"
        case blockedContextNGram = "context_no_repeat_ngram_size"
        case minimumTokens = "min_tokens"
        case stops = "stop"
        case beamCount = "num_beams"
        case lengthPenalty = "length_penalty"
        case factualDecay = "lambda_decay"
        case factualFloor = "omega_bound"
        case guidance
        case topLogProbabilities = "top_logprobs"
    }

    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        func read<Value: Decodable>(_ path: WritableKeyPath<Sampling, Value>, _ key: CodingKeys) throws {
            if let value = try box.decodeIfPresent(Value.self, forKey: key) { self[keyPath: path] = value }
        }
        try read(\.temperature, .temperature)
        try read(\.topP, .topP)
        try read(\.maximumTokens, .maximumTokens)
        try read(\.blockedNGram, .blockedNGram)
        try read(\.seed, .seed)
        try read(\.topK, .topK)
        try read(\.minP, .minP)
        try read(\.typicalP, .typicalP)
        try read(\.repetitionPenalty, .repetitionPenalty)
        try read(\.presencePenalty, .presencePenalty)
        try read(\.frequencyPenalty, .frequencyPenalty)
        try read(\.contextPresencePenalty, .contextPresencePenalty)
        try read(\.contextFrequencyPenalty, .contextFrequencyPenalty)
        try read(\.logitBias, .logitBias)
        try read(\.blockedContextNGram, .blockedContextNGram)
        try read(\.minimumTokens, .minimumTokens)
        try read(\.stops, .stops)
        try read(\.beamCount, .beamCount)
        try read(\.lengthPenalty, .lengthPenalty)
        try read(\.guidance, .guidance)
        topLogProbabilities = try box.decodeIfPresent(Int.self, forKey: .topLogProbabilities)
        let decay = try box.decodeIfPresent(Double.self, forKey: .factualDecay)
        let floor = try box.decodeIfPresent(Double.self, forKey: .factualFloor)
        if decay != nil || floor != nil {
            let usual = FactualNucleus()
            factualNucleus = FactualNucleus(decay: decay ?? usual.decay, floor: floor ?? usual.floor)
        }
    }

    /// What is off is left out, so that settings written before a field existed keep their bytes.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(temperature, forKey: .temperature)
        try box.encode(topP, forKey: .topP)
        try box.encode(maximumTokens, forKey: .maximumTokens)
        try box.encode(blockedNGram, forKey: .blockedNGram)
        try box.encode(seed, forKey: .seed)
        let usual = Sampling()
        func write<Value: Encodable & Equatable>(_ path: KeyPath<Sampling, Value>, _ key: CodingKeys) throws {
            if self[keyPath: path] != usual[keyPath: path] { try box.encode(self[keyPath: path], forKey: key) }
        }
        try write(\.topK, .topK)
        try write(\.minP, .minP)
        try write(\.typicalP, .typicalP)
        try write(\.repetitionPenalty, .repetitionPenalty)
        try write(\.presencePenalty, .presencePenalty)
        try write(\.frequencyPenalty, .frequencyPenalty)
        try write(\.contextPresencePenalty, .contextPresencePenalty)
        try write(\.contextFrequencyPenalty, .contextFrequencyPenalty)
        try write(\.logitBias, .logitBias)
        try write(\.blockedContextNGram, .blockedContextNGram)
        try write(\.minimumTokens, .minimumTokens)
        try write(\.stops, .stops)
        try write(\.beamCount, .beamCount)
        try write(\.lengthPenalty, .lengthPenalty)
        try write(\.guidance, .guidance)
        try box.encodeIfPresent(topLogProbabilities, forKey: .topLogProbabilities)
        try box.encodeIfPresent(factualNucleus?.decay, forKey: .factualDecay)
        try box.encodeIfPresent(factualNucleus?.floor, forKey: .factualFloor)
    }
}
