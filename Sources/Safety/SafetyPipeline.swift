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
    public let person: SafetyLayer
    public let reply: SafetyLayer
    /// What to say instead.
    public let replies: CannedReplies

    public init(
        matchers: [StringMatcher], selfHarm: StringMatcher, person: SafetyLayer, reply: SafetyLayer,
        topics: TopicMatcher? = nil, replies: CannedReplies = CannedReplies()
    ) {
        self.matchers = matchers
        selfHarmMatcher = selfHarm
        topicMatcher = topics
        self.person = person
        self.reply = reply
        self.replies = replies
    }

    /// Heads on frozen vectors as classifiers.
    /// - Throws: `SafetyError` when a head is on the wrong side.
    public init(
        matchers: [StringMatcher], selfHarm: StringMatcher, person: EncoderSafetyClassifier,
        reply: EncoderSafetyClassifier, topics: TopicMatcher? = nil, replies: CannedReplies = CannedReplies()
    ) throws {
        guard person.head.kind == .person, reply.head.kind == .reply else {
            throw SafetyError(.shape, "the pipeline wants a person head and a reply head, in this order")
        }
        self.init(
            matchers: matchers, selfHarm: selfHarm, person: SafetyLayer(person), reply: SafetyLayer(reply),
            topics: topics, replies: replies)
    }

    /// The shipped lists with other classifiers.
    public init(person: SafetyLayer, reply: SafetyLayer, operatorList: URL? = nil) throws {
        self.init(
            matchers: try Self.matchers(operatorList),
            selfHarm: try StringMatcher(contentsOf: SafetyResource.selfHarm.url()), person: person, reply: reply,
            topics: try TopicMatcher.standard())
    }

    /// The folder of the classifier with tuned layers, where it ships (`TunedSafetyModel` of the room `Training`).
    public static var tunedFolder: URL? { try? SafetyResource.tuned.url() }

    private static func matchers(_ operatorList: URL?) throws -> [StringMatcher] {
        try [StringMatcher(contentsOf: SafetyResource.words.url())]
            + (operatorList.map { [try StringMatcher(contentsOf: $0)] } ?? [])
    }

    /// The shipped heads and lists. They are made for all-MiniLM-L6-v2 (384 numbers a vector).
    /// - Throws: `SafetyError` when a resource is missing or the encoder is of another dimension.
    public static func standard(encoder: any TextEncoder) throws -> SafetyPipeline {
        try standard(encoder: encoder, operatorList: nil)
    }

    /// The same with a list of the operator's beside the shipped one; its format is that of `StringMatcher`.
    public static func standard(encoder: any TextEncoder, operatorList: URL?) throws -> SafetyPipeline {
        try SafetyPipeline(
            matchers: matchers(operatorList),
            selfHarm: StringMatcher(contentsOf: SafetyResource.selfHarm.url()),
            person: EncoderSafetyClassifier(
                head: SafetyHead(contentsOf: SafetyResource.personHead.url()), encoder: encoder),
            reply: EncoderSafetyClassifier(
                head: SafetyHead(contentsOf: SafetyResource.replyHead.url()), encoder: encoder),
            topics: TopicMatcher.standard())
    }

    /// One verdict per layer on what a person said after `context`.
    public func decisions(person text: String, context: [Turn]) async throws -> [SafetyDecision] {
        let needsHelp = selfHarmMatcher(text)
        return [
            matcherDecision(text),
            try await person.decision(text, after: context),
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
        [matcherDecision(text), try await reply.decision(text, after: context)]
    }

    /// Whether any layer objects to each reply; they are read together.
    public func areUnsafe(_ pairs: [(context: [Turn], reply: String)]) async throws -> [Bool] {
        let scores = try await reply.classifier.probabilities(of: pairs.map { ($0.context, $0.reply) })
        return zip(pairs, scores).map { pair, score in
            score >= reply.threshold || matchers.contains { $0(pair.reply) }
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
    case tuned = "tuned"

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
