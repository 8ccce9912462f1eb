import Conversations

/// What may be drawn next, given the reply so far.
public struct DrawingRules: Sendable, Hashable {
    /// Tokens that end a reply.
    public var endIDs: Set<Int>
    /// Tokens that a reply never holds: the marks of a turn's beginning, padding.
    public var suppressedIDs: Set<Int>
    /// Fewest tokens before the end may come.
    public var minimumTokens: Int
    /// Most tokens, the end included.
    public var maximumTokens: Int
    /// No n-gram of this length twice in a reply (ParlAI's `beam_block_ngram`); 0 is off.
    public var blockedNGram: Int

    public init(
        endIDs: Set<Int>, suppressedIDs: Set<Int> = [], minimumTokens: Int = 0, maximumTokens: Int,
        blockedNGram: Int = 0
    ) {
        self.endIDs = endIDs
        self.suppressedIDs = suppressedIDs
        self.minimumTokens = minimumTokens
        self.maximumTokens = maximumTokens
        self.blockedNGram = blockedNGram
    }

    /// Tokens that must not come next.
    public func forbidden(after reply: [Int]) -> Set<Int> {
        var forbidden = suppressedIDs
        if reply.count < minimumTokens { forbidden.formUnion(endIDs) }
        if blockedNGram > 0, reply.count >= blockedNGram {
            // Wherever the last n - 1 tokens stood before, what followed them there must not follow again.
            let tail = reply.suffix(blockedNGram - 1)
            for start in 0...(reply.count - blockedNGram)
            where reply[start..<(start + blockedNGram - 1)].elementsEqual(tail) {
                forbidden.insert(reply[start + blockedNGram - 1])
            }
        }
        return forbidden
    }
}
