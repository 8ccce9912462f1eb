import Conversations
import Foundation
import Safety
import Training

/// How people treat the bot, as something that trust may go by: who insults it is more often out for mischief with their votes too.
///
/// Nothing is held against anybody beforehand: those who do are a group of their own (`VoteTable.groupOfUser`), and what the people of
/// that group are like is learnt from their votes.
struct Conduct: Sendable, Codable {
    /// Group of each person who insulted the bot, for `VoteTable.groupOfUser`; whoever is not here did not.
    private(set) var groups: [String: Int] = [:]
    /// What was said to it that may be an insult, each text once, sorted.
    private(set) var insults: [String] = []

    /// The file of the trust stage that it is kept in.
    static let file = "conduct.json"

    /// From this probability of abuse up, where the safety layer objects too, whoever said it is in the group. Not lower, where the
    /// classifier takes offence at more first names; it takes offence at a few even so (its card counts them).
    static let abusiveFrom = 0.5
    /// From this one up a text counts among the insults, to which replies are drawn: many insults are mild, and a
    /// harmless text among them costs replies that are drawn in vain, and nobody's trust.
    static let insultingFrom = 0.3
    private static let group = 1
    private static let batch = 64

    /// Nothing is known of how people treat the bot.
    init() {}

    /// - Parameter classifier: the probability that what a person said is abuse, by the text alone.
    init(of corpus: Corpus, classifier: any TextClassifier) async throws {
        var places: [String: Int] = [:]
        var texts: [String] = []
        var saying: [String: Set<Int>] = [:]
        for item in corpus.items {
            for turn in item.context where turn.sender == .human && !turn.text.allSatisfy(\.isWhitespace) {
                let place = places[turn.text] ?? texts.count
                if place == texts.count {
                    places[turn.text] = place
                    texts.append(turn.text)
                }
                saying[item.userID, default: []].insert(place)
            }
        }
        // Texts of like length pad each other least.
        let order = texts.indices.sorted { (texts[$0].utf8.count, $0) < (texts[$1].utf8.count, $1) }
        var abusive: Set<Int> = []
        var insulting: Set<Int> = []
        for start in stride(from: 0, to: order.count, by: Self.batch) {
            let some = order[start..<min(start + Self.batch, order.count)]
            let found = try await classifier.probabilities(of: some.map { ([], texts[$0]) })
            for (place, probability) in zip(some, found) where probability >= Self.insultingFrom {
                insulting.insert(place)
                if probability >= Self.abusiveFrom { abusive.insert(place) }
            }
        }
        groups = saying.filter { !$0.value.isDisjoint(with: abusive) }.mapValues { _ in Self.group }
        insults = insulting.map { texts[$0] }.sorted()
    }

    /// The shipped classifier of abuse where it goes with the encoder.
    static func classifier(encoder: URL) throws -> (any TextClassifier)? {
        guard let tuned = SafetyPipeline.tunedFolder else { return nil }
        do {
            return try TunedSafetyModel(folder: tuned, encoder: encoder).classifier(of: .human)
        } catch let error as TrainingError where error.code == .checkpoint {
            return nil
        }
    }
}
