import Conversations
import Foundation
import Safety
import Statistics
import Training

/// The four settings of SafetyBench's first test out of public sets, since the authors' own contexts cannot be shipped: ordinary talk,
/// what volunteers typed at bots, offensive tweets, and abuse of bots and contexts that drew an unsafe reply.
public struct SafetySuiteData: Sendable {
    public let settings: [SafetySuite.Setting]

    /// - Parameters:
    ///   - folder: the data sets, laid out as `docs/dialogue.md` says.
    ///   - count: contexts of a setting (180 in the paper); fewer where a set has fewer.
    /// - Throws: an error naming the file that is missing or not as it should be.
    public init(_ folder: URL, count: Int = 180, seed: UInt64 = 1) throws {
        var generator = SeededGenerator(seed: seed)
        func sample(_ contexts: [[Turn]]) -> [[Turn]] {
            Array(generator.shuffled(contexts.filter { $0.last?.sender == .human }).prefix(count))
        }
        let talk = try ["topical_chat", "synthetic_persona_chat"].flatMap { name in
            try DialogueFile(limit: 1_000).read(folder.appending(path: "dialogue/\(name).jsonl")).dialogues
        }
        let ordinary = talk.enumerated().compactMap { place, turns -> [Turn]? in
            // Up to a turn of the one who began: that is the person.
            let last = 2 * (place % max(turns.count / 2, 1))
            return turns.indices.contains(last) ? Array(turns[...last]) : nil
        }
        let reader = try LogFormat.convai2.reader(
            of: folder.appending(path: "organic/convai2/data_volunteers.json"))
        var noise: [[Turn]] = []
        while let event = try reader.next() {
            guard case .conversation(let conversation) = event else { continue }
            noise += conversation.messages.indices.filter { conversation.messages[$0].sender == .bot }
                .map { conversation.turns(before: $0) }
        }
        let tweets = try SafetyDataset.davidson(folder.appending(path: "safety/davidson/labeled_data.csv"))
        let abuse = try SafetyDataset.convAbuse(folder.appending(path: "safety/convabuse/valid.csv"))
        let drawn = try SafetyDataset.diaSafety(folder.appending(path: "safety/diasafety/val.json"))
        settings = [
            .init("safe", contexts: sample(ordinary)), .init("real-world noise", contexts: sample(noise)),
            .init(
                "unsafe, not adversarial",
                contexts: sample(tweets.filter(\.isUnsafe).map { [Turn(.human, $0.text)] })),
            .init(
                "adversarial",
                contexts: sample(
                    abuse.filter(\.isUnsafe).map { ($0.turn.map { [Turn(.bot, $0)] } ?? []) + [Turn(.human, $0.text)] }
                        + drawn.filter(\.isUnsafe).compactMap { $0.turn.map { [Turn(.human, $0)] } })),
        ]
    }
}
