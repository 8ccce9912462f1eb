import Dispatch
import Foundation
import Statistics

/// Expectation–maximisation for every model in which a person has a table of chances of each label given the truth.
///
/// Votes lie grouped by item for the E-step and by person for the M-step, so both only gather: no two threads write to the
/// same place, and the sums come out the same whatever the number of threads.
struct ConfusionEM<Model: ErrorModel> {
    /// Where EM stands.
    struct State {
        /// Probability of each class, `[item * K + class]`.
        var posterior: [Double]
        /// Shares of the classes.
        var shares: [Double]
        /// Expected votes, `[(user * K + label) * K + truth]`.
        var counts: [Double]
        /// Log-chances, in the same order.
        var logChance: [Double]
        var logLikelihood = -Double.infinity
        /// Log-likelihood and the log-density of the people's tables under the model's prior.
        var objective = -Double.infinity
        var iterations = 0
        var converged = false
    }

    let ballots: Ballots
    var model: Model
    var maximumIterations: Int
    /// Stop when the objective per vote moves by less; negative for a fixed number of iterations.
    var tolerance: Double
    /// Per person the share that their votes count for; `nil` for everybody alike.
    var weights: [Double]?

    private var width: Int { ballots.classCount }
    private var priorDensity = 0.0

    init(
        _ ballots: Ballots, model: Model, maximumIterations: Int, tolerance: Double, weights: [Double]? = nil
    ) {
        self.ballots = ballots
        self.model = model
        self.maximumIterations = maximumIterations
        self.tolerance = tolerance
        self.weights = weights
    }

    /// The shares of each item's votes: the majority's guess.
    func voteShares() -> [Double] {
        var posterior = [Double](repeating: 0, count: ballots.items.count * width)
        for item in 0..<ballots.items.count {
            var total = 0.0
            for vote in Int(ballots.itemStart[item])..<Int(ballots.itemStart[item + 1]) {
                let cell = Int(ballots.cellOfVote[vote])
                let weight = weights?[cell / width] ?? 1
                posterior[item * width + cell % width] += weight
                total += weight
            }
            for label in 0..<width {
                posterior[item * width + label] =
                    total > 0 ? posterior[item * width + label] / total : 1 / Double(width)
            }
        }
        return posterior
    }

    /// Runs EM from the vote shares and, for each further start, from shares half drowned in noise; the best end is kept.
    ///
    /// A table of chances can be turned upside down without changing the likelihood, all voters being contrary and all labels
    /// reversed: ends that go against most votes are left aside while there is another.
    mutating func best(starts: Int, generator: SeededGenerator) -> State {
        let shares = voteShares()
        var best = run(from: shares)
        var bestAgrees = agrees(best)
        for start in stride(from: 1, to: starts, by: 1) {
            var stream = generator.fork("start", start)
            var noisy = shares
            for item in 0..<ballots.items.count {
                let draws = (0..<width).map { _ in -log(max(stream.uniform(), 1e-12)) }
                let total = draws.reduce(0, +)
                for k in 0..<width { noisy[item * width + k] = 0.5 * noisy[item * width + k] + 0.5 * draws[k] / total }
            }
            let state = run(from: noisy)
            let stateAgrees = agrees(state)
            if stateAgrees && !bestAgrees || stateAgrees == bestAgrees && merit(state) > merit(best) {
                (best, bestAgrees) = (state, stateAgrees)
            }
        }
        return best
    }

    /// What the ends of several starts are compared by. Densities of priors that were learned apart do not compare: the
    /// one under which people differ most would win, whatever the votes say.
    func merit(_ state: State) -> Double { model.learnsPrior ? state.logLikelihood : state.objective }

    /// Whether votes are right more often than chance would have it.
    private func agrees(_ state: State) -> Bool {
        var right = 0.0
        for user in 0..<ballots.users.count {
            for label in 0..<width { right += state.counts[(user * width + label) * width + label] }
        }
        return right * Double(width) >= Double(ballots.count)
    }

    /// Runs EM from a first guess of the items' classes.
    mutating func run(from posterior: [Double]) -> State {
        let table = width * width
        var state = State(
            posterior: posterior, shares: [Double](repeating: 1 / Double(width), count: width),
            counts: [Double](repeating: 0, count: ballots.users.count * table),
            logChance: [Double](repeating: 0, count: ballots.users.count * table))
        while state.iterations < maximumIterations {
            state.iterations += 1
            maximise(&state)
            let before = state.objective
            expect(&state)
            if abs(state.objective - before) < tolerance * Double(ballots.count) {
                state.converged = true
                break
            }
        }
        return state
    }

    /// The M-step: shares, expected counts, chances.
    mutating func maximise(_ state: inout State) {
        if model.learnsShares {
            let items = ballots.items.count
            var sums = [Double](repeating: 0, count: width)
            if width == 2 {
                var good = 0.0
                state.posterior.withUnsafeBufferPointer { posterior in
                    for item in 0..<items { good += posterior[item &* 2 &+ 1] }
                }
                sums = [Double(items) - good, good]
            } else {
                for item in 0..<items { for k in 0..<width { sums[k] += state.posterior[item * width + k] } }
            }
            state.shares = sums.map { min(max($0 / Double(items), OwnErrors.floor), 1 - OwnErrors.floor) }
        }
        count(&state)
        let weights = self.weights
        state.counts.withUnsafeBufferPointer { model.prepare($0, classes: width, weights: weights) }
        var densities = [Double](repeating: 0, count: chunkCount)
        let fitted = model
        let (users, classes, table) = (ballots.users.count, width, width * width)
        state.logChance.withUnsafeMutableBufferPointer { logChance in
            state.counts.withUnsafeBufferPointer { counts in
                densities.withUnsafeMutableBufferPointer { densities in
                    guard let chances = logChance.baseAddress, let firstCount = counts.baseAddress else { return }
                    nonisolated(unsafe) let chance = chances
                    nonisolated(unsafe) let count = firstCount
                    nonisolated(unsafe) let density = densities
                    Self.inChunks(chunkCount, of: users) { chunk, range in
                        var sum = 0.0
                        for user in range {
                            sum += fitted.fit(count + user * table, classes: classes, into: chance + user * table)
                        }
                        density[chunk] = sum
                    }
                }
            }
        }
        priorDensity = densities.reduce(0, +)
    }

    /// Expected votes per person, label and truth.
    private func count(_ state: inout State) {
        let (users, classes) = (ballots.users.count, width)
        state.counts.withUnsafeMutableBufferPointer { counts in
            state.posterior.withUnsafeBufferPointer { posterior in
                ballots.cellStart.withUnsafeBufferPointer { starts in
                    ballots.itemOfVote.withUnsafeBufferPointer { items in
                        nonisolated(unsafe) let count = counts
                        nonisolated(unsafe) let probability = posterior
                        nonisolated(unsafe) let start = starts
                        nonisolated(unsafe) let item = items
                        Self.inChunks(chunkCount, of: users * classes) { _, cells in
                            if classes == 2 {
                                for cell in cells {
                                    let (first, last) = (Int(start[cell]), Int(start[cell + 1]))
                                    var good = 0.0
                                    for vote in first..<last { good += probability[Int(item[vote]) &* 2 &+ 1] }
                                    count[cell &* 2] = Double(last &- first) - good
                                    count[cell &* 2 &+ 1] = good
                                }
                                return
                            }
                            for cell in cells {
                                let sums = cell * classes
                                for k in 0..<classes { count[sums + k] = 0 }
                                for vote in Int(start[cell])..<Int(start[cell + 1]) {
                                    let row = Int(item[vote]) &* classes
                                    for k in 0..<classes { count[sums &+ k] += probability[row &+ k] }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The E-step: probabilities of the classes, log-likelihood and objective.
    mutating func expect(_ state: inout State) {
        let likelihood = width == 2 ? expectTwo(&state) : expectMany(&state)
        state.logLikelihood = likelihood
        state.objective = likelihood + priorDensity
    }

    /// Two classes: one log-odds a vote, and a logarithm for every 256 items only.
    private func expectTwo(_ state: inout State) -> Double {
        let users = ballots.users.count
        var odds = [Double](repeating: 0, count: users * 2)
        // Everything under the hypothesis that all items are bad; each item then adds what its odds say beyond that.
        var base = 0.0
        for user in 0..<users {
            let weight = weights?[user] ?? 1
            for label in 0...1 {
                let cell = user * 2 + label
                odds[cell] = weight * (state.logChance[cell * 2 + 1] - state.logChance[cell * 2])
                base +=
                    weight * Double(ballots.cellStart[cell + 1] - ballots.cellStart[cell]) * state.logChance[cell * 2]
            }
        }
        let level = log(state.shares[1] / state.shares[0])
        var sums = [Double](repeating: 0, count: chunkCount)
        let items = ballots.items.count
        state.posterior.withUnsafeMutableBufferPointer { posterior in
            odds.withUnsafeBufferPointer { odds in
                ballots.itemStart.withUnsafeBufferPointer { starts in
                    ballots.cellOfVote.withUnsafeBufferPointer { cells in
                        sums.withUnsafeMutableBufferPointer { sums in
                            nonisolated(unsafe) let probability = posterior
                            nonisolated(unsafe) let odd = odds
                            nonisolated(unsafe) let start = starts
                            nonisolated(unsafe) let cell = cells
                            nonisolated(unsafe) let sum = sums
                            Self.inChunks(chunkCount, of: items) { chunk, range in
                                var (total, product) = (0.0, 1.0)
                                for item in range {
                                    var z = level
                                    for vote in Int(start[item])..<Int(start[item &+ 1]) { z += odd[Int(cell[vote])] }
                                    let e = exp(-abs(z))
                                    let high = 1 / (1 + e)
                                    let good = z >= 0 ? high : e * high
                                    probability[item &* 2 &+ 1] = good
                                    probability[item &* 2] = z >= 0 ? e * high : high
                                    total += max(z, 0)
                                    product *= 1 + e
                                    if item & 255 == 255 {
                                        total += log(product)
                                        product = 1
                                    }
                                }
                                sum[chunk] = total + log(product)
                            }
                        }
                    }
                }
            }
        }
        return base + Double(items) * log(state.shares[0]) + sums.reduce(0, +)
    }

    private func expectMany(_ state: inout State) -> Double {
        let (items, classes) = (ballots.items.count, width)
        let shares = state.shares.map { log($0) }
        var sums = [Double](repeating: 0, count: chunkCount)
        let weights = self.weights
        state.posterior.withUnsafeMutableBufferPointer { posterior in
            state.logChance.withUnsafeBufferPointer { chances in
                ballots.itemStart.withUnsafeBufferPointer { starts in
                    ballots.cellOfVote.withUnsafeBufferPointer { cells in
                        sums.withUnsafeMutableBufferPointer { sums in
                            nonisolated(unsafe) let probability = posterior
                            nonisolated(unsafe) let chance = chances
                            nonisolated(unsafe) let start = starts
                            nonisolated(unsafe) let cell = cells
                            nonisolated(unsafe) let sum = sums
                            Self.inChunks(chunkCount, of: items) { chunk, range in
                                var total = 0.0
                                for item in range {
                                    let row = item * classes
                                    for k in 0..<classes { probability[row &+ k] = shares[k] }
                                    for vote in Int(start[item])..<Int(start[item + 1]) {
                                        let place = Int(cell[vote])
                                        let said = place &* classes
                                        if let weight = weights?[place / classes] {
                                            for k in 0..<classes { probability[row &+ k] += weight * chance[said &+ k] }
                                        } else {
                                            for k in 0..<classes { probability[row &+ k] += chance[said &+ k] }
                                        }
                                    }
                                    var top = probability[row]
                                    for k in 1..<classes { top = max(top, probability[row + k]) }
                                    var scale = 0.0
                                    for k in 0..<classes {
                                        let e = exp(probability[row + k] - top)
                                        probability[row + k] = e
                                        scale += e
                                    }
                                    for k in 0..<classes { probability[row + k] /= scale }
                                    total += top + log(scale)
                                }
                                sum[chunk] = total
                            }
                        }
                    }
                }
            }
        }
        return sums.reduce(0, +)
    }

    /// Pieces of work: by the number of votes alone, so that sums do not depend on the machine.
    private var chunkCount: Int { max(1, min(32, ballots.count / 20_000)) }

    private static func inChunks(_ chunks: Int, of count: Int, _ body: @Sendable (Int, Range<Int>) -> Void) {
        @Sendable func range(_ chunk: Int) -> Range<Int> { chunk * count / chunks..<(chunk + 1) * count / chunks }
        if chunks == 1 { return body(0, 0..<count) }
        DispatchQueue.concurrentPerform(iterations: chunks) { body($0, range($0)) }
    }
}
