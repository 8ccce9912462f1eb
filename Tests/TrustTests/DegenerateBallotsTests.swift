import Foundation
import Statistics
import Testing

@testable import Trust

/// Odd input at a size where a slip would hang or overflow.
@Suite struct DegenerateBallotsTests {
    let generator = SeededGenerator(seed: 1)

    func checked(_ ballots: Ballots, _ methods: [any VoteModel] = TrustMethods.withoutContent) throws -> [VoteFindings]
    {
        try methods.map { method in
            let solution = try method.solve(ballots, generator: generator)
            let findings = VoteFindings(ballots, solution, method: method.name)
            #expect(solution.posterior.count == ballots.items.count * ballots.classCount)
            #expect(solution.posterior.allSatisfy { $0 >= 0 && $0 <= 1 }, "\(method.name)")
            #expect(findings.users.allSatisfy { $0.trust >= 0 && $0.trust <= 1 }, "\(method.name)")
            #expect(findings.users.allSatisfy { ($0.agreement ?? 0.5) >= 0 && ($0.agreement ?? 0.5) <= 1 + 1e-9 })
            for item in 0..<min(ballots.items.count, 100) {
                let row = solution.posterior[item * ballots.classCount..<(item + 1) * ballots.classCount]
                #expect(abs(row.reduce(0, +) - 1) < 1e-9, "\(method.name)")
            }
            return findings
        }
    }

    @Test func aMillionVotesOfOnePerson() throws {
        var builder = BallotBuilder()
        for item in 0..<1_000_000 { try builder.add(user: "flood", item: "\(item)", label: item % 3 == 0 ? 0 : 1) }
        for person in 0..<30 {
            for item in 0..<40 { try builder.add(user: "p\(person)", item: "\(item)", label: item % 2) }
        }
        // Some steps are enough to see that it holds.
        let fast: [any VoteModel] = [GuardedVotes(model: PooledDawidSkene(maximumIterations: 12)), MajorityVote()]
        for findings in try checked(builder.ballots(), fast) {
            // What the thirty agree on stands.
            #expect((0..<40).allSatisfy { findings.solution.label(of: $0) == $0 % 2 }, "\(findings.method)")
            #expect(findings.users[1].trust > 0.8)
        }
    }

    @Test func everybodyOnOneItem() throws {
        var builder = BallotBuilder()
        for person in 0..<100_000 { try builder.add(user: "\(person)", item: "x", label: person % 5 == 0 ? 0 : 1) }
        let fast: [any VoteModel] = [
            GuardedVotes(), DawidSkene(), OneCoin(maximumIterations: 20), Mace(maximumIterations: 5, starts: 1),
            Glad(maximumIterations: 3), MajorityVote(),
        ]
        for findings in try checked(builder.ballots(), fast) {
            #expect(findings.users.allSatisfy { $0.flags.isEmpty })
            #expect(findings.solution.label(of: 0) == 1, "\(findings.method)")
        }
    }

    @Test func manyClassesFewVotes() throws {
        var builder = BallotBuilder(classes: (0..<64).map { "class \($0)" })
        for person in 0..<20 {
            for item in 0..<6 {
                try builder.add(user: "\(person)", item: "\(item)", label: (item * 7 + person % 2) % 64)
            }
        }
        for findings in try checked(builder.ballots()) where findings.method != "glad" {
            #expect(
                (0..<6).allSatisfy { [$0 * 7, $0 * 7 + 1].contains(findings.solution.label(of: $0)) },
                "\(findings.method)")
        }
    }

    @Test func sameVoteAgainAndAgain() throws {
        var builder = BallotBuilder()
        for round in 0..<1000 { try builder.add(user: "a", item: "x", label: round % 2, time: Double(1000 - round)) }
        let ballots = try builder.ballots()
        #expect(ballots.count == 1 && ballots.replacedCount == 999)
        // The latest by time is the first that was given.
        #expect(ballots.votes(ofUser: 0, for: 0) == 1)
        _ = try checked(ballots)
    }

    @Test func impossibleTimes() throws {
        var builder = BallotBuilder()
        for person in 0..<20 {
            for item in 0..<20 {
                let time = [1e300, -1e300, 0, .infinity, -5][(person + item) % 5]
                try builder.add(user: "\(person)", item: "\(item)", label: item % 2, time: time)
            }
        }
        let ballots = try builder.ballots()
        for findings in try checked(ballots) {
            #expect(try UserExplanation("3", in: findings).sentences.count > 3)
        }
    }
}
