import Foundation
import Statistics
import Testing

@testable import Trust

/// The models that look at votes alone, against crowd-kit on three classes (`Scripts/fixtures/trust.py`) and by hand.
@Suite struct VoteModelTests {
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
        var probabilities: [String: [String: [Double]]]
        var gladAbility: [String: Double]
        var oneCoinSkill: [String: Double]
        var maceKnows: [String: Double]

        enum CodingKeys: String, CodingKey {
            case votes, probabilities
            case gladAbility = "glad_ability"
            case oneCoinSkill = "one_coin_skill"
            case maceKnows = "mace_knows"
        }

        init() throws {
            let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/vote_models.json")
            self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
        }

        func ballots() throws -> Ballots {
            var builder = BallotBuilder(classes: ["0", "1", "2"])
            for vote in votes { try builder.add(user: vote.worker, item: vote.item, label: vote.label) }
            return try builder.ballots()
        }

        /// The largest difference to one of the reference's models.
        func distance(_ name: String, _ solution: VoteSolution, _ ballots: Ballots) throws -> Double {
            let expected = try #require(probabilities[name])
            var largest = 0.0
            for item in 0..<ballots.items.count {
                let row = try #require(expected[ballots.items[item]])
                for k in 0..<3 { largest = max(largest, abs(row[k] - solution.posterior[item * 3 + k])) }
            }
            return largest
        }
    }

    let generator = SeededGenerator(seed: 1)

    @Test func dawidSkeneMatchesCrowdKitOnThreeClasses() throws {
        let reference = try Reference()
        let ballots = try reference.ballots()
        let model = DawidSkene(smoothing: 0, maximumIterations: 25, tolerance: -1)
        let solution = try model.solve(ballots, generator: generator)
        #expect(try reference.distance("dawid-skene", solution, ballots) < 1e-8)
    }

    @Test func oneCoinMatchesCrowdKit() throws {
        let reference = try Reference()
        let ballots = try reference.ballots()
        let model = OneCoin(smoothing: 0, maximumIterations: 25, tolerance: -1)
        let solution = try model.solve(ballots, generator: generator)
        #expect(try reference.distance("one-coin", solution, ballots) < 1e-8)
        for user in 0..<ballots.users.count {
            let skill = try #require(reference.oneCoinSkill[ballots.users[user]])
            // Its skills come from the last probabilities, ours led to them.
            var right = 0.0
            for label in 0..<3 {
                let cell = user * 3 + label
                for vote in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    right += solution.posterior[Int(ballots.itemOfVote[vote]) * 3 + label]
                }
            }
            #expect(abs(right / Double(ballots.votes(ofUser: user)) - skill) < 1e-8)
            #expect(abs(exp(solution.logChance[user * 9]) - skill) < 2e-3)
            #expect(abs(solution.trust[user] - max(0, (3 * skill - 1) / 2)) < 2e-3)
        }
    }

    @Test(arguments: [true, false])
    func maceMatchesCrowdKit(isVariational: Bool) throws {
        let reference = try Reference()
        let ballots = try reference.ballots()
        let model = Mace(isVariational: isVariational, maximumIterations: 3000, tolerance: -1, starts: 1)
        let solution = try model.solve(ballots, generator: generator)
        #expect(try reference.distance(model.name, solution, ballots) < 1e-3)
        if isVariational {
            for user in 0..<ballots.users.count {
                // What the true label adds to the chance of saying it.
                let knows = exp(solution.logChance[user * 9]) - exp(solution.logChance[user * 9 + 1])
                #expect(abs(knows - (reference.maceKnows[ballots.users[user]] ?? -1)) < 1e-3, "\(ballots.users[user])")
            }
            // The one who always says 2 knows nothing.
            let last = try #require(ballots.users.number(of: "w9"))
            #expect(solution.trust[last] < 0.2)
        }
    }

    @Test func gladMatchesCrowdKit() throws {
        let reference = try Reference()
        let ballots = try reference.ballots()
        let model = Glad(maximumIterations: 300, tolerance: -1, rounds: 5)
        let solution = try model.solve(ballots, generator: generator)
        #expect(try reference.distance("glad", solution, ballots) < 0.01)
        let fit = model.fit(ballots)
        for user in 0..<ballots.users.count {
            #expect(abs(fit.ability[user] - (reference.gladAbility[ballots.users[user]] ?? -9)) < 0.02)
        }
    }

    @Test func digammaByKnownValues() {
        // ψ(1) = −γ, ψ(1/2) = −γ − 2 ln 2, ψ(10) = −γ + H₉.
        let euler = 0.577_215_664_901_532_9
        #expect(abs(Gamma.digamma(1) + euler) < 1e-10)
        #expect(abs(Gamma.digamma(0.5) + euler + 2 * log(2)) < 1e-10)
        #expect(abs(Gamma.digamma(10) + euler - (1...9).reduce(0) { $0 + 1 / Double($1) }) < 1e-10)
    }

    /// Three people, two classes, one EM step by hand.
    @Test func oneStepByHand() throws {
        var builder = BallotBuilder()
        for (user, item, label) in [("a", "x", 1), ("b", "x", 1), ("c", "x", 0), ("a", "y", 0), ("b", "y", 1)] {
            try builder.add(user: user, item: item, label: label)
        }
        let ballots = try builder.ballots()
        let solution = try DawidSkene(smoothing: 1, maximumIterations: 1, tolerance: -1).solve(
            ballots, generator: generator)
        // Shares of votes: x 2/3, y 1/2. a says up on x, down on y: good (2/3 + 1) / (7/6 + 2), and so on.
        let aUpGood = (2.0 / 3 + 1) / (7.0 / 6 + 2)
        let aUpBad = (1.0 / 3 + 1) / (5.0 / 6 + 2)
        let bUpGood = (7.0 / 6 + 1) / (7.0 / 6 + 2)
        let bUpBad = (5.0 / 6 + 1) / (5.0 / 6 + 2)
        let cUpGood = 1 / (2.0 / 3 + 2)
        let cUpBad = 1 / (1.0 / 3 + 2)
        let prior = 7.0 / 12
        let good = prior * aUpGood * bUpGood * (1 - cUpGood)
        let bad = (1 - prior) * aUpBad * bUpBad * (1 - cUpBad)
        let goodY = prior * (1 - aUpGood) * bUpGood
        let badY = (1 - prior) * (1 - aUpBad) * bUpBad
        #expect(abs(solution.posterior[1] - good / (good + bad)) < 1e-12)
        #expect(abs(solution.posterior[3] - goodY / (goodY + badY)) < 1e-12)
        #expect(abs((solution.logLikelihood ?? 0) - log(good + bad) - log(goodY + badY)) < 1e-12)
    }

    /// The path for two classes and the one for any number of them are the same model.
    @Test func twoClassesAsThree() throws {
        let world = try VotingWorld(people: 60, trolls: 0.3, kinds: [.inverse, .alwaysUp], votesPerItem: 4, seed: 21)
        let two = Ballots(try world.table(withContent: false))
        var builder = BallotBuilder(classes: ["0", "1", "never"])
        for vote in world.votes { try builder.add(user: vote.user, item: vote.item, label: vote.isUp ? 1 : 0) }
        let three = try builder.ballots()
        // A few steps only: EM would find a use for the third class in the end.
        let model = DawidSkene(smoothing: 0, maximumIterations: 3, tolerance: -1)
        let first = try model.solve(two, generator: generator)
        let second = try model.solve(three, generator: generator)
        var largest = 0.0
        for item in 0..<two.items.count {
            largest = max(largest, abs(first.posterior[item * 2 + 1] - second.posterior[item * 3 + 1]))
        }
        #expect(largest < 1e-6)
        #expect(abs((first.logLikelihood ?? 0) - (second.logLikelihood ?? 1)) < 1e-3)
    }

    /// Chunks run on several threads and give the same sums every time.
    @Test func manyVotesAreTheSameEveryTime() throws {
        let world = try VotingWorld(
            people: 2000, votesPerPerson: 50, trolls: 0.2, votesPerItem: 5, dimension: 1, seed: 22)
        let ballots = Ballots(try world.table(withContent: false))
        #expect(ballots.count > 60_000)
        let first = try DawidSkene().solve(ballots, generator: generator)
        let second = try DawidSkene().solve(ballots, generator: generator)
        #expect(first.posterior == second.posterior)
        #expect(first.logLikelihood == second.logLikelihood)
    }

    /// Learned priors have densities of their own scale: the votes' likelihood decides between starts.
    @Test func endsAreComparedByWhatCompares() throws {
        let world = try VotingWorld(people: 30, votesPerPerson: 8, trolls: 0.3, votesPerItem: 3, seed: 24)
        let ballots = Ballots(try world.table(withContent: false))
        var pooled = ConfusionEM(ballots, model: PooledErrors(), maximumIterations: 5, tolerance: -1)
        let drawn = pooled.run(from: pooled.voteShares())
        #expect(drawn.objective < drawn.logLikelihood && pooled.merit(drawn) == drawn.logLikelihood)
        // A prior that is given has the same scale everywhere, and belongs to the model.
        var own = ConfusionEM(ballots, model: OwnErrors(smoothing: 1), maximumIterations: 5, tolerance: -1)
        let smoothed = own.run(from: own.voteShares())
        #expect(smoothed.objective < smoothed.logLikelihood && own.merit(smoothed) == smoothed.objective)
    }

    /// Two people who agree on everything: their spamming halves with every step until nothing is left of it.
    @Test func maceWithoutSmoothingStaysANumber() throws {
        var builder = BallotBuilder()
        for (user, item, label) in [("a", "x", 1), ("b", "x", 1), ("a", "y", 0), ("b", "y", 0)] {
            try builder.add(user: user, item: item, label: label)
        }
        let model = Mace(isVariational: false, smoothing: 0, maximumIterations: 200, tolerance: -1, starts: 1)
        let solution = try model.solve(builder.ballots(), generator: generator)
        let expected: [Double] = [0, 1, 1, 0]
        #expect(zip(solution.posterior, expected).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(solution.trust.allSatisfy { $0 > 1 - 1e-12 })
    }

    /// Accounts that count as one person are one in what everybody is drawn towards, too.
    @Test func whatIsOrdinaryCountsAGroupOnce() {
        // Eight votes each on good items: one person says "up", two who vote as one say "down".
        let (up, down): ([Double], [Double]) = ([0, 0, 0, 8], [0, 8, 0, 0])
        let counts = up + down + down
        func upOnGood(_ weights: [Double]?) -> Double {
            var model = PooledErrors()
            counts.withUnsafeBufferPointer { model.prepare($0, classes: 2, weights: weights) }
            return model.pseudo[3] / model.strength[1]
        }
        #expect(abs(upOnGood(nil) - 8.5 / 25) < 1e-12)
        #expect(abs(upOnGood([1, 0.5, 0.5]) - 8.5 / 17) < 1e-12)
    }

    @Test func pooledTellsFewVotesFromMany() throws {
        let world = try VotingWorld(
            people: 200, votesPerPerson: 6, trolls: 0.3, kinds: [.inverse, .random], votesPerItem: 4, seed: 23)
        let table = try world.table(withContent: false)
        let pooled = try PooledDawidSkene().weigh(table, generator: generator)
        let own = try DawidSkene(smoothing: 0).weigh(table, generator: generator)
        #expect(try world.labelArea(pooled) > world.labelArea(own))
        #expect(
            try world.labelArea(pooled) >= world.labelArea(MajorityVote().weigh(table, generator: generator)) - 0.005)
    }

    /// Noisy starts never end below the majority's by the objective, nor upside down.
    @Test func moreStartsAreNoWorse() throws {
        let world = try VotingWorld(people: 30, votesPerPerson: 8, trolls: 0.3, votesPerItem: 3, seed: 24)
        let ballots = Ballots(try world.table(withContent: false))
        let one = try DawidSkene(smoothing: 0).solve(ballots, generator: generator)
        let many = try DawidSkene(smoothing: 0, starts: 6).solve(ballots, generator: generator)
        #expect((many.logLikelihood ?? -.infinity) >= (one.logLikelihood ?? 0) - 1e-9)
        let report = try DawidSkene(smoothing: 0.5, starts: 6).weigh(
            world.table(withContent: false), generator: generator)
        #expect(try world.labelArea(report) > 0.6)
    }
}
