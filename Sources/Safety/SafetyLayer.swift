import Conversations

/// A classifier of one side of a turn, and the probability from which on it objects.
public struct SafetyLayer: Sendable {
    public let classifier: UndisguisedClassifier
    public var threshold: Double

    /// - Parameter classifier: asked for the text as it stands and, where that is disguised, as it is meant; for a long one window by
    ///   window (`TextWindows`).
    public init(_ classifier: any TextClassifier, threshold: Double) {
        self.classifier = UndisguisedClassifier(WindowedClassifier(GatheringClassifier(classifier)))
        self.threshold = threshold
    }

    /// A head on frozen vectors.
    public init(_ classifier: EncoderSafetyClassifier) {
        self.init(classifier, threshold: classifier.head.threshold)
    }

    func decision(_ text: String, after context: [Turn]) async throws -> SafetyDecision {
        let score = try await classifier.probabilities(of: [(context, text)]).first ?? 0
        return SafetyDecision(layer: "classifier", isUnsafe: score >= threshold, score: score)
    }
}
