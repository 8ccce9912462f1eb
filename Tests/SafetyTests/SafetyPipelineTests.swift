import Conversations
import Foundation
import Testing

@testable import Safety

@Suite struct SafetyPipelineTests {
    let encoder = HashingEncoder(dimension: 384)

    @Test func shippedHeadsLoadForTheShippedEncoderOnly() throws {
        let pipeline = try SafetyPipeline.standard(encoder: encoder)
        let (person, reply) = try (
            #require(Self.innermost(pipeline.person) as? EncoderSafetyClassifier),
            #require(Self.innermost(pipeline.reply) as? EncoderSafetyClassifier)
        )
        #expect(reply.head.kind == .reply && reply.head.weights.count == 4 * 384)
        #expect(person.head.kind == .person && person.head.weights.count == 384)
        #expect((0.2..<1).contains(pipeline.reply.threshold) && pipeline.reply.threshold == reply.head.threshold)
        #expect((0.2..<1).contains(pipeline.person.threshold) && pipeline.person.threshold == person.head.threshold)
        #expect(pipeline.matchers.count == 1)
        #expect(throws: SafetyError.self) { try SafetyPipeline.standard(encoder: HashingEncoder(dimension: 12)) }
    }

    /// What a layer reads with, behind what takes disguises off, cuts windows and gathers callers.
    private static func innermost(_ layer: SafetyLayer) -> (any TextClassifier)? {
        ((layer.classifier.reader as? WindowedClassifier)?.reader as? GatheringClassifier)?.reader
    }

    @Test func everyLayerSpeaks() async throws {
        let pipeline = try fixed(person: -4, reply: -4)
        let calm = try await pipeline.decisions(person: "I like walking", context: [])
        #expect(calm.map(\.layer) == ["string_matcher", "classifier", "self_harm_matcher", "topic_matcher"])
        #expect(calm.allSatisfy { !$0.isUnsafe })
        #expect(pipeline.cannedReply(toPerson: calm, seed: 1) == nil)
        let rude = try await pipeline.decisions(person: "shut  up, 1d10t", context: [])
        #expect(rude.filter(\.isUnsafe).map(\.layer) == ["string_matcher"])
        let reply = try await pipeline.decisions(reply: "go away", context: [Turn(.human, "hi")])
        #expect(reply.map(\.isUnsafe) == [true, false])
        let strict = try fixed(person: 4, reply: 4)
        let scored = try await strict.decisions(reply: "hello", context: [Turn(.human, "hi")])
        #expect(scored.map(\.isUnsafe) == [false, true])
        #expect(abs((scored.last?.score ?? 0) - 0.982_013_790_037_908_5) < 1e-9)
    }

    @Test func wordsOfSelfHarmGetHelp() async throws {
        let pipeline = try fixed(person: -4, reply: -4)
        for text in ["i want to die", "I don’t want to live anymore", "sometimes I think I'd be better off dead"] {
            let decisions = try await pipeline.decisions(person: text, context: [])
            #expect(decisions.contains { $0.isUnsafe && $0.category == "self_harm" })
            let line = try #require(pipeline.cannedReply(toPerson: decisions, seed: 3))
            #expect(pipeline.replies.all(.selfHarm).contains(line))
            #expect(line.contains("988"))
        }
        let harmless = try await pipeline.decisions(person: "the battery died and I live here", context: [])
        #expect(harmless.allSatisfy { !$0.isUnsafe })
    }

    @Test(arguments: [
        "I cut myself on purpose", "I don't want to live in this world any more",
        "I do not want to live with this pain",
        "I want to hurt myself in my room", "life isn't worth living", "I keep thinking about suicide", "kms",
        "I'm gonna kms today", "I cut myself a lot lately", "I cut myself on my wrists", "I hurt myself at night",
    ])
    func listHearsWhatTurnsOfPhraseWouldExcuse(_ text: String) throws {
        #expect(try fixed(person: -4, reply: -4).selfHarmMatcher(text))
    }

    @Test(arguments: [
        "I cut myself on a tin", "I don't want to live in the city", "I hurt myself in the gym",
        "I don't want to hurt myself in the gym", "this flat isn't worth living in",
        "I was thinking about Suicide Squad", "I cut myself some slack", "I cut myself a slice",
        "I ran 5 kms today", "it is 120 kms away", "how many kms is it?", "we walked ten kms",
    ])
    func listLetsHarmlessWordsPass(_ text: String) throws {
        #expect(try !fixed(person: -4, reply: -4).selfHarmMatcher(text))
    }

    @Test func repliesAreChosenBySeed() throws {
        let pipeline = try fixed(person: 0, reply: 0)
        let unsafe = [SafetyDecision(layer: "classifier", isUnsafe: true, score: 0.9)]
        let said = (0..<60).compactMap { pipeline.cannedReply(toPerson: unsafe, seed: $0) }
        #expect(Set(said) == Set(pipeline.replies.all(.unsafePerson)))
        #expect(said == (0..<60).compactMap { pipeline.cannedReply(toPerson: unsafe, seed: $0) })
        let instead = try #require(pipeline.cannedReply(insteadOf: unsafe, seed: 9))
        #expect(pipeline.replies.all(.unsafeReply).contains(instead))
        #expect(pipeline.cannedReply(insteadOf: [], seed: 9) == nil)
        let own = CannedReplies([.unsafeReply: ["No."]])
        #expect(own.text(.unsafeReply, seed: 4) == "No.")
        #expect(own.all(.failure) == CannedReplies().all(.failure))
    }

    @Test func batchesAgreeWithOneByOneAndEncodeOnce() async throws {
        let counter = CountingEncoder(base: encoder)
        let pipeline = try SafetyPipeline.standard(encoder: counter)
        let pairs: [(context: [Turn], reply: String)] = [
            ([Turn(.human, "hi")], "hello there"), ([], "you idiot"), ([Turn(.bot, "hm")], "a fine day"),
            ([Turn(.human, "is tea nice?"), Turn(.bot, "yes")], "very"),
        ]
        let unsafe = try await pipeline.areUnsafe(pairs)
        let calls = await counter.calls
        #expect(calls == 1)
        #expect(unsafe.count == 4)
        #expect(unsafe[1])
        for (pair, verdict) in zip(pairs, unsafe) {
            let decisions = try await pipeline.decisions(reply: pair.reply, context: pair.context)
            #expect(decisions.contains { $0.isUnsafe } == verdict)
        }
        let none = try await pipeline.areUnsafe([])
        #expect(none.isEmpty)
    }

    @Test func operatorListIsAsked() async throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("own-\(UUID().uuidString).txt")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data("rival brand\n".utf8).write(to: url)
        let pipeline = try SafetyPipeline.standard(encoder: encoder, operatorList: url)
        let decisions = try await pipeline.decisions(reply: "Buy the R1val Brand", context: [])
        #expect(decisions.first?.isUnsafe == true)
    }

    /// The shipped lists with heads that score every text alike.
    private func fixed(person: Float, reply: Float) throws -> SafetyPipeline {
        let shipped = try SafetyPipeline.standard(encoder: encoder)
        func head(_ kind: SafetyHead.Kind, _ bias: Float) throws -> EncoderSafetyClassifier {
            let weights = [Float](repeating: 0, count: SafetyHead.featureCount(kind, dimension: 384))
            return try EncoderSafetyClassifier(
                head: SafetyHead(
                    kind: kind, dimension: 384, weights: weights, bias: bias, threshold: 0.5, trainedOn: []),
                encoder: encoder)
        }
        return try SafetyPipeline(
            matchers: shipped.matchers, selfHarm: shipped.selfHarmMatcher, person: head(.person, person),
            reply: head(.reply, reply), topics: shipped.topicMatcher)
    }
}

/// Counts calls to an encoder.
private actor CountingEncoder: TextEncoder {
    let base: HashingEncoder
    nonisolated let dimension: Int
    private(set) var calls = 0

    init(base: HashingEncoder) {
        self.base = base
        dimension = base.dimension
    }

    func encode(_ texts: [String]) async throws -> [[Float]] {
        calls += 1
        return try await base.encode(texts)
    }
}
