import Conversations
import Safety

/// What the safety layers say, in OpenAI's categories.
///
/// Ours are fewer: what the layers cannot tell apart goes to the one category that fits most of it, and a category that no
/// layer of ours listens for is false with score 0. `docs/serving.md` has the table.
struct ModerationResult: Encodable, Sendable {
    /// OpenAI's, in their order.
    static let categories = [
        "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
        "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
    ]

    var flagged: Bool
    var categories: [String: Bool]
    var scores: [String: Double]
    /// OpenAI says which kinds of input a score is about; here it is always text.
    var appliedInputTypes: [String: [String]]
    /// The verdicts as they are, beyond OpenAI's shape.
    var layers: [Verdict]

    /// What one layer of ours says.
    struct Verdict: Encodable, Sendable {
        var layer: String
        var flagged: Bool
        var category: String?
        var score: Double?
    }

    enum CodingKeys: String, CodingKey {
        case flagged, categories, layers
        case scores = "category_scores"
        case appliedInputTypes = "category_applied_input_types"
    }

    init(_ decisions: [SafetyDecision]) {
        categories = Dictionary(uniqueKeysWithValues: Self.categories.map { ($0, false) })
        scores = Dictionary(uniqueKeysWithValues: Self.categories.map { ($0, 0) })
        appliedInputTypes = Dictionary(uniqueKeysWithValues: Self.categories.map { ($0, ["text"]) })
        layers = decisions.map {
            Verdict(layer: $0.layer, flagged: $0.isUnsafe, category: $0.category, score: $0.score)
        }
        for decision in decisions {
            let score = min(max(decision.score ?? (decision.isUnsafe ? 1 : 0), 0), 1)
            for category in Self.categories(of: decision) {
                categories[category] = categories[category] == true || decision.isUnsafe
                scores[category] = max(scores[category] ?? 0, score)
            }
        }
        flagged = categories.values.contains(true)
    }

    /// OpenAI's categories that a verdict speaks of: none for topics that are only avoided (politics, religion, medicine).
    private static func categories(of decision: SafetyDecision) -> [String] {
        if decision.category == SafetyPipeline.selfHarm { return ["self-harm", "self-harm/intent"] }
        switch decision.category.flatMap(SensitiveTopic.init) {
        case .drugs: return ["illicit"]
        case .nsfw: return ["sexual"]
        case .medical, .politics, .religion: return []
        // Rude, hateful, threatening, obscene: the layers know them as one.
        case nil: return ["self_harm_matcher", "topic_matcher"].contains(decision.layer) ? [] : ["harassment"]
        }
    }
}

/// The answer of `/v1/moderations`.
struct ModerationAnswer: Encodable, Sendable {
    var id: String
    var model: String
    var results: [ModerationResult]
}
