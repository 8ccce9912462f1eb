/// Numbers that a linear model can be fitted on: examples by features. `Matrix` is dense, `SparseMatrix` is not.
public protocol FeatureTable: Sendable {
    /// Number of examples.
    var rows: Int { get }
    /// Number of features.
    var columns: Int { get }
    /// `X v`, one number per row. `vector` has `columns` numbers.
    func times(_ vector: [Double]) -> [Double]
    /// `Xᵀ r`, one number per column. `vector` has `rows` numbers.
    func transposedTimes(_ vector: [Double]) -> [Double]
    /// Weighted mean and standard deviation (population form) of each column. `weights` has `rows` numbers, not all 0.
    func moments(weights: [Double]) -> (means: [Double], deviations: [Double])
    /// The rows with these indices, in that order. Each index is within `0 ..< rows`.
    func selecting(rows indices: [Int]) -> Self
    /// The first row that holds a number that is not finite, if any.
    var firstRowNotFinite: Int? { get }
}

/// A dense table of numbers in row order.
public struct Matrix: FeatureTable, Hashable {
    public let rows: Int
    public let columns: Int
    /// `rows * columns` numbers, row after row.
    public private(set) var values: [Float]

    /// - Throws: `StatisticsError` when `values` has not `rows * columns` numbers.
    public init(rows: Int, columns: Int, values: [Float]) throws {
        guard rows >= 0, columns >= 0, values.count == rows * columns else {
            throw StatisticsError(.shape, "a matrix of \(rows) × \(columns) cannot hold \(values.count) numbers")
        }
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    /// One row per inner array.
    /// - Throws: `StatisticsError` that names the first row whose length differs.
    public init(_ rows: [[Float]]) throws {
        let columns = rows.first?.count ?? 0
        if let odd = rows.firstIndex(where: { $0.count != columns }) {
            throw StatisticsError(.shape, "row \(odd) has \(rows[odd].count) numbers, row 0 has \(columns)")
        }
        self.rows = rows.count
        self.columns = columns
        values = Array(rows.joined())
    }

    /// A matrix with one column.
    public init(column: [Double]) {
        rows = column.count
        columns = 1
        values = column.map(Float.init)
    }

    /// The numbers of one row.
    public subscript(row row: Int) -> ArraySlice<Float> { values[row * columns..<(row + 1) * columns] }

    public var firstRowNotFinite: Int? {
        values.firstIndex { !$0.isFinite }.map { $0 / max(columns, 1) }
    }

    public func selecting(rows indices: [Int]) -> Matrix {
        var picked: [Float] = []
        picked.reserveCapacity(indices.count * columns)
        for index in indices { picked.append(contentsOf: self[row: index]) }
        return Matrix(rows: indices.count, columns: columns, unchecked: picked)
    }

    private init(rows: Int, columns: Int, unchecked values: [Float]) {
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    /// These columns followed by those of `other`.
    /// - Throws: `StatisticsError` when the numbers of rows differ.
    public func appending(columnsOf other: Matrix) throws -> Matrix {
        guard rows == other.rows else {
            throw StatisticsError(.shape, "cannot join matrices of \(rows) and \(other.rows) rows side by side")
        }
        var joined: [Float] = []
        joined.reserveCapacity(values.count + other.values.count)
        for row in 0..<rows {
            joined.append(contentsOf: self[row: row])
            joined.append(contentsOf: other[row: row])
        }
        return Matrix(rows: rows, columns: columns + other.columns, unchecked: joined)
    }

    public func times(_ vector: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: rows)
        values.withUnsafeBufferPointer { values in
            vector.withUnsafeBufferPointer { vector in
                guard let base = values.baseAddress, let v = vector.baseAddress else { return }
                let columns = columns
                let whole = columns & ~7
                for row in 0..<rows {
                    let x = base + row * columns
                    // Eight sums side by side: the compiler may not reorder a floating-point sum, so this is what lets it
                    // use vector registers, and it gives the same number in every build.
                    var a0 = 0.0
                    var a1 = 0.0
                    var a2 = 0.0
                    var a3 = 0.0
                    var a4 = 0.0
                    var a5 = 0.0
                    var a6 = 0.0
                    var a7 = 0.0
                    var j = 0
                    while j < whole {
                        a0 += Double(x[j]) * v[j]
                        a1 += Double(x[j &+ 1]) * v[j &+ 1]
                        a2 += Double(x[j &+ 2]) * v[j &+ 2]
                        a3 += Double(x[j &+ 3]) * v[j &+ 3]
                        a4 += Double(x[j &+ 4]) * v[j &+ 4]
                        a5 += Double(x[j &+ 5]) * v[j &+ 5]
                        a6 += Double(x[j &+ 6]) * v[j &+ 6]
                        a7 += Double(x[j &+ 7]) * v[j &+ 7]
                        j &+= 8
                    }
                    var sum = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))
                    while j < columns {
                        sum += Double(x[j]) * v[j]
                        j &+= 1
                    }
                    result[row] = sum
                }
            }
        }
        return result
    }

    public func transposedTimes(_ vector: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: columns)
        values.withUnsafeBufferPointer { values in
            result.withUnsafeMutableBufferPointer { result in
                guard let base = values.baseAddress, let sum = result.baseAddress else { return }
                let columns = columns
                var row = 0
                // Four rows at a time, so that the sums are loaded and stored a quarter as often.
                while row + 3 < rows {
                    let (r0, r1, r2, r3) = (vector[row], vector[row + 1], vector[row + 2], vector[row + 3])
                    let x0 = base + row * columns
                    let x1 = x0 + columns
                    let x2 = x1 + columns
                    let x3 = x2 + columns
                    var j = 0
                    while j < columns {
                        let first = r0 * Double(x0[j]) + r1 * Double(x1[j])
                        let second = r2 * Double(x2[j]) + r3 * Double(x3[j])
                        sum[j] += first + second
                        j &+= 1
                    }
                    row += 4
                }
                while row < rows {
                    let x = base + row * columns
                    let r = vector[row]
                    var j = 0
                    while j < columns {
                        sum[j] += r * Double(x[j])
                        j &+= 1
                    }
                    row += 1
                }
            }
        }
        return result
    }

    public func moments(weights: [Double]) -> (means: [Double], deviations: [Double]) {
        let total = weights.reduce(0, +)
        let means = transposedTimes(weights).map { $0 / total }
        var variances = [Double](repeating: 0, count: columns)
        values.withUnsafeBufferPointer { values in
            for row in 0..<rows where weights[row] != 0 {
                let weight = weights[row]
                for column in 0..<columns {
                    let distance = Double(values[row * columns + column]) - means[column]
                    variances[column] += weight * distance * distance
                }
            }
        }
        return (means, variances.map { ($0 / total).squareRoot() })
    }
}
