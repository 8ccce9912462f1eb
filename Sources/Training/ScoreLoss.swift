import Conversations
import Foundation
import LanguageModels
import Torch

/// A reward model's loss on the `score` head of a decoder: one number read off a text's last token.
///
/// Documents end with a placeholder behind their last token (`scored`), which is the one that is supervised: the state that
/// would predict it is the last token's. So packing, checkpoints and many machines are the trainer's own.
public struct ScoreLoss: TrainingLoss {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Pairs: `−log σ(r_w − r_l − m)` (Bradley and Terry 1952; Ouyang et al. 2022, arXiv 2203.02155; the margin m of
        /// Touvron et al. 2023, arXiv 2307.09288).
        case pairwise
        /// Single replies: binary cross-entropy of the score as a logit.
        case binary
    }

    public let kind: Kind
    /// [1, hidden]; learned with the model's weights.
    public let score: Linear
    /// By pair: how much better the chosen reply is; empty for none.
    public let margins: [Double]
    /// Coefficient of `(r_w + r_l)²`, which keeps scores near 0 (Eisenstein et al. 2023, arXiv 2312.09244); 0 is off.
    public let centring: Double

    /// - Throws: `TrainingError` when a number is outside its range.
    public init(_ kind: Kind, score: Linear, margins: [Double] = [], centring: Double = 0) throws {
        if let odd = margins.firstIndex(where: { !$0.isFinite }) {
            throw TrainingError(.data, "the margin of pair \(odd) is not a number")
        }
        guard centring >= 0, centring.isFinite else {
            throw TrainingError(.options, "centring \(centring) must be 0 or more")
        }
        self.kind = kind
        self.score = score
        self.margins = margins
        self.centring = centring
    }

    public var summary: String {
        "score(kind=\(kind.rawValue), margins=\(marginsName), centring=\(centring))"
    }

    /// Other margins are another loss: a hash of them, `false` for none.
    private var marginsName: String {
        guard !margins.isEmpty else { return "false" }
        var hash = StableHash(salt: "margins")
        for margin in margins { withUnsafeBytes(of: margin.bitPattern.littleEndian) { hash.add($0) } }
        return String(hash.value, radix: 16)
    }

    public var namedParameters: [(name: String, parameter: Parameter)] { score.named("score") }

    public func begin(_ context: LossContext) throws -> any LossStep {
        let replies = context.batches.reduce(0) { $0 + $1.targets.count }
        let weights = context.batches.reduce(0) { $0 + $1.weights.reduce(0) { $0 + Double($1) } }
        return Step(
            batches: context.batches, supervised: replies, loss: self,
            divisor: max(kind == .pairwise ? weights / 2 : weights, .leastNormalMagnitude))
    }

    /// The documents' scores as a loss and, per pair or reply, what is to be told.
    func terms(scores: Tensor, batch: Batch, divisor: Double) throws -> (loss: Tensor, margins: [Double]) {
        func tensor(_ values: [Double]) throws -> Tensor {
            try Tensor(values, dtype: scores.dtype, device: scores.device)
        }
        switch kind {
        case .binary:
            let wanted = try tensor(batch.labels.map { $0 == .bad ? 0 : 1 })
            let weights = try tensor(batch.weights.map(Double.init))
            return (try (scores.bceWithLogits(targets: wanted) * weights).sum() * (1 / divisor), [])
        case .pairwise:
            let numbers = batch.owners.map { batch.numbers[$0] }
            let places = try PairSource.chosenPlaces(numbers)
            let chosen = try scores.indexSelect(dim: 0, index: Tensor(places, device: scores.device))
            let rejected = try scores.indexSelect(dim: 0, index: Tensor(places.map { $0 + 1 }, device: scores.device))
            let difference = try chosen - rejected
            let wanted = try tensor(places.map { margins.isEmpty ? 0 : margins[numbers[$0] / 2] })
            var losses = try -(difference - wanted).logSigmoid()
            if centring > 0 { losses = try losses + (chosen + rejected).square() * centring }
            let weights = try tensor(places.map { Double(batch.weights[$0]) })
            return (try (losses * weights).sum() * (1 / divisor), try difference.detach().doubles())
        }
    }

    private struct Step: LossStep {
        let batches: [Batch]
        let supervised: Int
        let loss: ScoreLoss
        let divisor: Double

        mutating func backward(hidden: Tensor, batch: Batch) throws -> LossSums {
            let raw = try loss.score(hidden)
            let scores = try (raw.dtype == .float64 ? raw : raw.to(.float32)).reshape([batch.targets.count])
            let (total, margins) = try loss.terms(scores: scores, batch: batch, divisor: divisor)
            try total.backward()
            var sums = LossSums()
            sums.positive = try total.item()
            sums.marginSum = margins.reduce(0, +)
            sums.marginCount = margins.count
            return sums
        }
    }
}

extension TokenizedExample {
    /// The document with a placeholder at its end, which alone is supervised: what `ScoreLoss` reads.
    /// - Throws: as `init`.
    public func scored(placeholder: Int) throws -> TokenizedExample {
        let label: TokenLabel = isBad ? .bad : .good
        return try TokenizedExample(
            ids: ids + [Int32(truncatingIfNeeded: placeholder)],
            labels: [TokenLabel](repeating: .ignored, count: count) + [label], weight: weight)
    }
}
