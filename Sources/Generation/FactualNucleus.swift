import Foundation

/// The schedule of the factual nucleus (Lee et al. 2022, arXiv 2206.04624), with which BB3's OPT models draw replies:
/// p = max(ω, p₀ · λ^max(0, t − 1)) before each token, t tokens after the last end of a sentence.
///
/// So the first two tokens of a sentence are drawn from the whole nucleus, and then it narrows.
public struct FactualNucleus: Sendable, Hashable {
    /// p₀, of the first two tokens of a sentence.
    public let start: Double
    /// λ.
    public let decay: Double
    /// ω.
    public let floor: Double
    /// Tokens that end a sentence.
    public let sentenceEnds: Set<Int>
    /// Tokens since the last end of a sentence.
    private var age = 0

    /// - Throws: `GenerationError` `setting` unless 0 < λ ≤ 1 and 0 < ω ≤ 1.
    public init(start: Double, decay: Double, floor: Double, sentenceEnds: Set<Int>) throws {
        guard decay > 0, decay <= 1 else {
            throw GenerationError(.setting, "lambda_decay is \(decay), should be above 0 and at most 1")
        }
        guard floor > 0, floor <= 1 else {
            throw GenerationError(.setting, "omega_bound is \(floor), should be above 0 and at most 1")
        }
        self.start = start
        self.decay = decay
        self.floor = floor
        self.sentenceEnds = sentenceEnds
    }

    /// The p for the next token. A p₀ below ω stays as it is.
    public var p: Double {
        min(start, max(floor, start * pow(decay, Double(max(0, age - 1)))))
    }

    /// Takes note of a token drawn.
    public mutating func append(_ id: Int) {
        age = sentenceEnds.contains(id) ? 0 : age + 1
    }
}
