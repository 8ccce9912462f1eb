import Conversations
import Foundation
import Statistics
import Trust

/// Votes to weights: whom to believe, worked out among the people of each part alone, so that nothing of the held-out
/// people reaches what is learnt.
struct TrustStage: Stage {
    let name = "trust"
    let configuration: ImproveConfiguration
    let makeEncoder: @Sendable () throws -> any TextEncoder

    var settings: [String: String] { ["method": configuration.trust, "conduct": "\(Conduct.abusiveFrom)"] }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let corpus = try Corpus(work.file("conversations.jsonl", of: "deidentify"), seed: configuration.seed)
        let source = configuration.logs.isEmpty ? configuration.storeName : configuration.logs.joined(separator: ", ")
        try Self.check(corpus, source: source)
        let (method, note) = try Self.method(configuration)
        let encoder = try makeEncoder()
        var lines: [WeighedVote] = []
        var people: [UserTrust] = []
        var notes: [String] = note.map { [$0] } ?? []
        var conduct = Conduct()
        if let abuse = try Conduct.classifier(encoder: URL(filePath: configuration.encoder)) {
            work.report("how people treat the bot")
            conduct = try await Conduct(of: corpus, classifier: abuse)
            notes.append("Group 1 are the people who insulted the bot.")
        } else {
            notes.append(
                "How people treat the bot is not used: the shipped classifier of abuse is for another encoder.")
        }
        try RunFolder.write(conduct, to: work.own(Conduct.file))
        for part in Corpus.Part.allCases {
            let places = corpus.voted(in: part)
            work.report("\(part.rawValue): \(places.count) votes")
            let table = try await VoteWeighing.table(corpus, places, groups: conduct.groups, encoder: encoder)
            let report = try method.weigh(
                table, generator: SeededGenerator(seed: configuration.seed).fork("trust-\(part.rawValue)"))
            lines += report.votes.map {
                WeighedVote(
                    item: $0.item, user: $0.user, part: part, isUp: $0.isUp, weight: $0.weight,
                    probability: $0.probability)
            }
            people += report.users
            notes += report.notes.map { "\(part.rawValue): \($0)" }
        }
        try RunFolder.write(lines: lines, to: work.own("votes.jsonl"))
        try RunFolder.write(people, to: work.own("users.json"))
        try RunFolder.write(notes, to: work.own("notes.json"))
        let believed = lines.count { $0.weight >= configuration.labels.trustedFrom }
        let flagged = people.count { !$0.flags.isEmpty }
        let kinds = Dictionary(grouping: people.flatMap { $0.flags }, by: \.kind).map {
            ($0.key.rawValue, $0.value.count)
        }
        .sorted { $0.0 < $1.0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return StageOutcome(
            unit: "votes", cameIn: lines.count, wentOut: believed,
            dropped: ["little trust in the voter": lines.count - believed],
            figures: [
                .init("people", StageOutcome.grouped(people.count)),
                .init("flagged", flagged == 0 ? "0" : "\(flagged) (\(kinds))"),
                .init("method", method.name),
            ])
    }

    /// The method that was asked for, with what raters judged where that was given and the method can use it.
    static func method(_ configuration: ImproveConfiguration) throws -> (any TrustMethod, note: String?) {
        let method = try TrustMethods.named(configuration.trust)
        guard let anchors = configuration.anchors else { return (method, nil) }
        guard method is JointModel else {
            return (method, "What raters judged is not used: the method \(method.name) takes no anchors.")
        }
        return (JointModel(anchors: try TrustAnchors(items: URL(filePath: anchors))), nil)
    }

    /// Each part needs votes of several people, of both kinds: else nothing can be learnt or judged.
    private static func check(_ corpus: Corpus, source: String) throws {
        let voted = corpus.voted()
        guard !voted.isEmpty else { throw ImprovementError.noVotes(source) }
        let users = Set(voted.map { corpus.items[$0].userID })
        guard users.count >= 10 else {
            throw ImprovementError.tooFewUsers(
                source, users.count, 10, "what is learnt from some people is tested on others")
        }
        let likes = voted.count { corpus.items[$0].rating == .like }
        guard likes > 0 else { throw ImprovementError.oneSided(source, "dislikes", voted.count) }
        guard likes < voted.count else { throw ImprovementError.oneSided(source, "likes", voted.count) }
        for part in Corpus.Part.allCases {
            let mine = corpus.voted(in: part)
            let up = mine.count { corpus.items[$0].rating == .like }
            guard up > 0, up < mine.count, Set(mine.map { corpus.items[$0].userID }).count > 1 else {
                throw ImprovementError.noData(
                    source,
                    "too few votes to split by person: the group `\(part.rawValue)` has \(up) likes and \(mine.count - up) dislikes; more conversations, or another --seed"
                )
            }
        }
    }
}

/// Votes with what the replies say, as the trust methods want them.
enum VoteWeighing {
    /// One row per vote: the reply's vector, the last person's turn's, and their product.
    static func table(
        _ corpus: Corpus, _ places: [Int], groups: [String: Int], encoder: any TextEncoder
    ) async throws -> VoteTable {
        let replies = places.map { corpus.items[$0].reply }
        let turns = places.map { corpus.items[$0].context.last { $0.sender == .human }?.text ?? "" }
        let vectors = try await encoder.encode(replies + turns)
        var rows: [[Float]] = []
        rows.reserveCapacity(places.count)
        for index in places.indices {
            let (reply, turn) = (vectors[index], vectors[places.count + index])
            rows.append(reply + turn + zip(reply, turn).map { $0 * $1 })
        }
        let votes = places.enumerated().map { row, place in
            let item = corpus.items[place]
            return Vote(
                user: item.feedback?.userID ?? item.userID, item: item.id, isUp: item.rating == .like,
                time: item.feedback?.givenAt, row: row)
        }
        let texts = Dictionary(
            places.map {
                (corpus.items[$0].id, (corpus.items[$0].context.last?.text ?? "") + "\n" + corpus.items[$0].reply)
            },
            uniquingKeysWith: { first, _ in first })
        return try VoteTable(votes: votes, features: Matrix(rows), texts: texts, groups: groups)
    }
}
