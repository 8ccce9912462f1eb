import Conversations

/// A safety head on a text encoder: the probability that a text, after its context, is unsafe.
public struct EncoderSafetyClassifier: TextClassifier {
    public let head: SafetyHead
    private let encoder: any TextEncoder

    /// - Throws: `SafetyError` when the head was trained on vectors of another length.
    public init(head: SafetyHead, encoder: any TextEncoder) throws {
        guard encoder.dimension == head.dimension else {
            throw SafetyError(
                .shape,
                "the \(head.kind.rawValue) head is for vectors of \(head.dimension) numbers, "
                    + "the encoder gives \(encoder.dimension)")
        }
        self.head = head
        self.encoder = encoder
    }

    public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        let turns = pairs.map { pair in head.kind == .reply ? Self.lastHumanTurn(pair.context) : nil }
        return try await probabilities(texts: pairs.map(\.text), turns: turns)
    }

    /// Probability per text and the turn it answers, all encoded in one call.
    func probabilities(texts: [String], turns: [String?]) async throws -> [Double] {
        guard !texts.isEmpty else { return [] }
        let vectors = try await encoder.encode(texts + turns.compactMap { $0 })
        guard vectors.count == texts.count + turns.count(where: { $0 != nil }) else {
            throw SafetyError(.shape, "the encoder gave \(vectors.count) vectors, not one per text")
        }
        var next = texts.count
        return try texts.indices.map { index in
            guard turns[index] != nil else { return try head.probability(text: vectors[index], turn: nil) }
            next += 1
            return try head.probability(text: vectors[index], turn: vectors[next - 1])
        }
    }

    static func lastHumanTurn(_ context: [Turn]) -> String? {
        context.last { $0.sender == .human }?.text
    }
}
