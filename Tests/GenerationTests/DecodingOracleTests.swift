import Conversations
import Foundation
import Generation
import Testing

/// What transformers' logits processors and ParlAI's beam search make of random rows
/// (`Scripts/fixtures/generation_decoding.py`).
@Suite struct DecodingOracleTests {
    struct Oracle: Decodable {
        struct Case: Decodable {
            var name: String
            var prompt: [Int]
            var reply: [Int]
            var logits: [Float]
            var settings: Sampling
            var scores: [Float?]
        }
        struct Beams: Decodable {
            struct Run: Decodable {
                struct Found: Decodable {
                    var ids: [Int]
                    var score: Double
                }
                var size: Int
                var minimum: Int
                var ngram: Int
                var contextNGram: Int
                var lengthPenalty: Double
                var steps: Int
                var forced: Bool
                var found: [Found]
                enum CodingKeys: String, CodingKey {
                    case size, minimum, ngram, steps, forced, found
                    case contextNGram = "context_ngram"
                    case lengthPenalty = "length_penalty"
                }
            }
            var table: [[Float]]
            var shift: [[Float]]
            var context: [Int]
            var runs: [Run]
        }
        var processors: [Case]
        var beams: Beams
    }

    let oracle: Oracle

    init() throws {
        oracle = try JSONDecoder().decode(
            Oracle.self, from: Data(contentsOf: fixtures.appendingPathComponent("decoding.json")))
    }

    /// A fixture's settings say nothing of temperature and nucleus unless they are what is tested.
    func plain(_ item: Oracle.Case) -> Sampling {
        var sampling = item.settings
        if item.name != "temperature", item.name != "all" { sampling.temperature = 1 }
        if item.name != "top_p", item.name != "all" { sampling.topP = 1 }
        return sampling
    }

    @Test func filtersKeepWhatTransformersKeeps() throws {
        var checked = 0
        for item in oracle.processors {
            let settings = plain(item)
            var logits = item.logits
            LogitAdjustments.addBias(settings.logitBias, to: &logits)
            if settings.repetitionPenalty != 1 {
                LogitAdjustments.penaliseRepetition(
                    of: Set(item.prompt + item.reply), by: settings.repetitionPenalty, in: &logits)
            }
            let rules = DrawingRules(
                endIDs: [], maximumTokens: 50, blockedNGram: settings.blockedNGram,
                blockedContextNGram: settings.blockedContextNGram)
            LogitAdjustments.forbid(rules.forbidden(after: item.reply, prompt: item.prompt), in: &logits)
            let kept = try TokenSampler(
                temperature: settings.temperature, topP: settings.topP, topK: settings.topK, minP: settings.minP,
                typicalP: settings.typicalP
            ).candidates(logits)
            // Scores and weights are compared as probabilities, which is what is drawn from.
            let finite = item.scores.compactMap { $0.map(Double.init) }
            let best = finite.max() ?? 0
            let total = finite.reduce(0) { $0 + exp($1 - best) }
            let expected = item.scores.map { $0.map { exp(Double($0) - best) / total } ?? 0 }
            var found = [Double](repeating: 0, count: logits.count)
            for candidate in kept.candidates { found[candidate.id] = candidate.weight / kept.total }
            for (id, (ours, theirs)) in zip(found, expected).enumerated() {
                #expect(abs(ours - theirs) < 1e-4 && (ours == 0) == (theirs == 0), "\(item.name) token \(id)")
            }
            checked += found.count { $0 == 0 }
        }
        #expect(checked > 300, "the filters should drop something")
    }

    @Test func beamsAreParlAIs() throws {
        let beams = oracle.beams
        func logSoftmax(_ row: [Float]) -> [Float] {
            let best = row.max() ?? 0
            return row.map { $0 - best - log(row.reduce(0) { $0 + exp($1 - best) }) }
        }
        for run in beams.runs {
            var search = BeamSearch(
                size: run.size,
                rules: DrawingRules(
                    endIDs: [2], minimumTokens: run.minimum, maximumTokens: beams.shift.count, blockedNGram: run.ngram,
                    blockedContextNGram: run.contextNGram),
                lengthPenalty: run.lengthPenalty, prompt: beams.context)
            var steps = 0
            while !search.isDone {
                let rows = search.live.map { logSoftmax(zip(beams.table[$0.last ?? 1], beams.shift[steps]).map(+)) }
                let (before, parents) = (search.live, search.advance(rows))
                for (row, parent) in zip(search.live, parents) { #expect(Array(row.dropLast()) == before[parent]) }
                steps += 1
            }
            #expect(steps == run.steps)
            let found = search.hypotheses
            #expect(found.count == run.found.count)
            for (ours, theirs) in zip(found, run.found) {
                #expect(ours.ids + (run.forced ? [] : [2]) == theirs.ids)
                #expect(abs(ours.score - theirs.score) < 1e-4)
                #expect(ours.ended != run.forced)
            }
        }
    }

    @Test func beamsWithNothingLeftEnd() {
        let rules = DrawingRules(endIDs: [0], suppressedIDs: [1, 2], minimumTokens: 5, maximumTokens: 9)
        var search = BeamSearch(size: 3, rules: rules)
        #expect(search.advance([[0, 0, 0]]).isEmpty)
        #expect(search.isDone && search.hypotheses.map(\.ids) == [[]])
    }
}

/// Values that the papers' own code gave (`golden/parlai.json` of the references).
@Suite struct FactualNucleusTests {
    @Test func scheduleIsParlAIs() throws {
        let tokens = [10, 11, 12, 13, 4, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 5, 27]
        let expected = [
            0.9, 0.9, 0.8099999, 0.7289999, 0.6560999, 0.9, 0.9, 0.8099999, 0.7289999, 0.6560999, 0.5904899, 0.5314409,
            0.4782968, 0.4304671, 0.3874204, 0.3486784, 0.3138105, 0.3, 0.3, 0.9, 0.9,
        ]
        var schedule = try FactualNucleus(start: 0.9, decay: 0.9, floor: 0.3, sentenceEnds: [4, 5, 6])
        var found = [schedule.p]
        for token in tokens {
            schedule.append(token)
            found.append(schedule.p)
        }
        #expect(found.count == expected.count)
        for (ours, theirs) in zip(found, expected) { #expect(abs(ours - theirs) < 1e-6) }
    }

    @Test func aNarrowNucleusIsNotWidened() throws {
        var schedule = try FactualNucleus(start: 0.2, decay: 0.9, floor: 0.3, sentenceEnds: [])
        for id in 0..<9 {
            #expect(schedule.p == 0.2)
            schedule.append(id)
        }
        for (decay, floor) in [(0, 0.3), (1.1, 0.3), (0.9, 0), (0.9, 1.5)] as [(Double, Double)] {
            #expect(throws: GenerationError.self) {
                try FactualNucleus(start: 0.9, decay: decay, floor: floor, sentenceEnds: [])
            }
        }
    }
}
