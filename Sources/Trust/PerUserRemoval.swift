import Foundation
import Statistics

/// Weighs people by how often a classifier that was trained on other people disagrees with their votes.
///
/// The per-user robust removal of Ju and others, "Learning from data in the mixed adversarial non-adversarial case"
/// (arXiv 2208.03295), made soft: the authors' code and thresholds were never released. The classifier is a logistic
/// regression, held out by person *and* by text. A person's mean disagreement is shrunk towards everybody's by a Beta prior
/// whose strength is estimated from how much people differ beyond chance; trust is the probability that their true rate
/// of disagreement is no worse than that of ordinary people.
public struct PerUserRemoval: TrustMethod, Hashable {
    /// How many deviations of people's rates above the mean still count as ordinary.
    public var allowance: Double
    var content: ContentModel

    /// - Parameter folds: Number of folds of people and of texts.
    public init(folds: Int = 4, allowance: Double = 0.5) {
        content = ContentModel(folds: folds)
        self.allowance = allowance
    }

    public var name: String { "per-user-removal" }
    public var summary: String { "Weighs people by how often a model trained on other people disagrees with them." }
    public var source: String { "after Ju and others 2022 (arXiv 2208.03295)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        var notes = table.notes
        var logits = [Double?](repeating: nil, count: table.votes.count)
        switch content.split(table, generator: generator) {
        case .plan(let plan):
            logits = try content.heldOutLogits(
                table, plan: plan, targets: table.votes.map { $0.isUp ? 1 : 0 },
                weights: table.evenWeights
            ).logits
        case .none(let reason):
            notes.append("The content was not used: \(reason). Everybody is trusted alike.")
        }
        let disagreements = zip(table.votes, logits).map { vote, logit in
            logit.map { LogisticRegression.sigmoid(vote.isUp ? -$0 : $0) }
        }
        let rates = Rates(table.votesOfUser.map { votes in votes.compactMap { disagreements[$0] } })
        let users = table.users.indices.map { user in
            let own = table.votesOfUser[user].compactMap { disagreements[$0] }
            let trust = rates.probabilityBelow(rates.mean + allowance * rates.deviation, own)
            let contrary = own.count { $0 > 0.5 }
            var flags: [TrustFlag] = []
            if trust < 0.2, own.count >= 3 {
                flags.append(
                    TrustFlag(
                        kind: .inverse,
                        reason:
                            "\(contrary) of \(own.count) votes go against what a model trained on other people expects."
                    ))
            }
            return UserTrust(
                user: table.users[user], trust: trust, votes: table.votesOfUser[user].count,
                agreement: own.isEmpty ? nil : Double(own.count - contrary) / Double(own.count), flags: flags)
        }
        let ups = table.votesOfItem.map { votes in
            // Weighted count, with the model's word as one vote.
            var (up, all) = (0.5, 1.0)
            let said = votes.compactMap { logits[$0] }
            if !said.isEmpty { up = LogisticRegression.sigmoid(said.reduce(0, +) / Double(said.count)) }
            for vote in votes {
                let trust = users[table.userOfVote[vote]].trust
                all += trust
                if table.votes[vote].isUp { up += trust }
            }
            return up / all
        }
        let votes = table.votes.indices.map { vote in
            VoteWeight(
                user: table.votes[vote].user, item: table.votes[vote].item, isUp: table.votes[vote].isUp,
                weight: users[table.userOfVote[vote]].trust, probability: ups[table.itemOfVote[vote]])
        }
        let items = zip(table.items, ups).map { ItemLabel(item: $0, probability: $1) }
        return TrustReport(method: name, users: users, votes: votes, items: items, notes: notes)
    }

    /// The spread of people's rates of disagreement: a Beta distribution by the method of moments.
    struct Rates {
        var mean: Double
        /// Deviation of true rates between people, chance taken out.
        var deviation: Double
        /// Prior votes.
        var strength: Double

        init(_ people: [[Double]]) {
            let all = people.joined()
            mean = all.isEmpty ? 0.5 : min(max(all.reduce(0, +) / Double(all.count), 0.01), 0.99)
            var within = 0.0
            for own in people {
                let centre = own.isEmpty ? 0 : own.reduce(0, +) / Double(own.count)
                for value in own { within += (value - centre) * (value - centre) }
            }
            let groups = people.count { !$0.isEmpty }
            let noise = all.count > groups ? within / Double(all.count - groups) : mean * (1 - mean)
            // Weighted one-way analysis of variance.
            var between = 0.0
            var squares = 0.0
            for own in people where !own.isEmpty {
                let gap = own.reduce(0, +) / Double(own.count) - mean
                between += Double(own.count) * gap * gap
                squares += Double(own.count * own.count)
            }
            let size = Double(all.count)
            let scale = groups > 1 ? size - squares / size : 0
            let variance = scale > 0 ? max(0, (between - Double(groups - 1) * noise) / scale) : 0
            deviation = max(variance, 1e-6).squareRoot()
            strength = min(max(noise / max(variance, 1e-6), 1), 1000)
        }

        /// Probability that a person's rate is below `cut`, from a normal approximation to the shrunk rate.
        func probabilityBelow(_ cut: Double, _ own: [Double]) -> Double {
            let count = Double(own.count)
            let rate = (own.reduce(0, +) + strength * mean) / (count + strength)
            // Variance of the person's rate given their votes: the prior's, shared out between prior and votes.
            let spread = deviation * (strength / (count + strength)).squareRoot()
            return Normal.cumulative((cut - rate) / max(spread, 1e-9))
        }
    }
}
