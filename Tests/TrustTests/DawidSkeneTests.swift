import Foundation
import Statistics
import Testing

@testable import Trust

@Suite struct DawidSkeneTests {
    /// Made with crowd-kit by `Scripts/fixtures/trust.py`.
    struct Reference: Decodable {
        struct Row: Decodable {
            var item: String
            var worker: String
            var label: Int
            init(from decoder: any Decoder) throws {
                var box = try decoder.unkeyedContainer()
                (item, worker, label) = (
                    try box.decode(String.self), try box.decode(String.self), try box.decode(Int.self)
                )
            }
        }
        var votes: [Row]
        var good: [String: Double]
        var prior: Double
        var upOnGood: [String: Double]

        enum CodingKeys: String, CodingKey {
            case votes, good, prior
            case upOnGood = "up_on_good"
        }
    }

    @Test func matchesCrowdKit() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/dawid_skene.json")
        let reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
        let table = try VoteTable(
            votes: reference.votes.map { Vote(user: $0.worker, item: $0.item, isUp: $0.label == 1) })
        let solution = try DawidSkene(smoothing: 0, maximumIterations: 5000, tolerance: 1e-14).solve(
            Ballots(table), generator: SeededGenerator(seed: 0))
        #expect(solution.converged)
        #expect(abs(solution.shares[1] - reference.prior) < 1e-4)
        for (number, item) in table.items.enumerated() {
            #expect(abs(solution.posterior[number * 2 + 1] - (reference.good[item] ?? -1)) < 1e-3, "\(item)")
        }
        for (number, user) in table.users.enumerated() {
            // Chance of "up" on a good item.
            let up = exp(solution.logChance[(number * 2 + 1) * 2 + 1])
            #expect(abs(up - (reference.upOnGood[user] ?? -1)) < 1e-3, "\(user)")
        }
    }

    @Test func likelihoodNeverFalls() throws {
        let world = try VotingWorld(people: 40, trolls: 0.3, votesPerItem: 4, seed: 2)
        let table = try world.table(withContent: false)
        // Without smoothing each step is a plain EM step.
        let paths = try (1...15).map {
            try DawidSkene(smoothing: 0, maximumIterations: $0, tolerance: -1).solve(
                Ballots(table), generator: SeededGenerator(seed: 0)
            ).logLikelihood ?? -.infinity
        }
        #expect(zip(paths, paths.dropFirst()).allSatisfy { $0 <= $1 + 1e-9 })
        #expect((paths.last ?? 0) > paths[0] + 1)
    }

    @Test func beatsTheMajorityWhereTrollsAgree() throws {
        let world = try VotingWorld(people: 60, votesPerPerson: 20, trolls: 0.4, votesPerItem: 5, seed: 3)
        let table = try world.table(withContent: false)
        let generator = SeededGenerator(seed: 0)
        let skene = try DawidSkene().weigh(table, generator: generator)
        let majority = try MajorityVote().weigh(table, generator: generator)
        #expect(try world.labelArea(skene) > 0.93)
        #expect(try world.labelArea(skene) > world.labelArea(majority) + 0.05)
        #expect(try world.separation(skene) > 0.97)
    }
}
