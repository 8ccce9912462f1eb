import Foundation
import Statistics
import Trust

/// The thumbs of ConvAI2's wild evaluation: volunteers who talked with competing bots. Every message has one voter, so people
/// can be judged by the texts alone.
///
/// Nobody knows who of them did not mean it. So people are replaced by trolls, of which the truth is known, and those whose
/// thumbs are odd by themselves are looked for in how they write.
struct OrganicThumbs {
    /// One thumb on one message of a bot.
    struct Thumb {
        var user: String
        var item: String
        var isUp: Bool
        /// What was said to the bot, and what it answered.
        var parts: [String]
    }

    /// What one person did in one dialogue.
    struct Talk {
        var user: String
        /// What they wrote.
        var turns: [String]
        var thumbs: [Bool]
        /// 1 to 5, where it was given.
        var score: Int?
    }

    private struct Dialogue: Decodable {
        struct Side: Decodable {
            var `class`: String
            var userId: String
        }
        struct Message: Decodable {
            var text: String
            var senderClass: String
            var evaluationScore: Int?
        }
        var dialog: [Message]
        var evalScore: Int?
        var participant1Id: Side
        var participant2Id: Side
    }

    private(set) var thumbs: [Thumb] = []
    private(set) var talks: [Talk] = []

    init(data: URL) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        for part in ["intermediate", "volunteers"] {
            let file = data.appending(path: "organic/convai2/data_\(part).json")
            let dialogues = try decoder.decode([Dialogue].self, from: Data(contentsOf: file))
            for (number, dialogue) in dialogues.enumerated() {
                let sides = [dialogue.participant1Id, dialogue.participant2Id].filter { $0.class == "User" }
                guard sides.count == 1, let user = sides.first?.userId else { continue }
                var heard = ""
                var talk = Talk(user: user, turns: [], thumbs: [], score: dialogue.evalScore)
                for (place, message) in dialogue.dialog.enumerated() {
                    guard message.senderClass == "Bot" else {
                        heard = message.text
                        talk.turns.append(message.text)
                        continue
                    }
                    guard let score = message.evaluationScore else { continue }
                    talk.thumbs.append(score == 1)
                    thumbs.append(
                        Thumb(
                            user: user, item: "\(part) \(number) \(place)", isUp: score == 1,
                            parts: [heard, message.text]))
                }
                talks.append(talk)
            }
        }
    }

    /// Writes what the encoder must read.
    static func texts(_ options: Options) throws {
        let log = try OrganicThumbs(data: URL(filePath: options.text("data")))
        try SafetyMixRun.write(parts: log.thumbs.map(\.parts), to: URL(filePath: options.text("out")))
    }

    static func run(_ options: Options) throws {
        let log = try OrganicThumbs(data: URL(filePath: options.text("data")))
        let people = Set(log.thumbs.map(\.user))
        print("convai2: \(log.thumbs.count) thumbs of \(people.count) people, one voter a message")
        try log.replaced(
            vectors: SafetyMixRun.vectors(log.thumbs.map(\.parts), URL(filePath: options.text("vectors"))),
            seeds: options.number("seeds", default: 10))
        print()
        try log.habits()
    }

    /// Three people in ten vote otherwise: who is found, among people with `fewest` thumbs or more.
    private func replaced(vectors: Matrix, seeds: Int, fewest: Int = 3) throws {
        let methods: [any TrustMethod] = [JointModel(), UserTypes(), PerUserRemoval()]
        let kinds: [(name: String, vote: (Bool, inout SeededGenerator) -> Bool)] = [
            ("inverse", { own, _ in !own }), ("random", { _, generator in generator.chance(0.5) }),
            ("always up", { _, _ in true }), ("always down", { _, _ in false }),
        ]
        let people = Set(thumbs.map(\.user)).sorted()
        var counts: [String: Int] = [:]
        for thumb in thumbs { counts[thumb.user, default: 0] += 1 }
        print(
            "ROC AUC of trust, 30 % of people replaced, \(people.count { (counts[$0] ?? 0) >= fewest }) people with "
                + "\(fewest) thumbs or more, \(seeds) seeds")
        var rows = [["trolls"] + methods.map(\.name)]
        for kind in kinds {
            var areas = methods.map { _ in [Double]() }
            for seed in 0..<seeds {
                var generator = SeededGenerator(seed: UInt64(seed)).fork("organic thumbs \(kind.name)")
                let trolls = Set(generator.shuffled(people).prefix(people.count * 3 / 10))
                let votes = thumbs.enumerated().map { row, thumb in
                    Vote(
                        user: thumb.user, item: thumb.item,
                        isUp: trolls.contains(thumb.user) ? kind.vote(thumb.isUp, &generator) : thumb.isUp, row: row)
                }
                let table = try VoteTable(votes: votes, features: vectors)
                for (number, method) in methods.enumerated() {
                    let users = try method.weigh(table, generator: SeededGenerator(seed: UInt64(seed))).users
                        .filter { (counts[$0.user] ?? 0) >= fewest }
                    areas[number].append(
                        try ROC.auc(scores: users.map(\.trust), labels: users.map { !trolls.contains($0.user) }))
                }
            }
            rows.append(
                [kind.name]
                    + (try areas.map { areas in
                        let interval = try Bootstrap(replicates: 1000).mean(areas)
                        return "\(figure(interval.estimate)) ±\(figure(interval.halfWidth))"
                    }))
        }
        printTable(rows)
    }

    /// People whose thumbs are odd by themselves, looked for in how they write.
    private func habits() throws {
        var ofUser: [String: [Talk]] = [:]
        for talk in talks { ofUser[talk.user, default: []].append(talk) }
        let questions: [(name: String, isBad: ([Talk]) -> Bool?)] = [
            (
                "all thumbs alike (of three or more)",
                { talks in
                    let thumbs = talks.flatMap(\.thumbs)
                    return thumbs.count < 3 ? nil : Set(thumbs).count == 1
                }
            ),
            (
                "thumbs against their own score of a dialogue",
                { talks in
                    let judged = talks.filter { $0.score != nil && $0.thumbs.count > 1 }
                    guard !judged.isEmpty else { return nil }
                    return judged.contains { talk in
                        let up = 2 * talk.thumbs.count { $0 } > talk.thumbs.count
                        return up ? (talk.score ?? 3) <= 2 : (talk.score ?? 3) >= 4
                    }
                }
            ),
        ]
        print("ROC AUC of odd voters by how they write")
        var rows = [["people with", "odd", "oddity, nothing learnt", "held-out regression"]]
        for question in questions {
            let judged = ofUser.keys.sorted().compactMap { user in
                question.isBad(ofUser[user] ?? []).map { (talks: ofUser[user] ?? [], isBad: $0) }
            }
            let labels = judged.map(\.isBad)
            let habits = try WritingHabits(judged.map { $0.talks.map(\.turns) })
            rows.append(
                [question.name, "\(labels.count { $0 }) of \(labels.count)"]
                    + (try [habits.oddity, Writers.scores(habits, labels)].map { scores in
                        let area = try ROC.interval(scores: scores, labels: labels)
                        return "\(figure(area.estimate)) (\(figure(area.lower)) … \(figure(area.upper)))"
                    }))
        }
        printTable(rows)
    }
}
