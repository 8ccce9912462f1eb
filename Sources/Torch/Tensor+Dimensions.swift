import CTorch

// Along a dimension, indexing and shape. A negative dimension counts from the end. Each throws `TorchError` where
// libtorch refuses.
extension Tensor {
    private func along(
        _ call: (OpaquePointer, Int64, Bool, UnsafeMutablePointer<OpaquePointer?>) -> Int32, _ dim: Int, _ keepDim: Bool
    ) throws -> Tensor {
        try Tensor { call(handle.pointer, Int64(dim), keepDim, $0) }
    }

    public func sum(dim: Int, keepDim: Bool = false) throws -> Tensor { try along(ct_sum_dim, dim, keepDim) }
    public func mean(dim: Int, keepDim: Bool = false) throws -> Tensor { try along(ct_mean_dim, dim, keepDim) }
    /// ln Σ eˣ, stable.
    public func logSumExp(dim: Int, keepDim: Bool = false) throws -> Tensor { try along(ct_logsumexp, dim, keepDim) }
    public func argmax(dim: Int, keepDim: Bool = false) throws -> Tensor { try along(ct_argmax, dim, keepDim) }
    public func max(dim: Int, keepDim: Bool = false) throws -> (values: Tensor, indices: Tensor) {
        try Self.pair { ct_max_dim(handle.pointer, Int64(dim), keepDim, $0, $1) }
    }
    public func softmax(dim: Int) throws -> Tensor { try Tensor { ct_softmax(handle.pointer, Int64(dim), $0) } }
    public func logSoftmax(dim: Int) throws -> Tensor { try Tensor { ct_log_softmax(handle.pointer, Int64(dim), $0) } }
    public func cumsum(dim: Int) throws -> Tensor { try Tensor { ct_cumsum(handle.pointer, Int64(dim), $0) } }
    /// Stable: equal elements keep their order.
    public func sort(dim: Int, descending: Bool = false) throws -> (values: Tensor, indices: Tensor) {
        try Self.pair { ct_sort(handle.pointer, Int64(dim), descending, $0, $1) }
    }
    /// The k largest, largest first; of equal ones the lowest index first.
    public func topK(_ k: Int, dim: Int = -1) throws -> (values: Tensor, indices: Tensor) {
        try Self.pair { ct_topk(handle.pointer, Int64(k), Int64(dim), $0, $1) }
    }

    public func gather(dim: Int, index: Tensor) throws -> Tensor {
        try Tensor { ct_gather(handle.pointer, Int64(dim), index.handle.pointer, $0) }
    }
    public func indexSelect(dim: Int, index: Tensor) throws -> Tensor {
        try Tensor { ct_index_select(handle.pointer, Int64(dim), index.handle.pointer, $0) }
    }
    /// A copy with `source` written at `index`.
    public func scatter(dim: Int, index: Tensor, source: Tensor) throws -> Tensor {
        try Tensor { ct_scatter(handle.pointer, Int64(dim), index.handle.pointer, source.handle.pointer, $0) }
    }
    /// A copy with `source` added at `index`.
    public func scatterAdd(dim: Int, index: Tensor, source: Tensor) throws -> Tensor {
        try Tensor { ct_scatter_add(handle.pointer, Int64(dim), index.handle.pointer, source.handle.pointer, $0) }
    }
    /// A copy with `value` where the mask is true.
    public func maskedFill(_ mask: Tensor, _ value: Double) throws -> Tensor {
        try Tensor { ct_masked_fill(handle.pointer, mask.handle.pointer, value, $0) }
    }

    private func shaped(
        _ call: (OpaquePointer, UnsafePointer<Int64>?, Int64, UnsafeMutablePointer<OpaquePointer?>) -> Int32, _ dims: [Int]
    ) throws -> Tensor {
        let dims = dims.map(Int64.init)
        return try Tensor { call(handle.pointer, dims, Int64(dims.count), $0) }
    }
    /// The same elements in another shape; one length may be −1.
    public func reshape(_ shape: [Int]) throws -> Tensor { try shaped(ct_reshape, shape) }
    /// A view with dimensions of length 1 repeated; −1 keeps a length.
    public func expand(_ shape: [Int]) throws -> Tensor { try shaped(ct_expand, shape) }
    public func permute(_ dims: [Int]) throws -> Tensor { try shaped(ct_permute, dims) }
    public func transpose(_ a: Int, _ b: Int) throws -> Tensor {
        try Tensor { ct_transpose(handle.pointer, Int64(a), Int64(b), $0) }
    }
    public func unsqueeze(_ dim: Int) throws -> Tensor { try Tensor { ct_unsqueeze(handle.pointer, Int64(dim), $0) } }
    public func squeeze(_ dim: Int) throws -> Tensor { try Tensor { ct_squeeze(handle.pointer, Int64(dim), $0) } }
    /// A view of `length` elements from `start`.
    public func narrow(dim: Int, start: Int, length: Int) throws -> Tensor {
        try Tensor { ct_narrow(handle.pointer, Int64(dim), Int64(start), Int64(length), $0) }
    }
    /// A view without the dimension, at one place of it.
    public func select(dim: Int, index: Int) throws -> Tensor {
        try Tensor { ct_select(handle.pointer, Int64(dim), Int64(index), $0) }
    }
    public func repeatInterleave(_ times: Int, dim: Int) throws -> Tensor {
        try Tensor { ct_repeat_interleave(handle.pointer, Int64(times), Int64(dim), $0) }
    }
    /// Zero above the given diagonal.
    public func tril(diagonal: Int = 0) throws -> Tensor { try Tensor { ct_tril(handle.pointer, Int64(diagonal), $0) } }
    public static func cat(_ tensors: [Tensor], dim: Int = 0) throws -> Tensor {
        try withPointers(tensors) { list in try Tensor { ct_cat(list, Int64(list.count), Int64(dim), $0) } }
    }
    public static func stack(_ tensors: [Tensor], dim: Int = 0) throws -> Tensor {
        try withPointers(tensors) { list in try Tensor { ct_stack(list, Int64(list.count), Int64(dim), $0) } }
    }
}
