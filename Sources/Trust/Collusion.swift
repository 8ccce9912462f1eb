import Foundation

/// Signs that people do not vote each for themselves: groups that vote alike, floods of new accounts, bursts in time, and
/// votes on nearly the same text. Each sign flags with a reason and lowers a weight; none bans.
public struct Collusion: Sendable {
    public let groups: [VotingGroups.Group]
    public let floods: [AccountFlood.Cohort]
    public let bursts: [VoteBurst]
    /// Flags by person.
    public let flags: [Int: [TrustFlag]]
    /// Per person the share that their votes count for: a group counts as one person, a flood as the usual number of
    /// newcomers, votes on the same text once. `nil` when everybody counts in full.
    public let weights: [Double]?
    /// How many pairs of people were compared.
    public let pairsCompared: Int

    /// - Parameter texts: The text of each item by its number, where there are any.
    public init(_ ballots: Ballots, texts: [String?]? = nil) {
        let found = VotingGroups(ballots)
        (groups, pairsCompared) = (found.groups, found.pairsCompared)
        floods = AccountFlood(ballots).cohorts
        bursts = VoteBurst.all(ballots)
        var flags: [Int: [TrustFlag]] = [:]
        var weights = [Double](repeating: 1, count: ballots.users.count)
        for group in groups {
            let others = group.members.count - 1
            for member in group.members {
                weights[member] /= Double(group.members.count)
                // With times, the one who is copied is not to blame.
                guard group.followers.isEmpty || group.followers.contains(member) else { continue }
                flags[member, default: []].append(
                    TrustFlag(
                        kind: .group,
                        reason: "Votes as one with \(others) other \(others == 1 ? "person" : "people"): "
                            + "\(group.agreed) of \(group.common) common votes are the same where other voters differ"
                            + "\(group.followers.isEmpty ? "" : ", and comes after them"); together they count as one.")
                )
            }
        }
        for flood in floods {
            let size = flood.members.count
            for member in flood.members {
                weights[member] *= min(1, flood.usual / Double(size))
                flags[member, default: []].append(
                    TrustFlag(
                        kind: .flood,
                        reason: "One of \(size) accounts that first voted around \(Self.date(flood.start)), where "
                            + "\(Int(flood.usual)) are usual; \(Self.percent(flood.against)) of their votes go against the other "
                            + "voters (\(Self.percent(flood.ordinarilyAgainst)) is usual)."))
            }
        }
        for burst in bursts {
            flags[burst.user, default: []].append(
                TrustFlag(
                    kind: .burst,
                    reason:
                        "\(burst.votes) votes within \(Int(burst.seconds.rounded())) seconds from \(Self.date(burst.start)): "
                        + "faster than anybody reads."))
        }
        if let texts {
            for (user, votes, label) in DuplicateTexts(texts).repeats(ballots) {
                let total = ballots.votes(ofUser: user)
                weights[user] *= Double(total - votes + 1) / Double(total)
                let said =
                    ballots.classes == ["0", "1"]
                    ? (label == 1 ? "thumbs up" : "thumbs down") : "“\(ballots.classes[label])”"
                flags[user, default: []].append(
                    TrustFlag(
                        kind: .duplicateTexts,
                        reason:
                            "\(votes) of \(total) votes are on nearly the same text, mostly \(said); they count once."))
            }
        }
        self.flags = flags
        self.weights = weights.contains { $0 < 1 } ? weights : nil
    }

    /// What was found, in a sentence for each kind.
    var notes: [String] {
        var notes: [String] = []
        if !groups.isEmpty {
            let people = groups.reduce(0) { $0 + $1.members.count }
            notes.append("\(people) people in \(groups.count) groups vote as one; each group counts as one person.")
        }
        for flood in floods {
            notes.append(
                "\(flood.members.count) accounts came together around \(Self.date(flood.start)) and vote against the rest."
            )
        }
        if !bursts.isEmpty { notes.append("\(bursts.count) people vote faster than anybody reads.") }
        return notes
    }

    static func date(_ seconds: Double) -> String {
        guard abs(seconds) < 1e11 else { return "an impossible time" }
        return Date(timeIntervalSince1970: seconds).formatted(.iso8601)
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}
