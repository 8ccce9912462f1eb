import Conversations
import Foundation
import LanguageModels
import Synchronization
import Testing
import Tokenizers
import Torch

@testable import Generation

/// What `ReplyGenerator` makes of the settings beyond temperature and nucleus.
@Suite struct ReplyDecodingTests {
    let model: EndingDecoder
    let format: ChatFormat
    let generator: ReplyGenerator
    let turns = [Turn(.human, "I like the lake"), Turn(.bot, "bread"), Turn(.human, "do you see a boat today ?")]

    init() throws {
        model = EndingDecoder(try LlamaModel(folder: TinyModel.folder, dtype: .float32, device: .cpu))
        format = try ChatFormat(folder: TinyModel.folder)
        generator = try ReplyGenerator(model: model, format: format, modelID: "tiny")
    }

    var greedy: Sampling { Sampling(temperature: 0, topP: 1, maximumTokens: 16) }

    /// Of a continuation under the model itself, its last token included.
    func logProbability(_ prompt: [Int], _ ids: [Int]) async throws -> Double {
        let scorer = LikelihoodScorer(model: model, tokenizer: format.tokenizer)
        let score = try await scorer.scores(ofTokens: [prompt + ids])
        return score[0].tokenLogProbabilities.suffix(ids.count).reduce(0) { $0 + ($1 ?? 0) }
    }

    @Test func repliesSayWhatTheyUsed() async throws {
        let first = try await generator.reply(to: turns, sampling: greedy)
        let prompt = try generator.prompt(for: turns, sampling: greedy)
        #expect(first.promptTokenCount == prompt.count && first.cachedTokenCount == 0)
        let again = try await generator.reply(to: turns, sampling: greedy)
        #expect(again.cachedTokenCount == prompt.count - 1 && again.text == first.text)
        #expect(again.tokenCount == first.tokenCount && again.finishReason == first.finishReason)
        // The next turn stands on this one.
        let next = turns + [Turn(.bot, first.text), Turn(.human, "and Tom ?")]
        let second = try await generator.reply(to: next, sampling: greedy)
        #expect(second.cachedTokenCount >= prompt.count)
        #expect(try await generator.replies(to: [turns], sampling: greedy)[0].promptTokenCount == prompt.count)
    }

    @Test func aBeamOfOneIsGreedyAndMoreFindMore() async throws {
        let prompt = try generator.prompt(for: turns, sampling: greedy)
        var settings = try generator.settings(greedy)
        settings.lengthPenalty = 0
        let single = try await generator.completion(of: TokenRequest(prompt: prompt, settings: settings))
        settings.beamCount = 6
        let pieces = Mutex<[String]>([])
        let beam = try await generator.completion(
            of: TokenRequest(prompt: prompt, settings: settings),
            onPiece: { piece in pieces.withLock { $0.append(piece) } }
        )
        #expect(pieces.withLock { $0 }.joined() == beam.text)
        #expect(beam.logProbability >= single.logProbability - 1e-4)
        // The score of a beam is the model's own.
        #expect(beam.finishReason == .stop && beam.tokenCount == beam.ids.count + 1)
        let scores = try await model.configuration.endIDs.asyncMap { try await logProbability(prompt, beam.ids + [$0]) }
        #expect(scores.contains { abs($0 - beam.logProbability) < 1e-3 })
        // With a beginning that is known already, it is the same.
        let again = try await generator.completion(of: TokenRequest(prompt: prompt, settings: settings))
        #expect(again.ids == beam.ids && again.cachedTokenCount == prompt.count - 1)
        settings.beamCount = 2
        settings.rules.endIDs = []
        settings.rules.minimumTokens = 0
        let endless = try await generator.completion(of: TokenRequest(prompt: prompt, settings: settings))
        #expect(endless.finishReason == .length && endless.ids.count == 16)
    }

    @Test func aStopStringEndsABeamToo() async throws {
        let prompt = try generator.prompt(for: turns, sampling: greedy)
        var settings = try generator.settings(greedy)
        settings.beamCount = 2
        settings.rules.endIDs = []
        settings.rules.minimumTokens = 0
        let endless = try await generator.completion(of: TokenRequest(prompt: prompt, settings: settings))
        #expect(endless.finishReason == .length)
        settings.stops = [String(endless.text.suffix(2))]
        let cut = try await generator.completion(of: TokenRequest(prompt: prompt, settings: settings))
        #expect(cut.finishReason == .stop && cut.ids == endless.ids)
        let place = try #require(endless.text.range(of: settings.stops[0], options: .literal))
        #expect(cut.text == endless.text[..<place.lowerBound])
    }

    @Test func aBeamAtATemperatureNextToZeroStillWrites() async throws {
        var settings = try generator.settings(greedy)
        settings.beamCount = 2
        settings.sampler.temperature = 1e-40
        let prompt = try generator.prompt(for: turns, sampling: greedy)
        let frozen = try await generator.completion(of: TokenRequest(prompt: prompt, settings: settings))
        #expect(!frozen.ids.isEmpty && frozen.logProbability.isFinite)
    }

    /// A format that takes the space before a reply off must not take it off a text, whenever it becomes certain.
    @Test func continuationsKeepTheSpaceTheyBeginWith() async throws {
        let plain = try PlainPromptFormat(folder: TinyModel.folder)
        let generator = try ReplyGenerator(model: model, format: plain, modelID: "tiny")
        for word in [" bread", " garden", " the"] {
            // A word that begins with a space is far likelier than all else.
            let id = try #require(plain.vocabulary.encode(word).first)
            var sampling = Sampling(temperature: 1, topP: 1, maximumTokens: 5, seed: 1)
            sampling.logitBias = [id: 100]
            let free = try await generator.continuation(of: "I like", sampling: sampling)
            let body = free.text.drop { $0 == " " || $0 == "\t" }
            try #require(free.text.hasPrefix(word))
            // Held back to the end: it might have been a stop string.
            sampling.stops = [String(body) + "#"]
            let pieces = Mutex<[String]>([])
            let held = try await generator.continuation(of: "I like", sampling: sampling) { piece in
                pieces.withLock { $0.append(piece) }
            }
            let seen = pieces.withLock { $0 }
            #expect(held.text == free.text && seen.joined() == free.text)
        }
        var beam = greedy
        beam.beamCount = 2
        beam.minimumTokens = 4
        let pieces = Mutex<[String]>([])
        let reply = try await generator.continuation(of: "I like", sampling: beam) { piece in
            pieces.withLock { $0.append(piece) }
        }
        let settings = try generator.settings(beam)
        let prompt = plain.textBegin + plain.vocabulary.encode("I like")
        var request = TokenRequest(prompt: prompt, settings: settings)
        request.settings.stops = []
        let ids = try await generator.completion(of: request).ids
        let seen = pieces.withLock { $0 }
        #expect(reply.text == plain.vocabulary.decode(ids) && seen == [reply.text])
    }

    @Test func beamsHoldTheirRules() async throws {
        var sampling = greedy
        sampling.beamCount = 5
        sampling.minimumTokens = 8
        sampling.blockedNGram = 2
        sampling.blockedContextNGram = 2
        let request = TokenRequest(
            prompt: try generator.prompt(for: turns, sampling: sampling), settings: try generator.settings(sampling))
        let found = try await generator.completion(of: request)
        #expect(found.ids.count >= 8)
        let pairs = zip(found.ids, found.ids.dropFirst()).map { [$0, $1] }
        #expect(Set(pairs).count == pairs.count)
        let context = Set(zip(request.prompt, request.prompt.dropFirst()).map { [$0, $1] })
        #expect(context.isDisjoint(with: pairs))
        // Many histories are searched one by one, to the same end.
        let many = try await generator.replies(to: [turns, []], sampling: sampling)
        #expect(many.count == 2 && many[0].text == found.text)
    }

    @Test func tooManyBeamsAtOnceAreRefused() async throws {
        let tight = try ReplyGenerator(
            model: model, format: format, modelID: "tiny", options: .init(scheduler: .init(maximumTokens: 100)))
        var sampling = greedy
        sampling.beamCount = 4
        let wish = sampling
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    do {
                        _ = try await tight.reply(to: turns, sampling: wish)
                        return true
                    } catch { return (error as? GenerationError)?.code != .busy }
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.contains(true))
        // What was taken is given back.
        _ = try await tight.reply(to: turns, sampling: wish)
    }

    @Test func theBestOfSeveralIsTheScorers() async throws {
        let sampling = Sampling(temperature: 1, topP: 1, maximumTokens: 16, seed: 70)
        let asked = Mutex(0)
        let ranked = try await generator.best(of: 6, to: turns, sampling: sampling) { history, replies in
            asked.withLock { $0 += replies.count }
            return replies.map { Double($0.tokenCount) }
        }
        #expect(asked.withLock { $0 } == 6 && ranked.count == 6)
        #expect(ranked.map(\.score) == ranked.map(\.score).sorted(by: >))
        var texts: [String] = []
        for index in 0..<6 as Range<UInt64> {
            var own = sampling
            own.seed += index
            texts.append(try await generator.reply(to: turns, sampling: own).text)
        }
        #expect(ranked.map(\.reply.text).sorted() == texts.sorted())
        var beam = greedy
        beam.beamCount = 4
        let hypotheses = try await generator.best(of: 3, to: turns, sampling: beam) { _, replies in
            replies.map { -Double($0.tokenCount) }
        }
        #expect(hypotheses.count == 3 && Set(hypotheses.map(\.reply.text)).count > 1)
        await #expect(throws: GenerationError.self) {
            try await generator.best(of: 2, to: turns, sampling: sampling) { _, _ in [1] }
        }
        await #expect(throws: GenerationError.self) {
            try await generator.best(of: 0, to: turns, sampling: sampling) { _, _ in [] }
        }
    }

    @Test func stopsEndAReplyInEitherBatch() async throws {
        var sampling = Sampling(temperature: 1, topP: 1, maximumTokens: 16, seed: 4)
        sampling.minimumTokens = 10
        let free = try await generator.reply(to: turns, sampling: sampling).text
        let middle = free.index(free.startIndex, offsetBy: free.count / 2)
        sampling.stops = [String(free[middle...].prefix(3))]
        let expected = String(free[..<(try #require(free.range(of: sampling.stops[0])).lowerBound)])
        let pieces = Mutex<[String]>([])
        let one = try await generator.reply(to: turns, sampling: sampling) { piece in
            pieces.withLock { $0.append(piece) }
        }
        #expect(one.text == expected && one.finishReason == "stop")
        #expect(pieces.withLock { $0 }.joined() == expected)
        let many = try await generator.replies(to: [turns], sampling: sampling)
        #expect(many[0].text == expected && many[0].tokenCount == one.tokenCount && many[0].finishReason == "stop")
    }

    @Test func theFactualNucleusNarrowsWithinASentence() async throws {
        // With λ near 0 and ω near 0, from the third token of a sentence on only the best is left.
        var sampling = Sampling(temperature: 1, topP: 1, maximumTokens: 16, seed: 11)
        sampling.factualNucleus = .init(decay: 1e-9, floor: 1e-9)
        sampling.minimumTokens = 16
        let settings = try generator.settings(sampling)
        let marks = try #require(settings.factualNucleus?.sentenceEnds)
        #expect(marks.contains(try #require(format.tokenizer.encode("?").first)))
        #expect(marks.allSatisfy { ".?! ".contains(format.tokenizer.decode([$0]).suffix(1)) })
        let prompt = try generator.prompt(for: turns, sampling: sampling)
        let top = Mutex<[(id: Int, best: Int)]>([])
        var asking = settings
        asking.topLogProbabilities = 60
        let ends = settings.rules.endIDs.union(settings.rules.suppressedIDs)
        _ = try await generator.completion(of: TokenRequest(prompt: prompt, settings: asking)) { token in
            let best = token.top.first { !ends.contains($0.id) }?.id ?? -1
            top.withLock { $0.append((token.id, best)) }
        }
        var age = 0
        var narrow = 0
        for (id, best) in top.withLock({ $0 }) {
            if age >= 2 {
                #expect(id == best)
                narrow += 1
            }
            age = marks.contains(id) ? 0 : age + 1
        }
        #expect(narrow > 3)
    }
}

extension Array {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
