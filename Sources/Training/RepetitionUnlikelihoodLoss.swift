import Foundation
import LanguageModels
import Statistics
import Torch

/// Unlikelihood of the model's own repetitions (Welleck et al. 2019, arXiv 1908.04319, at the level of sequences; on dialogue
/// Li et al. 2020, arXiv 1911.03860), around any token loss.
///
/// With probability `share` a step, instead of its usual loss, lets the model answer the step's contexts greedily and marks
/// the tokens of n-grams that the context holds (weight `contextWeight`) and of n-grams that the answer has had before
/// (`ownWeight`). It then minimises the weighted mean of `−log max(1 − p, floor)` over marked tokens. A step without any
/// repetition has its usual loss.
public struct RepetitionUnlikelihoodLoss: TrainingLoss {
    public let base: any TokenLoss
    /// Length of the n-grams; 4 in the authors' code.
    public var n: Int
    /// Share of the steps; 0.5.
    public var share: Double
    public var contextWeight: Double
    public var ownWeight: Double
    /// Most tokens of an answer.
    public var length: Int

    /// Defaults are those of the authors' code but for `length`, 256 there.
    /// - Throws: `TrainingError` when a number is outside its range.
    public init(
        _ base: any TokenLoss, n: Int = 4, share: Double = 0.5, contextWeight: Double = 0.5, ownWeight: Double = 0.5,
        length: Int = 48
    ) throws {
        guard n >= 1 else { throw TrainingError(.options, "n \(n) must be 1 or more") }
        guard (0...1).contains(share) else { throw TrainingError(.options, "share \(share) must be between 0 and 1") }
        guard contextWeight >= 0, ownWeight >= 0, (contextWeight + ownWeight).isFinite else {
            throw TrainingError(.options, "context_weight and own_weight must be 0 or more")
        }
        guard length >= 1 else { throw TrainingError(.options, "length \(length) must be 1 or more") }
        self.base = base
        self.n = n
        self.share = share
        self.contextWeight = contextWeight
        self.ownWeight = ownWeight
        self.length = length
    }

    public var summary: String {
        "repetition_unlikelihood(n=\(n), share=\(share), context_weight=\(contextWeight), own_weight=\(ownWeight), "
            + "length=\(length), base=\(base.summary))"
    }

    public var namedParameters: [(name: String, parameter: Parameter)] { base.namedParameters }

    public func begin(_ context: LossContext) throws -> any LossStep {
        var draws = context.draws.fork("repetition")
        guard draws.uniform() < share else { return try base.begin(context) }
        let prompts = context.batches.flatMap { Self.starts(of: $0) }
        let answers = try GreedyContinuation(model: context.model, length: length, compute: context.compute)
            .continuations(prompts)
        let documents = try zip(prompts, answers).flatMap { try self.documents(prompt: $0, answer: $1) }
        guard !documents.isEmpty else { return try base.begin(context) }
        let capacity = ExampleTokenizer.rowLength(for: context.model.configuration, holding: documents)
        let rows = try Packing.rows(lengths: documents.map(\.count), capacity: capacity)
        let batches = stride(from: 0, to: rows.count, by: context.rowsPerMicroBatch).map { start in
            Batch(
                rows: rows[start..<min(start + context.rowsPerMicroBatch, rows.count)].map { $0.map { documents[$0] } },
                padID: context.model.configuration.padID ?? 0)
        }
        return try UnlikelihoodLoss().begin(
            LossContext(
                model: context.model, batches: batches, rowsPerMicroBatch: context.rowsPerMicroBatch,
                device: context.device, compute: context.compute, chunkLength: context.chunkLength,
                draws: context.draws))
    }

    /// What stands before the first supervised token of each document, its place included.
    private static func starts(of batch: Batch) -> [[Int]] {
        var result: [[Int]] = []
        for place in batch.predictors.indices where place == 0 || batch.owners[place - 1] != batch.owners[place] {
            let end = batch.predictors[place]
            result.append(Array(batch.ids[end - batch.positions[end]...end]))
        }
        return result
    }

    /// The answer as one document per kind of repetition that it has, repeated tokens marked bad. Two documents with half
    /// the weight each are the same as one whose tokens count once per kind.
    func documents(prompt: [Int], answer: [Int]) throws -> [TokenizedExample] {
        let marks = [
            (Self.repeated(answer, n, since: Self.grams(prompt, n)), contextWeight),
            (Self.repeated(answer, n, since: nil), ownWeight),
        ]
        return try marks.compactMap { marked, weight in
            guard weight > 0, marked.contains(true) else { return nil }
            return try TokenizedExample(
                ids: (prompt + answer).map(Int32.init(truncatingIfNeeded:)),
                labels: [TokenLabel](repeating: .ignored, count: prompt.count) + marked.map { $0 ? .bad : .ignored },
                weight: Float(weight))
        }
    }

    static func grams(_ ids: [Int], _ n: Int) -> Set<[Int]> {
        guard ids.count >= n else { return [] }
        return Set((0...ids.count - n).map { Array(ids[$0..<$0 + n]) })
    }

    /// Which tokens belong to an n-gram that `known` holds or, without it, that came earlier in the same text.
    static func repeated(_ ids: [Int], _ n: Int, since known: Set<[Int]>?) -> [Bool] {
        var marked = [Bool](repeating: false, count: ids.count)
        guard ids.count >= n else { return marked }
        var seen: Set<[Int]> = []
        for start in 0...ids.count - n {
            let gram = Array(ids[start..<start + n])
            if known?.contains(gram) ?? seen.contains(gram) {
                for place in start..<start + n { marked[place] = true }
            }
            seen.insert(gram)
        }
        return marked
    }
}
