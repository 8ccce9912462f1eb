import Foundation
import Testing

@testable import Statistics

@Suite struct SeededGeneratorTests {
    @Test func matchesPublishedOutputs() {
        var mixer = SplitMix64(1_234_567)
        #expect(
            [mixer.next(), mixer.next(), mixer.next()]
                == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
        var generator = SeededGenerator(state: (1, 2, 3, 4))
        #expect((0..<4).map { _ in generator.next() } == [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240])
    }

    @Test func sameSeedSameStreamAndForksDoNotDependOnDraws() {
        var a = SeededGenerator(seed: 5)
        let b = SeededGenerator(seed: 5)
        for _ in 0..<10 { _ = a.next() }
        var left = a.fork("votes")
        var right = b.fork("votes")
        var other = b.fork("texts")
        let (x, y, z) = (left.next(), right.next(), other.next())
        #expect(x == y)
        #expect(x != z)
        var one = b.fork("user", 1)
        var eleven = b.fork("user", 11)
        #expect(one.next() != eleven.next())
    }

    @Test func distributionsHaveTheirMoments() {
        var generator = SeededGenerator(seed: 1)
        let uniforms = (0..<20_000).map { _ in generator.uniform() }
        #expect(uniforms.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(near(uniforms.reduce(0, +) / 20_000, 0.5, 0.01))
        let normals = (0..<20_000).map { _ in generator.normal(mean: 3, deviation: 2) }
        let mean = normals.reduce(0, +) / 20_000
        #expect(near(mean, 3, 0.06))
        #expect(near(normals.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 20_000, 4, 0.15))
        var counts = [0, 0, 0, 0, 0, 0]
        for _ in 0..<12_000 { counts[generator.index(below: 6)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 2000) < 180 })  // 4 deviations of 41
        var drawn = [0, 0, 0]
        for _ in 0..<8000 { drawn[generator.index(weights: [1, 0, 3]) ?? 1] += 1 }
        #expect(drawn[1] == 0)
        #expect(abs(drawn[2] - 6000) < 160)
    }

    @Test func shuffleIsAFairPermutation() {
        var generator = SeededGenerator(seed: 2)
        var first = [Int](repeating: 0, count: 5)
        for _ in 0..<5000 {
            let mixed = generator.shuffled([0, 1, 2, 3, 4])
            #expect(Set(mixed).count == 5)
            first[mixed[0]] += 1
        }
        #expect(first.allSatisfy { abs($0 - 1000) < 120 })
    }

    @Test func degenerateBounds() {
        var generator = SeededGenerator(seed: 3)
        #expect(generator.index(below: 0) == 0)
        #expect(generator.index(below: 1) == 0)
        #expect(generator.index(weights: []) == nil)
        #expect(generator.index(weights: [0, -1, .nan]) == nil)
        #expect(generator.element(of: [Int]()) == nil)
    }

    @Test func stateSurvivesJSON() throws {
        var generator = SeededGenerator(seed: 9)
        _ = generator.next()
        var copy = try JSONDecoder().decode(SeededGenerator.self, from: JSONEncoder().encode(generator))
        #expect(copy.next() == generator.next())
    }
}
