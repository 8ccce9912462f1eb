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
    /// No n-gram of this length that the prompt holds (ParlAI's `beam_context_block_ngram`); 0 is off.
    public var blockedContextNGram: Int

    public init(
        endIDs: Set<Int>, suppressedIDs: Set<Int> = [], minimumTokens: Int = 0, maximumTokens: Int,
        blockedNGram: Int = 0, blockedContextNGram: Int = 0
    ) {
        self.endIDs = endIDs
        self.suppressedIDs = suppressedIDs
        self.minimumTokens = minimumTokens
        self.maximumTokens = maximumTokens
        self.blockedNGram = blockedNGram
        self.blockedContextNGram = blockedContextNGram
    }

    /// Tokens that must not come next.
    public func forbidden(after reply: [Int], prompt: [Int] = []) -> Set<Int> {
        suppressedIDs.union(forbiddenNow(after: reply, prompt: prompt))
    }

    /// Those of them that depend on the reply: the others are many in some vocabularies, and always the same.
    func forbiddenNow(after reply: [Int], prompt: [Int]) -> Set<Int> {
        var forbidden: Set<Int> = []
        if blockedContextNGram > 0 {
            // That earlier turns ended after some words must not keep this reply from ending after them.
            forbidden = LogitAdjustments.completions(ofNGrams: blockedContextNGram, in: prompt, after: reply)
                .subtracting(endIDs)
        }
        if blockedNGram > 0 {
            forbidden.formUnion(LogitAdjustments.completions(ofNGrams: blockedNGram, in: reply, after: reply))
        }
        if reply.count < minimumTokens { forbidden.formUnion(endIDs) }
        return forbidden
    }
}
