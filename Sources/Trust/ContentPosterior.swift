import Foundation
import Statistics

/// What the content says of each item: a Bayesian logistic regression that learns from uncertain labels, and says what it
/// would say had it never seen the votes of one person.
///
/// The label of an item is not known; the votes give log-odds for it, its *evidence*. The model maximises the likelihood of
/// that evidence with the label summed out, by Fisher scoring: an item without evidence teaches nothing and weighs nothing.
/// Its posterior is the usual normal approximation at the maximum (Laplace), from which one person's items are taken out
/// again exactly to second order (a block Woodbury identity), so that nobody teaches their own judge and no fold is fitted
/// twice. Probabilities allow for what the coefficients may be (MacKay 1992).
struct ContentPosterior: Sendable {
    /// Items.
    let rows: Int
    /// Features, and a last one that is 1 everywhere.
    let columns: Int
    /// Log-odds that an item is good, by the coefficients at the maximum.
    private(set) var margins: [Double]
    /// Row after row.
    private let z: [Double]
    /// Of each coefficient, how tightly the prior holds it at 0.
    private let precision: [Double]
    private var coefficients: [Double]
    /// Per item slope and weight of its evidence at the maximum.
    private var slope: [Double]
    private var weight: [Double]
    /// Per item `L⁻¹ z`, with `L Lᵀ` the curvature at the maximum.
    private var whitened: [Double] = []
    private var curvature: [Double] = []

    /// - Parameters:
    ///   - features: `rows × (columns − 1)` numbers, row after row; rows of zeros for items without content.
    ///   - variance: Prior variance of each coefficient, and of the level.
    init(features: [Double], rows: Int, featureCount: Int, variance: (coefficient: Double, level: Double)) {
        self.rows = rows
        columns = featureCount + 1
        var z: [Double] = []
        z.reserveCapacity(rows * columns)
        for row in 0..<rows {
            z.append(contentsOf: features[row * featureCount..<(row + 1) * featureCount])
            z.append(1)
        }
        self.z = z
        precision = [Double](repeating: 1 / variance.coefficient, count: featureCount) + [1 / variance.level]
        coefficients = [Double](repeating: 0, count: columns)
        margins = [Double](repeating: 0, count: rows)
        slope = margins
        weight = margins
    }

    /// Moves to the maximum for the evidence given, `steps` steps of Fisher scoring from where it is.
    mutating func fit(_ evidence: [Double], steps: Int) throws {
        for _ in 0..<steps {
            derivatives(evidence)
            let factor = try Cholesky(fisher(), order: columns)
            var gradient = weightedRows(slope)
            for j in 0..<columns { gradient[j] -= precision[j] * coefficients[j] }
            let step = factor.solve(gradient)
            for j in 0..<columns { coefficients[j] += step[j] }
            updateMargins()
        }
        derivatives(evidence)
        curvature = fisher()
        let factor = try Cholesky(curvature, order: columns)
        whitened = []
        whitened.reserveCapacity(z.count)
        for row in 0..<rows { whitened.append(contentsOf: factor.whitened(z[row * columns..<(row + 1) * columns])) }
    }

    /// Log-odds of some items had the evidence of none of them been seen, tempered by what is not known of the coefficients.
    func without(_ items: [Int]) throws -> [Double] {
        let means: [Double]
        let variances: [Double]
        if items.count <= columns {
            (means, variances) = try withoutFew(items)
        } else {
            (means, variances) = try withoutMany(items)
        }
        return zip(means, variances).map { $0 / (1 + Double.pi * max($1, 0) / 8).squareRoot() }
    }

    /// The same for each item alone: what all the others say of it.
    func withoutEach() -> [Double] {
        (0..<rows).map { row in
            var leverage = 0.0
            for j in row * columns..<(row + 1) * columns { leverage += whitened[j] * whitened[j] }
            let variance = leverage / max(1 - weight[row] * leverage, 1e-9)
            return (margins[row] - variance * slope[row]) / (1 + Double.pi * variance / 8).squareRoot()
        }
    }

    /// By `Z (A − Zᵀ W Z)⁻¹ Zᵀ = S + S (W⁻¹ − S)⁻¹ S` on the items' own block, `S = Z A⁻¹ Zᵀ`.
    private func withoutFew(_ items: [Int]) throws -> ([Double], [Double]) {
        let n = items.count
        var s = [Double](repeating: 0, count: n * n)
        for a in 0..<n {
            for b in 0...a {
                var sum = 0.0
                let (x, y) = (items[a] * columns, items[b] * columns)
                for j in 0..<columns { sum += whitened[x + j] * whitened[y + j] }
                s[a * n + b] = sum
                s[b * n + a] = sum
            }
        }
        // (I − V S V) is symmetric, V = √W: its inverse gives both the step and the variance.
        let v = items.map { weight[$0].squareRoot() }
        var inner = [Double](repeating: 0, count: n * n)
        for a in 0..<n {
            for b in 0..<n { inner[a * n + b] = (a == b ? 1 : 0) - v[a] * s[a * n + b] * v[b] }
        }
        let factor = try Cholesky(inner, order: n)
        // Σ₋ g = S g + S V (I − V S V)⁻¹ V S g.
        let g = items.map { slope[$0] }
        func times(_ x: [Double]) -> [Double] { (0..<n).map { a in (0..<n).reduce(0) { $0 + s[a * n + $1] * x[$1] } } }
        let sg = times(g)
        let back = times(zip(v, factor.solve(zip(v, sg).map { $0 * $1 })).map { $0 * $1 })
        let means = (0..<n).map { margins[items[$0]] - sg[$0] - back[$0] }
        let variances = (0..<n).map { a -> Double in
            let u = factor.whitened((0..<n).map { v[$0] * s[a * n + $0] })
            return s[a * n + a] + u.reduce(0) { $0 + $1 * $1 }
        }
        return (means, variances)
    }

    /// For somebody with more items than there are features: their share of the curvature is taken out and the rest solved.
    private func withoutMany(_ items: [Int]) throws -> ([Double], [Double]) {
        var a = curvature
        var gradient = [Double](repeating: 0, count: columns)
        for item in items {
            addOuter(&a, row: item, -weight[item])
            for j in 0..<columns { gradient[j] += slope[item] * z[item * columns + j] }
        }
        let factor = try Cholesky(a, order: columns)
        let step = factor.solve(gradient)
        var (means, variances): ([Double], [Double]) = ([], [])
        for item in items {
            let row = z[item * columns..<(item + 1) * columns]
            means.append(margins[item] - zip(row, step).reduce(0) { $0 + $1.0 * $1.1 })
            variances.append(factor.whitened(row).reduce(0) { $0 + $1 * $1 })
        }
        return (means, variances)
    }

    /// Slope of the log-likelihood of each item's evidence by its margin, and the Fisher information about the margin.
    private mutating func derivatives(_ evidence: [Double]) {
        for row in 0..<rows {
            let p = LogisticRegression.sigmoid(margins[row])
            slope[row] = LogisticRegression.sigmoid(margins[row] + evidence[row]) - p
            // Evidence of ±e is what a channel gives that is right with probability σ(|e|).
            let right = LogisticRegression.sigmoid(abs(evidence[row]))
            let seen = p * right + (1 - p) * (1 - right)
            let reach = (2 * right - 1) * p * (1 - p)
            weight[row] = reach * reach / max(seen * (1 - seen), 1e-12)
        }
    }

    /// `Zᵀ W Z` with the prior's precision; only what lies on and below the diagonal.
    private func fisher() -> [Double] {
        var a = [Double](repeating: 0, count: columns * columns)
        for row in 0..<rows where weight[row] > 1e-12 { addOuter(&a, row: row, weight[row]) }
        for j in 0..<columns { a[j * columns + j] += precision[j] }
        return a
    }

    private func addOuter(_ a: inout [Double], row: Int, _ scale: Double) {
        let n = columns
        a.withUnsafeMutableBufferPointer { a in
            z.withUnsafeBufferPointer { z in
                guard let target = a.baseAddress, let source = z.baseAddress else { return }
                let x = source + row * n
                for j in 0..<n {
                    let c = scale * x[j]
                    let out = target + j * n
                    var k = 0
                    while k <= j {
                        out[k] += c * x[k]
                        k &+= 1
                    }
                }
            }
        }
    }

    private func weightedRows(_ values: [Double]) -> [Double] {
        var sum = [Double](repeating: 0, count: columns)
        for row in 0..<rows where values[row] != 0 {
            for j in 0..<columns { sum[j] += values[row] * z[row * columns + j] }
        }
        return sum
    }

    private mutating func updateMargins() {
        for row in 0..<rows {
            var sum = 0.0
            for j in 0..<columns { sum += z[row * columns + j] * coefficients[j] }
            margins[row] = sum
        }
    }
}
