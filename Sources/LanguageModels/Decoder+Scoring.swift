import Torch

extension Decoder {
    /// Log-probability of each token given the state that predicts it, in nats. In float32 at least.
    ///
    /// Logits of many tokens over a large vocabulary would be the largest thing in memory by far, so they exist for a few
    /// tokens at a time.
    /// - Parameters:
    ///   - targets: n ids.
    ///   - hidden: [n, H], row i predicts target i.
    ///   - chunk: most tokens whose logits exist at once; never more than 2^25 numbers.
    public func logProbabilities(of targets: [Int], after hidden: Tensor, chunk: Int = .max) throws -> [Double] {
        let step = max(1, min(chunk, targets.count, (1 << 25) / max(configuration.vocabularySize, 1)))
        var values: [Double] = []
        values.reserveCapacity(targets.count)
        for start in stride(from: 0, to: targets.count, by: step) {
            let end = min(start + step, targets.count)
            let raw = try logits(hidden.narrow(dim: 0, start: start, length: end - start))
            let wanted = try Tensor(Array(targets[start..<end]), device: raw.device)
            let logits = raw.dtype == .float64 ? raw : try raw.to(.float32)
            values += try logits.crossEntropy(targets: wanted).doubles().map { -$0 }
        }
        return values
    }
}
