/// A small world with exact truth: what there is, what is so, and how people and bots speak of it.
///
/// People talk with a bot about entities with facts, tastes, memories and plans. Everything that is true is in here, so
/// `WorldJudge` can say of any reply whether it is right. Invented for Loam; a later version may add classes, attributes
/// and acts by adding rows to the tables.
public struct World: Sendable {
    /// What a conversation may speak of.
    public enum Vocabulary: Sendable, Hashable {
        /// Without the held-out entities: what logs and training prompts are made of.
        case seen
        /// Everything except held-out names of people and pets: what pre-training reads.
        case facts
        /// Everything, held-out things first where there is a choice: what tests use.
        case heldOut
    }

    /// What people of the world call the bot.
    public static let botName = "Fern"

    /// Names that identify nobody in the world, as those of well-known cities do not: the bot's own and the towns'. Take them for the names that
    /// de-identification keeps, or a bot that learns from the world's logs loses what it knew of the world.
    public static var publicNames: [String] {
        [botName] + EntityClass.all.filter { $0.name == "town" }.flatMap { $0.entities.map(\.name) }
    }

    let entities: [EntityClass]
    let tastes: [TasteDomain]
    let names: NameLists
    let personGrammar: Grammar
    let botGrammar: Grammar

    public init() throws {
        entities = EntityClass.all
        tastes = TasteDomain.all
        names = NameLists()
        let lexicons = Self.lexicons(entities, tastes, names)
        personGrammar = try Grammar(
            rules: PersonPhrases.rules(entities, tastes), lexicons: lexicons, parts: PersonPhrases.parts)
        botGrammar = try Grammar(
            rules: BotPhrases.rules(entities, tastes) + FlawPhrases.rules, lexicons: lexicons,
            parts: BotPhrases.parts)
    }

    /// Names of the entities and tastes that no log and no training or validation prompt speaks of. A base model meets
    /// them in pre-training, so a test on them asks whether what was learnt from votes carries over.
    public var heldOutEntities: [String] {
        entities.flatMap { $0.entities.filter(\.isHeldOut).map(\.name) } + tastes.flatMap(\.heldOut)
            + names.heldOutTitles
    }

    /// Names of people and pets that appear nowhere but in test prompts.
    public var heldOutNames: [String] { names.heldOutPeople + names.heldOutPets }

    func entityClass(_ name: String) -> EntityClass? { entities.first { $0.name == name } }

    func taste(_ name: String) -> TasteDomain? { tastes.first { $0.name == name } }

    /// The true value of an attribute, `nil` where the world has no such entity or attribute.
    func truth(_ domain: String, _ attribute: String, of entity: String) -> String? {
        entityClass(domain)?.entities.first { $0.name == entity }?.facts[attribute]
    }

    /// Domains that belong together: a talk about dishes is a talk about food.
    func group(of domain: String) -> String {
        switch domain {
        case "dish": "food"
        case "instrument": "music"
        case "title": "film"
        case "animal", "pet": "animal"
        case "town", "home", "plan": "place"
        case "tool": "hobby"
        default: domain
        }
    }

    private static func lexicons(
        _ entities: [EntityClass], _ tastes: [TasteDomain], _ names: NameLists
    ) -> [Lexicon] {
        var all: [Lexicon] = []
        for kind in entities {
            let nouns = kind.entities.map(\.name)
            all.append(kind.isCountable ? Lexicon(kind.name, nouns: nouns) : Lexicon(kind.name, plain: nouns))
            for attribute in kind.attributes {
                all.append(Lexicon("\(kind.name).\(attribute.name)", plain: attribute.values))
            }
        }
        for domain in tastes { all.append(Lexicon(domain.name, plain: domain.items + domain.heldOut)) }
        return all + names.lexicons
    }
}
