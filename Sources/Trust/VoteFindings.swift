import Foundation
import Statistics

/// Votes, what a model made of them, and what that says about every person: the whole answer, ready to be written down.
public struct VoteFindings: Sendable {
    public let ballots: Ballots
    public let solution: VoteSolution
    /// Name of the method.
    public let method: String
    /// One entry per person, by number.
    public let users: [UserTrust]
    /// What a reader must know.
    public let notes: [String]
    let kinds: VoterReading.Kinds

    public init(_ ballots: Ballots, _ solution: VoteSolution, method: String) {
        self.ballots = ballots
        self.solution = solution
        self.method = method
        notes = ballots.notes + solution.notes
        let classes = ballots.classCount
        kinds = VoterReading.Kinds(skill: Self.ordinarySkill(ballots, solution), classes: classes)
        let badShare = solution.shares[0]
        let chances = solution.logChance.map { exp($0) }
        var users: [UserTrust] = []
        users.reserveCapacity(ballots.users.count)
        for user in 0..<ballots.users.count {
            let reading = Self.reading(ballots, solution, user, kinds: kinds, chances: chances)
            var agreement = reading.compared > 0 ? reading.agreed / Double(reading.compared) : nil
            if let counts = solution.labelCounts {
                let (agreed, compared) = MajorityVote.agreement(ballots, counts, user)
                agreement = compared > 0 ? agreed / Double(compared) : nil
            }
            var flags = reading.flag(ballots, user, kinds: kinds, badShare: badShare).map { [$0] } ?? []
            if let more = solution.flags[user] { flags += more }
            users.append(
                UserTrust(
                    user: ballots.users[user], trust: solution.trust[user], votes: ballots.votes(ofUser: user),
                    agreement: agreement, flags: flags))
        }
        self.users = users
    }

    /// What a method that reads content found, in the same form: trust and flags are the report's.
    /// - Parameter weights: The share that each person's votes count for; `nil` for everybody alike.
    public init(
        _ report: TrustReport, on table: VoteTable, flags: [Int: [TrustFlag]] = [:], weights: [Double]? = nil
    ) {
        let ballots = Ballots(table)
        var posterior: [Double] = []
        posterior.reserveCapacity(report.items.count * 2)
        for item in report.items { posterior += [1 - item.probability, item.probability] }
        var em = ConfusionEM(ballots, model: PooledErrors(), maximumIterations: 1, tolerance: -1)
        var state = ConfusionEM<PooledErrors>.State(
            posterior: posterior, shares: [0.5, 0.5], counts: [Double](repeating: 0, count: ballots.users.count * 4),
            logChance: [Double](repeating: 0, count: ballots.users.count * 4))
        em.maximise(&state)
        self.ballots = ballots
        var solution = VoteSolution(
            posterior: posterior, shares: state.shares, logChance: state.logChance, trust: report.users.map(\.trust))
        solution.weights = weights
        self.solution = solution
        method = report.method
        notes = report.notes
        users = report.users.enumerated().map { number, user in
            var user = user
            user.flags += flags[number] ?? []
            return user
        }
        kinds = VoterReading.Kinds(skill: Self.ordinarySkill(ballots, solution), classes: 2)
    }

    /// The report on a table of votes, whose people and items are numbered alike.
    func report(on table: VoteTable) -> TrustReport {
        let items = table.items.indices.map {
            ItemLabel(item: table.items[$0], probability: solution.posterior[$0 * 2 + 1])
        }
        let votes = table.votes.indices.map { vote in
            let user = table.userOfVote[vote]
            return VoteWeight(
                user: table.votes[vote].user, item: table.votes[vote].item, isUp: table.votes[vote].isUp,
                weight: weight(ofUser: user), probability: items[table.itemOfVote[vote]].probability)
        }
        return TrustReport(method: method, users: users, votes: votes, items: items, notes: notes)
    }

    /// What a person's votes are worth: their trust, less where several people vote as one.
    func weight(ofUser user: Int) -> Double { users[user].trust * (solution.weights?[user] ?? 1) }

    /// One person's votes held against what the others make likely.
    func reading(_ user: Int) -> VoterReading {
        let table = ballots.classCount * ballots.classCount
        var chances = [Double](repeating: 0, count: solution.logChance.count)
        for cell in user * table..<(user + 1) * table { chances[cell] = exp(solution.logChance[cell]) }
        return Self.reading(ballots, solution, user, kinds: kinds, chances: chances)
    }

    private static func reading(
        _ ballots: Ballots, _ solution: VoteSolution, _ user: Int, kinds: VoterReading.Kinds, chances: [Double]
    ) -> VoterReading {
        let classes = ballots.classCount
        let weight = solution.weights?[user] ?? 1
        return VoterReading(ballots, user, kinds: kinds) { item, cell, probability in
            var total = 0.0
            if let counts = solution.labelCounts {
                // Half a vote for each class, so that nobody is taken at their word.
                for k in 0..<classes {
                    probability[k] = Double(counts[item * classes + k]) - (k == cell % classes ? 1 : 0) + 0.5
                    total += probability[k]
                }
            } else {
                for k in 0..<classes {
                    let chance = chances[cell * classes + k]
                    let own = weight == 1 ? chance : pow(chance, weight)
                    probability[k] = solution.posterior[item * classes + k] / max(own, 1e-300)
                    total += probability[k]
                }
            }
            if total > 0, total.isFinite {
                for k in 0..<classes { probability[k] /= total }
            } else {
                for k in 0..<classes { probability[k] = 1 / Double(classes) }
            }
        }
    }

    /// How often people who are trusted are right on items of each class; kept above chance.
    private static func ordinarySkill(_ ballots: Ballots, _ solution: VoteSolution) -> [Double] {
        let classes = ballots.classCount
        var right = [Double](repeating: 4, count: classes)
        var all = [Double](repeating: 5, count: classes)
        for user in 0..<ballots.users.count {
            // A flood of trolls must not make helpers look like chance.
            let trust = solution.trust[user]
            guard trust > 0 else { continue }
            for label in 0..<classes {
                let cell = user * classes + label
                for vote in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    let row = Int(ballots.itemOfVote[vote]) * classes
                    for k in 0..<classes { all[k] += trust * solution.posterior[row + k] }
                    right[label] += trust * solution.posterior[row + label]
                }
            }
        }
        return (0..<classes).map { min(max(right[$0] / all[$0], 0.6), 0.95) }
    }
}
