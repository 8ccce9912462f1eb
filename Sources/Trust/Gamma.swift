import Foundation

/// Functions around the gamma function.
enum Gamma {
    /// The derivative of `ln Γ(x)` for positive `x`: recurrence up to 6, then the asymptotic series (Abramowitz and Stegun
    /// 6.3.18), good to 1e-11.
    static func digamma(_ x: Double) -> Double {
        var x = x
        var result = 0.0
        while x < 6 {
            result -= 1 / x
            x += 1
        }
        let inverse = 1 / (x * x)
        let series =
            inverse
            * (1 / 12.0 - inverse * (1 / 120.0 - inverse * (1 / 252.0 - inverse * (1 / 240.0 - inverse * (1 / 132.0)))))
        return result + log(x) - 0.5 / x - series
    }
}
