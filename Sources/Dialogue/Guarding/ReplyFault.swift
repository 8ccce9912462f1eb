import Conversations
import Foundation

/// What can be wrong with a reply that is neither empty nor unsafe: the complaints that people had most often of
/// BlenderBot 3 beside search.
public enum ReplyFault: String, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
    /// It says again what the bot said before, whole or nearly so.
    case repeatsItself = "repeats_itself"
    /// It goes round in circles within itself.
    case loops
    /// It only gives the person's words back.
    case echoes
    /// It claims what the person told of themselves: their name, their facts.
    case takesPersonsPart = "takes_persons_part"
    /// It speaks for the person, or of the two sides by their names in prompts.
    case talksForPerson = "talks_for_person"

    public var description: String { rawValue.replacingOccurrences(of: "_", with: " ") }

    /// Whether it is still better than no reply of the model.
    public var mayBeSaid: Bool { self != .takesPersonsPart && self != .talksForPerson }

    /// The first fault of a reply, `nil` when it has none.
    /// - Parameters:
    ///   - turns: the talk that it answers.
    ///   - facts: what is known of both sides.
    public init?(in reply: String, after turns: [Turn], facts: [Fact]) {
        let words = Self.words(reply)
        if Self.talksForPerson(reply) {
            self = .talksForPerson
        } else if Self.takesPersonsPart(reply, facts) {
            self = .takesPersonsPart
        } else if turns.contains(where: { $0.sender == .bot && Self.isNearlySame(Self.words($0.text), words) }) {
            self = .repeatsItself
        } else if Self.loops(words) {
            self = .loops
        } else if let said = turns.last(where: { $0.sender == .human }), words.count >= 4,
            Self.words(said.text) == words
        {
            self = .echoes
        } else {
            return nil
        }
    }

    // MARK: Words

    static func words(_ text: String) -> [Substring] {
        text.lowercased().replacingOccurrences(of: "’", with: "'")
            .split { !$0.isLetter && !$0.isNumber && $0 != "'" }
    }

    /// The same words but for one in ten. Short replies ("Yes, I do.") may come again.
    private static func isNearlySame(_ a: [Substring], _ b: [Substring]) -> Bool {
        guard min(a.count, b.count) >= 5 else { return false }
        var left: [Substring: Int] = [:]
        for word in a { left[word, default: 0] += 1 }
        var common = 0
        for word in b where left[word, default: 0] > 0 {
            left[word]! -= 1
            common += 1
        }
        return 2 * Double(common) / Double(a.count + b.count) >= 0.9
    }

    /// Three times the same four words.
    private static func loops(_ words: [Substring]) -> Bool {
        guard words.count >= 12 else { return false }
        var seen: [ArraySlice<Substring>: Int] = [:]
        for start in 0...(words.count - 4) {
            let gram = words[start..<(start + 4)]
            seen[gram, default: 0] += 1
            if seen[gram]! >= 3 { return true }
        }
        return false
    }

    // MARK: Who is who

    private static func talksForPerson(_ reply: String) -> Bool {
        reply.split(whereSeparator: \.isNewline).contains { line in
            line.range(
                of: #"^\s*(person\s*1|human|user|you)\s*:"#, options: [.regularExpression, .caseInsensitive]) != nil
        }
    }

    /// Sentences of the reply are held against what the person told of themselves and the bot did not.
    private static func takesPersonsPart(_ reply: String, _ facts: [Fact]) -> Bool {
        let persons = facts.filter { $0.owner == .person }
        guard !persons.isEmpty else { return false }
        let own = facts.filter { $0.owner == .bot }.map { FactWords($0.text) }
        let names = Set(persons.compactMap { FactWords.name(in: $0.text) })
            .subtracting(facts.filter { $0.owner == .bot }.compactMap { FactWords.name(in: $0.text) })
        for sentence in SentenceCut.sentences(of: reply) {
            if let name = FactWords.name(in: sentence), names.contains(name) { return true }
            // "I like jazz too" has a taste in common; "I am a nurse in Leeds" is somebody else's life.
            let said = FactWords(sentence)
            guard said.isFirstPerson, !said.isShared, said.content.count >= 2 else { continue }
            let isPersons = persons.contains { fact in
                let theirs = FactWords(fact.text)
                return theirs.isFirstPerson && theirs.isNegated == said.isNegated && theirs.content.count >= 2
                    && !theirs.isTaste && theirs.content.isSubset(of: said.content)
            }
            if isPersons, !own.contains(where: { $0.content.isSubset(of: said.content) && !$0.content.isEmpty }) {
                return true
            }
        }
        return false
    }
}

/// How often generated dialogues have each fault.
public struct ReplyFaultCounts: Sendable, Hashable {
    /// Replies looked at; canned ones are left out.
    public var replies = 0
    public var counts: [ReplyFault: Int] = [:]

    public init() {}

    /// Counts the faults of a conversation's replies, each against the talk before it.
    /// - Parameter facts: what is known of both sides; the facts that the person states in the talk itself are added.
    public mutating func add(_ conversation: Conversation, facts: [Fact] = []) {
        for (place, message) in conversation.messages.enumerated() where message.sender == .bot && !message.isCanned {
            let before = conversation.turns(before: place)
            let stated = before.flatMap { turn in
                StatedFacts.facts(in: turn.text).map { Fact(Memory.Owner(turn.sender), $0) }
            }
            replies += 1
            if let fault = ReplyFault(in: message.text, after: before, facts: facts + stated) {
                counts[fault, default: 0] += 1
            }
        }
    }

    /// Share of replies with a fault.
    public func share(of fault: ReplyFault) -> Double {
        replies == 0 ? 0 : Double(counts[fault] ?? 0) / Double(replies)
    }
}
