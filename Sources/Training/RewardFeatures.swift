import Conversations
import Statistics

/// Rows for a reward model: sentence vectors of reply and context, their product and distance, plain facts, and whatever
/// frozen states of the dialogue model the caller adds.
public struct RewardFeatures: Sendable, Hashable, Codable {
    /// How many turns before the reply count as its context.
    public var contextTurns: Int
    /// Length of a sentence vector; 0 leaves vectors out.
    public var dimension: Int
    /// Numbers that the caller adds to each row (`ReplyScore.features`, say).
    public var extraCount: Int

    enum CodingKeys: String, CodingKey {
        case dimension
        case contextTurns = "context_turns"
        case extraCount = "extra_count"
    }

    public init(contextTurns: Int = 3, dimension: Int, extraCount: Int = 0) {
        self.contextTurns = contextTurns
        self.dimension = dimension
        self.extraCount = extraCount
    }

    /// Numbers per row.
    public var count: Int { 4 * dimension + OverlapFeatures.names.count + extraCount }

    /// The context as one text for the encoder: the last turns, newest last.
    public func contextText(_ context: [Turn]) -> String {
        context.suffix(contextTurns).map(\.text).joined(separator: "\n")
    }

    /// One row per pair: `[reply, context, reply·context, |reply − context|, facts, extra]`.
    /// - Parameter extra: One row of `extraCount` numbers per pair; `nil` when there are none.
    /// - Throws: `TrainingError` when the encoder or `extra` does not fit; whatever the encoder throws.
    public func rows(
        _ pairs: [(context: [Turn], reply: String)], encoder: any TextEncoder, extra: [[Float]]? = nil
    ) async throws -> Matrix {
        guard encoder.dimension == dimension else {
            throw TrainingError(
                .options, "the encoder's vectors have \(encoder.dimension) numbers, the reward model's \(dimension)")
        }
        guard extra?.count ?? pairs.count == pairs.count,
            extra.map({ $0.allSatisfy { $0.count == extraCount } }) ?? (extraCount == 0)
        else {
            throw TrainingError(
                .data, "the reward model needs \(extraCount) extra numbers for each of \(pairs.count) replies")
        }
        // The same context or reply often comes many times: each text is encoded once.
        var places: [String: Int] = [:]
        var texts: [String] = []
        func place(_ text: String) -> Int {
            if let known = places[text] { return known }
            places[text] = texts.count
            texts.append(text)
            return texts.count - 1
        }
        let wanted = pairs.map { (reply: place($0.reply), context: place(contextText($0.context))) }
        let vectors = try await encoder.encode(texts)
        guard vectors.count == texts.count, vectors.allSatisfy({ $0.count == dimension }) else {
            throw TrainingError(
                .data, "the encoder gave \(vectors.count) vectors for \(texts.count) texts, or of another length")
        }
        var values: [Float] = []
        values.reserveCapacity(pairs.count * count)
        for (index, pair) in pairs.enumerated() {
            let (reply, context) = (vectors[wanted[index].reply], vectors[wanted[index].context])
            values += reply
            values += context
            for (a, b) in zip(reply, context) { values.append(a * b) }
            for (a, b) in zip(reply, context) { values.append(abs(a - b)) }
            values += OverlapFeatures.values(context: pair.context, reply: pair.reply)
            if let extra { values += extra[index] }
        }
        return try Matrix(rows: pairs.count, columns: count, values: values)
    }
}
