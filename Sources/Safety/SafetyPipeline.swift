import Conversations
import Foundation

/// The layers that look at both sides of a turn: a list of words, a classifier for each side, and words about hurting
/// oneself in what a person says.
public struct SafetyPipeline: Sendable {
    /// Category of the layer that listens for self-harm.
    public static let selfHarm = "self_harm"

    /// Lists asked on both sides: the shipped one and, where given, the operator's.
    public let matchers: [StringMatcher]
    public let selfHarmMatcher: StringMatcher
    /// Topics that get a reply of their own; `nil` lets all of them through.
    public let topicMatcher: TopicMatcher?
    public let personClassifier: EncoderSafetyClassifier
    public let replyClassifier: EncoderSafetyClassifier
    /// What to say instead.
    public let replies: CannedReplies

    /// - Throws: `SafetyError` when a head is on the wrong side.
    public init(
        matchers: [StringMatcher], selfHarm: StringMatcher, person: EncoderSafetyClassifier,
        reply: EncoderSafetyClassifier, topics: TopicMatcher? = nil, replies: CannedReplies = CannedReplies()
    ) throws {
        guard person.head.kind == .person, reply.head.kind == .reply else {
            throw SafetyError(.shape, "the pipeline wants a person head and a reply head, in this order")
        }
        self.matchers = matchers
        selfHarmMatcher = selfHarm
        topicMatcher = topics
        personClassifier = person
        replyClassifier = reply
        self.replies = replies
    }

    /// The shipped heads and lists. They are made for all-MiniLM-L6-v2 (384 numbers a vector).
    /// - Throws: `SafetyError` when a resource is missing or the encoder is of another dimension.
    public static func standard(encoder: any TextEncoder) throws -> SafetyPipeline {
        try standard(encoder: encoder, operatorList: nil)
    }

    /// The same with a list of the operator's beside the shipped one; its format is that of `StringMatcher`.
    public static func standard(encoder: any TextEncoder, operatorList: URL?) throws -> SafetyPipeline {
        try SafetyPipeline(
            matchers: [StringMatcher(contentsOf: SafetyResource.words.url())]
                + (operatorList.map { [try StringMatcher(contentsOf: $0)] } ?? []),
            selfHarm: StringMatcher(contentsOf: SafetyResource.selfHarm.url()),
            person: EncoderSafetyClassifier(
                head: SafetyHead(contentsOf: SafetyResource.personHead.url()), encoder: encoder),
            reply: EncoderSafetyClassifier(
                head: SafetyHead(contentsOf: SafetyResource.replyHead.url()), encoder: encoder),
            topics: TopicMatcher.standard())
    }

    /// One verdict per layer on what a person said after `context`.
    public func decisions(person text: String, context: [Turn]) async throws -> [SafetyDecision] {
        let score = try await personClassifier.probabilities(of: [(context, text)]).first ?? 0
        let needsHelp = selfHarmMatcher(text)
        return [
            matcherDecision(text),
            SafetyDecision(layer: "classifier", isUnsafe: score >= personClassifier.head.threshold, score: score),
            SafetyDecision(
                layer: "self_harm_matcher", isUnsafe: needsHelp, category: needsHelp ? Self.selfHarm : nil),
        ] + (topicMatcher.map { [topicDecision(text, $0)] } ?? [])
    }

    private func topicDecision(_ text: String, _ matcher: TopicMatcher) -> SafetyDecision {
        let topic = matcher.topic(of: text)
        return SafetyDecision(layer: "topic_matcher", isUnsafe: topic != nil, category: topic?.rawValue)
    }

    /// One verdict per layer on what the bot is about to say after `context`, whose last human turn it answers.
    public func decisions(reply text: String, context: [Turn]) async throws -> [SafetyDecision] {
        let score = try await replyClassifier.probabilities(of: [(context, text)]).first ?? 0
        return [
            matcherDecision(text),
            SafetyDecision(layer: "classifier", isUnsafe: score >= replyClassifier.head.threshold, score: score),
        ]
    }

    /// Whether any layer objects to each reply; all texts are encoded in one call.
    public func areUnsafe(_ pairs: [(context: [Turn], reply: String)]) async throws -> [Bool] {
        let scores = try await replyClassifier.probabilities(of: pairs.map { ($0.context, $0.reply) })
        return zip(pairs, scores).map { pair, score in
            score >= replyClassifier.head.threshold || matchers.contains { $0(pair.reply) }
        }
    }

    /// What to say after a person's message with these verdicts, `nil` when all layers pass it. Whoever speaks of hurting
    /// themselves gets help, whatever else the layers say.
    public func cannedReply(toPerson decisions: [SafetyDecision], seed: UInt64) -> String? {
        guard decisions.contains(where: \.isUnsafe) else { return nil }
        if decisions.contains(where: { $0.isUnsafe && $0.category == Self.selfHarm }) {
            return replies.text(.selfHarm, seed: seed)
        }
        let objections = decisions.filter(\.isUnsafe)
        // A topic's own reply, unless the words are unsafe besides.
        if objections.count == 1, let topic = objections[0].category.flatMap(SensitiveTopic.init) {
            return topic.reply
        }
        return replies.text(.unsafePerson, seed: seed)
    }

    /// What to say in place of a reply with these verdicts, `nil` when all layers pass it.
    public func cannedReply(insteadOf decisions: [SafetyDecision], seed: UInt64) -> String? {
        decisions.contains(where: \.isUnsafe) ? replies.text(.unsafeReply, seed: seed) : nil
    }

    private func matcherDecision(_ text: String) -> SafetyDecision {
        SafetyDecision(layer: "string_matcher", isUnsafe: matchers.contains { $0(text) })
    }
}

/// The files that ship with this room.
enum SafetyResource: String, CaseIterable {
    case words = "words.txt"
    case selfHarm = "self-harm.txt"
    case topics = "topics.txt"
    case personHead = "person-head.json"
    case replyHead = "reply-head.json"

    func url() throws -> URL {
        // The copied folder may be the bundle's own resource folder (Linux) or lie inside it (macOS).
        let folders = [Bundle.module.bundleURL, Bundle.module.resourceURL].compactMap { $0 }
        let places = folders.flatMap {
            [$0.appendingPathComponent("Resources/" + rawValue), $0.appendingPathComponent(rawValue)]
        }
        guard let place = places.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
            throw SafetyError(.file, "Safety's resource \(rawValue) is missing")
        }
        return place
    }
}
