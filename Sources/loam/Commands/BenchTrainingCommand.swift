import ArgumentParser
import Foundation
import LanguageModels
import Torch
import Training

/// What training reaches on this machine: for `make bench-training`.
struct BenchTrainingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-training", abstract: "How fast this machine trains.",
        discussion: """
            Times steps on random tokens and random weights of a known shape, and the fastest matrix product of the machine, of
            which training is a share. Each figure is the median of several steps after two to warm up. --beside-sft lets steps of
            the loss and of SFT take turns and says how many SFT steps one costs.

            Example: loam bench-training --shape small --loss cringe
            """)

    @Option(name: .long, help: "small (8 layers, 512 wide) or gpt2-124m.")
    var shape: TrainingBenchmark.Shape = .small

    @Option(name: .long, help: "What is minimised.")
    var loss: TrainingBenchmark.Loss = .sft

    @Flag(name: .long, help: "Documents as long as people's chats, packed, instead of full rows.")
    var packed = false

    @Option(name: .long, help: "Writes the lengths of those documents to a file, for a peer.")
    var lengthsOut: String?

    @Flag(name: .long, help: "How many SFT steps a step of --loss costs.")
    var besideSft = false

    @Flag(name: .long, help: "Recompute the layers' inner values for the gradient.")
    var recomputeLayers = false

    @Option(name: .long, help: "Steps that count.")
    var steps = 5

    @Option(name: .long, help: "Threads of libtorch.")
    var threads = 2

    @OptionGroup var common: CommonOptions

    struct Ratio: Encodable {
        var shape: String
        var loss: String
        var stepsOfSFT: Double

        enum CodingKeys: String, CodingKey {
            case shape, loss
            case stepsOfSFT = "steps_of_sft"
        }
    }

    struct Answer: Encodable {
        var shape: String
        var loss: String
        var secondsPerStep: Double
        var tokensPerSecond: Double
        var tokensPerProcessorSecond: Double
        var gigaflops: Double
        var peakGigaflops: Double
        var percentOfPeak: Double

        enum CodingKeys: String, CodingKey {
            case shape, loss, gigaflops
            case secondsPerStep = "seconds_per_step"
            case tokensPerSecond = "tokens_per_second"
            case tokensPerProcessorSecond = "tokens_per_processor_second"
            case peakGigaflops = "peak_gigaflops"
            case percentOfPeak = "percent_of_peak"
        }
    }

    func validate() throws {
        for (name, value) in [("steps", steps), ("threads", threads)] where value < 1 {
            throw ValidationError("--\(name) must be at least 1, it is \(value)")
        }
    }

    func run() async throws {
        try Engine.setThreadCount(threads)
        if besideSft {
            let answer = Ratio(
                shape: shape.rawValue, loss: loss.rawValue,
                stepsOfSFT: try TrainingBenchmark.stepsOfSFT(loss, shape: shape, steps: steps))
            try common.console.result(answer)
            common.console.show(
                String(
                    format: "%@, %@: a step costs %.2f SFT steps", answer.shape as NSString, answer.loss as NSString,
                    answer.stepsOfSFT))
            return
        }
        let model = try shape.model()
        let figures: TrainingBenchmark.Figures
        if packed {
            let lengths = TrainingBenchmark.chatLengths(2000).map { $0.context + $0.reply }
            if let lengthsOut { try JSONEncoder().encode(lengths).write(to: URL(filePath: lengthsOut)) }
            figures = try TrainingBenchmark.runPacked(model: model, lengths: lengths, steps: steps)
        } else {
            figures = try TrainingBenchmark.run(
                model: model, loss: loss, shape: shape, steps: steps, recomputesLayers: recomputeLayers)
        }
        let peak = try ComputePeak.measure(.fastest()).operationsPerSecond
        let answer = Answer(
            shape: shape.rawValue, loss: packed ? "sft, packed" : loss.rawValue,
            secondsPerStep: figures.secondsPerStep, tokensPerSecond: figures.tokensPerSecond,
            tokensPerProcessorSecond: Double(figures.tokensPerStep) / figures.processorSecondsPerStep,
            gigaflops: figures.operationsPerSecond / 1e9, peakGigaflops: peak / 1e9,
            percentOfPeak: 100 * figures.operationsPerSecond / peak)
        try common.console.result(answer)
        common.console.show(
            String(
                format: "%@, %@: %.0f tokens/s (%.2f s a step), %.0f GFLOP/s, %.0f %% of the peak of %.0f",
                answer.shape as NSString, answer.loss as NSString, answer.tokensPerSecond, answer.secondsPerStep,
                answer.gigaflops, answer.percentOfPeak, answer.peakGigaflops))
    }
}

extension TrainingBenchmark.Shape: ExpressibleByArgument {}
extension TrainingBenchmark.Loss: ExpressibleByArgument {}
