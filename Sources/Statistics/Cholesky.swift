/// The factor of a symmetric positive definite matrix, `A = L Lᵀ`: solves linear systems and whitens.
public struct Cholesky: Sendable, Hashable {
    /// Rows of `A`.
    public let order: Int
    /// `L` row after row; what lies above the diagonal is 0.
    private var factor: [Double]

    /// - Parameter matrix: `A` row after row; only what lies on and below the diagonal is read.
    /// - Throws: `StatisticsError` when the shape does not fit or the matrix is not positive definite.
    public init(_ matrix: [Double], order n: Int) throws {
        guard n > 0, matrix.count == n * n else {
            throw StatisticsError(.shape, "\(matrix.count) numbers are no square matrix of \(n) rows")
        }
        var l = matrix
        let isPositive = l.withUnsafeMutableBufferPointer { l -> Bool in
            for j in 0..<n {
                for i in j..<n {
                    // Row times row lies together in memory.
                    let sum = l[i * n + j] - dot(l, i * n, l, j * n, count: j)
                    if i == j {
                        guard sum > 0, sum.isFinite else { return false }
                        l[j * n + j] = sum.squareRoot()
                    } else {
                        l[i * n + j] = sum / l[j * n + j]
                    }
                }
                for k in j + 1..<max(n, j + 1) { l[j * n + k] = 0 }
            }
            return true
        }
        guard isPositive else { throw StatisticsError(.value, "the matrix is not positive definite") }
        order = n
        factor = l
    }

    /// `L⁻¹ b`; `b` has `order` numbers.
    public func whitened(_ b: some Collection<Double>) -> [Double] {
        var y = Array(b)
        let n = order
        y.withUnsafeMutableBufferPointer { y in
            factor.withUnsafeBufferPointer { l in
                for i in 0..<n {
                    y[i] = (y[i] - dot(l, i * n, UnsafeBufferPointer(y), 0, count: i)) / l[i * n + i]
                }
            }
        }
        return y
    }

    /// `A⁻¹ b`; `b` has `order` numbers.
    public func solve(_ b: some Collection<Double>) -> [Double] {
        var x = whitened(b)
        let n = order
        for i in stride(from: n - 1, through: 0, by: -1) {
            x[i] /= factor[i * n + i]
            for j in 0..<i { x[j] -= factor[i * n + j] * x[i] }
        }
        return x
    }
}

/// Sum of products of two runs of numbers, four sums side by side so that it can be vectorised.
@inline(__always)
private func dot(
    _ a: UnsafeBufferPointer<Double>, _ i: Int, _ b: UnsafeBufferPointer<Double>, _ j: Int, count: Int
) -> Double {
    guard count > 0, let x = a.baseAddress, let y = b.baseAddress else { return 0 }
    var s = SIMD8<Double>(repeating: 0)
    var k = 0
    while k + 8 <= count {
        let u = UnsafeRawPointer(x + i + k).loadUnaligned(as: SIMD8<Double>.self)
        let v = UnsafeRawPointer(y + j + k).loadUnaligned(as: SIMD8<Double>.self)
        s += u * v
        k += 8
    }
    var sum = s.sum()
    while k < count {
        sum += x[i + k] * y[j + k]
        k += 1
    }
    return sum
}

@inline(__always)
private func dot(
    _ a: UnsafeMutableBufferPointer<Double>, _ i: Int, _ b: UnsafeMutableBufferPointer<Double>, _ j: Int, count: Int
) -> Double {
    dot(UnsafeBufferPointer(a), i, UnsafeBufferPointer(b), j, count: count)
}
