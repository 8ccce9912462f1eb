import CTorch

// Views share memory with their base wherever the engine can; writing to one writes to the other.
extension Tensor {
    /// The same elements in another shape; one size may be −1, which is then worked out.
    public func reshape(_ shape: [Int]) throws -> Tensor {
        try unary { ct_reshape($0, int64s(shape), Int64(shape.count), $1) }
    }

    /// Dimensions of size 1 repeated to the given sizes without copying; −1 keeps a size.
    public func expand(_ shape: [Int]) throws -> Tensor {
        try unary { ct_expand($0, int64s(shape), Int64(shape.count), $1) }
    }

    /// The dimensions in another order.
    public func permute(_ dims: [Int]) throws -> Tensor {
        try unary { ct_permute($0, int64s(dims), Int64(dims.count), $1) }
    }

    /// Two dimensions swapped.
    public func transpose(_ first: Int, _ second: Int) throws -> Tensor {
        try unary { ct_transpose($0, Int64(first), Int64(second), $1) }
    }

    /// A new dimension of size 1 put in at `dim`.
    public func unsqueeze(_ dim: Int) throws -> Tensor { try unary { ct_unsqueeze($0, Int64(dim), $1) } }

    /// A dimension of size 1 taken out.
    /// - Throws: `TorchError` `shape` when its size is not 1.
    public func squeeze(_ dim: Int) throws -> Tensor { try unary { ct_squeeze($0, Int64(dim), $1) } }

    /// A run of `length` along a dimension, from `start`; a view.
    public func narrow(dim: Int, start: Int, length: Int) throws -> Tensor {
        try unary { ct_narrow($0, Int64(dim), Int64(start), Int64(length), $1) }
    }

    /// One place along a dimension, which goes away; a view.
    public func select(dim: Int, index: Int) throws -> Tensor {
        try unary { ct_select($0, Int64(dim), Int64(index), $1) }
    }

    /// Each place along a dimension repeated `times` in a row.
    public func repeatInterleave(_ times: Int, dim: Int) throws -> Tensor {
        try unary { ct_repeat_interleave($0, Int64(times), Int64(dim), $1) }
    }

    /// The lower triangle of the last two dimensions, the rest zero; `diagonal` moves the border up.
    public func tril(diagonal: Int = 0) throws -> Tensor { try unary { ct_tril($0, Int64(diagonal), $1) } }

    /// Tensors joined along a dimension they have.
    public static func cat(_ tensors: [Tensor], dim: Int = 0) throws -> Tensor {
        try withHandles(tensors) { handles in try make { ct_cat(handles, Int64(handles.count), Int64(dim), $0) } }
    }

    /// Tensors of one shape joined along a new dimension.
    public static func stack(_ tensors: [Tensor], dim: Int = 0) throws -> Tensor {
        try withHandles(tensors) { handles in try make { ct_stack(handles, Int64(handles.count), Int64(dim), $0) } }
    }

    // MARK: - Picking by index

    /// The elements that `index` (int64, of the same rank) names along a dimension.
    public func gather(dim: Int, index: Tensor) throws -> Tensor {
        try binary(index) { ct_gather($0, Int64(dim), $1, $2) }
    }

    /// The places along a dimension that `index` (int64, one dimension) lists.
    public func indexSelect(dim: Int, index: Tensor) throws -> Tensor {
        try binary(index) { ct_index_select($0, Int64(dim), $1, $2) }
    }

    /// A copy with the elements of `source` put where `index` says. Which wins is open when an index repeats.
    public func scatter(dim: Int, index: Tensor, source: Tensor) throws -> Tensor {
        try source.withHandle { source in try binary(index) { ct_scatter($0, Int64(dim), $1, source, $2) } }
    }

    /// A copy with the elements of `source` added where `index` says.
    public func scatterAdd(dim: Int, index: Tensor, source: Tensor) throws -> Tensor {
        try source.withHandle { source in try binary(index) { ct_scatter_add($0, Int64(dim), $1, source, $2) } }
    }

    /// A copy with `value` wherever the mask (bool, broadcast) is true.
    public func maskedFill(_ mask: Tensor, _ value: Double) throws -> Tensor {
        try binary(mask) { ct_masked_fill($0, $1, value, $2) }
    }
}
