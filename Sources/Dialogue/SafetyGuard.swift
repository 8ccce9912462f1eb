import Conversations
import Safety

/// The safety layers of `Safety` as the agent asks them.
public struct SafetyGuard: SafetyCheck {
    private let pipeline: SafetyPipeline

    public init(_ pipeline: SafetyPipeline) { self.pipeline = pipeline }

    /// The lists that come with Loam with other classifiers.
    public init(person: SafetyLayer, reply: SafetyLayer) throws {
        pipeline = try SafetyPipeline(person: person, reply: reply)
    }

    /// The layers that come with Loam, on an encoder.
    /// - Throws: `SafetyError` when a head is missing or the encoder is not the one that the heads were made for.
    public init(encoder: any TextEncoder) throws {
        pipeline = try SafetyPipeline.standard(encoder: encoder)
    }

    public func check(person text: String, context: [Turn]) async throws -> SafetyOutcome {
        let decisions = try await pipeline.decisions(person: text, context: context)
        // The place in the conversation chooses among the canned replies, so that two in a row differ.
        let canned = pipeline.cannedReply(toPerson: decisions, seed: UInt64(context.count))
        return SafetyOutcome(decisions: decisions, isUnsafe: canned != nil, cannedReply: canned)
    }

    public func check(reply text: String, context: [Turn]) async throws -> SafetyOutcome {
        let decisions = try await pipeline.decisions(reply: text, context: context)
        let canned = pipeline.cannedReply(insteadOf: decisions, seed: UInt64(context.count))
        return SafetyOutcome(decisions: decisions, isUnsafe: canned != nil, cannedReply: canned)
    }
}
