import Foundation

/// Finds people who vote faster than anybody reads.
public struct VoteBurst: Sendable, Hashable {
    /// Number of the person.
    public var user: Int
    /// Their votes in the busiest minute.
    public var votes: Int
    /// From the first to the last of them, seconds.
    public var seconds: Double
    /// When the first was given, seconds since 1970.
    public var start: Double

    /// Length of the window, seconds.
    public static let window = 60.0
    /// The fewest votes within the window that count as a burst.
    public static let leastVotes = 15

    /// The busiest minute of a person, where times are known.
    static func busiest(_ ballots: Ballots, _ user: Int) -> VoteBurst? {
        guard let times = ballots.times else { return nil }
        let classes = ballots.classCount
        let range = Int(ballots.cellStart[user * classes])..<Int(ballots.cellStart[(user + 1) * classes])
        // Years beyond any calendar are slips of somebody's clock.
        let own = times[range].filter { abs($0) < 1e11 }.sorted()
        var best: VoteBurst?
        var first = 0
        for last in own.indices {
            while own[last] - own[first] > window { first += 1 }
            let votes = last - first + 1
            if votes > best?.votes ?? 1 {
                best = VoteBurst(user: user, votes: votes, seconds: own[last] - own[first], start: own[first])
            }
        }
        return best
    }

    /// Everybody who has one. Where more than one person in twenty does, that pace is what this log's times look like (votes
    /// sent in batches), and nobody is named.
    public static func all(_ ballots: Ballots) -> [VoteBurst] {
        guard ballots.times != nil else { return [] }
        let bursts = (0..<ballots.users.count).compactMap { user -> VoteBurst? in
            guard ballots.votes(ofUser: user) >= leastVotes, let busiest = busiest(ballots, user),
                busiest.votes >= leastVotes
            else { return nil }
            return busiest
        }
        return bursts.count * 20 > max(ballots.users.count, 20) ? [] : bursts
    }
}
