import Foundation
import Statistics
import Storage

/// How far raters are, and how far they agree: Krippendorff's alpha, by label, of those whose words count.
struct RatingFigures: Encodable, Sendable {
    struct Agreement: Encodable, Sendable, Hashable {
        var label: String
        /// Absent where fewer than two ratings can be paired, or all say the same.
        var alpha: Double?
        /// Items that two or more rated.
        var items: Int
        /// How often the label was given.
        var given: Int
    }

    struct Rater: Encodable, Sendable {
        var name: String
        var replies: Int
        var pairs: Int
        var category: RaterStanding
        var pair: RaterStanding
    }

    struct Queue: Encodable, Sendable {
        var open: Int
        var done: Int
    }

    var raters: [Rater]
    var replies: Queue
    var pairs: Queue
    /// Raters that each item goes to.
    var ratersPerItem: Int
    /// One for each label, and `any` for the category as a whole.
    var agreement: [Agreement]
    var pairAgreement: Agreement
    /// Choices between models: wins of the first over the second.
    var wins: [Wins]

    struct Wins: Encodable, Sendable, Hashable {
        var model: String
        var over: String
        var wins: Int
        var losses: Int
        var ties: Int
    }

    enum CodingKeys: String, CodingKey {
        case raters, replies, pairs, agreement, wins
        case ratersPerItem = "raters_per_item"
        case pairAgreement = "pair_agreement"
    }

    init(store: any OfficeStore, queue: RatingQueue, gold: [String: [GoldAnswer]]) async throws {
        var chosen: [RatingCount] = []
        for label in RatingLabel.allCases {
            for annotation in try await store.annotations(label: label.rawValue) where annotation.value == 1 {
                chosen.append(
                    RatingCount(
                        item: annotation.conversationID + "/" + annotation.messageID, rater: annotation.rater,
                        label: label))
            }
        }
        let votes = try await store.pairVotes()
        let known = try await store.accounts().filter { $0.role == .rater }.map(\.name)
        let names = Set(known).union(chosen.map(\.rater)).union(votes.map(\.rater)).union(gold.keys)
        raters = names.sorted().map { name in
            Rater(
                name: name, replies: chosen.count { $0.rater == name }, pairs: votes.count { $0.rater == name },
                category: RaterStanding(gold[name] ?? [], task: .category),
                pair: RaterStanding(gold[name] ?? [], task: .pair))
        }
        let (category, pair) = (queue.progress(.category), queue.progress(.pair))
        replies = Queue(open: category.open, done: category.done)
        pairs = Queue(open: pair.open, done: pair.done)
        ratersPerItem = queue.raters
        let reliable = queue.reliable
        agreement = Self.agreement(chosen.filter { reliable.contains($0.rater) })
        let counted = votes.filter { reliable.contains($0.rater) }
        pairAgreement = Self.agreement(counted)
        wins = Self.wins(counted)
    }

    /// One rater's category of one item.
    struct RatingCount: Sendable, Hashable {
        var item: String
        var rater: String
        var label: RatingLabel
    }

    static func agreement(_ ratings: [RatingCount]) -> [Agreement] {
        let units = Dictionary(grouping: ratings, by: \.item).values.map { $0.map(\.label) }.filter { $0.count > 1 }
        func measure(_ name: String, given: Int, _ value: (RatingLabel) -> Double) -> Agreement {
            Agreement(
                label: name, alpha: KrippendorffAlpha.alpha(units.map { $0.map(value) }, distance: .nominal),
                items: units.count, given: given)
        }
        let places = Dictionary(uniqueKeysWithValues: RatingLabel.allCases.enumerated().map { ($1, Double($0)) })
        return [measure("any", given: ratings.count) { places[$0] ?? 0 }]
            + RatingLabel.allCases.map { label in
                measure(label.rawValue, given: ratings.count { $0.label == label }) { $0 == label ? 1 : 0 }
            }
    }

    static func agreement(_ votes: [PairVote]) -> Agreement {
        let units = Dictionary(grouping: votes, by: \.pair).values.map { votes in
            votes.map { vote -> Double in
                // Sides differ between raters: told apart by what stands there.
                let isInOrder = key(vote.first) < key(vote.second)
                return switch vote.choice {
                case .tie: 0
                case .first: isInOrder ? 1 : 2
                case .second: isInOrder ? 2 : 1
                }
            }
        }.filter { $0.count > 1 }
        return Agreement(
            label: "pair", alpha: KrippendorffAlpha.alpha(units, distance: .nominal), items: units.count,
            given: votes.count)
    }

    private static func key(_ side: PairVote.Side) -> String { side.conversationID + "/" + (side.messageID ?? "") }

    static func wins(_ votes: [PairVote]) -> [Wins] {
        var table: [[String]: Wins] = [:]
        for vote in votes where vote.first.model != vote.second.model {
            let isInOrder = vote.first.model < vote.second.model
            let models = isInOrder ? [vote.first.model, vote.second.model] : [vote.second.model, vote.first.model]
            var line = table[models] ?? Wins(model: models[0], over: models[1], wins: 0, losses: 0, ties: 0)
            switch vote.choice {
            case .tie: line.ties += 1
            case .first: if isInOrder { line.wins += 1 } else { line.losses += 1 }
            case .second: if isInOrder { line.losses += 1 } else { line.wins += 1 }
            }
            table[models] = line
        }
        return table.values.sorted { ($0.model, $0.over) < ($1.model, $1.over) }
    }
}
