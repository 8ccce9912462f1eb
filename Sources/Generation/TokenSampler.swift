import Foundation

/// Draws one token from a row of logits: forbidden tokens out, temperature, the best k, the nucleus, then one random
/// number.
///
/// The nucleus is ParlAI's (`NucleusSampling`, Holtzman et al. 2020): sorted by falling probability, a token goes when
/// the sum *before* it has reached p, so the first always stays; the rest is scaled up to one.
public struct TokenSampler: Sendable, Hashable {
    /// 0 takes the most probable token.
    public var temperature: Double
    /// Probability that the nucleus reaches; 1 keeps all.
    public var topP: Double
    /// Only the k most probable tokens; 0 keeps all.
    public var topK: Int

    /// - Throws: `GenerationError` `setting` unless temperature ≥ 0, 0 < topP ≤ 1 and topK ≥ 0.
    public init(temperature: Double = 1, topP: Double = 1, topK: Int = 0) throws {
        guard temperature >= 0, temperature.isFinite else {
            throw GenerationError(.setting, "temperature is \(temperature), should be 0 or more")
        }
        guard topP > 0, topP <= 1 else {
            throw GenerationError(.setting, "top_p is \(topP), should be above 0 and at most 1")
        }
        guard topK >= 0 else { throw GenerationError(.setting, "top_k is \(topK), should be 0 or more") }
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
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
        return try row.withUnsafeBufferPointer { row in
            let best = try Self.best(row)
            if temperature == 0 { return best }
            var left = 0.0
            let kept = nucleus(row, best: row[best], sum: &left)
            left *= unit
            for candidate in kept {
                left -= candidate.weight
                if left < 0 { return candidate.id }
            }
            // Rounding may leave a crumb; it belongs to the last.
            return kept.last?.id ?? best
        }
    }

    private struct Candidate {
        var id: Int
        /// Proportional to the probability.
        var weight: Double
    }

    /// The tokens among which one is drawn; `sum` becomes their weight.
    private func nucleus(_ row: UnsafeBufferPointer<Float>, best: Float, sum: inout Double) -> [Candidate] {
        var weights = [Float](repeating: 0, count: row.count)
        let scale = Float(1 / temperature)
        var total = 0.0
        for id in 0..<row.count where row[id] > -.infinity {
            // At a temperature near zero the product overflows to -infinity, whose exponential is the right zero.
            let weight = row[id] == best ? 1 : exp((row[id] - best) * scale)
            weights[id] = weight
            total += Double(weight)
        }
        // Tokens below this floor weigh less than 1 - p all together, so the nucleus is full before the first of them:
        // they need not be sorted, and they are nearly all of a vocabulary.
        let floor = topK == 0 && topP < 1 ? Float((1 - topP) * total / Double(row.count) * 0.99) : 0
        var candidates: [Candidate] = []
        for id in 0..<row.count where weights[id] > floor {
            candidates.append(Candidate(id: id, weight: Double(weights[id])))
        }
        if topK > 0 || topP < 1 {
            candidates.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.id < $1.id }
        }
        if topK > 0, candidates.count > topK {
            candidates.removeSubrange(topK...)
            total = candidates.reduce(0) { $0 + $1.weight }
        }
        if topP < 1 {
            let size = Self.nucleusSize(candidates.lazy.map { Float($0.weight / total) }, p: topP)
            candidates.removeSubrange(size...)
        }
        sum = candidates.reduce(0) { $0 + $1.weight }
        return candidates
    }

    /// How many of the most probable tokens the nucleus keeps.
    /// - Parameter sorted: probabilities, falling.
    public static func nucleusSize(_ sorted: some Sequence<Float>, p: Double) -> Int {
        var before = 0.0
        var size = 0
        for probability in sorted {
            if size > 0, before >= p { break }
            before += Double(probability)
            size += 1
        }
        return size
    }

    /// The place of the largest number, the first among equals.
    private static func best(_ row: UnsafeBufferPointer<Float>) throws -> Int {
        var best = -1
        for id in 0..<row.count {
            let value = row[id]
            guard !value.isNaN, value < .infinity else {
                throw GenerationError(.notFinite, "the logit of token \(id) is \(value)")
            }
            if value > -.infinity, best < 0 || value > row[best] { best = id }
        }
        guard best >= 0 else { throw GenerationError(.nothingLeft, "every token is forbidden") }
        return best
    }
}
