import Foundation
import Statistics

/// What is believed of labels, people and content at once.
///
/// Three things inform each other in turns. The content model learns from the items' evidence and says, for each person,
/// what it would say had it never seen that person's votes. By that, and by other people's votes on the same items, each
/// person's votes tell how they behave. How a person behaves by all their other votes tells what one vote of theirs says of
/// its item: the evidence of the next turn. On items with one vote each this is EM with the cavity of expectation propagation
/// in place of folds; where people share items it is loopy belief propagation between them, damped.
struct JointBeliefs: Sendable {
    /// Settings that do not change.
    struct Settings: Sendable, Hashable {
        /// Directions of content that are kept.
        var rank = 96
        /// Prior variance of the coefficients on features of length 1, and of the level.
        var variance = 4.0
        /// Chance that somebody changes their ways before a vote.
        var change = 0.002
        /// People that the prior shares of kinds are worth.
        var strength = 20.0
        var maximumIterations = 60
        /// Stop when no vote's word about its item changes by more, on a scale of −1 … 1.
        var tolerance = 0.01
    }

    /// The votes with what is known of them, made once for all starts.
    struct Problem: Sendable {
        var table: VoteTable
        var settings: Settings
        /// Without anything learnt.
        var content: ContentPosterior
        /// Per person their votes in the order of time.
        var ordered: [[Int]]
        /// Per item log-odds from an anchor, 0 for most.
        var known: [Double]
        /// Per person whether they are trusted beforehand.
        var isTrusted: [Bool]
        /// Per person the share that their votes count for, 1 but for those who do not vote for themselves.
        var voice: [Double]
        /// Whether people meet on items.
        var hasLoops: Bool
    }

    /// An anchor is wrong about once in three thousand.
    static let anchorLogit = 8.0
    private static let kinds = VoterKind.all

    private let problem: Problem
    private(set) var content: ContentPosterior
    /// Per vote what it says of its item, as log-odds, given its person's other votes.
    private(set) var messages: [Double]
    /// Per vote log-odds of "good" from everything but that vote's person.
    private(set) var othersLogit: [Double]
    /// Per vote the chance of "up" by what others say of the item and how the person's other votes say they behave.
    private(set) var foretold: [Double]
    /// Per vote and kind the probability of the kind at that vote.
    private(set) var kindsOfVote: [Double]
    /// Shares of the kinds among the people of each group.
    private(set) var shares: [[Double]]
    /// Share of people in each group.
    private let sizes: [Double]
    private(set) var iterations = 0
    private(set) var converged = false
    /// Log-likelihood of everybody's votes, each person's by what the others taught, with the prior of the shares: larger is
    /// better, and it is held out, so that starts can be compared by it.
    private(set) var score = -Double.infinity

    /// Where to begin.
    enum Start: Sendable {
        /// Most people mean well.
        case trust
        /// Nothing is known of anybody; anchors alone speak at first.
        case anchors
        /// The contrary of another solution.
        case mirror([Double])
    }

    init(_ problem: Problem, start: Start) throws {
        self.problem = problem
        content = problem.content
        let votes = problem.table.votes.count
        messages = [Double](repeating: 0, count: votes)
        othersLogit = messages
        foretold = messages
        kindsOfVote = [Double](repeating: 0, count: votes * Self.kinds.count)
        let groups = problem.table.groupOfUser
        shares = [[Double]](repeating: Self.kinds.map(\.share), count: problem.table.groupCount)
        sizes = shares.indices.map { group in Double(groups.count { $0 == group }) / Double(groups.count) }
        switch start {
        case .trust: _ = readPeople(damping: 0)
        case .anchors: shares = shares.map { _ in Self.evenHanded }
        case .mirror(let other): messages = other.map { -$0 }
        }
        try solve()
    }

    /// Helpers and contrary voters in equal shares.
    private static var evenHanded: [Double] {
        func sum(_ type: VoterType) -> Double { kinds.reduce(0) { $0 + ($1.type == type ? $1.share : 0) } }
        let (helpers, inverse) = (sum(.helper), sum(.inverse))
        return kinds.map { kind in
            switch kind.type {
            case .helper: kind.share * (helpers + inverse) / 2 / helpers
            case .inverse: kind.share * (helpers + inverse) / 2 / inverse
            default: kind.share
            }
        }
    }

    private mutating func solve() throws {
        let settings = problem.settings
        for iteration in 1...settings.maximumIterations {
            iterations = iteration
            let evidence = evidence()
            try content.fit(evidence, steps: iteration == 1 ? 3 : 1)
            try hearOthers(evidence)
            let change = readPeople(damping: problem.hasLoops ? 0.5 : 0)
            if change < settings.tolerance {
                converged = true
                break
            }
        }
        try content.fit(evidence(), steps: 1)
        try score += anchorScore()
    }

    /// Log-odds of each item from votes and anchors.
    func evidence() -> [Double] {
        var evidence = problem.known
        for vote in messages.indices { evidence[problem.table.itemOfVote[vote]] += messages[vote] }
        return evidence
    }

    /// Log-odds of each item from everything.
    func logits() -> [Double] { zip(content.withoutEach(), evidence()).map { $0 + $1 } }

    /// What everybody but a person says of the items of that person.
    private mutating func hearOthers(_ evidence: [Double]) throws {
        for votes in problem.ordered {
            let items = votes.map { problem.table.itemOfVote[$0] }
            for (vote, said) in zip(votes, try content.without(items)) {
                othersLogit[vote] = said + evidence[problem.table.itemOfVote[vote]] - messages[vote]
            }
        }
    }

    /// How everybody behaves, and what their votes therefore say; learns the shares. Returns the largest change of a word.
    private mutating func readPeople(damping: Double) -> Double {
        let kinds = Self.kinds
        let table = problem.table
        let helpers = shares.map { shares in normalised(zip(shares, kinds).map { $1.type == .helper ? $0 : 0 }) }
        let strength = problem.settings.strength
        var counts = shares.map { _ in kinds.map { strength * $0.share } }
        var change = 0.0
        score = 0
        for (user, votes) in problem.ordered.enumerated() {
            let group = table.groupOfUser[user]
            var emissions: [Double] = []
            emissions.reserveCapacity(votes.count * kinds.count)
            for vote in votes {
                let good = LogisticRegression.sigmoid(othersLogit[vote])
                for kind in kinds { emissions.append(kind.chance(table.votes[vote].isUp, good: good)) }
            }
            let chain = KindChain(
                emissions: emissions, shares: problem.isTrusted[user] ? helpers[group] : shares[group],
                change: problem.isTrusted[user] ? 0 : problem.settings.change)
            score += problem.voice[user] * chain.logLikelihood
            for (place, vote) in votes.enumerated() {
                var (onGood, onBad) = (0.0, 0.0)
                for (number, kind) in kinds.enumerated() {
                    let weight = chain.cavity[place * kinds.count + number]
                    onGood += weight * kind.upOnGood
                    onBad += weight * kind.upOnBad
                    let now = chain.posterior[place * kinds.count + number]
                    kindsOfVote[vote * kinds.count + number] = now
                    if !problem.isTrusted[user] {
                        counts[group][number] += problem.voice[user] * now / Double(votes.count)
                    }
                }
                let good = LogisticRegression.sigmoid(othersLogit[vote])
                foretold[vote] = good * onGood + (1 - good) * onBad
                let word = table.votes[vote].isUp ? log(onGood / onBad) : log((1 - onGood) / (1 - onBad))
                let fresh = problem.voice[user] * word
                let next = damping * messages[vote] + (1 - damping) * fresh
                change = max(change, abs(tanh(fresh / 2) - tanh(messages[vote] / 2)))
                messages[vote] = next
            }
        }
        shares = counts.map(normalised)
        for shares in shares { for (kind, share) in zip(kinds, shares) { score += strength * kind.share * log(share) } }
        return change
    }

    /// How well the anchors are foretold by everything else.
    private func anchorScore() throws -> Double {
        let known = problem.known.indices.filter { problem.known[$0] != 0 }
        guard !known.isEmpty else { return 0 }
        let (said, evidence) = (content.withoutEach(), evidence())
        return known.reduce(0) { sum, item in
            let logit = said[item] + evidence[item] - problem.known[item]
            return sum + log(max(LogisticRegression.sigmoid(problem.known[item] > 0 ? logit : -logit), 1e-9))
        }
    }

    /// The share that a person's votes count for.
    func voice(_ user: Int) -> Double { problem.voice[user] }

    /// The votes of a person in the order of time.
    func ordered(_ user: Int) -> [Int] { problem.ordered[user] }

    /// Share of people of one type, in one group or in all.
    func share(_ type: VoterType, in group: Int? = nil) -> Double {
        guard let group else { return sizes.indices.reduce(0) { $0 + sizes[$1] * share(type, in: $1) } }
        return zip(Self.kinds, shares[group]).reduce(0) { $0 + ($1.0.type == type ? $1.1 : 0) }
    }

    /// Probability that the person of a vote behaved in a way at that vote.
    func probability(_ type: VoterType, at vote: Int) -> Double {
        Self.kinds.enumerated().reduce(0) {
            $0 + ($1.element.type == type ? kindsOfVote[vote * Self.kinds.count + $1.offset] : 0)
        }
    }

    private func normalised(_ values: [Double]) -> [Double] {
        let sum = values.reduce(0, +)
        return values.map { $0 / sum }
    }
}
