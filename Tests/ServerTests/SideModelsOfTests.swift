import Conversations
import Dialogue
import Foundation
import Safety

@testable import Server

/// Vectors that count letters, so that they can be worked out by hand.
struct LetterEncoder: TextEncoder {
    let dimension = 3

    func encode(_ texts: [String]) async throws -> [[Float]] {
        texts.map { text in
            let counts = ["a", "b", "c"].map { letter in Float(text.count { String($0) == letter }) }
            let length = counts.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length > 0 ? counts.map { $0 / length } : [1, 0, 0]
        }
    }
}

/// Judges by length: one word more, one point more of log-odds.
struct LengthClassifier: TextClassifier {
    func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        pairs.map { 1 / (1 + exp(-Double($0.text.split(separator: " ").count - 1))) }
    }
}

/// Continues a text by its words in reverse.
struct ReversingCompleter: TextCompleter {
    let modelID: String

    func continuation(
        of text: String, sampling: Sampling, onPiece: (@Sendable (String) -> Void)?
    ) async throws -> Reply {
        var stops = StopStringsOfTests(sampling.stops)
        var pieces: [String] = []
        for word in text.split(separator: " ").reversed().prefix(sampling.maximumTokens) where !stops.isStopped {
            let piece = stops.feed(" " + word)
            guard !piece.isEmpty else { continue }
            pieces.append(piece)
            onPiece?(piece)
        }
        let tokens = pieces.enumerated().map { place, piece in
            let drawn = ReplyToken.Candidate(bytes: Array(piece.utf8), logProbability: -Double(place))
            let other = ReplyToken.Candidate(bytes: Array("x".utf8), logProbability: -9)
            return ReplyToken(
                id: place, drawn: drawn, top: Array([drawn, other].prefix(sampling.topLogProbabilities ?? 0)),
                piece: piece)
        }
        return Reply(
            text: pieces.joined(), finishReason: stops.isStopped ? "stop" : "length", tokenCount: pieces.count,
            meanLogProbability: 0, promptTokenCount: text.split(separator: " ").count,
            tokens: sampling.topLogProbabilities == nil ? nil : tokens)
    }
}

/// Ends before a piece that is a stop string.
struct StopStringsOfTests {
    let stops: [String]
    var isStopped = false

    init(_ stops: [String]) { self.stops = stops }

    mutating func feed(_ piece: String) -> String {
        if stops.contains(where: piece.contains) { isStopped = true }
        return isStopped ? "" : piece
    }
}

extension SideModels {
    /// All that there is, made of the small ones above; words that stand for bad ones are harmless.
    static func forTests(chat: String = "scripted-1") throws -> SideModels {
        let layer = SafetyLayer(LengthClassifier(), threshold: 0.99)
        let safety = SafetyGuard(
            SafetyPipeline(
                matchers: [StringMatcher(list: "grumble")], selfHarm: StringMatcher(list: "sorrow"), person: layer,
                reply: layer, topics: try TopicMatcher(list: "topic: drugs\npotion\ntopic: politics\nparliament")))
        return SideModels(
            embedding: EmbeddingModel(
                id: "letters", encoder: LetterEncoder(), maximumTokens: 20,
                tokenCount: { $0.split(separator: " ").count }),
            moderation: ModerationModel(safety: safety), reward: RewardJudge(id: "length", model: LengthClassifier()),
            completer: ReversingCompleter(modelID: chat))
    }
}
