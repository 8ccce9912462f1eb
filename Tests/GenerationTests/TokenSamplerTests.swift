import Foundation
import Generation
import Testing

@Suite struct TokenSamplerTests {
    /// The ids drawn for a thousand evenly spaced numbers, with how often.
    func draws(_ sampler: TokenSampler, _ logits: [Float], forbidden: [Int] = []) throws -> [Int: Int] {
        try logits.withUnsafeBufferPointer { row in
            try (0..<1000).reduce(into: [:]) { counts, step in
                counts[try sampler.draw(row, forbidden: forbidden, unit: (Double(step) + 0.5) / 1000), default: 0] += 1
            }
        }
    }

    /// ParlAI's `NucleusSampling.get_mask` on these probabilities: the first masked place for each p.
    static let parlAI: [(p: Double, kept: Int)] = [
        (0.3, 1), (0.5, 1), (0.79, 2), (0.8, 2), (0.81, 3), (0.9, 3), (0.95, 4),
    ]

    @Test(arguments: parlAI)
    func nucleusEqualsParlAI(_ golden: (p: Double, kept: Int)) throws {
        let sorted: [Float] = [0.5, 0.30000001192092896, 0.10000000149011612, 0.05999999865889549, 0.03999999910593033]
        #expect(TokenSampler.nucleusSize(sorted, p: golden.p) == golden.kept)
        // Between the edges, where rounding of the logarithm cannot matter, drawing agrees.
        if [0.3, 0.79, 0.81, 0.95].contains(golden.p) {
            let logits = [3, 0, 4, 1, 2].map { log(sorted[$0]) }
            let drawn = try draws(TokenSampler(topP: golden.p), logits)
            #expect(Set(drawn.keys) == Set([1, 3, 4, 0, 2].prefix(golden.kept)))
        }
    }

    @Test func keptTokensAreScaledUp() throws {
        let logits: [Float] = [0.5, 0.3, 0.15, 0.05].map { log($0) }
        #expect(try draws(TokenSampler(), logits) == [0: 500, 1: 300, 2: 150, 3: 50])
        #expect(try draws(TokenSampler(topP: 0.7), logits) == [0: 625, 1: 375])
        #expect(try draws(TokenSampler(topK: 1), logits) == [0: 1000])
        // The best two weigh 0.8; the nucleus is taken of what is left: 0.5 / 0.8 = 0.625.
        #expect(try draws(TokenSampler(topP: 0.6, topK: 2), logits) == [0: 1000])
        #expect(try draws(TokenSampler(topP: 0.63, topK: 2), logits) == [0: 625, 1: 375])
        // Temperature 1/2 squares: 25 : 9 : 2.25 : 0.25 of 36.5.
        let cold = try draws(TokenSampler(temperature: 0.5), logits)
        #expect(abs((cold[0] ?? 0) - 685) <= 1 && abs((cold[1] ?? 0) - 247) <= 1 && abs((cold[2] ?? 0) - 62) <= 1)
    }

    @Test func greedyTakesTheFirstOfEquals() throws {
        #expect(try draws(TokenSampler(temperature: 0, topP: 0.1), [1, 3, 3, -.infinity]) == [1: 1000])
        #expect(try draws(TokenSampler(temperature: 1e-30), [1, 3, 2]) == [1: 1000])
        #expect(try draws(TokenSampler(temperature: 0), [1, 3, 2], forbidden: [1, 99]) == [2: 1000])
    }

    @Test func forbiddenTokensNeverCome() throws {
        #expect(try draws(TokenSampler(), [0, 0, 0, 0], forbidden: [1, 3]) == [0: 500, 2: 500])
        #expect(try draws(TokenSampler(topP: 0.5), [0, 0, 0, 0], forbidden: [0]).keys.sorted() == [1, 2])
    }

    @Test func badInputIsAnError() throws {
        for (temperature, topP, topK) in [(-1, 1, 0), (1, 0, 0), (1, 1.1, 0), (1, 1, -1), (.nan, 1, 0)]
            as [(Double, Double, Int)]
        {
            #expect(throws: GenerationError.self) { try TokenSampler(temperature: temperature, topP: topP, topK: topK) }
        }
        for logits in [[Float.nan, 1], [.infinity, 1], [-.infinity, -.infinity], []] {
            for temperature in [0, 1.0] {
                #expect(throws: GenerationError.self) { try draws(TokenSampler(temperature: temperature), logits) }
            }
        }
    }

    /// The floor that saves sorting must never change the nucleus: against a plain sort on random rows.
    @Test func shortcutChangesNothing() throws {
        var state: UInt64 = 5
        func next() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24)
        }
        for round in 0..<60 {
            let spread: Float = [0.001, 1, 8, 30][round % 4]
            let logits = (0..<300).map { _ in next() * spread }
            let p = [0.05, 0.5, 0.9, 0.99, 0.9999][round % 5]
            let weights = logits.map { exp(Double($0)) }
            let total = weights.reduce(0, +)
            var sum = 0.0
            var nucleus: [Int] = []
            for id in weights.indices.sorted(by: { weights[$0] > weights[$1] }) where nucleus.isEmpty || sum < p {
                nucleus.append(id)
                sum += weights[id] / total
            }
            let sampler = try TokenSampler(topP: p)
            try logits.withUnsafeBufferPointer { row in
                // The first and the last of the nucleus are drawn by the smallest and the largest number.
                #expect(try sampler.draw(row, forbidden: [], unit: 0) == nucleus.first)
                let last = try sampler.draw(row, forbidden: [], unit: 1 - 0x1p-53)
                let place = try #require(nucleus.firstIndex(of: last))
                // At the very edge float32 and double may differ by one token.
                #expect(place >= nucleus.count - 2, "\(place) of \(nucleus.count)")
            }
        }
    }
}
