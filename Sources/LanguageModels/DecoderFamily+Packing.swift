import Torch

extension DecoderFamily {
    /// Packs every weight matrix but the embedding for generation on the CPU: bfloat16 in another order, or half or a quarter of
    /// the bytes to read for each token.
    ///
    /// The head decides between tokens that are close, so of 4 bits it keeps 8 unless asked for less. Only before the model is
    /// shared, and for use alone: such a model does not learn.
    /// - Parameters:
    ///   - bits: of the matrices in the layers.
    ///   - head: of the head; `nil` is 8 for 4 bits, else the same.
    /// - Throws: `TorchError` for a model that is not on the CPU.
    public func pack(_ bits: PackedWeight.Bits, head: PackedWeight.Bits? = nil) throws {
        try packMatrices(bits, head: head ?? (bits == .four ? .eight : bits))
    }

    /// Whether a weight matrix is packed.
    public var isPacked: Bool { matrices.contains { $0.matrix.packed != nil } }
}
