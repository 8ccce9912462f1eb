/// Rows of packed documents as flat arrays, ready to become tensors: what one forward pass sees.
///
/// A token of a document sees the earlier tokens of the same document and nothing else; positions begin at 0 in each. So a
/// packed document gives the same logits as one alone.
public struct Batch: Sendable, Hashable {
    public let rowCount: Int
    /// Tokens per row: the longest row of the batch.
    public let length: Int
    /// `[rowCount * length]`, the pad id after a row's documents.
    public let ids: [Int]
    /// Place of each token in its document; 0 for padding.
    public let positions: [Int]
    /// Number of each token's document within its row from 0; −1 for padding.
    public let documents: [Int]
    /// For each supervised token, the flat place (`row * length + column`) whose hidden state predicts it: the one before.
    public let predictors: [Int]
    /// Ids of the supervised tokens.
    public let targets: [Int]
    /// Labels of the supervised tokens.
    public let labels: [TokenLabel]
    /// Weights of the supervised tokens.
    public let weights: [Float]
    /// For each supervised token, which document of the batch it belongs to, counted through the rows.
    public let owners: [Int]
    /// Number of each document of the batch in the source that it comes from.
    public let numbers: [Int]
    /// Tokens of all documents, without padding.
    public let tokenCount: Int

    /// - Parameters:
    ///   - rows: Documents per row.
    ///   - padID: Fills rows up; never attended to and never supervised.
    ///   - numbers: Of the documents in their source; counted from 0 when missing.
    public init(rows: [[TokenizedExample]], padID: Int, numbers: [Int]? = nil) {
        let length = rows.map { $0.reduce(0) { $0 + $1.count } }.max() ?? 0
        var ids = [Int](repeating: padID, count: rows.count * length)
        var positions = [Int](repeating: 0, count: ids.count)
        var documents = [Int](repeating: -1, count: ids.count)
        var predictors: [Int] = []
        var targets: [Int] = []
        var labels: [TokenLabel] = []
        var weights: [Float] = []
        var owners: [Int] = []
        var tokenCount = 0
        var owner = 0
        for (row, examples) in rows.enumerated() {
            var place = row * length
            for (document, example) in examples.enumerated() {
                for index in 0..<example.count {
                    let id = Int(example.ids[index])
                    ids[place] = id
                    positions[place] = index
                    documents[place] = document
                    if index > 0, example.labels[index] != .ignored {
                        predictors.append(place - 1)
                        targets.append(id)
                        labels.append(example.labels[index])
                        weights.append(example.weight)
                        owners.append(owner)
                    }
                    place += 1
                }
                tokenCount += example.count
                owner += 1
            }
        }
        rowCount = rows.count
        self.length = length
        self.ids = ids
        self.positions = positions
        self.documents = documents
        self.predictors = predictors
        self.targets = targets
        self.labels = labels
        self.weights = weights
        self.owners = owners
        self.numbers = numbers ?? Array(0..<owner)
        self.tokenCount = tokenCount
    }

    /// One over the number of supervised tokens, for each document.
    var shares: [Double] {
        var counts = [Int](repeating: 0, count: numbers.count)
        for owner in owners { counts[owner] += 1 }
        return counts.map { $0 > 0 ? 1 / Double($0) : 0 }
    }

    /// Whether no row holds two documents; plain causal attention is then exact, since padding comes last.
    public var isUnpacked: Bool { !documents.contains { $0 > 0 } }
}
