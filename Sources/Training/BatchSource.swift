import Statistics

/// Where a trainer's batches come from. Batch `n` depends on the seed and `n` alone, so a run that is cut and resumed sees
/// the same batches as one uncut, with no state to keep.
public protocol BatchSource: Sendable {
    /// All documents; `rows(step:)` speaks of them by number.
    var examples: [TokenizedExample] { get }
    /// Documents per row for one optimiser step, counted from 0.
    mutating func rows(step: Int) throws -> [[Int]]
    /// Passes over the data that are behind when `steps` steps are done; of the scarcer side where there are two.
    func epochs(after steps: Int) -> Double
    /// What decides the batches, for the checkpoint: a resumed run must say the same.
    var summary: String { get }
}

/// Endless passes over `0 ..< count`, each in its own random order.
public struct EpochOrder: Sendable {
    public let count: Int
    private let generator: SeededGenerator
    private var epoch = -1
    private var order: [Int] = []

    public init(count: Int, generator: SeededGenerator) {
        self.count = count
        self.generator = generator
    }

    /// The element at a place in the endless sequence; 0 when there are none.
    public mutating func element(at place: Int) -> Int {
        guard count > 0 else { return 0 }
        let wanted = place / count
        if wanted != epoch {
            var draws = generator.fork("epoch", wanted)
            order = draws.shuffled(Array(0..<count))
            epoch = wanted
        }
        return order[place % count]
    }
}

/// All documents packed once into rows; each step takes the next rows of a shuffled order. For pre-training and SFT.
public struct PackedSource: BatchSource {
    public let examples: [TokenizedExample]
    /// Documents per row.
    public let packedRows: [[Int]]
    /// Tokens per row.
    public let rowLength: Int
    /// Rows per optimiser step.
    public let rowsPerStep: Int
    private var order: EpochOrder
    private let seed: UInt64

    /// - Parameters:
    ///   - packing: Off gives each document its own row.
    /// - Throws: `TrainingError` when there are no examples or one is longer than a row.
    public init(
        _ examples: [TokenizedExample], rowLength: Int, rowsPerStep: Int, seed: UInt64, packing: Bool = true
    ) throws {
        guard !examples.isEmpty else { throw TrainingError(.data, "there are no examples to train on") }
        guard rowsPerStep > 0 else { throw TrainingError(.options, "rows_per_step must be 1 or more") }
        let packed = try Packing.rows(lengths: examples.map(\.count), capacity: rowLength)
        self.examples = examples
        packedRows = packing ? packed : examples.indices.map { [$0] }
        self.rowLength = rowLength
        self.rowsPerStep = rowsPerStep
        self.seed = seed
        order = EpochOrder(count: packedRows.count, generator: SeededGenerator(seed: seed).fork("rows"))
    }

    public mutating func rows(step: Int) -> [[Int]] {
        (0..<rowsPerStep).map { packedRows[order.element(at: step * rowsPerStep + $0)] }
    }

    public func epochs(after steps: Int) -> Double { Double(steps * rowsPerStep) / Double(packedRows.count) }

    /// Steps of one pass over the data, rounded up.
    public var stepsPerEpoch: Int { (packedRows.count + rowsPerStep - 1) / rowsPerStep }

    public var summary: String {
        "packed(rows=\(packedRows.count), row_length=\(rowLength), rows_per_step=\(rowsPerStep), seed=\(seed))"
    }
}
