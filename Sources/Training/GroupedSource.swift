import Statistics

/// Documents in groups that stay together: each step takes one group, in a new order every pass. For KTO, whose mismatched
/// replies come from the same step and are fixed beforehand.
public struct GroupedSource: BatchSource {
    public let examples: [TokenizedExample]
    /// Documents of each step, shuffled once.
    public let groups: [[Int]]
    public let rowLength: Int
    private var order: EpochOrder
    private let perStep: Int
    private let seed: UInt64

    /// - Parameter perStep: Documents per step, two at least; what is left over makes a smaller group, or goes to the last.
    /// - Throws: `TrainingError` with fewer than two documents, or when one is longer than a row.
    public init(_ examples: [TokenizedExample], rowLength: Int, perStep: Int, seed: UInt64) throws {
        guard examples.count > 1 else {
            throw TrainingError(.data, "there are \(examples.count) examples; two or more are needed")
        }
        guard perStep > 1 else { throw TrainingError(.options, "examples_per_step must be 2 or more") }
        if let long = examples.firstIndex(where: { $0.count > rowLength }) {
            throw TrainingError(.data, "document \(long) has \(examples[long].count) tokens, a row holds \(rowLength)")
        }
        let generator = SeededGenerator(seed: seed)
        var draws = generator.fork("groups")
        let shuffled = draws.shuffled(Array(examples.indices))
        var groups = stride(from: 0, to: shuffled.count, by: perStep).map {
            Array(shuffled[$0..<min($0 + perStep, shuffled.count)])
        }
        if groups.count > 1, let last = groups.last, last.count == 1 {
            groups.removeLast()
            groups[groups.count - 1] += last
        }
        self.examples = examples
        self.groups = groups
        self.rowLength = rowLength
        self.perStep = perStep
        self.seed = seed
        order = EpochOrder(count: groups.count, generator: generator.fork("order"))
    }

    public mutating func rows(step: Int) throws -> [[Int]] {
        let chosen = groups[order.element(at: step)]
        return try Packing.rows(lengths: chosen.map { examples[$0].count }, capacity: rowLength).map { row in
            row.map { chosen[$0] }
        }
    }

    public func epochs(after steps: Int) -> Double { Double(steps) / Double(groups.count) }

    public var summary: String {
        "grouped(count=\(examples.count), per_step=\(perStep), row_length=\(rowLength), seed=\(seed))"
    }
}
