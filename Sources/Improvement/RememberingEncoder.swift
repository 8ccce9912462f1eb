import Conversations

/// An encoder that computes a text once, however often it is asked: the folds in which a reward model is tested read the same replies
/// again and again.
///
/// A stage makes its own. A vector depends a little, by rounding, on the texts that were computed beside it: one that came from an earlier
/// stage would make a run that was cut off end with other figures than one that was not.
actor RememberingEncoder: TextEncoder {
    nonisolated let dimension: Int
    private let encoder: any TextEncoder
    private let capacity: Int
    private var vectors: [String: [Float]] = [:]

    /// - Parameter capacity: Most texts that are kept; what comes later is computed anew each time. The default is some 100 MB of
    ///   vectors of 384 numbers.
    init(_ encoder: any TextEncoder, capacity: Int = 65_536) {
        self.encoder = encoder
        self.capacity = capacity
        dimension = encoder.dimension
    }

    func encode(_ texts: [String]) async throws -> [[Float]] {
        var seen: Set<String> = []
        let missing = texts.filter { vectors[$0] == nil && seen.insert($0).inserted }
        var fresh: [String: [Float]] = [:]
        if !missing.isEmpty {
            let computed = try await encoder.encode(missing)
            fresh = Dictionary(zip(missing, computed), uniquingKeysWith: { first, _ in first })
            for text in missing.prefix(max(capacity - vectors.count, 0)) { vectors[text] = fresh[text] }
        }
        return texts.map { vectors[$0] ?? fresh[$0] ?? [] }
    }
}
