/// A table of which most numbers are 0, such as word counts: compressed rows.
public struct SparseMatrix: FeatureTable, Hashable {
    public let columns: Int
    /// `starts[i] ..< starts[i + 1]` are the entries of row `i`.
    private var starts: [Int]
    private var indices: [Int32]
    private var values: [Float]

    public var rows: Int { starts.count - 1 }
    /// Number of stored entries.
    public var entryCount: Int { values.count }

    /// - Parameter rows: For each row its entries, each column at most once.
    /// - Throws: `StatisticsError` when a column is outside `0 ..< columns` or named twice in one row.
    public init(columns: Int, rows: [[(column: Int, value: Float)]]) throws {
        self.columns = columns
        starts = [0]
        indices = []
        values = []
        starts.reserveCapacity(rows.count + 1)
        for (number, row) in rows.enumerated() {
            var previous = -1
            for entry in row.sorted(by: { $0.column < $1.column }) {
                guard entry.column > previous, entry.column < columns, entry.column <= Int(Int32.max) else {
                    throw StatisticsError(
                        .shape, "row \(number): column \(entry.column) is repeated or outside \(columns)")
                }
                previous = entry.column
                indices.append(Int32(entry.column))
                values.append(entry.value)
            }
            starts.append(values.count)
        }
    }

    /// Rows whose columns rise and lie within `columns`, from inside this module.
    init(columns: Int, sortedRows: [[(column: Int, value: Float)]]) {
        self.columns = columns
        starts = [0]
        indices = []
        values = []
        for row in sortedRows {
            for entry in row {
                indices.append(Int32(entry.column))
                values.append(entry.value)
            }
            starts.append(values.count)
        }
    }

    /// The entries of one row by rising column.
    public func entries(row: Int) -> [(column: Int, value: Float)] {
        (starts[row]..<starts[row + 1]).map { (Int(indices[$0]), values[$0]) }
    }

    public var firstRowNotFinite: Int? {
        guard let entry = values.firstIndex(where: { !$0.isFinite }) else { return nil }
        return starts.lastIndex { $0 <= entry }
    }

    public func selecting(rows picked: [Int]) -> SparseMatrix {
        var copy = self
        copy.starts = [0]
        copy.indices = []
        copy.values = []
        for row in picked {
            copy.indices.append(contentsOf: indices[starts[row]..<starts[row + 1]])
            copy.values.append(contentsOf: values[starts[row]..<starts[row + 1]])
            copy.starts.append(copy.values.count)
        }
        return copy
    }

    public func times(_ vector: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: rows)
        indices.withUnsafeBufferPointer { indices in
            values.withUnsafeBufferPointer { values in
                for row in 0..<rows {
                    var sum = 0.0
                    for entry in starts[row]..<starts[row + 1] {
                        sum += Double(values[entry]) * vector[Int(indices[entry])]
                    }
                    result[row] = sum
                }
            }
        }
        return result
    }

    public func transposedTimes(_ vector: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: columns)
        indices.withUnsafeBufferPointer { indices in
            values.withUnsafeBufferPointer { values in
                for row in 0..<rows {
                    let r = vector[row]
                    for entry in starts[row]..<starts[row + 1] {
                        result[Int(indices[entry])] += Double(values[entry]) * r
                    }
                }
            }
        }
        return result
    }

    public func moments(weights: [Double]) -> (means: [Double], deviations: [Double]) {
        let total = weights.reduce(0, +)
        let means = transposedTimes(weights).map { $0 / total }
        // Zeros are not stored: start as if every entry were 0, then correct for those that are not.
        var variances = means.map { $0 * $0 * total }
        for row in 0..<rows {
            for entry in starts[row]..<starts[row + 1] {
                let column = Int(indices[entry])
                let distance = Double(values[entry]) - means[column]
                variances[column] += weights[row] * (distance * distance - means[column] * means[column])
            }
        }
        return (means, variances.map { (max($0, 0) / total).squareRoot() })
    }
}
