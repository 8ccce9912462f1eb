import Foundation
import Statistics
import Testing

@testable import Trust

@Suite struct CleaningTests {
    let generator = SeededGenerator(seed: 1)
    static let methods: [any TrustMethod] = [
        ExampleRemoval(thresholds: [0.5], folds: 3), ExampleFlipping(thresholds: [0.5], folds: 3),
        SoftBootstrapping(shares: [0.5], folds: 3), ConfidentLearning(folds: 3),
        SoftPURR(folds: 3), UserAndExampleRemoval(folds: 3), UserAndBootstrap(folds: 3),
    ]

    /// What the published methods can do: contrary people in the minority. What is left to learn from is nearer the truth.
    @Test(arguments: CleaningTests.methods.indices)
    func cleansContraryVotes(number: Int) throws {
        let method = Self.methods[number]
        let world = try VotingWorld(people: 100, trolls: 0.3, clarity: 4, seed: 4)
        let report = try method.weigh(world.table(), generator: generator)
        func distance(_ targets: [TrainingTarget]) -> Double {
            var (sum, weight) = (0.0, 0.0)
            for (vote, target) in zip(report.votes, targets) {
                let error = target.label - (world.isGood[vote.item] ?? false ? 1 : 0)
                sum += target.weight * error * error
                weight += target.weight
            }
            return sum / weight
        }
        let raw = distance(report.votes.map { TrainingTarget(label: $0.isUp ? 1 : 0, weight: 1) })
        #expect(distance(report.trainingTargets) < raw - 0.02, "\(method.name)")
        #expect(try world.separation(report) > 0.7, "\(method.name)")
        #expect(report.notes.contains { $0.hasPrefix("Chosen on held-out votes") })
    }

    /// Without trolls a choice of thresholds that includes "nothing" must not do harm.
    @Test func settingsAreChosenOnNoisyVotes() throws {
        let world = try VotingWorld(people: 80, trolls: 0, skill: 1, dimension: 4, clarity: 6, seed: 5)
        let report = try ExampleRemoval(folds: 3).weigh(world.table(), generator: generator)
        let note = try #require(report.notes.last)
        #expect(note.hasPrefix("Chosen on held-out votes as they came:"))
        #expect(report.trainingTargets.count { $0.weight == 0 } * 4 < report.votes.count)
    }

    @Test func confidentLearningByHand() {
        // Up votes: mean probability .6; down votes: mean probability of "bad" .6.
        let isUp = [true, true, true, true, false, false, false, false]
        let good: [Double?] = [0.9, 0.8, 0.6, 0.1, 0.2, 0.3, 0.3, 0.8]
        // Thresholds .6 and .6: the fourth up is confidently bad (1 of 4), the last down confidently good (1 of 4): one of
        // each class is dropped, the least likely.
        #expect(ConfidentLearning.noisy(isUp: isUp, good: good) == [3, 7])
        // Without a probability a vote is never dropped.
        #expect(ConfidentLearning.noisy(isUp: [true, false], good: [nil, nil]).isEmpty)
    }

    /// The mean that stands in for a vote without content is nobody's word against it.
    @Test func votesWithoutContentAreNotContradicted() throws {
        let votes = ["x", "y"].map { Vote(user: "person \($0)", item: $0, isUp: true) }
        let scores = HeldOutScores(try VoteTable(votes: votes), logits: [-3, nil])
        // σ(3) = .9526 is all that is known, and so the mean.
        #expect(scores.disagreement.allSatisfy { abs($0 - 0.952574126822433) < 1e-12 })
        #expect(scores.contradicts(0, above: 0.9) && !scores.contradicts(0, above: 0.96))
        #expect(!scores.contradicts(1, above: 0.5))
    }

    @Test func fewVotesAreDrawnTowardsTheMean() throws {
        var votes = (0..<10).flatMap { person in
            (0..<8).map { Vote(user: "\(person)", item: "\(person)-\($0)", isUp: true) }
        }
        votes.append(Vote(user: "one vote", item: "x", isUp: true))
        let table = try VoteTable(votes: votes)
        // The first two people and the one with a single vote are contradicted always, the others hardly ever.
        let logits = table.votes.map { vote -> Double? in ["0", "1", "one vote"].contains(vote.user) ? -2 : 2 }
        let scores = HeldOutScores(table, logits: logits)
        #expect(scores.ofUser[0] > scores.ofUser[10])
        #expect(scores.ofUser[10] > scores.ofUser[5])
        #expect(scores.cut(dropping: 0, of: [1, 2]) == .infinity)
        #expect([3.0, 1, 2, 4].count { $0 > scores.cut(dropping: 0.5, of: [3, 1, 2, 4]) } == 2)
    }
}
