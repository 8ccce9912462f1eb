import Foundation
import Torch

/// Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290): the chosen reply is to gain more over the
/// reference model than the rejected one.
///
/// With `h = (log π(y_w) − log π_ref(y_w)) − (log π(y_l) − log π_ref(y_l))`, log-probabilities summed over a reply's tokens:
/// - `sigmoid`: `−log σ(β h)`; with label smoothing ε `−(1 − ε) log σ(β h) − ε log σ(−β h)` (conservative DPO);
/// - `robust`: `(−(1 − ε) log σ(β h) + ε log σ(−β h)) / (1 − 2 ε)` (Chowdhury et al. 2024, arXiv 2403.00409), unbiased when a
///   share ε of the pairs is the wrong way round;
/// - `ipo`: `(h' − 1 / (2 β))²` with log-ratios per token (Azar et al. 2023, arXiv 2310.12036);
/// - `hinge`: `max(0, 1 − β h)` (SLiC, Zhao et al. 2023, arXiv 2305.10425).
///
/// `normalisesLength` divides each log-ratio by its reply's tokens first (Lambert et al. 2024, arXiv 2411.15124; TRL's
/// `sigmoid_norm`). `nll` adds that much of the chosen replies' mean cross-entropy per token (Pang et al. 2024, arXiv
/// 2404.19733). The scalar is the mean over pairs by their weights.
public struct DPOLoss: SequenceLoss {
    /// What is done with the difference of the log-ratios.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case sigmoid, ipo, hinge, robust
    }

    public var kind: Kind
    /// How closely the reference is followed: a larger β follows it more. 0.1 in the paper.
    public var beta: Double
    /// ε, the share of pairs that are the wrong way round; for `sigmoid` and `robust`.
    public var labelSmoothing: Double
    public var normalisesLength: Bool
    /// Coefficient of the chosen replies' cross-entropy; 0 is off.
    public var nll: Double
    /// Log-probabilities under the reference model by document number.
    public let reference: ReferenceLogProbabilities

    /// Defaults are the paper's.
    /// - Throws: `TrainingError` when a number is outside its range.
    public init(
        reference: ReferenceLogProbabilities, kind: Kind = .sigmoid, beta: Double = 0.1, labelSmoothing: Double = 0,
        normalisesLength: Bool = false, nll: Double = 0
    ) throws {
        guard beta > 0, beta.isFinite else { throw TrainingError(.options, "beta \(beta) must be above 0") }
        guard labelSmoothing >= 0, labelSmoothing < 0.5 else {
            throw TrainingError(.options, "label_smoothing \(labelSmoothing) must be from 0 up to below 0.5")
        }
        guard labelSmoothing == 0 || kind == .sigmoid || kind == .robust else {
            throw TrainingError(.options, "label_smoothing goes with sigmoid and robust, not with \(kind.rawValue)")
        }
        guard nll >= 0, nll.isFinite else { throw TrainingError(.options, "nll \(nll) must be 0 or more") }
        self.reference = reference
        self.kind = kind
        self.beta = beta
        self.labelSmoothing = labelSmoothing
        self.normalisesLength = normalisesLength
        self.nll = nll
    }

    public var summary: String {
        "dpo(kind=\(kind.rawValue), beta=\(beta), label_smoothing=\(labelSmoothing), "
            + "normalises_length=\(normalisesLength), nll=\(nll))"
    }

    /// What a step's sums are divided by.
    public struct Plan: Sendable, Hashable {
        /// Weights of the pairs.
        public var pairs: Double
        /// Weights of the chosen replies' tokens.
        public var chosenTokens: Double

        public init(pairs: Double, chosenTokens: Double) {
            self.pairs = pairs
            self.chosenTokens = chosenTokens
        }
    }

    public func plan(_ context: LossContext) throws -> Plan {
        var plan = Plan(pairs: 0, chosenTokens: 0)
        for batch in context.batches {
            try reference.require(batch.numbers)
            for place in batch.targets.indices where batch.labels[place] == .good {
                let isFirst = place == 0 || batch.owners[place - 1] != batch.owners[place]
                if isFirst { plan.pairs += Double(batch.weights[place]) }
                plan.chosenTokens += Double(batch.weights[place])
            }
        }
        return plan
    }

    public func terms(_ replies: ReplyBatch, plan: Plan) throws -> ReplyTerms {
        let first = try PairSource.chosenPlaces(replies.numbers)
        let second = first.map { $0 + 1 }
        let chosen = try ratios(replies, first)
        let rejected = try ratios(replies, second)
        let rewards = try ((chosen - rejected) * beta).detach().doubles()
        let divides = normalisesLength || kind == .ipo
        func score(_ ratio: Tensor, _ places: [Int]) throws -> Tensor {
            divides ? try ratio * replies.tensor(places.map { 1 / Double(max(replies.counts[$0], 1)) }) : ratio
        }
        let h = try score(chosen, first) - score(rejected, second)
        let weights = try replies.tensor(first.map { replies.weights[$0] })
        let preference = try (losses(h) * weights).sum() * (1 / max(plan.pairs, .leastNormalMagnitude))
        var likelihood: Tensor?
        if nll > 0 {
            // A token's weight is its reply's, so a reply adds weight times its own sum.
            let scale = nll / max(plan.chosenTokens, .leastNormalMagnitude)
            likelihood = try (replies.selected(first) * weights).sum() * -scale
        }
        return ReplyTerms(positive: likelihood, negative: preference, margins: rewards)
    }

    /// `log π − log π_ref` at these places.
    private func ratios(_ replies: ReplyBatch, _ places: [Int]) throws -> Tensor {
        try replies.selected(places) - replies.tensor(places.map { reference.values[replies.numbers[$0]] })
    }

    /// `[pairs]`, the losses of differences of log-ratios.
    private func losses(_ h: Tensor) throws -> Tensor {
        switch kind {
        case .ipo: return try (h - 1 / (2 * beta)).square()
        case .hinge: return try (1 - h * beta).relu()
        case .sigmoid:
            let clean = try -(h * beta).logSigmoid()
            guard labelSmoothing > 0 else { return clean }
            return try clean * (1 - labelSmoothing) - (h * -beta).logSigmoid() * labelSmoothing
        case .robust:
            let clean = try (h * beta).logSigmoid() * (labelSmoothing - 1)
            return try (clean + (h * -beta).logSigmoid() * labelSmoothing) * (1 / (1 - 2 * labelSmoothing))
        }
    }
}

extension ReferenceLogProbabilities {
    /// - Throws: `TrainingError` when a document has no number here.
    func require(_ numbers: [Int]) throws {
        guard let odd = numbers.first(where: { !values.indices.contains($0) }) else { return }
        throw TrainingError(.data, "document \(odd) has no log-probability under the reference model")
    }
}
