import Conversations
import Foundation

/// What can be counted in replies without a judge: variety, repetition, length.
///
/// Words are runs of letters and digits, lower case. Distinct-n (Li and others 2016) falls with the number of replies, so it
/// compares only arms that answered the same prompts.
public struct ReplyMetrics: Sendable, Hashable, Codable {
    /// Number of replies.
    public var replies: Int
    /// Different words over all words of all replies; `nil` when there are no words.
    public var distinct1: Double?
    /// Different word pairs over all word pairs.
    public var distinct2: Double?
    /// Mean share of a reply's three-word runs that it has said already.
    public var repetitionWithin: Double
    /// Mean share of a reply's three-word runs that the bot said earlier in the same conversation.
    public var repetitionOfEarlier: Double
    /// Share of replies that repeat: a fifth of their three-word runs or more within, half or more of earlier turns, or word
    /// for word an earlier turn.
    public var repeating: Double
    /// Mean number of words.
    public var meanLength: Double
    /// Share of replies without a word.
    public var empty: Double
    /// Share of replies that were cut off before their end.
    public var unfinished: Double

    enum CodingKeys: String, CodingKey {
        case replies, repeating, empty, unfinished
        case distinct1 = "distinct_1"
        case distinct2 = "distinct_2"
        case repetitionWithin = "repetition_within"
        case repetitionOfEarlier = "repetition_of_earlier"
        case meanLength = "mean_length"
    }

    /// One reply with what is needed to measure it.
    public struct Sample: Sendable, Hashable {
        public var reply: String
        /// The bot's earlier turns in the conversation.
        public var earlier: [String]
        public var isFinished: Bool

        public init(reply: String, earlier: [String] = [], isFinished: Bool = true) {
            self.reply = reply
            self.earlier = earlier
            self.isFinished = isFinished
        }

        /// The earlier turns are those of the bot in the context.
        public init(reply: String, context: [Turn], isFinished: Bool = true) {
            self.init(
                reply: reply, earlier: context.filter { $0.sender == .bot }.map(\.text), isFinished: isFinished)
        }
    }

    /// - Throws: `EvaluationError` when there are no replies.
    public init(_ samples: [Sample]) throws {
        guard !samples.isEmpty else { throw EvaluationError(.empty, "there are no replies to measure") }
        let count = Double(samples.count)
        var words = (different: Set<String>(), all: 0)
        var pairs = (different: Set<String>(), all: 0)
        var (within, earlier, repeated, length, bare) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for sample in samples {
            let own = Self.words(of: sample.reply)
            let doubles = Self.runs(of: 2, in: own)
            words.different.formUnion(own)
            words.all += own.count
            pairs.different.formUnion(doubles)
            pairs.all += doubles.count
            length += Double(own.count)
            if own.isEmpty { bare += 1 }
            let triples = Self.runs(of: 3, in: own)
            let said = sample.earlier.map(Self.words)
            let known = Set(said.flatMap { Self.runs(of: 3, in: $0) })
            let repeatsSelf = triples.isEmpty ? 0 : 1 - Double(Set(triples).count) / Double(triples.count)
            let repeatsEarlier =
                triples.isEmpty ? 0 : Double(triples.count { known.contains($0) }) / Double(triples.count)
            within += repeatsSelf
            earlier += repeatsEarlier
            if repeatsSelf >= 0.2 || repeatsEarlier >= 0.5 || (!own.isEmpty && said.contains(own)) { repeated += 1 }
        }
        replies = samples.count
        distinct1 = words.all > 0 ? Double(words.different.count) / Double(words.all) : nil
        distinct2 = pairs.all > 0 ? Double(pairs.different.count) / Double(pairs.all) : nil
        repetitionWithin = within / count
        repetitionOfEarlier = earlier / count
        repeating = repeated / count
        meanLength = length / count
        empty = bare / count
        unfinished = Double(samples.count { !$0.isFinished }) / count
    }

    static func words(of text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
    }

    private static func runs(of length: Int, in words: [String]) -> [String] {
        guard words.count >= length else { return [] }
        return (0...words.count - length).map { words[$0..<$0 + length].joined(separator: " ") }
    }
}
