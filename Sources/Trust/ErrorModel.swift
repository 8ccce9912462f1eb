import Foundation

/// How a model turns what people were seen to do into chances of what they do: the M-step that tells models of voters apart.
///
/// Counts and chances are laid out as `[(user * K + label) * K + truth]`.
protocol ErrorModel: Sendable {
    /// Whether the shares of the classes are learned; otherwise all classes are as likely before any vote.
    var learnsShares: Bool { get }
    /// Whether the prior of people's tables is learned too, so that its density has another scale at every end of EM.
    var learnsPrior: Bool { get }
    /// Looks at the counts of all people before they are fitted one by one.
    /// - Parameter weights: The share that each person's votes count for; `nil` for everybody alike.
    mutating func prepare(_ counts: UnsafeBufferPointer<Double>, classes: Int, weights: [Double]?)
    /// Log-chances of one person's labels given the truth, from their counts (`K * K` each, label-major).
    /// - Returns: The log-density of the person's parameters under the model's prior, where it has one; 0 otherwise.
    func fit(_ counts: UnsafePointer<Double>, classes: Int, into logChance: UnsafeMutablePointer<Double>) -> Double
    /// Trust in a person, 0 … 1.
    func trust(_ counts: UnsafePointer<Double>, _ logChance: UnsafePointer<Double>, classes: Int) -> Double
}

extension ErrorModel {
    var learnsShares: Bool { true }
    var learnsPrior: Bool { false }
    mutating func prepare(_ counts: UnsafeBufferPointer<Double>, classes: Int, weights: [Double]?) {}

    /// Informedness: how much likelier a label is where it is the truth than by chance. For thumbs it is how much likelier
    /// "up" is on good than on bad items; 0 for whoever votes without looking.
    func trust(_ counts: UnsafePointer<Double>, _ logChance: UnsafePointer<Double>, classes: Int) -> Double {
        var right = 0.0
        for truth in 0..<classes { right += exp(logChance[truth * classes + truth]) }
        return min(max((right - 1) / Double(max(1, classes - 1)), 0), 1)
    }
}

/// A row of chances for every truth, each person's own (Dawid and Skene 1979).
struct OwnErrors: ErrorModel {
    /// Votes added to each cell of a person's table.
    var smoothing: Double
    /// No chance is below it, as in crowd-kit.
    static let floor = 1e-10

    func fit(_ counts: UnsafePointer<Double>, classes: Int, into logChance: UnsafeMutablePointer<Double>) -> Double {
        var density = 0.0
        for truth in 0..<classes {
            var total = 0.0
            for label in 0..<classes { total += max(counts[label * classes + truth] + smoothing, Self.floor) }
            for label in 0..<classes {
                let place = label * classes + truth
                let value = log(max(counts[place] + smoothing, Self.floor) / total)
                logChance[place] = value
                density += smoothing * value
            }
        }
        return density
    }
}

/// Each person's own table, drawn towards what people do on the whole: somebody with three votes is taken for an ordinary
/// voter, somebody with three hundred for themselves. How far people differ is learned too (Dirichlet-multinomial, the fixed
/// point of Minka 2000), so that there is no strength to choose.
struct PooledErrors: ErrorModel {
    /// Pseudo-votes per cell, `[label * K + truth]`.
    private(set) var pseudo: [Double] = []
    /// How many votes of an ordinary person are added for each truth.
    private(set) var strength: [Double] = []
    /// Strength before anything is known.
    var initialStrength = 4.0

    var learnsPrior: Bool { true }

    /// The people who tell how far people differ: evenly spread, since each costs some logarithms.
    private static let sample = 4000

    mutating func prepare(_ counts: UnsafeBufferPointer<Double>, classes: Int, weights: [Double]?) {
        let table = classes * classes
        let users = counts.count / table
        var pooled = [Double](repeating: 0, count: table)
        // Accounts that count as one person are one person here too: else a flood of them would be what is ordinary.
        for user in 0..<users {
            let weight = weights?[user] ?? 1
            for cell in 0..<table { pooled[cell] += weight * counts[user * table + cell] }
        }
        if strength.isEmpty { strength = [Double](repeating: initialStrength, count: classes) }
        pseudo = [Double](repeating: 0, count: table)
        let step = max(1, users / Self.sample)
        for truth in 0..<classes {
            var total = 0.0
            for label in 0..<classes { total += pooled[label * classes + truth] + 0.5 }
            var mean = [Double](repeating: 0, count: classes)
            for label in 0..<classes { mean[label] = (pooled[label * classes + truth] + 0.5) / total }
            let old = strength[truth]
            var (above, below) = (0.0, 0.0)
            let base = Gamma.digamma(old)
            let bases = mean.map { Gamma.digamma(old * $0) }
            for user in stride(from: 0, to: users, by: step) {
                let weight = weights?[user] ?? 1
                var own = 0.0
                for label in 0..<classes {
                    let count = counts[user * table + label * classes + truth]
                    own += count
                    above += weight * mean[label] * (Gamma.digamma(count + old * mean[label]) - bases[label])
                }
                below += weight * (Gamma.digamma(own + old) - base)
            }
            // Bounds, since with people who are all alike, or all apart, the fixed point runs away.
            let ratio = below > 0 ? above / below : 1
            strength[truth] = min(max(old * ratio, 0.5), 200)
            for label in 0..<classes { pseudo[label * classes + truth] = strength[truth] * mean[label] }
        }
    }

    func fit(_ counts: UnsafePointer<Double>, classes: Int, into logChance: UnsafeMutablePointer<Double>) -> Double {
        var density = 0.0
        for truth in 0..<classes {
            var total = 0.0
            for label in 0..<classes { total += counts[label * classes + truth] + pseudo[label * classes + truth] }
            for label in 0..<classes {
                let place = label * classes + truth
                let value = log(max((counts[place] + pseudo[place]) / total, OwnErrors.floor))
                logChance[place] = value
                density += pseudo[place] * value
            }
        }
        return density
    }
}

/// One number a person: the chance of being right; mistakes fall evenly on the other classes.
struct OneCoinErrors: ErrorModel {
    /// Right and wrong votes added to each person's record.
    var smoothing: Double

    func fit(_ counts: UnsafePointer<Double>, classes: Int, into logChance: UnsafeMutablePointer<Double>) -> Double {
        var (right, all) = (smoothing, 2 * smoothing)
        for label in 0..<classes {
            for truth in 0..<classes {
                all += counts[label * classes + truth]
                if label == truth { right += counts[label * classes + truth] }
            }
        }
        let floor = OwnErrors.floor
        let skill = min(max(all > 0 ? right / all : 1 / Double(classes), floor), 1 - floor)
        let (hit, miss) = (log(skill), log((1 - skill) / Double(max(1, classes - 1))))
        for label in 0..<classes {
            for truth in 0..<classes { logChance[label * classes + truth] = label == truth ? hit : miss }
        }
        return smoothing * (hit + log(1 - skill))
    }
}
