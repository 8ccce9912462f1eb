import Foundation
import Statistics
import Testing

@testable import Trust

@Suite struct TrustMethodTests {
    let generator = SeededGenerator(seed: 1)

    @Test func majorityByHand() throws {
        let votes =
            [("a", true), ("b", true), ("c", false)].map { Vote(user: $0.0, item: "one", isUp: $0.1) }
            + [Vote(user: "a", item: "two", isUp: true)]
        let report = try MajorityVote(smoothing: 1).weigh(VoteTable(votes: votes), generator: generator)
        let expected: [Double] = [0.6, 2.0 / 3]
        #expect(report.items.map(\.probability) == expected)
        // a agrees with one of two others (half), b with one of two, c with none; "two" has nobody to compare with.
        let agreements: [Double?] = [0.5, 0.5, 0]
        #expect(report.users.map(\.agreement) == agreements)
        let trust: [Double] = [0.5, 0.5, 1.0 / 3]
        #expect(report.users.map(\.trust) == trust)
    }

    @Test func perUserRemovalSeparatesInverseTrolls() throws {
        let world = try VotingWorld(people: 100, trolls: 0.3, seed: 4)
        let report = try PerUserRemoval(folds: 3).weigh(world.table(), generator: generator)
        #expect(try world.separation(report) > 0.85)
        #expect(try world.testArea(report, .weighted) > world.testArea(nil, .raw) + 0.02)
        for user in report.flagged { #expect(user.trust < 0.2) }
        #expect(report.flagged.count >= 3)
        #expect(report.flagged.count { world.behaviour[$0.user] == .helper } <= 2)
    }

    @Test func perUserRemovalLeavesHonestPeopleAlone() throws {
        let world = try VotingWorld(people: 100, trolls: 0, seed: 5)
        let report = try PerUserRemoval(folds: 3).weigh(world.table(), generator: generator)
        #expect(report.flagged.count <= 3)
        #expect(world.meanTrust(report) > 0.55)
    }

    /// One-sided people are what plain removal gets wrong: it would throw out the helpers.
    @Test(arguments: [VotingWorld.Behaviour.alwaysUp, .alwaysDown])
    func typesSeeOneSidedTrolls(kind: VotingWorld.Behaviour) throws {
        let world = try VotingWorld(people: 100, trolls: 0.4, kinds: [kind], seed: 6)
        let table = try world.table()
        let types = try UserTypes(folds: 3).weigh(table, generator: generator)
        #expect(try world.separation(types) > 0.97)
        #expect(try world.separation(PerUserRemoval(folds: 3).weigh(table, generator: generator)) < 0.6)
        let flagged = types.flagged
        #expect(flagged.count { world.behaviour[$0.user] == kind } >= 30)
        #expect(flagged.count { world.behaviour[$0.user] == .helper } <= 2)
        let word = kind == .alwaysUp ? "thumbs up" : "thumbs down"
        let right = flagged.filter { world.behaviour[$0.user] == kind }
        #expect(
            right.allSatisfy { $0.flags[0].reason.contains(word) && $0.flags[0].reason.contains(" of \($0.votes)") })
    }

    @Test func typesSeparateAMix() throws {
        let world = try VotingWorld(
            people: 120, trolls: 0.3, kinds: [.inverse, .random, .alwaysUp, .alwaysDown], seed: 7)
        let report = try UserTypes(folds: 3).weigh(world.table(), generator: generator)
        #expect(try world.separation(report) > 0.87)
        #expect(try world.separation(report, kinds: [.inverse]) > 0.9)
        // The labels found are better than the votes as given, and so is what is learned from them.
        let raw = try ROC.auc(
            scores: world.votes.map { $0.isUp ? 1 : 0 }, labels: world.votes.map { world.isGood[$0.item] ?? false })
        #expect(try world.labelArea(report) > raw + 0.1)
    }

    @Test func typesCleanTheTraining() throws {
        let world = try VotingWorld(people: 100, trolls: 0.3, seed: 1)
        let report = try UserTypes(folds: 3).weigh(world.table(), generator: generator)
        let raw = try world.testArea(nil, .raw)
        let cleaned = try world.testArea(report, .softWeighted)
        // At least a quarter of the way to what the true labels would give.
        #expect(try cleaned - raw > (world.testArea(nil, .truth) - raw) / 4)
        #expect(cleaned > raw + 0.015)
    }

    @Test func typesCostNothingWithoutTrolls() throws {
        let world = try VotingWorld(people: 100, trolls: 0, seed: 8)
        let report = try UserTypes(folds: 3).weigh(world.table(), generator: generator)
        #expect(world.meanTrust(report) > 0.85)
        #expect(report.flagged.count <= 2)
        #expect(try world.testArea(report, .softWeighted) > world.testArea(nil, .raw) - 0.005)
    }

    @Test func typesUseSeveralVotesAnItemWithoutContent() throws {
        let world = try VotingWorld(
            people: 60, votesPerPerson: 20, trolls: 0.4, kinds: [.inverse, .alwaysUp], votesPerItem: 5, seed: 9)
        let report = try UserTypes().weigh(world.table(withContent: false), generator: generator)
        #expect(try world.separation(report) > 0.95)
        #expect(try world.labelArea(report) > 0.9)
        #expect(report.notes.contains { $0.contains("content was not used") })
    }

    @Test func wordsAloneAreContentToo() throws {
        var votes: [Vote] = []
        var texts: [String: String] = [:]
        for person in 0..<20 {
            for number in 0..<6 {
                let isGood = (person + number) % 2 == 0
                let id = "\(person)-\(number)"
                texts[id] = isGood ? "a kind and clear answer \(id)" : "a muddled and cold answer \(id)"
                votes.append(Vote(user: "\(person)", item: id, isUp: person < 5 ? !isGood : isGood))
            }
        }
        let report = try UserTypes().weigh(VoteTable(votes: votes, texts: texts), generator: generator)
        #expect(report.users.prefix(5).allSatisfy { $0.trust < 0.2 && $0.flags.first?.kind == .inverse })
        #expect(report.users.dropFirst(5).allSatisfy { $0.trust > 0.8 && $0.flags.isEmpty })
    }

    @Test func sameSeedSameReportAndSurvivesJSON() throws {
        let world = try VotingWorld(people: 30, trolls: 0.3, dimension: 4, seed: 10)
        for method in TrustMethods.all {
            let first = try method.weigh(world.table(), generator: generator)
            #expect(try method.weigh(world.table(), generator: generator) == first)
            let data = try JSONEncoder().encode(first)
            #expect(try JSONDecoder().decode(TrustReport.self, from: data) == first)
        }
    }

    /// Held out means held out: a person whose votes are the only ones with a feature set must not teach their own judge.
    @Test func contentModelNeverSeesThePersonItJudges() throws {
        // Everybody votes on the mark in column 1, up for a person's own mark; only their own votes could reveal it.
        var votes: [Vote] = []
        var rows: [[Float]] = []
        for person in 0..<12 {
            for number in 0..<6 {
                var row = [Float](repeating: 0, count: 12)
                row[person] = 1
                votes.append(
                    Vote(user: "\(person)", item: "\(person)-\(number)", isUp: person % 2 == 0, row: rows.count))
                rows.append(row)
            }
        }
        let table = try VoteTable(votes: votes, features: Matrix(rows))
        guard case .plan(let plan) = ContentModel().split(table, generator: generator) else {
            Issue.record("no split")
            return
        }
        let logits = try ContentModel().heldOutLogits(
            table, plan: plan, targets: votes.map { $0.isUp ? 1 : 0 }, weights: votes.map { _ in 1 }
        ).logits
        let scores = logits.map { $0 ?? 0 }
        // Leaking gives an area of 1; held out, a person's mark is unknown and only the base rate is left.
        #expect(try ROC.auc(scores: scores, labels: votes.map(\.isUp)) < 0.6)
    }

    @Test func namesAreKnown() throws {
        #expect(Set(TrustMethods.all.map(\.name)).count == TrustMethods.all.count)
        #expect(try TrustMethods.named("dawid-skene").name == "dawid-skene")
        #expect {
            try TrustMethods.named("oracle")
        } throws: {
            "\($0)".contains("oracle") && "\($0)".contains("user-types")
        }
    }
}
