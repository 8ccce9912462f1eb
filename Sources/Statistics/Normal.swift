import Foundation

/// The standard normal distribution.
public enum Normal {
    /// Probability of a value up to `x`.
    public static func cumulative(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

    /// The value below which a share `p` lies; ±∞ at 0 and 1, not a number outside.
    ///
    /// Acklam's rational approximation (2003) with one step of Halley's method: near machine precision.
    public static func quantile(_ p: Double) -> Double {
        if p == 0 { return -.infinity }
        if p == 1 { return .infinity }
        guard p > 0, p < 1 else { return .nan }
        let x = p < 0.5 ? -upperTail(p) : upperTail(1 - p)
        let error = cumulative(x) - p
        let u = error * (2 * Double.pi).squareRoot() * exp(x * x / 2)
        return x - u / (1 + x * u / 2)
    }

    /// The value above which a share `p` up to one half lies, to about nine digits.
    private static func upperTail(_ p: Double) -> Double {
        if p < 0.02425 {
            let q = (-2 * log(p)).squareRoot()
            let c = [
                -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838, -2.549732539343734,
                4.374664141464968, 2.938163982698783,
            ]
            let d = [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996, 3.754408661907416, 1]
            return -polynomial(c, q) / polynomial(d, q)
        }
        let q = 0.5 - p
        let r = q * q
        let a = [
            -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02,
            -3.066479806614716e+01, 2.506628277459239,
        ]
        let b = [
            -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
            -1.328068155288572e+01, 1,
        ]
        return q * polynomial(a, r) / polynomial(b, r)
    }

    private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
        coefficients.reduce(0) { $0 * x + $1 }
    }
}
