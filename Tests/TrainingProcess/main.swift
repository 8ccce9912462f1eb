import Foundation
import LanguageModels
import Statistics
import Torch
import Training

// Trains a tiny model on made-up documents as a process of its own, for tests that kill it, fill its disk or start several together.
//
//   training-process FOLDER [steps=9] [every=2] [rows=4] [loss=cringe|sft] [lora=0|1] [die=RANK:STEP] [fail=RANK:STEP] [sleep=MS]
//
// Writes FOLDER/weights.txt, a number per line, when it is done.
let arguments = CommandLine.arguments
let settings: [String: String] = Dictionary(
    arguments.dropFirst(2).map { argument in
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : "")
    }, uniquingKeysWith: { $1 })
let folder = URL(filePath: arguments.count > 1 ? arguments[1] : ".")

func number(_ name: String, _ other: Int) -> Int { settings[name].flatMap { Int($0) } ?? other }

/// Whether this process was told to do something at this step.
func isMeant(_ name: String, rank: Int, step: Int) -> Bool { settings[name] == "\(rank):\(step)" }

func documents(_ count: Int, seed: UInt64, label: TokenLabel) throws -> [TokenizedExample] {
    var generator = SeededGenerator(seed: seed)
    return try (0..<count).map { _ in
        let (context, reply) = (2 + generator.index(below: 4), 2 + generator.index(below: 5))
        return try TokenizedExample(
            ids: (0..<context + reply).map { _ in Int32(4 + generator.index(below: 28)) } + [3],
            labels: [TokenLabel](repeating: .ignored, count: context)
                + [TokenLabel](repeating: label, count: reply + 1))
    }
}

/// training-process bench SHAPE LOSS [STEPS [beside]]: tokens per second, by the clock and by the processors' time; or how many SFT
/// steps a step costs, the two taking turns.
func bench() throws {
    try Engine.setThreadCount(2)
    let shape = TrainingBenchmark.Shape(rawValue: arguments[2]) ?? .small
    let steps = arguments.count > 4 ? Int(arguments[4]) ?? 3 : 3
    if arguments.count > 5, let loss = TrainingBenchmark.Loss(rawValue: arguments[3]) {
        print("steps of SFT", try TrainingBenchmark.stepsOfSFT(loss, shape: shape, steps: steps))
        return
    }
    let figures: TrainingBenchmark.Figures
    switch arguments[3] {
    case "packed":
        figures = try TrainingBenchmark.runPacked(
            model: shape.model(), lengths: TrainingBenchmark.chatLengths(2000).map { $0.context + $0.reply },
            steps: steps)
    default:
        figures = try TrainingBenchmark.run(
            model: shape.model(), loss: TrainingBenchmark.Loss(rawValue: arguments[3]) ?? .sft, shape: shape,
            steps: steps)
    }
    print(
        "tokens/s", figures.tokensPerSecond, "tokens per processor second",
        Double(figures.tokensPerStep) / figures.processorSecondsPerStep, "Gop/s", figures.operationsPerSecond / 1e9,
        "peak Gop/s", try ComputePeak.measure(.bfloat16).operationsPerSecond / 1e9)
}

if arguments.count > 3, arguments[1] == "bench" {
    try bench()
    exit(0)
}

do {
    // No report of a broken pipe or a full file by a signal: the errors are to be seen.
    signal(SIGXFSZ, SIG_IGN)
    try Engine.setThreadCount(1)
    try await ProcessGroups.run { group in
        let base = try LlamaModel(
            LlamaConfiguration(
                vocabularySize: 32, hiddenSize: 32, intermediateSize: 64, layerCount: 2, headCount: 2,
                contextLength: 64, tiesEmbeddings: settings["untied"] == nil, padID: 0),
            generator: Generator(seed: 11))
        let model: any LanguageModels.Decoder =
            number("lora", 0) > 0
            ? try LoRAModel(
                base, adapter: LoRAConfiguration(rank: 4, alpha: 8, dropout: 0.1), generator: Generator(seed: 3)) : base
        let examples = try documents(12, seed: 1, label: .good) + documents(12, seed: 5, label: .bad)
        let rows = number("rows", 4)
        let source = try BalancedSampler(examples, rowLength: 24, goodPerStep: rows, badPerStep: rows, seed: 2)
        var options = TrainingOptions(
            steps: number("steps", 9), learningRate: 3e-3, warmUp: 2, rowsPerMicroBatch: 8, lossChunk: 16,
            compute: .float32, seed: 7)
        options.checkpointEvery = number("every", 2)
        let loss: any TokenLoss =
            settings["loss"] == "sft" ? CrossEntropyLoss() : try CRINGELoss(alpha: 0.5, k: 3)
        let trainer = try Trainer(
            model: model, loss: loss, source: source, options: options, folder: folder, group: group)
        try trainer.run(
            onStep: { _ in },
            shouldStop: {
                if isMeant("die", rank: group.rank, step: trainer.step) { kill(getpid(), SIGKILL) }
                usleep(UInt32(number("sleep", 0)) * 1000)
                return false
            })
        if group.isFirst {
            let numbers = try model.namedParameters.flatMap { try $0.parameter.value.floats() }
            try Data(numbers.map { "\($0)" }.joined(separator: "\n").utf8).write(
                to: folder.appending(path: "weights.txt"))
        }
    }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}
