/// A domain of tastes: things that one likes or does not, and how one speaks of them.
struct TasteDomain: Sendable {
    var name: String
    /// What the domain is called: `music`, `sport`.
    var noun: String
    /// What one does with it: `listen to`, `eat`; `{s}` follows.
    var verb: String
    var items: [String]
    var heldOut: [String]
    /// Reasons for and against, as whole sentences about `it`.
    var reasonsFor: [String]
    var reasonsAgainst: [String]

    func members(_ vocabulary: World.Vocabulary) -> [String] {
        switch vocabulary {
        case .seen: items
        case .facts: items + heldOut
        case .heldOut: heldOut
        }
    }

    static let all: [TasteDomain] = [
        TasteDomain(
            name: "music", noun: "music", verb: "listen to",
            items: ["jazz", "rock", "folk music", "pop", "blues", "piano music", "opera"], heldOut: ["choir music"],
            reasonsFor: ["the sound makes me calm", "it is lovely to hear in the evening"],
            reasonsAgainst: ["it is too loud for me", "the songs are too long"]),
        TasteDomain(
            name: "food", noun: "food", verb: "eat",
            items: ["pasta", "pizza", "rice", "soup", "fresh bread", "cheese", "salad"], heldOut: ["noodles"],
            reasonsFor: ["it tastes so good", "it is easy to cook"],
            reasonsAgainst: ["it is too heavy for me", "the taste is too strong"]),
        TasteDomain(
            name: "sport", noun: "sport", verb: "watch",
            items: ["football", "tennis", "swimming", "cycling", "running", "hockey"], heldOut: ["rowing"],
            reasonsFor: ["it is exciting", "it is good for your health"],
            reasonsAgainst: ["it is too tiring for me", "the rules are hard to follow"]),
        TasteDomain(
            name: "hobby", noun: "hobby", verb: "do",
            items: ["painting", "reading", "gardening", "baking", "fishing", "drawing"], heldOut: ["pottery"],
            reasonsFor: ["it is relaxing", "you can do it at home"],
            reasonsAgainst: ["it takes too much time", "I do not have the patience for it"]),
        TasteDomain(
            name: "film", noun: "films", verb: "watch",
            items: ["comedies", "westerns", "cartoons", "thrillers", "war films", "love stories"],
            heldOut: ["nature films"],
            reasonsFor: ["they are fun", "the stories are good"],
            reasonsAgainst: ["they are too slow for me", "the endings are always the same"]),
    ]
}
