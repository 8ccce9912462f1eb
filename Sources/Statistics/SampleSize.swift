import Foundation

/// How much data a question needs, by the normal approximation.
public enum SampleSize {
    /// Votes without ties that a sign test needs to tell a win rate from one half.
    /// - Parameters:
    ///   - winRate: What the rate is thought to be.
    ///   - level: Two-sided error of the first kind.
    ///   - power: Chance to see it if it is so.
    /// - Returns: `nil` when the rate is one half: no number is enough. Never fewer than the exact test needs where all
    ///   go one way.
    public static func votes(winRate: Double, level: Double = 0.05, power: Double = 0.8) -> Int? {
        let effect = abs(winRate - 0.5)
        guard effect > 1e-9, winRate > 0, winRate < 1 else { return winRate == 0 || winRate == 1 ? sure(level) : nil }
        let (a, b) = (Normal.quantile(1 - level / 2), Normal.quantile(power))
        let root = a * 0.5 + b * (winRate * (1 - winRate)).squareRoot()
        return max(sure(level), Int((root * root / (effect * effect)).rounded(.up)))
    }

    /// People per group that a comparison of two rates needs.
    /// - Returns: `nil` when the rates are equal.
    public static func perGroup(
        _ one: Double, _ other: Double, level: Double = 0.05, power: Double = 0.8
    ) -> Int? {
        guard one != other, (0...1).contains(one), (0...1).contains(other) else { return nil }
        let (a, b) = (Normal.quantile(1 - level / 2), Normal.quantile(power))
        let mean = (one + other) / 2
        let root =
            a * (2 * mean * (1 - mean)).squareRoot() + b * (one * (1 - one) + other * (1 - other)).squareRoot()
        return Int((root * root / ((one - other) * (one - other))).rounded(.up))
    }

    /// All votes one way: the fewest that the exact test calls significant.
    private static func sure(_ level: Double) -> Int { Int((log2(2 / level)).rounded(.up)) }
}
