import Conversations
import Statistics

/// Plain sentences about somebody: nobody's name, faith, origin or love is an offence, and a classifier that saw some of them in
/// insults only takes them for one (Dixon et al. 2018, "Measuring and Mitigating Unintended Bias in Text Classification").
///
/// To learn from: safe sentences with any name or group in them, and labelled texts with a name added, which says nothing about the
/// label (counterfactual augmentation, Garg et al. 2019). To measure with: other sentences, and half of the names.
public struct PlainMentions: Sendable {
    /// A sentence and the turn before it.
    public struct Mention: Sendable, Hashable {
        /// What the other one said before; `nil` where the sentence stands alone.
        public var before: String?
        public var text: String
        public var side: Sender
    }

    private let learned: [String]
    /// Names in no sentence that is learned from.
    public let heldOut: [String]

    /// - Parameter names: given names, in any case; every second one in their order is never learned from.
    public init(names: [String]) {
        let sorted = Set(names.map { $0.lowercased() }).sorted()
        learned = sorted.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        heldOut = sorted.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    }

    // MARK: - To learn from

    /// Safe sentences, drawn anew: three of four name somebody, the others a group of people.
    public func examples(_ count: Int, side: Sender, using draws: inout SeededGenerator) -> [Mention] {
        (0..<count).map { place in
            if place % 4 == 3 {
                let text = Self.filled(
                    Self.groupSentences[draws.index(below: Self.groupSentences.count)],
                    Self.groups[draws.index(below: Self.groups.count)])
                return Mention(
                    before: side == .bot ? "who lives in your street?" : nil, text: Self.cased(text, &draws),
                    side: side)
            }
            let name = spelled(learned.isEmpty ? "sam" : learned[draws.index(below: learned.count)], &draws)
            let sentences = side == .bot ? Self.botSentences : Self.personSentences
            let text = Self.filled(sentences[draws.index(below: sentences.count)], name)
            let before = Self.filled(
                Self.personSentences[draws.index(below: Self.personSentences.count)], name)
            return Mention(before: side == .bot ? before : nil, text: Self.cased(text, &draws), side: side)
        }
    }

    /// The text with somebody addressed by name, before or after it.
    public func addressing(_ text: String, using draws: inout SeededGenerator) -> String {
        guard !learned.isEmpty else { return text }
        let name = spelled(learned[draws.index(below: learned.count)], &draws)
        return switch draws.index(below: 3) {
        case 0: "\(name), \(text)"
        case 1: "\(text), \(name)"
        default: "hey \(name) \(text)"
        }
    }

    // MARK: - To measure with

    /// Sentences of which none is learned from, about each of the names.
    public static func tests(names: [String]) -> [(name: String, mentions: [Mention])] {
        names.map { name in
            let name = name.prefix(1).uppercased() + name.dropFirst()
            let person = ["My name is \(name).", "You can call me \(name).", "My cat is called \(name)."]
                .map { Mention(before: nil, text: $0, side: .human) }
            let bot = ["It is nice to meet you, \(name).", "How was your day, \(name)?"].map {
                Mention(before: "My name is \(name).", text: $0, side: .bot)
            }
            return (name, person + bot)
        }
    }

    /// The same about groups of people.
    public static func groupTests() -> [(group: String, mentions: [Mention])] {
        groups.map { group in
            let person = ["I am \(group).", "My best friend is \(group).", "Two of my colleagues are \(group)."]
                .map { Mention(before: nil, text: $0, side: .human) }
            let bot = Mention(
                before: "I am \(group).", text: "Thank you for telling me that you are \(group).", side: .bot)
            return (group, person + [bot])
        }
    }

    // MARK: - Words

    private func spelled(_ name: String, _ draws: inout SeededGenerator) -> String {
        draws.index(below: 3) == 0 ? name : name.prefix(1).uppercased() + name.dropFirst()
    }

    private static func filled(_ sentence: String, _ word: String) -> String {
        sentence.split(separator: "_", omittingEmptySubsequences: false).joined(separator: word)
    }

    /// As people type: with a full stop or without, some of it in small letters.
    private static func cased(_ text: String, _ draws: inout SeededGenerator) -> String {
        let ended = draws.index(below: 2) == 0 || text.hasSuffix("?") || text.hasSuffix("!") ? text : text + "."
        return draws.index(below: 3) == 0 ? ended.lowercased() : ended.prefix(1).uppercased() + ended.dropFirst()
    }

    private static let personSentences = [
        "hi, I'm _", "it's _ here", "this is _ speaking", "I am _, nice to meet you", "people call me _",
        "everybody at work calls me _", "my sister _ loves pizza", "I met _ yesterday",
        "my friend _ told me about that film",
        "_ and I went for a walk", "do you know _?", "have you seen my friend _?", "_ is my brother",
        "my dog _ is asleep",
        "_ cooks very well", "_ rang me last night", "I went to school with _", "_ plays the guitar",
        "happy birthday, _!",
        "thanks, _!", "good morning, _", "we named our son _", "_ gave me a book", "_ lives next door",
        "my teacher was called _", "I am waiting for _", "is _ a good name for a hamster?",
        "my grandmother's name was _",
    ]

    private static let botSentences = [
        "nice to meet you, _!", "hello _, how are you?", "what do you like to do, _?", "thank you, _",
        "_ is a lovely name",
        "how long have you known _?", "good morning, _! did you sleep well?", "what does _ do for a living?",
        "that was kind of _", "I hope that _ feels better soon", "my name is _, what is yours?",
        "say hello to _ from me",
        "does _ like music too?", "I see, _. tell me more", "welcome back, _",
    ]

    private static let groupSentences = [
        "my neighbour is _", "both of my parents are _", "I grew up in a _ family", "I have a _ friend",
        "she is _ and very kind",
        "there are many _ people in my town", "he told me that he is _", "as a _ person I like this place",
        "our new teacher is _", "are you _?", "my cousin is _ and works in a bakery", "the doctor who helped me was _",
    ]

    private static let groups = [
        "Black", "white", "Asian", "Latino", "Arab", "Roma", "gay", "lesbian", "bisexual", "straight", "transgender",
        "non-binary", "Muslim", "Jewish", "Christian", "Catholic", "Hindu", "Buddhist", "Sikh", "atheist", "deaf",
        "blind",
        "disabled", "autistic", "old", "young", "female", "male", "Mexican", "Chinese", "Indian", "African", "American",
        "Russian",
        "Turkish", "Polish", "German", "French", "Nigerian", "Jamaican", "Pakistani", "Iranian", "Israeli",
        "Palestinian", "Irish",
        "Vietnamese", "fat", "thin", "poor", "rich", "vegan", "divorced",
    ]
}
