import Statistics

/// Counts votes: an item is what most people say. The baseline to beat.
public struct MajorityVote: TrustMethod, Hashable {
    /// Votes added to each side of an item and of a person's record, so that few votes move little.
    public var smoothing: Double

    public init(smoothing: Double = 1) { self.smoothing = smoothing }

    public var name: String { "majority" }
    public var summary: String { "An item is what most people say; a person is worth their agreement with the others." }
    public var source: String { "Baseline." }
    public var usesContent: Bool { false }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        let ups = table.votesOfItem.map { votes in Double(votes.count { table.votes[$0].isUp }) }
        let items = table.items.indices.map { item in
            ItemLabel(
                item: table.items[item],
                probability: (ups[item] + smoothing) / (Double(table.votesOfItem[item].count) + 2 * smoothing))
        }
        var notes = table.notes
        if table.votesOfItem.allSatisfy({ $0.count == 1 }) {
            notes.append(
                "No item has a second vote, so nobody can be compared with anybody: take a method that reads content.")
        }
        let users = table.users.indices.map { user in
            var agreed = 0.0
            var compared = 0.0
            for vote in table.votesOfUser[user] {
                let item = table.itemOfVote[vote]
                let isUp = table.votes[vote].isUp
                let others = Double(table.votesOfItem[item].count - 1)
                guard others > 0 else { continue }
                let same = (isUp ? ups[item] : others + 1 - ups[item]) - 1
                agreed += same * 2 == others ? 0.5 : same * 2 > others ? 1 : 0
                compared += 1
            }
            return UserTrust(
                user: table.users[user], trust: (agreed + smoothing) / (compared + 2 * smoothing),
                votes: table.votesOfUser[user].count, agreement: compared > 0 ? agreed / compared : nil)
        }
        let votes = table.votes.indices.map { vote in
            VoteWeight(
                user: table.votes[vote].user, item: table.votes[vote].item, isUp: table.votes[vote].isUp,
                weight: users[table.userOfVote[vote]].trust, probability: items[table.itemOfVote[vote]].probability)
        }
        return TrustReport(method: name, users: users, votes: votes, items: items, notes: notes)
    }
}
