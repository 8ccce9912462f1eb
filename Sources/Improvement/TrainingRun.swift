import Foundation
import LanguageModels
import Training

/// How a training run is carried out, whatever it learns.
public struct TrainingRun {
    /// Learn a low-rank adapter instead of all weights; it is saved in PEFT's layout beside the model with it merged in.
    public var lora: LoRAConfiguration?
    /// Data that is not learned: its perplexity is measured every `TrainingOptions.evaluateEvery` steps, as `eval/ppl`.
    public var heldOut: [URL]
    /// What the model answers to a few of the contexts is written down every so many steps; 0 never.
    public var sampleEvery: Int
    /// Contexts to answer.
    public var sampleCount: Int
    /// The processes that train together.
    public var group: any ProcessGroup
    /// Whether to measure what this machine can do, so that speed is logged as a share of it: half a second.
    public var measuresPeak: Bool

    public init(
        lora: LoRAConfiguration? = nil, heldOut: [URL] = [], sampleEvery: Int = 0, sampleCount: Int = 4,
        group: any ProcessGroup = SingleProcess(), measuresPeak: Bool = true
    ) {
        self.lora = lora
        self.heldOut = heldOut
        self.sampleEvery = sampleEvery
        self.sampleCount = sampleCount
        self.group = group
        self.measuresPeak = measuresPeak
    }
}
