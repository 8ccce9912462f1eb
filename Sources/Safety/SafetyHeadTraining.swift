import Conversations
import Statistics

/// How well a head finds unsafe texts.
public struct SafetyFigures: Sendable, Hashable, Codable {
    public var examples: Int
    public var unsafeExamples: Int
    /// Of the unsafe class at the threshold asked about; 0 where nothing is found.
    public var precision: Double
    public var recall: Double
    public var f1: Double
    /// Mean of the F1 of the unsafe and the safe class.
    public var macroF1: Double
    /// Area under the ROC curve, whatever the threshold.
    public var auc: Double

    /// - Throws: `StatisticsError` when lengths differ or one class is missing.
    public init(scores: [Double], labels: [Bool], threshold: Double) throws {
        auc = try ROC.auc(scores: scores, labels: labels)
        var hits = 0
        var alarms = 0
        for (score, label) in zip(scores, labels) where score >= threshold {
            if label { hits += 1 } else { alarms += 1 }
        }
        examples = labels.count
        unsafeExamples = labels.count { $0 }
        let missed = unsafeExamples - hits
        let passed = examples - unsafeExamples - alarms
        precision = hits + alarms > 0 ? Double(hits) / Double(hits + alarms) : 0
        recall = Double(hits) / Double(unsafeExamples)
        f1 = Self.f1(hits: hits, wrong: alarms + missed)
        macroF1 = (f1 + Self.f1(hits: passed, wrong: alarms + missed)) / 2
    }

    private static func f1(hits: Int, wrong: Int) -> Double {
        hits > 0 ? Double(2 * hits) / Double(2 * hits + wrong) : 0
    }
}

/// Trains and measures safety heads on the vectors of a frozen encoder.
public struct SafetyHeadTraining: Sendable {
    public let kind: SafetyHead.Kind
    private let encoder: any TextEncoder

    public init(kind: SafetyHead.Kind, encoder: any TextEncoder) {
        self.kind = kind
        self.encoder = encoder
    }

    /// Fits a head with threshold 0.5.
    /// - Parameters:
    ///   - l2: strength of the penalty against the sum of losses; the vectors have length 1, so 1 is mild.
    ///   - trainedOn: names of the data sets, kept in the head.
    /// - Throws: `SafetyError` when there are no examples of one class, and what the encoder throws.
    public func train(
        _ examples: [SafetyExample], l2: Double = 1, maximumIterations: Int = 200, trainedOn: [String]
    ) async throws -> SafetyHead {
        guard examples.contains(where: \.isUnsafe), examples.contains(where: { !$0.isUnsafe }) else {
            throw SafetyError(.tooFew, "a safety head needs safe and unsafe examples")
        }
        let model = try LogisticRegression(
            Matrix(try await features(examples)), labels: examples.map { $0.isUnsafe ? 1 : 0 },
            weights: examples.map(\.weight),
            options: .init(l2: l2, tolerance: 1e-5, maximumIterations: maximumIterations))
        return try SafetyHead(
            kind: kind, dimension: encoder.dimension, weights: model.coefficients.map(Float.init),
            bias: Float(model.bias), threshold: 0.5, trainedOn: trainedOn)
    }

    /// Probability of unsafe per example.
    public func scores(_ head: SafetyHead, _ examples: [SafetyExample]) async throws -> [Double] {
        try await EncoderSafetyClassifier(head: head, encoder: encoder).probabilities(
            texts: examples.map(\.text), turns: examples.map { kind == .reply ? $0.turn : nil })
    }

    /// Figures at `threshold`, or at the head's own.
    public func evaluate(
        _ head: SafetyHead, _ examples: [SafetyExample], threshold: Double? = nil
    ) async throws -> SafetyFigures {
        try SafetyFigures(
            scores: await scores(head, examples), labels: examples.map(\.isUnsafe),
            threshold: threshold ?? head.threshold)
    }

    /// The lowest threshold, from `atLeast` up, at which at most a share `falseAlarms` of ordinary texts scores unsafe.
    public static func threshold(
        ordinary scores: [Double], falseAlarms: Double, atLeast: Double = 0.5
    ) throws -> Double {
        guard !scores.isEmpty else { throw SafetyError(.tooFew, "a threshold needs ordinary texts") }
        let sorted = scores.sorted(by: >)
        let allowed = Int(Double(sorted.count) * falseAlarms)
        guard allowed < sorted.count else { return atLeast }
        // Just above the first score that must pass.
        return min(1, max(atLeast, sorted[allowed].nextUp))
    }

    private func features(_ examples: [SafetyExample]) async throws -> [[Float]] {
        let turns = kind == .reply ? examples.compactMap(\.turn) : []
        let vectors = try await encoder.encode(examples.map(\.text) + turns)
        guard vectors.count == examples.count + turns.count else {
            throw SafetyError(.shape, "the encoder gave \(vectors.count) vectors, not one per text")
        }
        var next = examples.count
        return examples.indices.map { index in
            var turn: [Float]?
            if kind == .reply, examples[index].turn != nil {
                turn = vectors[next]
                next += 1
            }
            return SafetyHead.features(kind, text: vectors[index], turn: turn)
        }
    }
}
