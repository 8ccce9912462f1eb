/// Draws one token from a row of logits: forbidden tokens out, temperature, top-k, top-p, min-p, typical, then one random
/// number. `TokenCandidates` says what each filter keeps.
public struct TokenSampler: Sendable, Hashable {
    /// 0 takes the most probable token.
    public var temperature: Double
    /// Probability that the nucleus reaches; 1 keeps all.
    public var topP: Double
    /// Only the k most probable tokens; 0 keeps all.
    public var topK: Int
    /// Least probability as a share of the most probable token's; 0 keeps all.
    public var minP: Double
    /// Probability that the most typical tokens reach; 1 keeps all.
    public var typicalP: Double

    /// - Throws: `GenerationError` `setting` unless temperature ≥ 0, 0 < topP ≤ 1, topK ≥ 0, 0 ≤ minP ≤ 1 and
    ///   0 < typicalP ≤ 1.
    public init(
        temperature: Double = 1, topP: Double = 1, topK: Int = 0, minP: Double = 0, typicalP: Double = 1
    ) throws {
        guard temperature >= 0, temperature.isFinite else {
            throw GenerationError(.setting, "temperature is \(temperature), should be 0 or more")
        }
        guard topP > 0, topP <= 1 else {
            throw GenerationError(.setting, "top_p is \(topP), should be above 0 and at most 1")
        }
        guard topK >= 0 else { throw GenerationError(.setting, "top_k is \(topK), should be 0 or more") }
        guard minP >= 0, minP <= 1 else {
            throw GenerationError(.setting, "min_p is \(minP), should be between 0 and 1")
        }
        guard typicalP > 0, typicalP <= 1 else {
            throw GenerationError(.setting, "typical_p is \(typicalP), should be above 0 and at most 1")
        }
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
        self.minP = minP
        self.typicalP = typicalP
    }

    /// The token drawn. Equal probabilities are ordered by id, so the same logits and number give the same token.
    /// - Parameters:
    ///   - logits: one per token, finite, or -infinity for a token that cannot be.
    ///   - forbidden: tokens that must not be drawn.
    ///   - unit: the random number, in [0, 1); not used when greedy.
    public func draw(
        _ logits: UnsafeBufferPointer<Float>, forbidden: some Sequence<Int>, unit: Double
    ) throws -> Int {
        var row = Array(logits)
        for id in forbidden where row.indices.contains(id) { row[id] = -.infinity }
        return try draw(row, unit: unit)
    }

    /// The token drawn from logits of which nothing is forbidden any more.
    func draw(_ row: [Float], unit: Double) throws -> Int {
        try row.withUnsafeBufferPointer { row in
            let best = try Self.best(row)
            if temperature == 0 { return best }
            return kept(row, best: row[best]).draw(unit) ?? best
        }
    }

    /// The tokens among which one is drawn, with their weights.
    /// - Parameter logits: at least one of them finite.
    public func candidates(_ logits: [Float]) throws -> TokenCandidates {
        try logits.withUnsafeBufferPointer { row in
            let best = try Self.best(row)
            let warm = temperature > 0 ? self : try TokenSampler(topK: 1)
            return warm.kept(row, best: row[best])
        }
    }

    private func kept(_ row: UnsafeBufferPointer<Float>, best: Float) -> TokenCandidates {
        var kept = TokenCandidates(row, best: best, temperature: temperature) { total in
            guard topK == 0 else { return 0 }
            // Tokens below this floor weigh less than 1 - p all together, so the nucleus is full before the first of
            // them: they need not be sorted.
            return topP < 1 ? Float((1 - topP) * total / Double(row.count) * 0.99) : 0
        }
        if topK > 0 { kept = kept.top(topK) }
        if topP < 1 { kept = kept.nucleus(topP) }
        if minP > 0 { kept = kept.atLeast(minP) }
        if typicalP < 1 { kept = kept.typical(typicalP) }
        return kept
    }

    /// How many of the most probable tokens the nucleus keeps.
    /// - Parameter sorted: probabilities, falling.
    public static func nucleusSize(_ sorted: some Sequence<Float>, p: Double) -> Int {
        TokenCandidates.nucleusSize(sorted, p: p)
    }

    /// The place of the largest number, the first among equals.
    static func best(_ row: UnsafeBufferPointer<Float>) throws -> Int {
        var (best, most) = (-1, -Float.infinity)
        for id in 0..<row.count {
            let value = row[id]
            // One comparison for nearly all; a number that is none fails it too.
            if value <= most { continue }
            guard !value.isNaN, value < .infinity else {
                throw GenerationError(.notFinite, "the logit of token \(id) is \(value)")
            }
            (best, most) = (id, value)
        }
        guard best >= 0 else { throw GenerationError(.nothingLeft, "every token is forbidden") }
        return best
    }
}
