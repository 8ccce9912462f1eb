import Conversations
import Foundation
import Generation
import LanguageModels
import Testing
import Torch

@Suite struct StopStringsTests {
    func cut(_ text: String, _ stops: [String], sizes: [Int]) -> (text: String, pieces: [String], stopped: Bool) {
        var gate = StopStrings(stops)
        var pieces: [String] = []
        var rest = Substring(text)
        var turn = 0
        while !rest.isEmpty {
            let size = sizes[turn % sizes.count]
            pieces.append(gate.feed(String(rest.prefix(size))))
            rest = rest.dropFirst(size)
            turn += 1
        }
        pieces.append(gate.finish())
        return (pieces.joined(), pieces, gate.isStopped)
    }

    @Test(arguments: [[1], [2], [3, 1], [100]])
    func nothingOfAStopIsEverShown(_ sizes: [Int]) {
        for (text, stops, expected) in [
            ("hello\nworld", ["\n"], "hello"), ("hello Person 1: x", ["Person 1:", "###"], "hello "),
            ("aaab", ["aab"], "a"), ("abcx", ["abcd", "bc"], "a"), ("abc", ["abcd", "bc"], "a"),
            ("héllo 🌊 wave", ["🌊"], "héllo "), ("no stop", ["xyz", ""], "no stop"), ("end#", ["##"], "end#"),
            ("", ["a"], ""), ("a", ["a"], ""),
        ] {
            let result = cut(text, stops, sizes: sizes)
            #expect(result.text == expected, "\(text) in pieces of \(sizes)")
            #expect(result.stopped == (expected != text))
        }
    }

    @Test func whatCannotBeAStopIsShownAtOnce() {
        var gate = StopStrings(["Person"])
        #expect(gate.feed("a P") == "a ")
        #expect(gate.feed("e") == "")
        #expect(gate.feed("a") == "Pea")
        #expect(gate.feed("Person and more") == "" && gate.isStopped)
        #expect(gate.feed("again") == "" && gate.finish() == "")
    }
}

@Suite struct AdjustmentTests {
    @Test func penaltiesByHand() {
        var row: [Float] = [2, -2, 1, 0]
        LogitAdjustments.penaliseRepetition(of: [0, 1, 9], by: 2, in: &row)
        #expect(row == [1, -4, 1, 0])
        LogitAdjustments.penalise([0: 3, 2: 1, 3: 0], presence: 0.5, frequency: 0.25, in: &row)
        #expect(row == [-0.25, -4, 0.25, 0])
        LogitAdjustments.addBias([3: -.infinity, 2: 1, -1: 5], to: &row)
        #expect(row == [-0.25, -4, 1.25, -.infinity])
    }

    @Test func contextNGramsDoNotKeepAReplyFromEnding() {
        let rules = DrawingRules(endIDs: [3], maximumTokens: 9, blockedContextNGram: 2)
        #expect(rules.forbidden(after: [7], prompt: [1, 7, 3, 7, 8]) == [8])
        #expect(rules.forbidden(after: [], prompt: [1, 7, 3, 7, 8]).isEmpty)
        #expect(LogitAdjustments.completions(ofNGrams: 1, in: [4, 5], after: []) == [4, 5])
    }

    @Test func directorMixesAsItsAuthors() throws {
        let logits = try Tensor([2, 1, 0.5, -1, 0, 0, 0, 0] as [Double], shape: [2, 4])
        let classes = try Tensor([3, -2, 0, 1, -4, 4, 0, 0.5] as [Double], shape: [2, 4])
        let golden: [(Double, [Double])] = [
            (0.5, [-0.289237719944, -2.32840804968, -2.11151763444, -3.42157488792]),
            (1, [-0.183458024799, -3.26179868427, -2.32801785379, -3.44813236074]),
            (3, [-0.0540086821255, -7.28903066053, -3.48768816908, -3.84803168996]),
        ]
        for (gamma, expected) in golden {
            let mixed = try Director.mix(logits: logits, classLogits: classes, guidance: [gamma, 0])
            let found = try mixed.logSoftmax(dim: -1).doubles()
            for (ours, theirs) in zip(found, expected) { #expect(abs(ours - theirs) < 1e-9) }
            // A row without guidance is as it was.
            #expect(try mixed.doubles()[4...] == logits.doubles()[4...])
        }
        let shared = try SharedGuide(scale: 2, shift: -1).classLogits(hidden: logits, logits: logits).doubles()
        #expect(shared.prefix(4) == [3, 1, 0, -3])
    }

    @Test func theBestIsChosenAsTheRerankersDo() {
        let scores = [0.2, 0.9, 0.6, .nan]
        let own = [-1.0, -5, -2, 0]
        #expect(BestOf.score.order(scores: scores, logProbabilities: own) == [1, 2, 0, 3])
        #expect(BestOf.sum.order(scores: scores, logProbabilities: own) == [0, 2, 1, 3])
        #expect(BestOf.hardChoice(bound: 0.5).order(scores: scores, logProbabilities: own) == [2, 1, 3, 0])
    }

    @Test func settingsOutOfRangeAreNamed() {
        func fault(_ change: (inout Sampling) -> Void) -> String {
            var sampling = Sampling()
            change(&sampling)
            do {
                _ = try DecodingSettings(sampling, endIDs: [])
                return ""
            } catch { return "\(error)" }
        }
        #expect(fault { _ in } == "")
        #expect(fault { $0.topK = -1 }.contains("top_k"))
        #expect(fault { $0.minP = 2 }.contains("min_p"))
        #expect(fault { $0.typicalP = 0 }.contains("typical_p"))
        #expect(fault { $0.repetitionPenalty = 0 }.contains("repetition_penalty"))
        #expect(fault { $0.frequencyPenalty = .nan }.contains("frequency_penalty"))
        #expect(fault { $0.beamCount = 65 }.contains("num_beams"))
        #expect(fault { $0.stops = [String(repeating: "a", count: 2000)] }.contains("stop"))
        #expect(fault { $0.blockedContextNGram = -1 }.contains("context_no_repeat_ngram_size"))
        #expect(fault { $0.factualNucleus = .init(decay: 2) }.contains("lambda_decay"))
        #expect(fault { $0.maximumTokens = 0 }.contains("max_tokens"))
        #expect(fault { $0.logitBias = [3: .nan] }.contains("logit_bias"))
        // What float32 cannot hold, and what makes it infinite.
        #expect(fault { $0.logitBias = [3: 1e39] }.contains("logit_bias of token 3 is 1e+39"))
        #expect(fault { $0.logitBias = [3: -.infinity, 4: -1e30] } == "")
        #expect(fault { $0.repetitionPenalty = 1e-50 }.contains("repetition_penalty is 1e-50"))
        #expect(fault { $0.repetitionPenalty = 1e39 }.contains("repetition_penalty"))
        #expect(fault { $0.presencePenalty = -1e39 }.contains("presence_penalty"))
        #expect(fault { $0.contextFrequencyPenalty = 1e39 }.contains("context_frequency_penalty"))
        let short = fault {
            $0.maximumTokens = 4
            $0.minimumTokens = 5
        }
        #expect(short.contains("min_tokens is 5") && short.contains("max_tokens, which is 4"))
    }

    @Test func settingsKeepTheirBytes() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let plain = String(decoding: try encoder.encode(Sampling()), as: UTF8.self)
        #expect(plain == #"{"max_tokens":48,"no_repeat_ngram_size":0,"seed":0,"temperature":0.8,"top_p":0.95}"#)
        var full = Sampling(seed: 7)
        full.topK = 5
        full.minP = 0.1
        full.typicalP = 0.9
        full.repetitionPenalty = 1.2
        full.presencePenalty = 0.5
        full.frequencyPenalty = 0.25
        full.contextPresencePenalty = 0.1
        full.contextFrequencyPenalty = 0.2
        full.logitBias = [12: -3, 4: 1]
        full.blockedContextNGram = 3
        full.minimumTokens = 2
        full.stops = ["\n", "Person 1:"]
        full.beamCount = 10
        full.lengthPenalty = 0.5
        full.factualNucleus = .init(decay: 0.8, floor: 0.2)
        full.guidance = 1.5
        #expect(try JSONDecoder().decode(Sampling.self, from: encoder.encode(full)) == full)
    }
}
