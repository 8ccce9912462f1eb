import Foundation
import Statistics

/// Votes made ready for the methods: people and items numbered, one current vote for each pair of them.
public struct VoteTable: Sendable {
    /// The current votes in the order they came. A later vote of the same person on the same item replaces the earlier one.
    public let votes: [Vote]
    /// How many votes were replaced by a later one.
    public let replacedCount: Int
    /// Names of the people in order of appearance.
    public let users: [String]
    /// Names of the items in order of appearance.
    public let items: [String]
    /// Per person the group that something other than their votes puts them in; 0 for everybody where nothing does.
    public let groupOfUser: [Int]
    /// How many groups there may be: one more than the largest number.
    public var groupCount: Int { (groupOfUser.max() ?? 0) + 1 }
    /// Per vote the number of its person.
    public let userOfVote: [Int]
    /// Per vote the number of its item.
    public let itemOfVote: [Int]
    /// Per person their votes; per item its votes.
    public let votesOfUser: [[Int]]
    public let votesOfItem: [[Int]]
    /// What the items say, as numbers; `nil` without content.
    public let features: (any FeatureTable)?
    /// Per vote its row of `features`, `nil` where it has none or the row is not finite.
    public let rowOfVote: [Int?]
    /// How many votes lost their content because their row held a number that is not finite.
    public let brokenRowCount: Int
    /// Per vote a number that is the same where the text is the same, so that no text is on both sides of a split.
    public let textOfVote: [Int]

    /// - Parameters:
    ///   - votes: In any order. Where both have a time, "later" goes by it, else by position.
    ///   - features: One row per text; votes point into it by `row`.
    ///   - texts: Text per item, for telling identical ones. Without it, votes with equal features or the same item count
    ///     as the same text.
    ///   - groups: Who is told apart beforehand by something other than votes, such as those who insult the bot: a number from 1
    ///     up per name. Nothing is assumed of a group; `joint` learns what its people are like. Whoever is not named is in group 0.
    /// - Throws: `TrustError` when there are no votes, a vote points outside the features, or a group is below 0 or above 99.
    public init(
        votes given: [Vote], features: (any FeatureTable)? = nil, texts: [String: String]? = nil,
        groups: [String: Int] = [:]
    ) throws {
        guard !given.isEmpty else { throw TrustError(.noVotes, "there are no votes to weigh") }
        for (user, group) in groups where !(0..<100).contains(group) {
            throw TrustError(.settings, "user \(user) is in group \(group); groups have the numbers 0 to 99")
        }
        var places: [Pair: Int] = [:]
        var kept: [Vote] = []
        var replaced = 0
        for (number, vote) in given.enumerated() {
            if let row = vote.row, !(0..<(features?.rows ?? 0)).contains(row) {
                throw TrustError(
                    .features,
                    "vote \(number) (user \(vote.user), item \(vote.item)) points at feature row \(row) of "
                        + "\(features?.rows ?? 0)")
            }
            let pair = Pair(user: vote.user, item: vote.item)
            guard let place = places[pair] else {
                places[pair] = kept.count
                kept.append(vote)
                continue
            }
            replaced += 1
            if let new = vote.time, let old = kept[place].time, new < old { continue }
            kept[place] = vote
        }
        votes = kept
        replacedCount = replaced
        (users, userOfVote, votesOfUser) = Self.number(kept.map(\.user))
        groupOfUser = users.map { groups[$0] ?? 0 }
        (items, itemOfVote, votesOfItem) = Self.number(kept.map(\.item))
        let finite = features.map(Self.finiteRows)
        var broken = 0
        rowOfVote = kept.map { vote in
            guard let row = vote.row, let finite else { return nil }
            if !finite[row] { broken += 1 }
            return finite[row] ? row : nil
        }
        brokenRowCount = broken
        self.features = features
        let fingerprints = features.map(Self.fingerprints)
        let keys = zip(kept, rowOfVote).map { vote, row -> String in
            if let text = texts?[vote.item] { return "t" + text }
            if let row, let fingerprints { return "f\(fingerprints[row])" }
            return "i" + vote.item
        }
        textOfVote = Self.number(keys).numbers
    }

    /// A table whose content is words: TF-IDF of each item's text, for use without an encoder. Items without a text are
    /// weighed by votes alone.
    /// - Throws: `TrustError` when there are no votes.
    public init(votes: [Vote], texts: [String: String]) throws {
        var rows: [String: Int] = [:]
        var known: [String] = []
        for vote in votes where rows[vote.item] == nil {
            guard let text = texts[vote.item] else { continue }
            rows[vote.item] = known.count
            known.append(text)
        }
        let placed = votes.map { vote in
            var placed = vote
            placed.row = rows[vote.item]
            return placed
        }
        let words = TFIDF(known, maximumTerms: 20_000).transform(known)
        try self.init(votes: placed, features: known.isEmpty ? nil : words, texts: texts)
    }

    /// Weight per vote that keeps a person who pours in votes from drowning the others: nobody counts for more than three
    /// times the median number of votes (ten at least).
    var evenWeights: [Double] {
        let counts = votesOfUser.map(\.count).sorted()
        let limit = max(10, 3 * (counts.isEmpty ? 0 : counts[counts.count / 2]))
        return userOfVote.map { min(1, Double(limit) / Double(votesOfUser[$0].count)) }
    }

    /// Share of votes that are up.
    public var upShare: Double { Double(votes.count { $0.isUp }) / Double(votes.count) }

    private struct Pair: Hashable {
        let user: String
        let item: String
    }

    private static func number(_ names: [String]) -> (names: [String], numbers: [Int], members: [[Int]]) {
        var numbers: [String: Int] = [:]
        var distinct: [String] = []
        var members: [[Int]] = []
        let result = names.enumerated().map { index, name in
            if let number = numbers[name] {
                members[number].append(index)
                return number
            }
            numbers[name] = distinct.count
            distinct.append(name)
            members.append([index])
            return distinct.count - 1
        }
        return (distinct, result, members)
    }

    /// Two random projections per row: rows that are equal have equal pairs, others almost never.
    private static func fingerprints(_ features: any FeatureTable) -> [String] {
        var generator = SeededGenerator(seed: 0x6c6f_616d)
        let first = features.times((0..<features.columns).map { _ in generator.normal() })
        let second = features.times((0..<features.columns).map { _ in generator.normal() })
        return zip(first, second).map { "\($0.bitPattern),\($1.bitPattern)" }
    }

    private static func finiteRows(_ features: any FeatureTable) -> [Bool] {
        guard features.firstRowNotFinite != nil else { return [Bool](repeating: true, count: features.rows) }
        // A product with finite numbers is finite exactly where the row is, but for overflow, which is no better.
        return features.times([Double](repeating: 1e-3, count: features.columns)).map(\.isFinite)
    }
}
