import Foundation
import Statistics

/// What blind votes between arms come to: who wins against whom, by the exact test of ACUTE-Eval, and how strong each arm is
/// when the effects of standing first and of being longer are taken out.
public struct PairedComparison: Sendable, Hashable, Codable {
    /// Two arms against each other.
    public struct Duel: Sendable, Hashable, Codable {
        public var one: String
        public var other: String
        public var wins: Int
        public var losses: Int
        public var ties: Int
        /// Share of the votes that `one` got, ties half; interval by bootstrap over conversations.
        public var winRate: Interval
        /// Exact two-sided binomial test of wins among wins and losses against one half.
        public var pValue: Double
        /// Share of conversations' raters who chose as most did, over conversations with at least two votes; two votes that
        /// differ agree in nothing. `nil` without such conversations.
        public var agreement: Double?
        /// How many more votes without ties would settle it, if the rate stays what it is (power .8 at .05); 0 when it is
        /// settled, `nil` when no number would.
        public var votesNeeded: Int?

        enum CodingKeys: String, CodingKey {
            case one, other, wins, losses, ties, agreement
            case winRate = "win_rate"
            case pValue = "p_value"
            case votesNeeded = "votes_needed"
        }
    }

    /// Bradley–Terry strength of one arm.
    public struct Strength: Sendable, Hashable, Codable {
        public var arm: String
        /// Log-odds against the average arm, 0; interval by bootstrap over conversations.
        public var strength: Interval
    }

    /// In the order of `strengths`: each pair that met.
    public var duels: [Duel]
    /// Strongest first.
    public var strengths: [Strength]
    /// Log-odds that the first of two equals is taken.
    public var positionEffect: Interval
    /// Log-odds per doubling of length; `nil` where lengths are missing.
    public var lengthEffect: Interval?
    public var votes: Int
    public var raters: Int

    enum CodingKeys: String, CodingKey {
        case duels, strengths, votes, raters
        case positionEffect = "position_effect"
        case lengthEffect = "length_effect"
    }

    /// - Throws: `EvaluationError` without votes, or for a vote between an arm and itself.
    public init(_ votes: [PairVote], bootstrap: Bootstrap = Bootstrap(replicates: 400)) throws {
        guard !votes.isEmpty else { throw EvaluationError(.empty, "there are no votes to compare by") }
        if let own = votes.firstIndex(where: { $0.first == $0.second }) {
            throw EvaluationError(.arm, "vote \(own + 1) compares the arm “\(votes[own].first)” with itself")
        }
        let arms = Set(votes.flatMap { [$0.first, $0.second] }).sorted()
        let place = Dictionary(uniqueKeysWithValues: arms.enumerated().map { ($1, $0) })
        let hasLengths = votes.allSatisfy { ($0.firstLength ?? 0) > 0 && ($0.secondLength ?? 0) > 0 }
        let contests = votes.map { vote in
            BradleyTerry.Contest(
                first: place[vote.first]!, second: place[vote.second]!, result: vote.result,
                covariates: hasLengths ? [log2(Double(vote.firstLength!) / Double(vote.secondLength!))] : [])
        }
        let clusters = votes.map(\.conversation)
        // Strengths, then position, then length: one fit per draw gives them all.
        let figures = try Self.intervals(contests, clusters: clusters, arms: arms.count, bootstrap: bootstrap)
        let order = arms.indices.sorted { (-figures[$0].estimate, arms[$0]) < (-figures[$1].estimate, arms[$1]) }
        strengths = order.map { Strength(arm: arms[$0], strength: figures[$0]) }
        positionEffect = figures[arms.count]
        lengthEffect = hasLengths ? figures[arms.count + 1] : nil
        self.votes = votes.count
        raters = Set(votes.map(\.rater)).count
        var duels: [Duel] = []
        for (rank, one) in order.enumerated() {
            for other in order[(rank + 1)...] {
                let mine = votes.filter { Set([$0.first, $0.second]) == [arms[one], arms[other]] }
                guard !mine.isEmpty else { continue }
                duels.append(try Duel(arms[one], arms[other], votes: mine, bootstrap: bootstrap))
            }
        }
        self.duels = duels
    }

    private static func intervals(
        _ contests: [BradleyTerry.Contest], clusters: [String], arms: Int, bootstrap: Bootstrap
    ) throws -> [Interval] {
        func fit(_ picked: [Int]) throws -> [Double] {
            let model = try BradleyTerry(count: arms, contests: picked.map { contests[$0] })
            return model.strengths + [model.advantage] + model.covariateWeights
        }
        let estimate = try fit(Array(contests.indices))
        var draws: [[Double]] = []
        let whole = try bootstrap.interval(count: contests.count, clusters: clusters) { picked in
            guard let one = try? fit(picked) else { return nil }
            draws.append(one)
            return one[0]
        }
        // The first call is the estimate itself, not a draw.
        draws.removeFirst()
        return estimate.enumerated().map { index, value in
            let sorted = draws.map { $0[index] }.sorted()
            let tail = (1 - whole.level) / 2
            func at(_ share: Double) -> Double { sorted[Int((share * Double(sorted.count - 1)).rounded())] }
            return Interval(estimate: value, lower: at(tail), upper: at(1 - tail), level: whole.level)
        }
    }
}

extension PairedComparison.Duel {
    init(_ one: String, _ other: String, votes: [PairVote], bootstrap: Bootstrap) throws {
        let results = votes.map { $0.first == one ? $0.result : 1 - $0.result }
        let wins = results.count { $0 == 1 }
        let losses = results.count { $0 == 0 }
        self.one = one
        self.other = other
        self.wins = wins
        self.losses = losses
        ties = votes.count - wins - losses
        winRate = try bootstrap.share(results, clusters: votes.map(\.conversation))
        pValue = try Binomial.twoSided(successes: wins, trials: wins + losses)
        let groups = Dictionary(grouping: zip(votes.map(\.conversation), results), by: \.0).values.filter {
            $0.count > 1
        }
        agreement =
            groups.isEmpty
            ? nil
            : groups.map { group in
                let most = Dictionary(grouping: group.map(\.1), by: { $0 }).values.map(\.count).max() ?? 0
                return most * 2 <= group.count ? 0 : Double(most) / Double(group.count)
            }.reduce(0, +) / Double(groups.count)
        let settled = pValue < 0.05
        let rate = wins + losses > 0 ? Double(wins) / Double(wins + losses) : 0.5
        votesNeeded = settled ? 0 : SampleSize.votes(winRate: rate).map { max(1, $0 - wins - losses) }
    }
}
