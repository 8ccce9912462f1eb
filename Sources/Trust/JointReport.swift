import Foundation
import Statistics

/// Beliefs put into words and weights.
struct JointReport {
    private let table: VoteTable
    private let beliefs: JointBeliefs
    private let hasContent: Bool
    /// Per item the probability that it is good.
    private let good: [Double]

    init(_ table: VoteTable, _ beliefs: JointBeliefs, hasContent: Bool) {
        self.table = table
        self.beliefs = beliefs
        self.hasContent = hasContent
        good = beliefs.logits().map(LogisticRegression.sigmoid)
    }

    func report(method: String, notes: [String]) -> TrustReport {
        let votes = table.votes.indices.map { vote in
            VoteWeight(
                user: table.votes[vote].user, item: table.votes[vote].item, isUp: table.votes[vote].isUp,
                weight: min(1, beliefs.probability(.helper, at: vote)) * beliefs.voice(table.userOfVote[vote]),
                probability: good[table.itemOfVote[vote]])
        }
        return TrustReport(
            method: method, users: table.users.indices.map(user), votes: votes,
            items: zip(table.items, good).map { ItemLabel(item: $0, probability: $1) }, notes: notes,
            targets: votes.map { TrainingTarget(label: $0.probability, weight: 1) }, foretold: beliefs.foretold)
    }

    /// A person as they are now: at their last vote.
    private func user(_ user: Int) -> UserTrust {
        let votes = beliefs.ordered(user)
        let last = votes[votes.count - 1]
        let types = VoterType.allCases.map {
            TypeProbability(type: $0, probability: min(1, beliefs.probability($0, at: last)))
        }
        let compared = votes.filter { hasVoiceFromOthers($0) }
        let agreed = compared.count { (beliefs.othersLogit[$0] >= 0) == table.votes[$0].isUp }
        return UserTrust(
            user: table.users[user], trust: types.first { $0.type == .helper }?.probability ?? 0, votes: votes.count,
            agreement: compared.isEmpty ? nil : Double(agreed) / Double(compared.count), types: types,
            flags: flags(votes, types, compared: compared.count, agreed: agreed))
    }

    private func hasVoiceFromOthers(_ vote: Int) -> Bool {
        hasContent && table.rowOfVote[vote] != nil || table.votesOfItem[table.itemOfVote[vote]].count > 1
    }

    /// Why a person is not to be relied on. Needs a likely kind and enough votes to say so.
    private func flags(_ votes: [Int], _ types: [TypeProbability], compared: Int, agreed: Int) -> [TrustFlag] {
        guard votes.count >= 4, compared > 0, table.users.count > 1,
            let likely = types.max(by: { $0.probability < $1.probability }), let kind = FlagKind(likely.type),
            likely.probability > 0.7
        else { return [] }
        // Where somebody turned, the votes since then are what the flag is about.
        let begin = turn(votes)
        let since = Array(votes[begin...])
        let voiced = since.filter(hasVoiceFromOthers)
        let contrary = voiced.count { (beliefs.othersLogit[$0] >= 0) != table.votes[$0].isUp }
        let ups = since.count { table.votes[$0].isUp }
        let bad = since.count { good[table.itemOfVote[$0]] < 0.5 }
        let against = "\(contrary) of \(voiced.count) votes go against what other people and the content say"
        let before = begin > 0 ? "Voted like a helper at first; since vote \(begin + 1): " : ""
        func flag(_ kind: FlagKind, _ reason: String) -> [TrustFlag] {
            let words = before.isEmpty ? reason : before + reason.prefix(1).lowercased() + reason.dropFirst()
            return [TrustFlag(kind: kind, reason: words)]
        }
        switch likely.type {
        case .alwaysUp where bad * 4 >= since.count * 3:
            return flag(
                .gaslight,
                "\(ups) of \(since.count) votes are thumbs up, and \(bad) of the \(since.count) items are bad by what "
                    + "other people and the content say.")
        case .alwaysUp:
            return flag(kind, "\(ups) of \(since.count) votes are thumbs up, whatever was voted on; \(against).")
        case .alwaysDown:
            return flag(
                kind, "\(since.count - ups) of \(since.count) votes are thumbs down, whatever was voted on; \(against)."
            )
        case .inverse: return flag(kind, "Mostly votes the contrary: \(against).")
        default: return flag(kind, "Votes as if without looking: \(against).")
        }
    }

    /// The place of the first vote since which somebody who began as a helper is none; 0 for everybody else.
    private func turn(_ votes: [Int]) -> Int {
        let helper = votes.map { beliefs.probability(.helper, at: $0) }
        guard helper[0] > 0.5, let last = helper.lastIndex(where: { $0 > 0.5 }), last + 1 < votes.count else {
            return 0
        }
        return last + 1
    }
}
