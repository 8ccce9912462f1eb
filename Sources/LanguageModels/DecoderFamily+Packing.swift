import Torch

extension DecoderFamily {
    /// Rounds every weight matrix but the embedding to few bits: half or a quarter of the bytes to read for each token.
    ///
    /// The head decides between tokens that are close, so it keeps 8 bits unless asked for less. Only before the model is
    /// shared, and for use alone: such a model neither learns nor is saved.
    /// - Parameters:
    ///   - bits: of the matrices in the layers.
    ///   - head: of the head.
    /// - Throws: `TorchError` for a model that is not on the CPU.
    public func pack(_ bits: PackedWeight.Bits, head: PackedWeight.Bits = .eight) throws {
        try replaceLinears { name, linear in try linear.packed(name == "lm_head" ? head : bits) }
    }

    /// Whether a weight matrix is rounded to few bits.
    public var isPacked: Bool {
        var found = false
        try? replaceLinears { _, linear in
            found = found || linear.packed != nil
            return linear
        }
        return found
    }
}
