import Foundation
import Statistics
import Testing
import Trust

/// Input from which little or nothing can be learned ends in a clear word, never in a crash or a number out of range.
@Suite struct DegenerateVotesTests {
    let generator = SeededGenerator(seed: 1)

    func checked(_ table: VoteTable) throws -> [TrustReport] {
        try TrustMethods.all.map { method in
            let report = try method.weigh(table, generator: generator)
            #expect(report.users.count == table.users.count)
            #expect(report.votes.count == table.votes.count)
            #expect(report.items.count == table.items.count)
            let numbers =
                report.users.map(\.trust) + report.votes.map(\.weight) + report.items.map(\.probability)
                + report.users.compactMap(\.agreement)
            #expect(numbers.allSatisfy { $0 >= 0 && $0 <= 1 }, "\(method.name)")
            return report
        }
    }

    func features(_ rows: Int) throws -> Matrix {
        var generator = SeededGenerator(seed: 3)
        return try Matrix((0..<rows).map { _ in (0..<3).map { _ in Float(generator.normal()) } })
    }

    @Test func noVotesIsAnError() {
        #expect(throws: TrustError(.noVotes, "there are no votes to weigh")) { try VoteTable(votes: []) }
    }

    @Test func oneVoteAndOnePersonAndOneItem() throws {
        let one = [Vote(user: "a", item: "x", isUp: true, row: 0)]
        for report in try checked(VoteTable(votes: one, features: features(1))) {
            #expect(report.notes.contains { $0.contains("one person") })
            #expect(report.flagged.isEmpty)
        }
        let person = (0..<30).map { Vote(user: "a", item: "\($0)", isUp: $0 % 3 == 0, row: $0) }
        for report in try checked(VoteTable(votes: person, features: features(30))) {
            #expect(report.notes.contains { $0.contains("one person") })
            #expect(report.flagged.isEmpty)
        }
        let item = (0..<30).map { Vote(user: "\($0)", item: "x", isUp: $0 % 3 > 0, row: 0) }
        _ = try checked(VoteTable(votes: item, features: features(1)))
    }

    @Test func oneVoteAPersonFlagsNobody() throws {
        let votes = (0..<40).map { Vote(user: "\($0)", item: "\($0)", isUp: $0 % 2 == 0, row: $0) }
        for report in try checked(VoteTable(votes: votes, features: features(40))) { #expect(report.flagged.isEmpty) }
    }

    @Test func allVotesEqualSaysSo() throws {
        let votes = (0..<40).map { Vote(user: "\($0 % 8)", item: "\($0)", isUp: true, row: $0) }
        for report in try checked(VoteTable(votes: votes, features: features(40))) {
            #expect(report.notes.contains { $0.contains("All votes are thumbs up") })
            #expect(report.flagged.isEmpty, "\(report.method)")
        }
    }

    @Test func laterVotesReplaceEarlierOnes() throws {
        let day = Date(timeIntervalSince1970: 1000)
        let table = try VoteTable(votes: [
            Vote(user: "a", item: "x", isUp: true, time: day + 60), Vote(user: "a", item: "x", isUp: false, time: day),
            Vote(user: "b", item: "x", isUp: true), Vote(user: "b", item: "x", isUp: false),
        ])
        #expect(table.votes.map(\.isUp) == [true, false])
        #expect(table.replacedCount == 2)
        for report in try checked(table) { #expect(report.notes.contains { $0.contains("2 votes were replaced") }) }
    }

    @Test func brokenFeaturesCostTheirContentOnly() throws {
        var rows = (0..<60).map { [Float($0 % 2), Float($0 % 5), 1] }
        rows[7][1] = .nan
        rows[9][0] = .infinity
        let votes = (0..<60).map { Vote(user: "\($0 / 6)", item: "\($0)", isUp: $0 % 2 == 0, row: $0) }
        let table = try VoteTable(votes: votes, features: Matrix(rows))
        #expect(table.brokenRowCount == 2)
        #expect(table.rowOfVote[7] == nil && table.rowOfVote[8] == 8)
        for report in try checked(table) { #expect(report.notes.contains { $0.hasPrefix("2 votes have features") }) }
        _ = try checked(VoteTable(votes: votes, features: Matrix(rows.map { _ in [.nan, 0, 0] })))
    }

    @Test func rowsOutsideTheFeaturesAreNamed() throws {
        #expect {
            try VoteTable(votes: [Vote(user: "a", item: "x", isUp: true, row: 5)], features: features(5))
        } throws: {
            "\($0)".contains("user a, item x") && "\($0)".contains("row 5 of 5")
        }
    }

    @Test func manyVotesByOnePersonDoNotDrownTheRest() throws {
        let world = try VotingWorld(people: 60, trolls: 0, seed: 12)
        // One person pours in as many contrary votes as all the others together.
        var votes = world.votes
        let honest = votes.count
        for index in 0..<honest {
            let vote = votes[index]
            votes.append(
                Vote(user: "flood", item: "f" + vote.item, isUp: !(world.isGood[vote.item] ?? false), row: vote.row))
        }
        let table = try VoteTable(votes: votes, features: world.features)
        let report = try UserTypes(folds: 3).weigh(table, generator: generator)
        #expect((report.trustByUser["flood"] ?? 1) < 0.05)
        #expect(world.meanTrust(report) > 0.8)
    }
}
