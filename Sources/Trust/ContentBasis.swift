import Foundation
import Statistics

/// The main directions of the items' features: few enough numbers that a posterior over coefficients can be had.
///
/// Randomised subspace iteration (Halko, Martinsson and Tropp 2011). Coordinates are centred and rotated, never scaled, so a
/// penalty on them is the same penalty on the features that they stand for. Texts count here whatever was voted on them:
/// this is what unlabelled content gives.
enum ContentBasis {
    /// Coordinates of the rows named, row after row, and how many each has.
    /// - Parameter rank: Directions at most; features that are no more than that are only centred.
    static func coordinates(
        _ features: some FeatureTable, rows: [Int], rank: Int, generator: SeededGenerator
    ) -> (values: [Double], count: Int) {
        let picked = features.selecting(rows: rows)
        guard picked.rows > 0, picked.columns > 0 else { return ([], 0) }
        let ones = [Double](repeating: 1, count: picked.rows)
        let means = picked.moments(weights: ones).means
        let wanted = min(rank, picked.columns, max(picked.rows - 1, 1))
        var basis: [[Double]]
        if wanted == picked.columns {
            basis = (0..<wanted).map { column in
                var unit = [Double](repeating: 0, count: wanted)
                unit[column] = 1
                return unit
            }
        } else {
            var stream = generator.fork("content basis")
            basis = (0..<wanted).map { _ in (0..<picked.columns).map { _ in stream.normal() } }
            for _ in 0..<2 {
                basis = basis.map { direction in
                    let image = picked.times(direction)
                    let shift = zip(means, direction).reduce(0) { $0 + $1.0 * $1.1 }
                    let centred = image.map { $0 - shift }
                    let total = centred.reduce(0, +)
                    return zip(picked.transposedTimes(centred), means).map { $0 - total * $1 }
                }
                orthonormalise(&basis)
            }
        }
        var values = [Double](repeating: 0, count: picked.rows * basis.count)
        for (column, direction) in basis.enumerated() {
            let shift = zip(means, direction).reduce(0) { $0 + $1.0 * $1.1 }
            for (row, value) in picked.times(direction).enumerated() {
                values[row * basis.count + column] = value - shift
            }
        }
        return (values, basis.count)
    }

    /// Gram–Schmidt, twice over for accuracy; directions that the others already span are left out.
    private static func orthonormalise(_ basis: inout [[Double]]) {
        var kept: [[Double]] = []
        for var vector in basis {
            let before = norm(vector)
            for _ in 0..<2 {
                for other in kept {
                    var along = 0.0
                    for j in vector.indices { along += vector[j] * other[j] }
                    for j in vector.indices { vector[j] -= along * other[j] }
                }
            }
            let length = norm(vector)
            guard length > 1e-9 * before, length > 0 else { continue }
            kept.append(vector.map { $0 / length })
        }
        basis = kept
    }

    private static func norm(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
