import Foundation
import Statistics

/// One way to clean the votes: what to learn from each of them, and how much.
struct Cleaning: Sendable, Hashable {
    /// In words, for the notes of a report: "drop disagreement above 0.8".
    var name: String
    /// Per vote the label to learn, 0 … 1.
    var labels: [Double]
    /// Per vote its weight, 0 … 1.
    var weights: [Double]

    /// The votes as they came.
    static func none(_ table: VoteTable) -> Cleaning {
        Cleaning(
            name: "nothing", labels: table.votes.map { $0.isUp ? 1 : 0 },
            weights: [Double](repeating: 1, count: table.votes.count))
    }
}

/// What a classifier that saw neither a vote's person nor its text says of the vote.
struct HeldOutScores: Sendable {
    /// Log-odds of "good" per vote, `nil` where there is no content.
    var logits: [Double?]
    /// How strongly each vote is contradicted: 1 − probability of the vote as given; the mean where there is no content.
    var disagreement: [Double]
    /// Per person the mean disagreement, drawn towards everybody's by as many votes as people's differences call for.
    var ofUser: [Double]

    init(_ table: VoteTable, logits: [Double?]) {
        self.logits = logits
        let known = zip(table.votes, logits).map { vote, logit in
            logit.map { LogisticRegression.sigmoid(vote.isUp ? -$0 : $0) }
        }
        let rates = PerUserRemoval.Rates(table.votesOfUser.map { votes in votes.compactMap { known[$0] } })
        disagreement = known.map { $0 ?? rates.mean }
        ofUser = table.votesOfUser.map { votes in
            let own = votes.compactMap { known[$0] }
            return (own.reduce(0, +) + rates.strength * rates.mean) / (Double(own.count) + rates.strength)
        }
    }

    /// Whether the content contradicts a vote by more than a threshold. Of a vote without content nothing is said,
    /// whatever the mean that stands in its place.
    func contradicts(_ vote: Int, above threshold: Double) -> Bool {
        logits[vote] != nil && disagreement[vote] > threshold
    }

    /// The value of `scores` above which a share of the votes lies, each vote with its person's score.
    func cut(dropping share: Double, of scores: [Double]) -> Double {
        let sorted = scores.sorted(by: >)
        let count = Int((share * Double(sorted.count)).rounded())
        guard count > 0 else { return .infinity }
        return count < sorted.count ? sorted[count] : -.infinity
    }
}

/// Finds the setting of a cleaning method as its users must: on noisy votes, since true labels are not to be had.
///
/// Each setting's cleaned votes of some people train a classifier, and it is judged by how it predicts the votes, as they
/// came, of the other people. Ju and others (arXiv 2208.03295) tune on a validation set as noisy as the training set; this
/// is the same with every person in the validation part once. Where trolls are one-sided this misleads, as there.
struct CleaningSearch: Sendable, Hashable {
    var content: ContentModel

    init(folds: Int) { content = ContentModel(folds: folds) }

    /// Scores the votes, tries the settings and reports the best.
    /// - Parameter candidates: The settings to choose from, from the scores; the first is taken where they are equally good.
    func report(
        _ method: some TrustMethod, _ table: VoteTable, generator: SeededGenerator,
        candidates: (HeldOutScores) -> [Cleaning]
    ) throws -> TrustReport {
        var notes = table.notes
        guard case .plan(let plan) = content.split(table, generator: generator), table.upShare > 0, table.upShare < 1
        else {
            if case .none(let reason) = content.split(table, generator: generator) {
                notes.append("The content was not used: \(reason). Everybody is trusted alike.")
            }
            let blind = HeldOutScores(table, logits: table.votes.map { _ in nil })
            return report(method, table, blind, .none(table), notes)
        }
        let said = try content.heldOutLogits(
            table, plan: plan, targets: table.votes.map { $0.isUp ? 1 : 0 }, weights: table.evenWeights)
        let scores = HeldOutScores(table, logits: said.logits)
        let settings = candidates(scores)
        var best: (error: Double, loss: Double, cleaning: Cleaning)?
        for cleaning in settings {
            let found =
                settings.count == 1
                ? (error: 0, loss: 0) : try judge(cleaning, table, plan: plan, penalty: said.penalty)
            if best.map({ (found.error, found.loss) < ($0.error, $0.loss) }) ?? true {
                best = (found.error, found.loss, cleaning)
            }
        }
        let cleaning = best?.cleaning ?? .none(table)
        notes.append("Chosen on held-out votes as they came: \(cleaning.name).")
        return report(method, table, scores, cleaning, notes)
    }

    /// Errors and loss on the votes, as they came, of people who took no part in the training.
    private func judge(
        _ cleaning: Cleaning, _ table: VoteTable, plan: ContentModel.Plan, penalty: Double
    ) throws -> (error: Double, loss: Double) {
        let even = table.evenWeights
        let weights = table.votes.indices.map { even[$0] * cleaning.weights[$0] }
        let logits = try content.heldOutLogits(
            table, plan: plan, targets: cleaning.labels, weights: weights, penalty: penalty)
        var (error, loss) = (0.0, 0.0)
        for vote in plan.votes {
            let margin = (table.votes[vote].isUp ? 1 : -1) * (logits[vote] ?? 0)
            error += even[vote] * (margin > 0 ? 0 : margin == 0 ? 0.5 : 1)
            loss += even[vote] * (max(-margin, 0) + log1p(exp(-abs(margin))))
        }
        return (error, loss)
    }

    private func report(
        _ method: some TrustMethod, _ table: VoteTable, _ scores: HeldOutScores, _ cleaning: Cleaning, _ notes: [String]
    ) -> TrustReport {
        // What is left of each vote as it was given.
        let left = table.votes.indices.map { vote in
            cleaning.weights[vote] * (1 - abs(cleaning.labels[vote] - (table.votes[vote].isUp ? 1 : 0)))
        }
        let users = table.users.indices.map { user in
            let own = table.votesOfUser[user]
            let compared = own.filter { scores.logits[$0] != nil }
            let contrary = compared.count { scores.disagreement[$0] > 0.5 }
            let trust = own.reduce(0) { $0 + left[$1] } / Double(own.count)
            var flags: [TrustFlag] = []
            if trust < 0.2, compared.count >= 3 {
                flags.append(
                    TrustFlag(
                        kind: .inverse,
                        reason: "\(contrary) of \(compared.count) votes go against what a model trained on other "
                            + "people expects."))
            }
            return UserTrust(
                user: table.users[user], trust: trust, votes: own.count,
                agreement: compared.isEmpty ? nil : Double(compared.count - contrary) / Double(compared.count),
                flags: flags)
        }
        let good = table.votesOfItem.map { votes in
            // The cleaned votes, with the model's word as one vote.
            let said = votes.compactMap { scores.logits[$0] }
            var up = said.isEmpty ? 0.5 : LogisticRegression.sigmoid(said.reduce(0, +) / Double(said.count))
            var all = 1.0
            for vote in votes {
                up += cleaning.weights[vote] * cleaning.labels[vote]
                all += cleaning.weights[vote]
            }
            return min(max(up / all, 0), 1)
        }
        let votes = table.votes.indices.map { vote in
            VoteWeight(
                user: table.votes[vote].user, item: table.votes[vote].item, isUp: table.votes[vote].isUp,
                weight: left[vote], probability: good[table.itemOfVote[vote]])
        }
        let items = zip(table.items, good).map { ItemLabel(item: $0, probability: $1) }
        return TrustReport(
            method: method.name, users: users, votes: votes, items: items, notes: notes,
            targets: zip(cleaning.labels, cleaning.weights).map { TrainingTarget(label: $0, weight: $1) })
    }
}
