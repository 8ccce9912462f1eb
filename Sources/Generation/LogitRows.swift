import LanguageModels
import Torch

/// The logits of some last states, read row by row on the host.
struct LogitRows {
    private let logits: Tensor
    private let totals: [Float]
    private let width: Int

    /// - Parameters:
    ///   - hidden: [N, H].
    ///   - guide: says what is wanted; used where a row's guidance is not 0.
    ///   - guidance: γ of each row.
    init(model: any Decoder, hidden: Tensor, guide: (any TokenGuide)?, guidance: [Double]) throws {
        var logits = try model.logits(hidden).to(.float32)
        if let guide, guidance.contains(where: { $0 != 0 }) {
            let classes = try guide.classLogits(hidden: hidden, logits: logits)
            logits = try Director.mix(logits: logits, classLogits: classes, guidance: guidance)
        }
        self.logits = logits
        totals = try logits.logSumExp(dim: -1).floats()
        width = model.configuration.vocabularySize
    }

    /// Each row with ln Σ exp of it.
    func read(
        _ body: (_ index: Int, _ row: UnsafeBufferPointer<Float>, _ total: Float) throws -> Void
    ) throws {
        try logits.withBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            for (index, total) in totals.enumerated() {
                try body(index, UnsafeBufferPointer(rebasing: values[(index * width)..<((index + 1) * width)]), total)
            }
        }
    }
}
