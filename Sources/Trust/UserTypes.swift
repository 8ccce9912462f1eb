import Foundation
import Statistics

/// Finds what kind of voter each person is: helper, inverse, random, always up or always down.
///
/// A mixture over kinds of people, solved by belief propagation and EM together with the items' labels. What the content
/// says (a classifier held out by person and text, its penalty chosen on held-out votes so that its log-odds can be taken
/// at their word) enters as a prior on each item's label. Ten equal votes are then seen for what they are, where a method
/// that only counts disagreement throws out the helpers. Ours; the kinds are those of the troll study of Ju and others 2022
/// (arXiv 2208.03295), the error model is that of Dawid and Skene 1979.
///
/// After a first solution the classifier is fitted again to the beliefs in place of the bare votes, and so on for
/// `rounds` rounds; more than two begin to believe themselves where features are many and votes few.
public struct UserTypes: TrustMethod, Hashable {
    /// Share of the classifier's log-odds that is believed: 1 measured best on made-up worlds, below 1 for a classifier that
    /// is too sure of itself.
    public var contentShare: Double
    /// How often the classifier is fitted.
    public var rounds: Int
    var content: ContentModel

    public init(contentShare: Double = 1, rounds: Int = 2, folds: Int = 4) {
        self.contentShare = contentShare
        self.rounds = max(1, rounds)
        content = ContentModel(folds: folds)
    }

    public var name: String { "user-types" }
    public var summary: String {
        "Tells helpers from people who vote at random, contrary or always alike; uses votes and content together."
    }
    public var source: String { "ours; kinds of trolls after Ju and others 2022 (arXiv 2208.03295)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        var notes = table.notes
        var prior = [Double?](repeating: nil, count: table.votes.count)
        var beliefs = VoterBeliefs(table)
        switch content.split(table, generator: generator) {
        case .plan(let plan) where table.upShare > 0 && table.upShare < 1:
            var targets = table.votes.map { $0.isUp ? 1.0 : 0.0 }
            let even = table.evenWeights
            var weights = even
            var penalty = Double.infinity
            for round in 0..<rounds {
                let said = try content.heldOutLogits(
                    table, plan: plan, targets: targets, weights: weights, limit: penalty)
                penalty = said.penalty
                prior = centred(said.logits)
                beliefs = VoterBeliefs(table)
                beliefs.solve(prior: prior)
                if round + 1 < rounds {
                    targets = table.itemOfVote.map { beliefs.good[$0] }
                    weights = table.votes.indices.map { even[$0] * beliefs.helpfulness(of: table.userOfVote[$0]) }
                    if weights.allSatisfy({ $0 < 1e-3 }) { break }
                }
            }
        case .plan:
            beliefs.solve(prior: prior)
        case .none(let reason):
            notes.append("The content was not used: \(reason).")
            beliefs.solve(prior: prior)
        }
        if !beliefs.converged { notes.append("Beliefs had not settled after \(beliefs.iterations) iterations.") }
        return report(table, beliefs, prior, notes)
    }

    /// The believed share of each log-odds, around their mean: the level of good items is learned apart.
    private func centred(_ logits: [Double?]) -> [Double?] {
        let said = logits.compactMap { $0 }
        let mean = said.isEmpty ? 0 : said.reduce(0, +) / Double(said.count)
        return logits.map { $0.map { contentShare * ($0 - mean) } }
    }

    private func report(
        _ table: VoteTable, _ beliefs: VoterBeliefs, _ prior: [Double?], _ notes: [String]
    ) -> TrustReport {
        let users = table.users.indices.map { user in
            let votes = table.votesOfUser[user]
            let types = VoterType.allCases.map {
                TypeProbability(type: $0, probability: beliefs.typeProbability(user, $0))
            }
            let compared = votes.filter {
                prior[$0] != nil || table.votesOfItem[table.itemOfVote[$0]].count > 1
            }
            let agreed = compared.count { (beliefs.othersLogit[$0] >= 0) == table.votes[$0].isUp }
            return UserTrust(
                user: table.users[user], trust: beliefs.helpfulness(of: user), votes: votes.count,
                agreement: compared.isEmpty ? nil : Double(agreed) / Double(compared.count), types: types,
                flags: flags(table, user, types, compared: compared.count, agreed: agreed))
        }
        let votes = table.votes.indices.map { vote in
            let good = beliefs.good[table.itemOfVote[vote]]
            return VoteWeight(
                user: table.votes[vote].user, item: table.votes[vote].item, isUp: table.votes[vote].isUp,
                weight: users[table.userOfVote[vote]].trust, probability: good)
        }
        let items = zip(table.items, beliefs.good).map { ItemLabel(item: $0, probability: $1) }
        return TrustReport(method: name, users: users, votes: votes, items: items, notes: notes)
    }

    /// Why a person is not to be relied on. Needs a likely kind and enough votes to say so.
    private func flags(
        _ table: VoteTable, _ user: Int, _ types: [TypeProbability], compared: Int, agreed: Int
    ) -> [TrustFlag] {
        let count = table.votesOfUser[user].count
        guard count >= 4, compared > 0, table.users.count > 1,
            let likely = types.max(by: { $0.probability < $1.probability }), let kind = FlagKind(likely.type),
            likely.probability > 0.7
        else { return [] }
        let ups = table.votesOfUser[user].count { table.votes[$0].isUp }
        let against = "\(compared - agreed) of \(compared) votes go against what other people and the content say"
        let reason =
            switch likely.type {
            case .alwaysUp: "\(ups) of \(count) votes are thumbs up, whatever was voted on; \(against)."
            case .alwaysDown: "\(count - ups) of \(count) votes are thumbs down, whatever was voted on; \(against)."
            case .inverse: "Mostly votes the contrary: \(against)."
            default: "Votes as if without looking: \(against)."
            }
        return [TrustFlag(kind: kind, reason: reason)]
    }
}
