import ArgumentParser
import Conversations
import Foundation
import ModelFormats

/// How replies are drawn, by the names that OpenAI's API and `generation_config.json` use. What is not said is as the model's own
/// `generation_config.json` wishes, and where that is silent as `Sampling` has it here.
struct SamplingOptions: ParsableArguments {
    @Option(name: .long, help: "0 is greedy (default: the model's own, or 1).")
    var temperature: Double?

    @Option(
        name: .long,
        help: "Keep the smallest set of tokens whose probability reaches this (default: the model's own, or 0.95).")
    var topP: Double?

    @Option(
        name: .long,
        help: "Keep only so many of the most probable tokens; 0 keeps all (default: the model's own, or 0).")
    var topK: Int?

    @Option(
        name: .long,
        help:
            "Keep tokens at least this many times as probable as the most probable; 0 keeps all (default: the model's own, or 0)."
    )
    var minP: Double?

    @Option(
        name: .long,
        help:
            "Keep the most typical tokens until their probability reaches this; 1 keeps all (default: the model's own, or 1)."
    )
    var typicalP: Double?

    @Option(
        name: .long, help: "Divides the logit of what prompt and reply hold; 1 is off (default: the model's own, or 1)."
    )
    var repetitionPenalty: Double?

    @Option(name: .long, help: "Off the logit of every token that the reply holds, -2 to 2.")
    var presencePenalty = 0.0

    @Option(name: .long, help: "Off the logit of a token for each time that the reply holds it, -2 to 2.")
    var frequencyPenalty = 0.0

    @Option(name: .long, parsing: .upToNextOption, help: "ID=NUMBER …: added to the logits of these tokens.")
    var logitBias: [String] = []

    @Option(
        name: .long, help: "No run of this many tokens twice in a reply; 0 is off (default: the model's own, or 0).")
    var noRepeatNgramSize: Int?

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: "The reply ends before this text; may be repeated (default: the model's own).")
    var stop: [String] = []

    @Option(
        name: .long,
        help: "Beam search with so many hypotheses instead of drawing (default: the model's own, or 1: none).")
    var numBeams: Int?

    @Option(name: .long, help: "Fewest tokens of a reply (default: the model's own, or 0).")
    var minTokens: Int?

    @Option(name: .long, help: "Most tokens of a reply (default: the model's own, or 48).")
    var maxTokens: Int?

    @Option(name: .long, help: "Makes the draw repeatable.")
    var seed: UInt64 = 1

    func validate() throws {
        _ = try bias()
        for (name, value) in [("presence-penalty", presencePenalty), ("frequency-penalty", frequencyPenalty)]
        where !(-2...2).contains(value) {
            throw ValidationError("--\(name) is \(value), should be from -2 to 2")
        }
    }

    /// What a command that draws at once hears from the generator: for those that begin first, and would fail at every
    /// message.
    /// - Throws: `ValidationError` naming the option that is out of its range.
    func requireRanges() throws {
        try Self.require("temperature", temperature, "0 or more") { $0 >= 0 && $0.isFinite }
        try Self.require("top-p", topP, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
        try Self.require("top-k", topK, "0 or more") { $0 >= 0 }
        try Self.require("min-p", minP, "from 0 to 1") { $0 >= 0 && $0 <= 1 }
        try Self.require("typical-p", typicalP, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
        try Self.require("repetition-penalty", repetitionPenalty, "above 0") { $0 > 0 && $0.isFinite }
        try Self.require("no-repeat-ngram-size", noRepeatNgramSize, "0 or more") { $0 >= 0 }
        try Self.require("num-beams", numBeams, "from 1 to 64") { (1...64).contains($0) }
        try Self.require("min-tokens", minTokens, "0 or more") { $0 >= 0 }
        try Self.require("max-tokens", maxTokens, "1 or more") { $0 >= 1 }
    }

    private static func require<Value>(
        _ name: String, _ value: Value?, _ range: String, _ isRight: (Value) -> Bool
    ) throws {
        guard let value, !isRight(value) else { return }
        throw ValidationError("--\(name) is \(value), should be \(range)")
    }

    /// All of these options, as they are typed.
    static let names = [
        "--temperature", "--top-p", "--top-k", "--min-p", "--typical-p", "--repetition-penalty", "--presence-penalty",
        "--frequency-penalty", "--logit-bias", "--no-repeat-ngram-size", "--stop", "--num-beams", "--min-tokens",
        "--max-tokens", "--seed",
    ]

    private func bias() throws -> [Int: Double] {
        var bias: [Int: Double] = [:]
        for text in logitBias {
            let sides = text.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let id = Int(sides[0]), id >= 0, let value = Double(sides[1]), value.isFinite else {
                throw ValidationError("--logit-bias is “\(text)”, should be a token's id, =, and a number")
            }
            bias[id] = value
        }
        return bias
    }

    /// - Parameter wish: The model's `generation_config.json`.
    func sampling(_ wish: GenerationConfiguration = GenerationConfiguration()) -> Sampling {
        var sampling = Sampling(
            temperature: temperature ?? (wish.samples == false ? 0 : wish.temperature ?? 1),
            topP: topP ?? wish.topP ?? 0.95,
            maximumTokens: maxTokens ?? wish.maximumNewTokens ?? 48,
            blockedNGram: noRepeatNgramSize ?? wish.noRepeatSize ?? 0, seed: seed)
        sampling.topK = topK ?? wish.topK ?? 0
        sampling.minP = minP ?? wish.minP ?? 0
        sampling.typicalP = typicalP ?? wish.typicalP ?? 1
        sampling.repetitionPenalty = repetitionPenalty ?? wish.repetitionPenalty ?? 1
        sampling.presencePenalty = presencePenalty
        sampling.frequencyPenalty = frequencyPenalty
        sampling.logitBias = (try? bias()) ?? [:]
        sampling.stops = stop.isEmpty ? wish.stopStrings ?? [] : stop
        sampling.beamCount = numBeams ?? wish.beamCount ?? 1
        sampling.lengthPenalty = wish.lengthPenalty ?? sampling.lengthPenalty
        // What the model usually does gives way to what is asked for.
        sampling.minimumTokens = minTokens ?? min(wish.minimumNewTokens ?? 0, sampling.maximumTokens)
        return sampling
    }
}
