/// Who a simulated person is: what they have, like and plan, and how they open a conversation.
struct Persona: Sendable {
    var name: String
    var home: String
    var job: String
    var petKind: String
    var petName: String
    var day: String
    var plan: String
    var greeting: String
    var likes: [String: String]
    var dislikes: [String: String]
    var isAdversarial: Bool
    var vocabulary: World.Vocabulary

    init(_ world: World, vocabulary: World.Vocabulary, isAdversarial: Bool, _ random: inout SplitMix64) {
        let names = world.names
        let isHeldOut = vocabulary == .heldOut
        func pick(_ items: [String]) -> String { random.pick(items) ?? "" }
        name = pick(isHeldOut ? names.heldOutPeople : names.people)
        petName = pick(isHeldOut ? names.heldOutPets : names.pets)
        home = pick(world.entityClass("town")?.members(vocabulary).map(\.name) ?? [])
        job = pick(names.jobs)
        petKind = pick(names.petKinds)
        day = pick(names.days)
        plan = pick(names.plans.map { String($0.split(separator: "|").first ?? "") })
        greeting = random.pick(weighted: names.greetings.map { ($0, $0 == "yo" ? 0.8 : 1) }) ?? "hello"
        likes = [:]
        dislikes = [:]
        for domain in world.tastes {
            let items = random.shuffled(domain.members(vocabulary))
            likes[domain.name] = items.first
            dislikes[domain.name] = items.dropFirst().first ?? domain.items.first
        }
        self.isAdversarial = isAdversarial
        self.vocabulary = vocabulary
    }

    /// What the person tells when telling of `domain`.
    func memory(_ domain: String) -> Act {
        switch domain {
        case "pet": Act(kind: .tellMemory, domain: domain, subject: petKind, value: petName)
        case "home": Act(kind: .tellMemory, domain: domain, value: home)
        case "job": Act(kind: .tellMemory, domain: domain, value: job)
        case "plan": Act(kind: .tellMemory, domain: domain, subject: day, value: plan)
        default: Act(kind: .tellMemory, domain: "name", value: name)
        }
    }
}
