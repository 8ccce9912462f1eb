import Foundation

/// The tokens still in the draw, with what each weighs. Each filter takes the candidates and gives those that stay.
///
/// The filters come in the order of transformers' logits processors: temperature (which makes the weights), top-k, top-p,
/// min-p, typical. Each sees the weights that the one before left, scaled up to one. The most probable token (the most
/// typical, for `typical`) always stays.
public struct TokenCandidates: Sendable, Hashable {
    public struct Candidate: Sendable, Hashable {
        public var id: Int
        /// Proportional to the probability.
        public var weight: Double
    }

    public private(set) var candidates: [Candidate]
    /// Sum of the weights.
    public private(set) var total: Double
    /// Whether the candidates are sorted by falling weight, equal ones by id.
    private var isSorted: Bool

    /// All tokens of a row at a temperature: softmax of logits / temperature, the largest scaled to 1.
    /// - Parameters:
    ///   - row: logits, finite, or -infinity for a token that cannot be.
    ///   - best: the largest of them.
    ///   - temperature: above 0.
    ///   - floor: tokens that weigh this or less are left out (yet counted in `total`) where a later filter drops them
    ///     anyway: they are nearly all of a vocabulary. Takes the sum of all weights.
    init(
        _ row: UnsafeBufferPointer<Float>, best: Float, temperature: Double,
        floor: (_ total: Double) -> Float = { _ in 0 }
    ) {
        var weights = [Float](repeating: 0, count: row.count)
        let scale = Float(1 / temperature)
        var total = 0.0
        for id in 0..<row.count where row[id] > -.infinity {
            // At a temperature near zero the product overflows to -infinity, whose exponential is the right zero.
            let weight = row[id] == best ? 1 : exp((row[id] - best) * scale)
            weights[id] = weight
            total += Double(weight)
        }
        let floor = floor(total)
        candidates = []
        for id in 0..<row.count where weights[id] > floor {
            candidates.append(Candidate(id: id, weight: Double(weights[id])))
        }
        self.total = total
        isSorted = false
    }

    private init(sorted candidates: [Candidate], total: Double? = nil) {
        self.candidates = candidates
        self.total = total ?? candidates.reduce(0) { $0 + $1.weight }
        isSorted = true
    }

    private static func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
        a.weight != b.weight ? a.weight > b.weight : a.id < b.id
    }

    private func sorted() -> TokenCandidates {
        isSorted ? self : TokenCandidates(sorted: candidates.sorted(by: Self.precedes), total: total)
    }

    /// The k heaviest, sorted (top-k: Fan et al. 2018, arXiv 1805.04833). Of equal ones the lower id goes first.
    public func top(_ k: Int) -> TokenCandidates {
        if isSorted { return TokenCandidates(sorted: Array(candidates.prefix(k))) }
        // A short sorted list of the best so far: most candidates are lighter than its last and cost one comparison.
        guard k < 512, k < candidates.count else {
            return TokenCandidates(sorted: Array(candidates.sorted(by: Self.precedes).prefix(k)))
        }
        var best: [Candidate] = []
        best.reserveCapacity(k + 1)
        for candidate in candidates where best.count < k || Self.precedes(candidate, best[best.count - 1]) {
            let place = best.lastIndex { Self.precedes($0, candidate) }.map { $0 + 1 } ?? 0
            best.insert(candidate, at: place)
            if best.count > k { best.removeLast() }
        }
        return TokenCandidates(sorted: best)
    }

    /// The smallest set of the heaviest whose probability reaches p (top-p: Holtzman et al. 2020, arXiv 1904.09751). As
    /// ParlAI and transformers have it: a token goes when the sum *before* it has reached p.
    public func nucleus(_ p: Double) -> TokenCandidates {
        let all = sorted()
        let size = Self.nucleusSize(all.candidates.lazy.map { Float($0.weight / all.total) }, p: p)
        return TokenCandidates(sorted: Array(all.candidates.prefix(size)))
    }

    /// Those at least p times as probable as the most probable (min-p: Nguyen et al. 2024, arXiv 2407.01082).
    public func atLeast(_ p: Double) -> TokenCandidates {
        var result = self
        let bound = p * (candidates.lazy.map(\.weight).max() ?? 0)
        result.candidates.removeAll { $0.weight < bound }
        result.total = result.candidates.reduce(0) { $0 + $1.weight }
        return result
    }

    /// The most typical until their probability reaches p: those whose surprise is nearest to the entropy (Meister et al.
    /// 2023, arXiv 2202.00666). Tokens as typical as the last that stays, stay.
    public func typical(_ p: Double) -> TokenCandidates {
        let all = sorted()
        let surprises = all.candidates.map { -log($0.weight / total) }
        let entropy = zip(all.candidates, surprises).reduce(0) { $0 + $1.0.weight / total * $1.1 }
        let distances = surprises.map { abs($0 - entropy) }
        let order = distances.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
        var (sum, last) = (0.0, 0)
        for (rank, place) in order.enumerated() {
            last = rank
            sum += all.candidates[place].weight / total
            if sum >= p { break }
        }
        guard let bound = order.indices.contains(last) ? distances[order[last]] : nil else { return self }
        return TokenCandidates(
            sorted: all.candidates.indices.filter { distances[$0] <= bound }.map { all.candidates[$0] })
    }

    /// The candidate that a number in [0, 1) falls to.
    func draw(_ unit: Double) -> Int? {
        var left = total * unit
        for candidate in candidates {
            left -= candidate.weight
            if left < 0 { return candidate.id }
        }
        // Rounding may leave a crumb; it belongs to the last.
        return candidates.last?.id
    }

    /// How many of the most probable tokens the nucleus keeps.
    /// - Parameter sorted: probabilities, falling.
    static func nucleusSize(_ sorted: some Sequence<Float>, p: Double) -> Int {
        var before = 0.0
        var size = 0
        for probability in sorted {
            if size > 0, before >= p { break }
            before += Double(probability)
            size += 1
        }
        return size
    }
}
