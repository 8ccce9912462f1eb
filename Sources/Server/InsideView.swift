import Conversations
import Foundation

/// What made a reply, as far as it was recorded: what "Look inside" shows.
struct InsideView: Encodable, Sendable {
    struct Sampling: Encodable, Sendable {
        var temperature: Double?
        var topP: Double?
        var seed: String?
        var meanLogProbability: Double?

        enum CodingKeys: String, CodingKey {
            case temperature, seed
            case topP = "top_p"
            case meanLogProbability = "mean_log_probability"
        }
    }
    struct Search: Encodable, Sendable {
        struct Document: Encodable, Sendable {
            var title: String
            var url: String
            var content: String
        }
        var decision: String?
        var query: String?
        var provider: String?
        var failure: String?
        /// What the reply stands on.
        var knowledge: String?
        var documents: [Document]
    }
    struct Memory: Encodable, Sendable {
        var decision: String?
        /// The memory that the reply stands on.
        var used: String?
        /// How many were looked at.
        var known: Int
    }
    struct Module: Encodable, Sendable {
        var module: String
        var model: String
        var output: String
        var failure: String?
    }
    struct Verdict: Encodable, Sendable {
        var layer: String
        var isUnsafe: Bool
        var category: String?
        var score: Double?

        init(_ decision: SafetyDecision) {
            (layer, isUnsafe) = (decision.layer, decision.isUnsafe)
            (category, score) = (decision.category, decision.score)
        }

        enum CodingKeys: String, CodingKey {
            case layer, category, score
            case isUnsafe = "unsafe"
        }
    }

    /// Registry id of the model that wrote it; none where nothing was drawn.
    var model: String?
    var sampling: Sampling?
    var search: Search?
    var memory: Memory?
    var modules: [Module]
    /// What the safety layers said of the reply.
    var safety: [Verdict]
    /// What they said of the message that it answers.
    var safetyOfQuestion: [Verdict]
    /// Why the bot gave a canned reply.
    var failure: String?

    /// - Parameter said: the message that it answers.
    init(_ message: Message, answering said: Message? = nil) {
        model = message.generation?.model
        sampling = message.generation.map {
            Sampling(
                temperature: $0.temperature, topP: $0.topP, seed: $0.seed.map { String($0) },
                meanLogProbability: $0.meanLogProbability)
        }
        search = message.search.map { search in
            Search(
                decision: search.decision, query: search.query, provider: search.provider, failure: search.failure,
                knowledge: search.knowledge,
                documents: search.documents.map {
                    .init(title: $0.title, url: $0.url, content: Self.cut($0.content))
                })
        }
        memory = message.memory.map {
            Memory(decision: $0.decision, used: $0.knowledge, known: $0.memories.count)
        }
        modules = message.modules.map {
            Module(module: $0.module, model: $0.model, output: Self.cut($0.output), failure: $0.failure)
        }
        safety = message.safety.map(Verdict.init)
        safetyOfQuestion = said?.safety.map(Verdict.init) ?? []
        failure = message.interactionFailure
    }

    /// Pages are long; the beginning tells what they are about.
    private static func cut(_ text: String) -> String { text.count > 600 ? text.prefix(599) + "…" : text }

    enum CodingKeys: String, CodingKey {
        case model, sampling, search, memory, modules, safety, failure
        case safetyOfQuestion = "safety_of_question"
    }
}
