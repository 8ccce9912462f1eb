import Foundation

/// The binomial distribution.
public enum Binomial {
    /// Probability of exactly `successes` in `trials`.
    public static func probability(_ successes: Int, of trials: Int, chance: Double) -> Double {
        guard successes >= 0, successes <= trials else { return 0 }
        if chance <= 0 { return successes == 0 ? 1 : 0 }
        if chance >= 1 { return successes == trials ? 1 : 0 }
        let (k, n) = (Double(successes), Double(trials))
        let ways = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
        return exp(ways + k * log(chance) + (n - k) * log1p(-chance))
    }

    /// Exact two-sided test: the probability, if each trial succeeds with `chance`, of a count no more likely than the one
    /// seen. This is what ACUTE-Eval reports and what `scipy.stats.binomtest` computes.
    /// - Throws: `StatisticsError` when the counts are not 0 ≤ successes ≤ trials or `chance` is outside 0 … 1.
    public static func twoSided(successes: Int, trials: Int, chance: Double = 0.5) throws -> Double {
        guard trials >= 0, successes >= 0, successes <= trials, chance >= 0, chance <= 1 else {
            throw StatisticsError(.value, "\(successes) successes in \(trials) trials of chance \(chance)")
        }
        // A count as likely as the one seen must count too, whatever rounding says.
        let bound = probability(successes, of: trials, chance: chance) * (1 + 1e-7)
        var sum = 0.0
        for count in 0...trials {
            let p = probability(count, of: trials, chance: chance)
            if p <= bound { sum += p }
        }
        return min(1, sum)
    }
}

/// Natural logarithm of the gamma function for positive `x`: Stirling's series after raising `x` above 15.
///
/// Not `lgamma`: that one writes a global, and platforms differ in the last digits.
func logGamma(_ x: Double) -> Double {
    var product = 1.0
    var y = x
    while y < 15 {
        product *= y
        y += 1
    }
    let inverse = 1 / y
    let square = inverse * inverse
    let series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)))
    return (y - 0.5) * log(y) - y + 0.5 * log(2 * Double.pi) + series - log(product)
}
