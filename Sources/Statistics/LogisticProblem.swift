import Foundation

/// One fitting of a logistic regression: the objective and its minimisation by L-BFGS (Liu and Nocedal 1989).
///
/// Works on the mean loss, `(Σ wᵢ ℓᵢ + λ/2 ‖β‖²) / Σ wᵢ`, so that the tolerance does not depend on the number of examples.
/// Standardisation is applied on the fly; the features are never copied. The parameters are the coefficients followed by
/// the bias.
struct LogisticProblem<Features: FeatureTable> {
    private let features: Features
    private let labels: [Double]
    /// Scaled to sum 1.
    private let weights: [Double]
    /// `λ / Σ w`.
    private let penalty: Double
    private let means: [Double]?
    /// 1 / deviation, 0 for a constant column, which then takes no part.
    private let scales: [Double]?

    init(_ features: Features, labels: [Double], weights: [Double], options: LogisticRegression.Options) {
        let total = weights.reduce(0, +)
        self.features = features
        self.labels = labels
        self.weights = weights.map { $0 / total }
        penalty = options.l2 / total
        if options.standardise {
            let moments = features.moments(weights: weights)
            means = moments.means
            scales = moments.deviations.map { $0 > 1e-12 ? 1 / $0 : 0 }
        } else {
            means = nil
            scales = nil
        }
    }

    /// The parameters for features as they came.
    func original(_ coefficients: [Double], _ bias: Double) -> ([Double], Double) {
        guard let means, let scales else { return (coefficients, bias) }
        let scaled = zip(coefficients, scales).map { $0 * $1 }
        return (scaled, bias - dot(scaled, means))
    }

    /// Margins per row for parameters `v`.
    private func margins(_ v: [Double]) -> [Double] {
        let (coefficients, bias) = original(Array(v.dropLast()), v[v.count - 1])
        return features.times(coefficients).map { $0 + bias }
    }

    /// Gradient at parameters `v` with margins `z`.
    private func gradient(_ v: [Double], margins z: [Double]) -> [Double] {
        var residuals = [Double](repeating: 0, count: z.count)
        var sum = 0.0
        for i in 0..<z.count {
            residuals[i] = weights[i] * (LogisticRegression.sigmoid(z[i]) - labels[i])
            sum += residuals[i]
        }
        var g = features.transposedTimes(residuals)
        if let means, let scales {
            for j in 0..<g.count { g[j] = (g[j] - means[j] * sum) * scales[j] }
        }
        for j in 0..<g.count { g[j] += penalty * v[j] }
        g.append(sum)
        return g
    }

    /// `ln(1 + eᶻ) − y z`.
    private func loss(margins z: [Double]) -> Double {
        var total = 0.0
        for i in 0..<z.count where weights[i] > 0 {
            total += weights[i] * (max(z[i], 0) + log1p(exp(-abs(z[i]))) - labels[i] * z[i])
        }
        return total
    }

    func solve(
        tolerance: Double, maximumIterations: Int
    ) -> (coefficients: [Double], bias: Double, fit: LogisticRegression.Fit) {
        let memory = 12
        var x = [Double](repeating: 0, count: features.columns + 1)
        var z = margins(x)
        var g = gradient(x, margins: z)
        var history: [(step: [Double], change: [Double], rho: Double)] = []
        var iterations = 0
        while iterations < maximumIterations, largest(g) > tolerance {
            iterations += 1
            var direction = twoLoop(g, history)
            if dot(direction, g) >= 0 {
                // Rounding spoiled the memory: begin again with steepest descent.
                history = []
                direction = g.map { -$0 }
            }
            let q = margins(direction)
            let length = stepLength(x, direction, margins: z, slope: q)
            guard length > 0 else { break }
            for i in 0..<x.count { x[i] += length * direction[i] }
            for i in 0..<z.count { z[i] += length * q[i] }
            let next = gradient(x, margins: z)
            let step = direction.map { length * $0 }
            let change = zip(next, g).map { $0 - $1 }
            let curvature = dot(step, change)
            if curvature > 1e-14 * dot(change, change).squareRoot() * dot(step, step).squareRoot() {
                history.append((step, change, 1 / curvature))
                if history.count > memory { history.removeFirst() }
            }
            g = next
        }
        let coefficients = Array(x.dropLast())
        let norm = dot(coefficients, coefficients)
        return (
            coefficients, x[x.count - 1],
            LogisticRegression.Fit(
                converged: largest(g) <= tolerance, iterations: iterations, gradient: largest(g),
                loss: loss(margins: z) + penalty / 2 * norm)
        )
    }

    /// The L-BFGS direction for gradient `g`.
    private func twoLoop(_ g: [Double], _ history: [(step: [Double], change: [Double], rho: Double)]) -> [Double] {
        var d = g.map { -$0 }
        guard let last = history.last else { return d }
        var alphas = [Double](repeating: 0, count: history.count)
        for k in stride(from: history.count - 1, through: 0, by: -1) {
            alphas[k] = history[k].rho * dot(history[k].step, d)
            add(-alphas[k], history[k].change, to: &d)
        }
        let scale = 1 / (last.rho * dot(last.change, last.change))
        for i in 0..<d.count { d[i] *= scale }
        for k in 0..<history.count {
            let beta = history[k].rho * dot(history[k].change, d)
            add(alphas[k] - beta, history[k].step, to: &d)
        }
        return d
    }

    /// The minimum along a direction, by Newton's method kept inside a bracket. The objective is convex, so a root of the
    /// slope is the minimum; nothing but the margins is touched.
    private func stepLength(_ x: [Double], _ d: [Double], margins z: [Double], slope q: [Double]) -> Double {
        var xd = 0.0
        var dd = 0.0
        for j in 0..<x.count - 1 {
            xd += x[j] * d[j]
            dd += d[j] * d[j]
        }
        func derivatives(_ t: Double) -> (first: Double, second: Double) {
            var first = penalty * (xd + t * dd)
            var second = penalty * dd
            for i in 0..<z.count where weights[i] > 0 {
                let p = LogisticRegression.sigmoid(z[i] + t * q[i])
                first += weights[i] * (p - labels[i]) * q[i]
                second += weights[i] * p * (1 - p) * q[i] * q[i]
            }
            return (first, second)
        }
        let start = derivatives(0)
        guard start.first < 0 else { return 0 }
        var low = 0.0
        var high = Double.infinity
        var t = 1.0
        for _ in 0..<40 {
            let here = derivatives(t)
            if abs(here.first) <= 1e-2 * -start.first { return t }
            if here.first < 0 { low = t } else { high = t }
            let newton = here.second > 0 ? t - here.first / here.second : .infinity
            if newton > low, newton < high, newton <= 10 * max(t, 1e-8) {
                t = newton
            } else {
                t = high.isFinite ? (low + high) / 2 : 4 * t
            }
        }
        return t
    }

    private func largest(_ v: [Double]) -> Double { v.reduce(0) { max($0, abs($1)) } }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for i in 0..<a.count { sum += a[i] * b[i] }
        return sum
    }

    private func add(_ scale: Double, _ a: [Double], to b: inout [Double]) {
        for i in 0..<b.count { b[i] += scale * a[i] }
    }
}
