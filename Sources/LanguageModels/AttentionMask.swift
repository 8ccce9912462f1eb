import Torch

/// What a token may look at.
public enum AttentionMask: Sendable {
    /// Itself and everything before it in its row, or in its sequence where several are packed into one row. With a
    /// cache and one new token: everything.
    case causal
    /// bool [B, 1, T, S], true = may look; S counts the cache's tokens first.
    case explicit(Tensor)
}
