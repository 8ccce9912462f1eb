import Conversations
import Foundation
import Statistics
import Testing

@testable import Training

/// Vectors by hashing words: enough signal to learn from, no model needed.
private struct HashEncoder: TextEncoder {
    let dimension: Int

    func encode(_ texts: [String]) async throws -> [[Float]] {
        texts.map { text in
            var vector = [Float](repeating: 0, count: dimension)
            for word in OverlapFeatures.words(text) {
                var hash = StableHash(salt: "test")
                hash.add(word)
                vector[Int(hash.value % UInt64(dimension))] += 1
            }
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length > 0 ? vector.map { $0 / length } : vector
        }
    }
}

@Suite("Reward model")
struct RewardModelTests {
    /// Made-up votes: kind replies are liked, dull ones not, one in `noise` the other way round.
    private static func votes(_ count: Int, people: Int, seed: UInt64, prefix: String, noise: Double = 0.1)
        -> [RewardExample]
    {
        var generator = SeededGenerator(seed: seed)
        let kind = ["lovely", "gladly", "thanks", "enjoy", "garden", "music"]
        let dull = ["whatever", "nope", "blah", "meh", "spam", "offer"]
        return (0..<count).map { index in
            let isGood = generator.chance(0.5)
            var words: [String] = []
            for _ in 0..<(3 + generator.index(below: 5)) {
                let list = generator.chance(0.8) == isGood ? kind : dull
                words.append(list[generator.index(below: list.count)])
            }
            let reasons: [DislikeReason] =
                isGood ? [] : [words.contains("spam") || words.contains("offer") ? .spam : .nonsensical]
            let flipped = generator.chance(noise)
            return RewardExample(
                context: [Turn(.human, "tell me something nice \(index % 7)")], reply: words.joined(separator: " "),
                isGood: isGood != flipped, weight: 1, userID: "\(prefix)\(index % people)",
                reasons: isGood != flipped ? [] : reasons)
        }
    }

    private static var options: RewardModel.Options {
        var options = RewardModel.Options()
        options.folds = 3
        options.penalties = [3, 100]
        return options
    }

    @Test("facts are computed as defined")
    func facts() throws {
        let context = [Turn(.bot, "I like red apples a lot"), Turn(.human, "do you like pears")]
        let values = OverlapFeatures.values(context: context, reply: "I like red pears zzzz!")
        let fact = Dictionary(uniqueKeysWithValues: zip(OverlapFeatures.names, values))
        #expect(values.count == OverlapFeatures.names.count)
        let defined: [(name: String, value: Float)] = [
            ("overlap_own_replies", 3.0 / 5), ("overlap_own_trigrams", 1.0 / 3), ("overlap_last_turn", 2.0 / 5),
            ("last_turn_covered", 2.0 / 4), ("repeats_own_reply", 0), ("garbled_share", 1.0 / 5),
            ("symbol_share", 1.0 / 18), ("ends_with_mark", 1), ("is_question", 0),
        ]
        for (name, value) in defined { #expect(fact[name] == value, "\(name)") }
        let repeated = OverlapFeatures.values(context: context, reply: "i like RED apples, a lot")
        #expect(repeated[4] == 1)
        #expect(OverlapFeatures.values(context: [], reply: "").allSatisfy { $0.isFinite })
    }

    @Test("rows hold reply, context, product and distance")
    func rows() async throws {
        let features = RewardFeatures(contextTurns: 1, dimension: 4, extraCount: 1)
        let encoder = HashEncoder(dimension: 4)
        let context = [Turn(.human, "unseen words"), Turn(.human, "good day")]
        let rows = try await features.rows([(context, "a fine day")], encoder: encoder, extra: [[7]])
        let reply = try await encoder.encode(["a fine day"])[0]
        let last = try await encoder.encode(["good day"])[0]
        let row = Array(rows[row: 0])
        #expect(Array(row[0..<4]) == reply)
        #expect(Array(row[4..<8]) == last)
        #expect(Array(row[8..<12]) == zip(reply, last).map(*))
        #expect(Array(row[12..<16]) == zip(reply, last).map { abs($0 - $1) })
        #expect(row.last == 7)
        #expect(row.count == features.count)
        await #expect(throws: TrainingError.self) { try await features.rows([(context, "x")], encoder: encoder) }
    }

    @Test("it separates people's likes on people it never saw, calibrated, and beats reply length")
    func separates() async throws {
        let encoder = HashEncoder(dimension: 16)
        let train = Self.votes(240, people: 20, seed: 1, prefix: "a")
        let test = Self.votes(160, people: 16, seed: 2, prefix: "b")
        let model = try await RewardModel.train(train, encoder: encoder, encoderName: "hash", options: Self.options)
        let evaluation = try await RewardEvaluation(
            model, train: train, test: test, encoder: encoder, replicates: 100)
        let auc = Dictionary(uniqueKeysWithValues: evaluation.rows.map { ($0.name, $0.auc) })
        let own = try #require(auc["reward model"])
        #expect(own.estimate > 0.8)
        #expect(own.lower > 0.7)
        #expect(own.lower < own.estimate && own.estimate < own.upper)
        #expect(try #require(auc["reply length"]).estimate < own.lower)
        #expect(evaluation.rows.count == 4)
        #expect(evaluation.reliability.expectedCalibrationError < 0.15)
        #expect(abs(model.training.outOfFoldAUC - own.estimate) < 0.12)

        let reasons = try model.reasonProbabilities(
            await model.features.rows(
                [([Turn(.human, "hello")], "spam offer spam offer"), ([Turn(.human, "hello")], "blah meh whatever")],
                encoder: encoder))
        #expect(try #require(reasons[0][.spam]) > #require(reasons[1][.spam]) + 0.2)
        for head in model.reasons {
            let share = try #require(head.share)
            #expect(share > 0 && share < 1)
        }
    }

    @Test("a saved model gives the same numbers when it is loaded")
    func folder() async throws {
        let encoder = HashEncoder(dimension: 8)
        let votes = Self.votes(120, people: 10, seed: 3, prefix: "a")
        let model = try await RewardModel.train(votes, encoder: encoder, encoderName: "hash", options: Self.options)
        let url = FileManager.default.temporaryDirectory.appending(path: "reward-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try model.save(to: url)
        let loaded = try RewardModel(folder: url)
        #expect(loaded == model)
        #expect(!model.reasons.isEmpty)
        try Data("{\"model_type\":\"llama\"}".utf8).write(to: url.appending(path: "config.json"))
        #expect(throws: (any Error).self) { try RewardModel(folder: url) }
    }

    @Test("votes of weight 0 teach nothing")
    func weights() async throws {
        let encoder = HashEncoder(dimension: 8)
        let honest = Self.votes(120, people: 10, seed: 4, prefix: "a", noise: 0)
        let trolls = honest.map {
            var vote = $0
            vote.isGood.toggle()
            vote.reasons = []
            vote.weight = 0
            return vote
        }
        let model = try await RewardModel.train(
            honest + trolls, encoder: encoder, encoderName: "hash", options: Self.options)
        let scores = try await model.probabilities(honest.map { ($0.context, $0.reply) }, encoder: encoder)
        #expect(try ROC.auc(scores: scores, labels: honest.map(\.isGood)) > 0.9)
    }

    /// Replies that are good with the probability σ(2 m) for a margin m; one vote in four says the contrary, and the voters' doubt says so.
    @Test("Platt's scaling through doubt finds the curve of what is, the plain one that of what is said")
    func throughDoubt() throws {
        var generator = SeededGenerator(seed: 7)
        var (margins, labels): ([Double], [Bool]) = ([], [])
        for _ in 0..<8_000 {
            let margin = generator.uniform(-2, 2)
            let isGood = generator.chance(LogisticRegression.sigmoid(2 * margin))
            margins.append(margin)
            labels.append(isGood != generator.chance(0.25))
        }
        let weights = [Double](repeating: 1, count: labels.count)
        let doubts = [Double](repeating: 0.25, count: labels.count)
        let said = try RewardModel.platt(margins: margins, labels: labels, weights: weights)
        let found = try RewardModel.platt(margins: margins, labels: labels, weights: weights, doubts: doubts)
        #expect(abs(found.slope - 2) < 0.25)
        #expect(abs(found.offset) < 0.15)
        #expect(said.slope < 1)
        // A label that is wrong three times in four is its contrary, as sure.
        let turned = try RewardModel.platt(
            margins: margins, labels: labels.map { !$0 }, weights: weights, doubts: doubts.map { 1 - $0 })
        #expect(abs(turned.slope - found.slope) < 1e-3)
        // Labels that are right although they are doubted do not make it a step.
        let right = margins.map { $0 > 0.3 }
        let plain = try RewardModel.platt(margins: margins, labels: right, weights: weights)
        let sharp = try RewardModel.platt(margins: margins, labels: right, weights: weights, doubts: doubts)
        #expect(sharp.slope <= 4 * plain.slope + 1e-9)
        #expect(abs(-sharp.offset / sharp.slope - 0.3) < 0.1)
        // Examples without weight do not count.
        let half = try RewardModel.platt(
            margins: margins + [5, 6], labels: labels + [false, false], weights: weights + [0, 0],
            doubts: doubts + [0, 0])
        #expect(abs(half.slope - found.slope) < 1e-6)
    }

    @Test("Who is doubted is reckoned out of the share of good votes; without doubt nothing is said of it")
    func goodShare() async throws {
        let encoder = HashEncoder(dimension: 16)
        var votes = Self.votes(400, people: 20, seed: 9, prefix: "a", noise: 0.2)
        let plain = try await RewardModel.fit(votes, encoder: encoder, encoderName: "hash", options: Self.options)
        #expect(plain.model.training.goodShare == nil)
        for index in votes.indices { votes[index].doubt = 0.2 }
        let doubted = try await RewardModel.fit(votes, encoder: encoder, encoderName: "hash", options: Self.options)
        let share = try #require(doubted.model.training.goodShare)
        #expect(abs(share - 0.5) < 0.12)
        #expect(doubted.outOfFold.count == votes.count)
        // Surer, in the same order.
        let widest = { (found: [Double]) in found.max()! - found.min()! }
        #expect(widest(doubted.outOfFold) > widest(plain.outOfFold))
        #expect(
            try ROC.auc(scores: doubted.outOfFold, labels: votes.map(\.isGood)) == plain.model.training.outOfFoldAUC)
        votes[2].doubt = 1.5
        await #expect(throws: TrainingError.self) {
            try await RewardModel.train(votes, encoder: encoder, encoderName: "hash", options: Self.options)
        }
    }

    /// Of 1,000 replies 100 are rude, with margins from 5 on; of those half are called so, of the others one in a hundred.
    @Test("Rude is from where on people call a reply so half as often as the rudest, however few of them do")
    func rudeFrom() throws {
        func from(_ called: Int, inAll every: Int) throws -> Double? {
            var (margins, labels): ([Double], [Bool]) = ([], [])
            for place in 0..<1_000 {
                let isRude = place < 100
                margins.append(isRude ? 5 + Double(place) / 100 : Double(place) / 1_000)
                labels.append(isRude ? place % 10 < called : place % every == 0)
            }
            return try RewardModel.rudeFrom(margins, labels: labels, weights: [Double](repeating: 1, count: 1_000))
        }
        let (often, seldom, never) = (try from(5, inAll: 100), try from(2, inAll: 100), try from(1, inAll: 10))
        #expect(often == 5)
        #expect(seldom == 5)
        // Called so no more often than others: not found.
        #expect(never == nil)
    }

    @Test("What people call inappropriate is told from what they like and from what they dislike for other reasons")
    func rudeness() async throws {
        let encoder = HashEncoder(dimension: 16)
        var votes = Self.votes(240, people: 20, seed: 8, prefix: "a")
        for index in stride(from: 0, to: 240, by: 8) {
            votes[index].reply = "silly goose go away \(index % 3)"
            // Every other one is liked, by who provoked it.
            votes[index].isGood = index % 16 == 0
            votes[index].reasons = votes[index].isGood ? [] : [.inappropriate]
        }
        let model = try await RewardModel.train(votes, encoder: encoder, encoderName: "hash", options: Self.options)
        let rows = try await model.features.rows(
            ["silly goose go away", "lovely garden music", "blah meh whatever"].map { ([Turn(.human, "hello")], $0) },
            encoder: encoder)
        let margins = try model.rudeness(rows)
        let found = try #require(margins)
        #expect(found[0] > 0)
        #expect(found[1] < 0)
        #expect(found[2] < 0)
        let url = FileManager.default.temporaryDirectory.appending(path: "reward-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try model.save(to: url)
        #expect(try RewardModel(folder: url) == model)
        // Nobody says so: no head, and nothing is rude.
        for index in votes.indices { votes[index].reasons.removeAll { $0 == .inappropriate } }
        let without = try await RewardModel.train(votes, encoder: encoder, encoderName: "hash", options: Self.options)
        #expect(without.rudeness == nil)
        let none = try without.rudeness(rows)
        #expect(none == nil)
    }

    @Test("votes that cannot be learned from end in one clear error")
    func broken() async throws {
        let encoder = HashEncoder(dimension: 4)
        func message(_ votes: [RewardExample]) async -> String {
            do {
                _ = try await RewardModel.train(votes, encoder: encoder, encoderName: "hash", options: Self.options)
                return "no error"
            } catch {
                return "\(error)"
            }
        }
        let votes = Self.votes(40, people: 4, seed: 5, prefix: "a")
        #expect(await message([]) == "training: there are no votes to learn a reward model from")
        #expect(
            await message(votes.filter(\.isGood)).contains("votes are good; a reward model needs good and bad ones"))
        #expect(
            await message(
                votes.map {
                    var vote = $0
                    vote.userID = "one"
                    return vote
                }
            ).contains("of one person"))
        var odd = votes
        odd[3].weight = .nan
        #expect(await message(odd).contains("weight of vote 3"))
    }

    @Test("people may not be on both sides of a test")
    func leak() async throws {
        let encoder = HashEncoder(dimension: 4)
        let votes = Self.votes(40, people: 4, seed: 6, prefix: "a")
        let model = try await RewardModel.train(votes, encoder: encoder, encoderName: "hash", options: Self.options)
        await #expect(throws: TrainingError.self) {
            try await RewardEvaluation(model, train: votes, test: votes, encoder: encoder, replicates: 10)
        }
    }
}
