/// Made-up personal details that people let slip: numbers and addresses from ranges kept for fiction.
enum PersonalDetails {
    private static let streets = [
        "Mill Lane", "Oak Street", "Station Road", "Harbour Street", "Elm Avenue", "Park Road",
    ]
    private static let surnames = [
        "Archer", "Bell", "Carver", "Dale", "Ellis", "Ford", "Gray", "Hart", "Marsh", "Reed",
    ]

    /// An act that gives away an e-mail address, a phone number, a street address or a full name.
    static func act(_ persona: Persona, _ random: inout SplitMix64) -> Act {
        let surname = random.pick(surnames) ?? ""
        switch random.index(4) {
        case 0:
            let end = random.chance(0.5) ? "com" : "org"
            let dot = random.chance(0.5) ? "." : ""
            return Act(
                kind: .shareContact, domain: "email",
                value: "\(persona.name.lowercased())\(dot)\(surname.lowercased())@example.\(end)")
        case 1:
            let last = String(100 + random.index(100))
            return Act(kind: .shareContact, domain: "phone", value: "\(201 + random.index(700))-555-0\(last)")
        case 2:
            let number = 1 + random.index(200)
            return Act(
                kind: .shareContact, domain: "address",
                value: "\(number) \(random.pick(streets) ?? ""), \(persona.home)")
        default: return Act(kind: .shareContact, domain: "fullname", value: "\(persona.name) \(surname)")
        }
    }
}
