import CTorch

extension Tensor {
    /// Sum of all elements.
    public func sum() throws -> Tensor { try unary(ct_sum) }

    /// Sum along a dimension.
    public func sum(dim: Int, keepDim: Bool = false) throws -> Tensor {
        try unary { ct_sum_dim($0, Int64(dim), keepDim, $1) }
    }

    /// Mean of all elements, which must be floating point.
    public func mean() throws -> Tensor { try unary(ct_mean) }

    /// Mean along a dimension.
    public func mean(dim: Int, keepDim: Bool = false) throws -> Tensor {
        try unary { ct_mean_dim($0, Int64(dim), keepDim, $1) }
    }

    /// ln Σ exp along a dimension, without overflow.
    public func logSumExp(dim: Int, keepDim: Bool = false) throws -> Tensor {
        try unary { ct_logsumexp($0, Int64(dim), keepDim, $1) }
    }

    /// The largest elements along a dimension and where they are.
    public func max(dim: Int, keepDim: Bool = false) throws -> (values: Tensor, indices: Tensor) {
        try withHandle { this in try Tensor.makePair { ct_max_dim(this, Int64(dim), keepDim, $0, $1) } }
    }

    /// Where the largest element along a dimension is.
    public func argmax(dim: Int, keepDim: Bool = false) throws -> Tensor {
        try unary { ct_argmax($0, Int64(dim), keepDim, $1) }
    }

    public func softmax(dim: Int) throws -> Tensor { try unary { ct_softmax($0, Int64(dim), $1) } }

    public func logSoftmax(dim: Int) throws -> Tensor { try unary { ct_log_softmax($0, Int64(dim), $1) } }

    /// Running sums along a dimension.
    public func cumsum(dim: Int) throws -> Tensor { try unary { ct_cumsum($0, Int64(dim), $1) } }

    /// The `k` largest along a dimension, largest first. Of equal elements the one with the lowest index is taken first,
    /// so the result is the same on every device.
    /// - Throws: `TorchError` `argument` when there are fewer than `k`.
    public func topK(_ k: Int, dim: Int = -1) throws -> (values: Tensor, indices: Tensor) {
        try withHandle { this in try Tensor.makePair { ct_topk(this, Int64(k), Int64(dim), $0, $1) } }
    }

    /// Sorted along a dimension; equal elements keep their order.
    public func sort(dim: Int, descending: Bool = false) throws -> (values: Tensor, indices: Tensor) {
        try withHandle { this in try Tensor.makePair { ct_sort(this, Int64(dim), descending, $0, $1) } }
    }
}
