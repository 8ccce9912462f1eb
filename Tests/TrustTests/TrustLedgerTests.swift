import Foundation
import Statistics
import Testing

@testable import Trust

/// Trust that is kept up vote by vote against a full rerun over the same votes.
@Suite struct TrustLedgerTests {
    let generator = SeededGenerator(seed: 1)

    /// The largest and the mean difference of item probabilities between a ledger and a full rerun.
    func gap(_ ledger: TrustLedger, _ votes: [Vote]) throws -> (
        largest: Double, mean: Double, trust: Double, flipped: Int
    ) {
        let ballots = Ballots(try VoteTable(votes: votes))
        let full = try PooledDawidSkene(maximumIterations: 500, tolerance: 1e-9).solve(ballots, generator: generator)
        var (largest, sum, trust, flipped) = (0.0, 0.0, 0.0, 0)
        for item in 0..<ballots.items.count {
            let kept = try #require(ledger.probabilities(ballots.items[item]))
            let difference = abs(kept[1] - full.posterior[item * 2 + 1])
            largest = max(largest, difference)
            sum += difference
            if (kept[1] >= 0.5) != (full.posterior[item * 2 + 1] >= 0.5) { flipped += 1 }
        }
        for user in 0..<ballots.users.count {
            trust = max(trust, abs((ledger.trust(ballots.users[user]) ?? 9) - full.trust[user]))
        }
        return (largest, sum / Double(ballots.items.count), trust, flipped)
    }

    @Test func agreesWithAFullRerun() throws {
        let world = try VotingWorld(
            people: 200, votesPerPerson: 20, trolls: 0.25, kinds: [.inverse, .alwaysUp], votesPerItem: 5, seed: 31)
        let votes = world.votes.map { Vote(user: $0.user, item: $0.item, isUp: $0.isUp) }
        let old = Array(votes.prefix(votes.count * 9 / 10))
        let ballots = Ballots(try VoteTable(votes: old))
        var ledger = TrustLedger(ballots)
        #expect(try gap(ledger, old).largest < 1e-9)
        var visited = 0
        for vote in votes.dropFirst(old.count) {
            let update = try ledger.add([(vote.user, vote.item, vote.isUp ? 1 : 0)])
            #expect(update.isSettled && update.added + update.replaced == 1)
            visited += update.itemsVisited
        }
        let after = try gap(ledger, votes)
        // The tolerance that docs/trust.md states.
        #expect(after.largest < 0.08 && after.mean < 0.005 && after.trust < 0.03 && after.flipped == 0)
        #expect(visited > votes.count - old.count)
        try ledger.rerun()
        #expect(try gap(ledger, votes).mean < 1e-3)
    }

    /// From nothing, one vote at a time, to nearly where a rerun ends.
    @Test func growsFromNothing() throws {
        let world = try VotingWorld(people: 60, votesPerPerson: 20, trolls: 0.2, votesPerItem: 5, seed: 32)
        var ledger = TrustLedger()
        var reruns = 0
        for vote in world.votes {
            if try ledger.add([(vote.user, vote.item, vote.isUp ? 1 : 0)]).isRerun { reruns += 1 }
        }
        // Each time there are half as many again: ln(1200 / 10) / ln 1.5 at most, and a few at the start.
        #expect(reruns > 5 && reruns < 20)
        #expect(ledger.userCount == Set(world.votes.map(\.user)).count)
        #expect(ledger.itemCount == Set(world.votes.map(\.item)).count)
        let after = try gap(ledger, world.votes.map { Vote(user: $0.user, item: $0.item, isUp: $0.isUp) })
        #expect(after.mean < 0.02)
        #expect(after.flipped <= ledger.itemCount / 50)
    }

    /// A vote touches its neighbourhood, not the whole.
    @Test func staysInItsComponent() throws {
        var votes: [Vote] = []
        for island in 0..<50 {
            for person in 0..<5 {
                for item in 0..<6 where (person + item) % 3 != 0 || person == 0 {
                    votes.append(
                        Vote(
                            user: "\(island)-\(person)", item: "\(island)-\(item)",
                            isUp: (item % 2 == 0) == (person < 4)))
                }
            }
        }
        let ballots = Ballots(try VoteTable(votes: votes))
        var ledger = TrustLedger(ballots)
        let before = try #require(ledger.probabilities("40-1"))
        let update = try ledger.add([("7-1", "7-2", 0), ("7-2", "7-4", 0)])
        #expect(update.itemsVisited <= 6 * 50)
        #expect(ledger.probabilities("40-1") == before)
        #expect(update.added + update.replaced == 2)
    }

    @Test func changedMindsReplace() throws {
        var ledger = TrustLedger()
        _ = try ledger.add([("a", "x", 1), ("b", "x", 1), ("c", "x", 0)])
        let before = try #require(ledger.probabilities("x"))
        let update = try ledger.add([("c", "x", 1), ("a", "x", 1)])
        #expect(update.replaced == 2 && update.added == 0)
        #expect(try #require(ledger.probabilities("x"))[1] > before[1])
        #expect(ledger.probabilities("y") == nil && ledger.trust("nobody") == nil)
        #expect(throws: TrustError.self) { try ledger.add([("a", "x", 1), ("a", "y", 2)]) }
        #expect(ledger.itemCount == 1)
    }
}
