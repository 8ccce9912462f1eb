import Statistics

/// Batches with as many good documents as bad ones, packed anew each step. For CRINGE and unlikelihood.
///
/// The smaller side is passed over more often; neither is cut to the other's size. Unlabelled documents, where given, come
/// along in a number of their own.
public struct BalancedSampler: BatchSource {
    public let examples: [TokenizedExample]
    public let rowLength: Int
    public let goodPerStep: Int
    public let badPerStep: Int
    public let unlabelledPerStep: Int
    private let sides: [(members: [Int], perStep: Int)]
    private var orders: [EpochOrder]
    private let seed: UInt64

    /// - Parameters:
    ///   - goodPerStep: Good documents per step; 48 with 48 bad ones worked at toy size.
    ///   - unlabelledPerStep: Plain dialogue per step, to keep a model's language in shape.
    /// - Throws: `TrainingError` when a side that is asked for has no document, or one is longer than a row.
    public init(
        _ examples: [TokenizedExample], rowLength: Int, goodPerStep: Int = 48, badPerStep: Int = 48,
        unlabelledPerStep: Int = 0, seed: UInt64
    ) throws {
        let bad = examples.indices.filter { examples[$0].isBad }
        // A bad reply may have good tokens: those that a better one shares with it.
        let good = examples.indices.filter { examples[$0].labels.contains(.good) && !examples[$0].isBad }
        let plain = examples.indices.filter { examples[$0].labels.contains(.unlabelled) }
        let sides = [(good, goodPerStep), (bad, badPerStep), (plain, unlabelledPerStep)]
        for (name, side) in zip(["good", "bad", "unlabelled"], sides) {
            guard side.1 >= 0 else { throw TrainingError(.options, "\(name)_per_step is negative") }
            guard side.1 == 0 || !side.0.isEmpty else {
                throw TrainingError(.data, "\(side.1) \(name) examples per step are asked for, there are none")
            }
        }
        guard sides.contains(where: { $0.1 > 0 }) else {
            throw TrainingError(.options, "a step would have no examples")
        }
        if let long = examples.firstIndex(where: { $0.count > rowLength }) {
            throw TrainingError(.data, "document \(long) has \(examples[long].count) tokens, a row holds \(rowLength)")
        }
        let generator = SeededGenerator(seed: seed)
        self.examples = examples
        self.rowLength = rowLength
        self.goodPerStep = goodPerStep
        self.badPerStep = badPerStep
        self.unlabelledPerStep = unlabelledPerStep
        self.sides = sides.map { (members: $0.0, perStep: $0.1) }
        orders = zip(["good", "bad", "unlabelled"], sides).map {
            EpochOrder(count: $1.0.count, generator: generator.fork($0))
        }
        self.seed = seed
    }

    public mutating func rows(step: Int) throws -> [[Int]] {
        var chosen: [Int] = []
        for side in sides.indices {
            let (members, perStep) = sides[side]
            for index in 0..<perStep { chosen.append(members[orders[side].element(at: step * perStep + index)]) }
        }
        let rows = try Packing.rows(lengths: chosen.map { examples[$0].count }, capacity: rowLength)
        return rows.map { row in row.map { chosen[$0] } }
    }

    public func epochs(after steps: Int) -> Double {
        sides.filter { $0.perStep > 0 }.map { Double(steps * $0.perStep) / Double($0.members.count) }.max() ?? 0
    }

    public var summary: String {
        "balanced(good=\(goodPerStep) of \(sides[0].members.count), bad=\(badPerStep) of \(sides[1].members.count), "
            + "unlabelled=\(unlabelledPerStep) of \(sides[2].members.count), row_length=\(rowLength), seed=\(seed))"
    }
}
