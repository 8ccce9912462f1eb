import ArgumentParser
import Conversations
import Foundation

/// How replies are drawn, by the names that OpenAI's API and `generation_config.json` use.
struct SamplingOptions: ParsableArguments {
    @Option(name: .long, help: "0 is greedy.")
    var temperature = 1.0

    @Option(name: .long, help: "Keep the smallest set of tokens whose probability reaches this.")
    var topP = 0.95

    @Option(name: .long, help: "Keep only so many of the most probable tokens; 0 keeps all.")
    var topK = 0

    @Option(name: .long, help: "Keep tokens at least this many times as probable as the most probable; 0 keeps all.")
    var minP = 0.0

    @Option(name: .long, help: "Keep the most typical tokens until their probability reaches this; 1 keeps all.")
    var typicalP = 1.0

    @Option(name: .long, help: "Divides the logit of what prompt and reply hold; 1 is off.")
    var repetitionPenalty = 1.0

    @Option(name: .long, help: "Off the logit of every token that the reply holds, -2 to 2.")
    var presencePenalty = 0.0

    @Option(name: .long, help: "Off the logit of a token for each time that the reply holds it, -2 to 2.")
    var frequencyPenalty = 0.0

    @Option(name: .long, parsing: .upToNextOption, help: "ID=NUMBER …: added to the logits of these tokens.")
    var logitBias: [String] = []

    @Option(name: .long, help: "No run of this many tokens twice in a reply; 0 is off.")
    var noRepeatNgramSize = 0

    @Option(name: .long, parsing: .unconditionalSingleValue, help: "The reply ends before this text; may be repeated.")
    var stop: [String] = []

    @Option(name: .long, help: "Beam search with so many hypotheses instead of drawing.")
    var numBeams = 1

    @Option(name: .long, help: "Fewest tokens of a reply.")
    var minTokens = 0

    @Option(name: .long, help: "Most tokens of a reply.")
    var maxTokens = 48

    @Option(name: .long, help: "Makes the draw repeatable.")
    var seed: UInt64 = 1

    func validate() throws {
        _ = try bias()
        for (name, value) in [("presence-penalty", presencePenalty), ("frequency-penalty", frequencyPenalty)]
        where !(-2...2).contains(value) {
            throw ValidationError("--\(name) is \(value), should be from -2 to 2")
        }
    }

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

    var sampling: Sampling {
        var sampling = Sampling(
            temperature: temperature, topP: topP, maximumTokens: maxTokens, blockedNGram: noRepeatNgramSize, seed: seed)
        sampling.topK = topK
        sampling.minP = minP
        sampling.typicalP = typicalP
        sampling.repetitionPenalty = repetitionPenalty
        sampling.presencePenalty = presencePenalty
        sampling.frequencyPenalty = frequencyPenalty
        sampling.logitBias = (try? bias()) ?? [:]
        sampling.stops = stop
        sampling.beamCount = numBeams
        sampling.minimumTokens = minTokens
        return sampling
    }
}
