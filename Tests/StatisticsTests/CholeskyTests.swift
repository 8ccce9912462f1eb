import Statistics
import Testing

@Suite struct CholeskyTests {
    /// [4 2; 2 5] has the factor [2 0; 1 2].
    @Test func byHand() throws {
        let factor = try Cholesky([4, .nan, 2, 5], order: 2)
        #expect(factor.whitened([2, 5]) == [1, 2])
        // 4x + 2y = 8, 2x + 5y = 8 → x = 1.5, y = 1.
        #expect(factor.solve([8, 8]) == [1.5, 1])
    }

    @Test func solvesLargerSystems() throws {
        var generator = SeededGenerator(seed: 2)
        let n = 37
        let rows = (0..<60).map { _ in (0..<n).map { _ in generator.normal() } }
        var a = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for j in 0..<n { a[i * n + j] = rows.reduce(0) { $0 + $1[i] * $1[j] } + (i == j ? 1 : 0) }
        }
        let b = (0..<n).map { _ in generator.normal() }
        let x = try Cholesky(a, order: n).solve(b)
        for i in 0..<n {
            let product = (0..<n).reduce(0) { $0 + a[i * n + $1] * x[$1] }
            #expect(abs(product - b[i]) < 1e-10)
        }
    }

    @Test func refusesWhatHasNoFactor() {
        #expect(throws: StatisticsError.self) { try Cholesky([1, 2, 2, 1], order: 2) }
        #expect(throws: StatisticsError.self) { try Cholesky([1, 2, 3], order: 2) }
    }
}
