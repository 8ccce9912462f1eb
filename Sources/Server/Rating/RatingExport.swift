import Conversations
import Foundation
import Storage

/// What raters said, as other commands read it.
public struct RatingExport: Sendable {
    let annotations: [RaterAnnotation]
    let votes: [PairVote]

    /// Reads what raters whose words count have said.
    /// - Throws: what the store throws.
    public init(_ store: any OfficeStore) async throws {
        let gold = Dictionary(grouping: try await store.goldAnswers(), by: \.rater)
        let reliable = RatingBoard.reliable(gold)
        annotations = try await store.annotations(label: RatingLabel.good.rawValue)
            .filter { reliable.contains($0.rater) && $0.value != nil }
        votes = try await store.pairVotes().filter { reliable.contains($0.rater) }
    }

    init(annotations: [RaterAnnotation], votes: [PairVote]) {
        self.annotations = annotations
        self.votes = votes
    }

    /// Anchors for `loam trust --anchors`: `item,label`, 1 for good and 0 for bad, of items that two raters or more agree on by
    /// more than half. Items are named as the loop names them: the conversation, a slash, the message.
    public var anchors: String {
        var lines = ["item,label"]
        let items = Dictionary(grouping: annotations) { $0.conversationID + "/" + $0.messageID }
        for (item, words) in items.sorted(by: { $0.key < $1.key }) where words.count > 1 {
            let good = words.count { $0.value == 1 }
            guard good * 2 != words.count else { continue }
            lines.append("\(Self.field(item)),\(good * 2 > words.count ? 1 : 0)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whether there is any anchor.
    public var hasAnchors: Bool { anchors.split(separator: "\n").count > 1 }

    /// Votes for `loam compare --votes`: one line of JSON each. Choices between two replies of one model are left out.
    public var comparison: String {
        votes.filter { $0.first.model != $0.second.model }.map { vote in
            JSONValue.object([
                "conversation": .string(vote.pair), "rater": .string(vote.rater),
                "first": .string(vote.first.model), "second": .string(vote.second.model),
                "choice": .string(vote.choice == .tie ? "tie" : vote.choice == .first ? "first" : "second"),
                "question": .string(vote.question),
            ]).text + "\n"
        }.joined()
    }

    /// A field of a CSV line, quoted where it must be.
    private static func field(_ text: String) -> String {
        guard text.contains(where: { "\",\r\n".contains($0) }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
