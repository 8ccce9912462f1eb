import Conversations
import Foundation

/// What people said after a reply, as numbers that a reward model takes beside the reply itself: people who complain did not like it, whether
/// or not they pressed a thumb (satisfaction labels: JUICER, Shi et al. 2022, arXiv 2210.15893).
struct NextMessages {
    let encoder: any TextEncoder

    /// Numbers per reply: the sentence vector, whether there is a message, and the logarithm of its words.
    var count: Int { encoder.dimension + 2 }

    /// One row of `count` numbers per message; all 0 for none.
    func rows(_ messages: [String?]) async throws -> [[Float]] {
        let vectors = try await encoder.encode(messages.compactMap { $0 })
        var left = vectors[...]
        return messages.map { message in
            guard let message, let vector = left.popFirst() else { return [Float](repeating: 0, count: count) }
            let words = message.split(whereSeparator: \.isWhitespace).count
            return vector + [1, log(1 + Float(words))]
        }
    }

    /// For each reply of a corpus what the person said next, `nil` where they said nothing or are not listened to.
    static func heard(_ items: [Corpus.Item], votes: [WeighedVote], trustedFrom: Double) -> [String?] {
        let unheard = unheard(votes, trustedFrom: trustedFrom)
        return items.map { unheard.contains($0.userID) ? nil : $0.next }
    }

    /// Whose next messages are not listened to: people whose votes trust does not believe, in the mean. What a troll complains of says
    /// nothing of the reply either.
    static func unheard(_ votes: [WeighedVote], trustedFrom: Double) -> Set<String> {
        let means = Dictionary(grouping: votes, by: \.user).mapValues { mine in
            mine.reduce(0) { $0 + $1.weight } / Double(mine.count)
        }
        return Set(means.filter { $0.value < trustedFrom }.keys)
    }
}
