import Statistics

/// Pairs of documents, each pair in one row: document `2i` is the chosen reply, `2i + 1` the rejected one.
public struct PairSource: BatchSource {
    public let examples: [TokenizedExample]
    /// Tokens per row: room for any pair.
    public let rowLength: Int
    public let pairsPerStep: Int
    private var order: EpochOrder
    private let seed: UInt64

    /// - Parameters:
    ///   - examples: Chosen and rejected replies by turns.
    ///   - rowLength: Least tokens per row; a longer pair makes longer rows.
    /// - Throws: `TrainingError` when there is no pair, or a document is not labelled as its place says.
    public init(_ examples: [TokenizedExample], rowLength: Int, pairsPerStep: Int, seed: UInt64) throws {
        guard !examples.isEmpty else { throw TrainingError(.data, "there are no pairs to train on") }
        guard pairsPerStep > 0 else { throw TrainingError(.options, "pairs_per_step must be 1 or more") }
        guard examples.count.isMultiple(of: 2) else {
            throw TrainingError(.data, "\(examples.count) documents are no whole number of pairs")
        }
        for (index, example) in examples.enumerated() {
            let wanted: TokenLabel = index.isMultiple(of: 2) ? .good : .bad
            guard example.labels.contains(wanted) else {
                throw TrainingError(
                    .data, "document \(index) is not the \(wanted == .good ? "chosen" : "rejected") one")
            }
        }
        let lengths = stride(from: 0, to: examples.count, by: 2).map { first -> Int in
            examples[first].count + examples[first + 1].count
        }
        self.examples = examples
        self.rowLength = max(rowLength, lengths.max() ?? 0)
        self.pairsPerStep = pairsPerStep
        self.seed = seed
        order = EpochOrder(count: lengths.count, generator: SeededGenerator(seed: seed).fork("pairs"))
    }

    public mutating func rows(step: Int) throws -> [[Int]] {
        let chosen = (0..<pairsPerStep).map { order.element(at: step * pairsPerStep + $0) }
        let lengths = chosen.map { examples[2 * $0].count + examples[2 * $0 + 1].count }
        return try Packing.rows(lengths: lengths, capacity: rowLength).map { row in
            row.flatMap { [2 * chosen[$0], 2 * chosen[$0] + 1] }
        }
    }

    public func epochs(after steps: Int) -> Double { Double(2 * steps * pairsPerStep) / Double(examples.count) }

    public var summary: String {
        "pairs(count=\(examples.count / 2), row_length=\(rowLength), pairs_per_step=\(pairsPerStep), seed=\(seed))"
    }
}

extension PairSource {
    /// Places of the chosen replies among documents with these numbers; each is followed by its rejected one.
    /// - Throws: `TrainingError` when a reply stands without the other of its pair.
    static func chosenPlaces(_ numbers: [Int]) throws -> [Int] {
        let places = Array(stride(from: 0, to: numbers.count, by: 2))
        for place in places {
            guard place + 1 < numbers.count, numbers[place].isMultiple(of: 2), numbers[place + 1] == numbers[place] + 1
            else {
                throw TrainingError(.data, "document \(numbers[place]) stands without the other reply of its pair")
            }
        }
        return places
    }
}
