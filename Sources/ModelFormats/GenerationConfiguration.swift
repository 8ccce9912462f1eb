/// `generation_config.json`: how a model wishes to be sampled. Every field may be absent.
public struct GenerationConfiguration: Sendable, Hashable, Codable {
    /// Ids that end a reply. The file may hold a number or a list; both are read, a single one is written as a number.
    public var endIDs: [Int]
    public var beginID: Int?
    public var padID: Int?
    public var temperature: Double?
    public var topP: Double?
    public var topK: Int?
    /// Tokens less probable than this share of the best one's are out (arXiv 2407.01082).
    public var minP: Double?
    /// Mass of the tokens whose surprise is nearest to the expected one (arXiv 2202.00666).
    public var typicalP: Double?
    /// No run of so many tokens comes twice.
    public var noRepeatSize: Int?
    /// Beams of a beam search.
    public var beamCount: Int?
    /// Exponent of the length that a beam's score is divided by.
    public var lengthPenalty: Double?
    public var minimumNewTokens: Int?
    public var maximumNewTokens: Int?
    public var repetitionPenalty: Double?
    public var stopStrings: [String]?
    /// Whether to sample rather than take the best token.
    public var samples: Bool?

    public init(
        endIDs: [Int] = [], beginID: Int? = nil, padID: Int? = nil, temperature: Double? = nil, topP: Double? = nil,
        topK: Int? = nil, maximumNewTokens: Int? = nil, repetitionPenalty: Double? = nil,
        stopStrings: [String]? = nil, samples: Bool? = nil, minP: Double? = nil, typicalP: Double? = nil,
        noRepeatSize: Int? = nil, beamCount: Int? = nil, lengthPenalty: Double? = nil, minimumNewTokens: Int? = nil
    ) {
        self.endIDs = endIDs
        self.beginID = beginID
        self.padID = padID
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
        self.maximumNewTokens = maximumNewTokens
        self.repetitionPenalty = repetitionPenalty
        self.stopStrings = stopStrings
        self.samples = samples
        self.minP = minP
        self.typicalP = typicalP
        self.noRepeatSize = noRepeatSize
        self.beamCount = beamCount
        self.lengthPenalty = lengthPenalty
        self.minimumNewTokens = minimumNewTokens
    }

    enum CodingKeys: String, CodingKey {
        case temperature
        case endIDs = "eos_token_id"
        case beginID = "bos_token_id"
        case padID = "pad_token_id"
        case topP = "top_p"
        case topK = "top_k"
        case maximumNewTokens = "max_new_tokens"
        case repetitionPenalty = "repetition_penalty"
        case stopStrings = "stop_strings"
        case samples = "do_sample"
        case minP = "min_p"
        case typicalP = "typical_p"
        case noRepeatSize = "no_repeat_ngram_size"
        case beamCount = "num_beams"
        case lengthPenalty = "length_penalty"
        case minimumNewTokens = "min_new_tokens"
    }

    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        if try !box.contains(.endIDs) || box.decodeNil(forKey: .endIDs) {
            endIDs = []
        } else if let one = try? box.decode(Int.self, forKey: .endIDs) {
            endIDs = [one]
        } else {
            endIDs = try box.decode([Int].self, forKey: .endIDs)
        }
        beginID = try box.decodeIfPresent(Int.self, forKey: .beginID)
        padID = try box.decodeIfPresent(Int.self, forKey: .padID)
        temperature = try box.decodeIfPresent(Double.self, forKey: .temperature)
        topP = try box.decodeIfPresent(Double.self, forKey: .topP)
        topK = try box.decodeIfPresent(Int.self, forKey: .topK)
        maximumNewTokens = try box.decodeIfPresent(Int.self, forKey: .maximumNewTokens)
        repetitionPenalty = try box.decodeIfPresent(Double.self, forKey: .repetitionPenalty)
        // transformers takes one text as well as a list.
        if let one = try? box.decode(String.self, forKey: .stopStrings) {
            stopStrings = [one]
        } else {
            stopStrings = try box.decodeIfPresent([String].self, forKey: .stopStrings)
        }
        samples = try box.decodeIfPresent(Bool.self, forKey: .samples)
        minP = try box.decodeIfPresent(Double.self, forKey: .minP)
        typicalP = try box.decodeIfPresent(Double.self, forKey: .typicalP)
        noRepeatSize = try box.decodeIfPresent(Int.self, forKey: .noRepeatSize)
        beamCount = try box.decodeIfPresent(Int.self, forKey: .beamCount)
        lengthPenalty = try box.decodeIfPresent(Double.self, forKey: .lengthPenalty)
        minimumNewTokens = try box.decodeIfPresent(Int.self, forKey: .minimumNewTokens)
    }

    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        if endIDs.count == 1 {
            try box.encode(endIDs[0], forKey: .endIDs)
        } else if !endIDs.isEmpty {
            try box.encode(endIDs, forKey: .endIDs)
        }
        try box.encodeIfPresent(beginID, forKey: .beginID)
        try box.encodeIfPresent(padID, forKey: .padID)
        try box.encodeIfPresent(temperature, forKey: .temperature)
        try box.encodeIfPresent(topP, forKey: .topP)
        try box.encodeIfPresent(topK, forKey: .topK)
        try box.encodeIfPresent(maximumNewTokens, forKey: .maximumNewTokens)
        try box.encodeIfPresent(repetitionPenalty, forKey: .repetitionPenalty)
        try box.encodeIfPresent(stopStrings, forKey: .stopStrings)
        try box.encodeIfPresent(samples, forKey: .samples)
        try box.encodeIfPresent(minP, forKey: .minP)
        try box.encodeIfPresent(typicalP, forKey: .typicalP)
        try box.encodeIfPresent(noRepeatSize, forKey: .noRepeatSize)
        try box.encodeIfPresent(beamCount, forKey: .beamCount)
        try box.encodeIfPresent(lengthPenalty, forKey: .lengthPenalty)
        try box.encodeIfPresent(minimumNewTokens, forKey: .minimumNewTokens)
    }
}
