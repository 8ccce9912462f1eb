/// A class of things with facts: its attributes, how one asks and answers, its members.
struct EntityClass: Sendable {
    struct Attribute: Sendable {
        var name: String
        /// Ways to ask, with `{s}` the entity.
        var questions: String
        /// What can be said of the entity in a full sentence: `{s}` is the entity, `{v}` the value.
        var answers: String
        /// The same with a pronoun or as a bare value.
        var shortAnswers: String
        var values: [String]
    }

    struct Entity: Sendable {
        var name: String
        var facts: [String: String]
        var isHeldOut: Bool
    }

    var name: String
    /// True for nouns with an article and a plural.
    var isCountable: Bool
    var attributes: [Attribute]
    var entities: [Entity]

    /// Members a conversation may speak of.
    func members(_ vocabulary: World.Vocabulary) -> [Entity] {
        switch vocabulary {
        case .seen: entities.filter { !$0.isHeldOut }
        case .facts: entities
        case .heldOut: entities.filter(\.isHeldOut)
        }
    }

    /// A class from rows of `name: value, value …` in the order of the attributes; a `*` marks a held-out member.
    init(_ name: String, isCountable: Bool, _ attributes: [Attribute], rows: String) {
        self.name = name
        self.isCountable = isCountable
        self.attributes = attributes
        entities = rows.split(separator: "\n").map { row in
            let sides = row.split(separator: ":").map { $0.split(separator: ",").map(Self.trimmed) }
            let label = sides.first?.first ?? ""
            let values = sides.count > 1 ? sides[1] : []
            let isHeldOut = label.hasPrefix("*")
            return Entity(
                name: isHeldOut ? String(label.dropFirst()) : label,
                facts: Dictionary(uniqueKeysWithValues: zip(attributes.map(\.name), values)), isHeldOut: isHeldOut)
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        text.split(separator: " ").joined(separator: " ")
    }
}

extension EntityClass.Attribute {
    init(_ name: String, values: String, ask: String, say: String, short: String) {
        self.init(
            name: name, questions: ask, answers: say, shortAnswers: short,
            values: values.split(separator: ",").map { $0.split(separator: " ").joined(separator: " ") })
    }
}
