/// Real messages with made-up identities planted into them, where they stand being known: what is found of them tells the leak rate on
/// chat, and what is found elsewhere the false alarms.
///
/// Every second message stays as it was. The others get one of the sentences below, filled in, before or behind: half of them in
/// small letters, some with a look-alike or an invisible character inside.
public struct PlantedIdentities: Sendable {
    /// Names of persons to plant, `Given Family` or `Given`.
    public let people: [String]
    private let key: DeidentificationKey

    /// - Parameter seed: The same texts come for the same seed.
    public init(people: [String], seed: UInt64) throws(DeidentificationError) {
        // Titles are no names, and stay.
        let people = people.filter { !$0.contains(".") && $0.utf8.count > 2 }
        guard !people.isEmpty else {
            throw DeidentificationError(.labels, "the texts that names are taken from mark no person")
        }
        self.people = people
        key = try DeidentificationKey(bytes: (0..<32).map { UInt8(truncatingIfNeeded: seed >> (8 * ($0 % 8))) })
    }

    /// Sentences with `{KIND}` where something is filled in; written for Loam.
    private static let carriers = [
        "my name is {PERSON}", "I'm {PERSON} by the way", "call me {GIVEN}", "hi, {GIVEN} here",
        "you can call me {GIVEN}",
        "my friend {GIVEN} told me that", "my sister {PERSON} lives there", "this is {PERSON}",
        "people call me {GIVEN}",
        "my full name is {PERSON}", "mail me at {EMAIL_ADDRESS}", "my email is {EMAIL_ADDRESS}",
        "write to {SPOKEN_EMAIL} ok", "it's {EMAIL_ADDRESS}, thanks", "my number is {PHONE_NUMBER}",
        "call me on {PHONE_NUMBER}", "text {PHONE_NUMBER} tonight", "my phone is {SPOKEN_PHONE}",
        "I live at {STREET_ADDRESS}", "send it to {STREET_ADDRESS} please", "my ssn is {US_SSN}",
        "my card is {CREDIT_CARD}", "I was born on {DATE_OF_BIRTH}", "my birthday is {DATE_OF_BIRTH}",
        "I am {AGE} years old", "add me, my snap is {USERNAME}", "follow @{HANDLE} there", "see {URL}",
        "my ip is {IP_ADDRESS}", "my iban is {IBAN_CODE}", "my zip code is {POSTAL_CODE}",
        "my passport number is {US_PASSPORT}", "my driver's license is {US_DRIVER_LICENSE}",
    ]

    /// Plants into texts; what is planted is marked.
    public func plant(into texts: [String]) -> [LabelledText] {
        texts.enumerated().map { index, text in
            guard index % 2 == 1 else { return LabelledText(text: text, spans: []) }
            var random = KeyedRandom(key: key, [Array("plant".utf8), Array(String(index).utf8)])
            let carrier = Self.carriers[random.index(below: Self.carriers.count)]
            let isSmall = random.index(below: 2) == 0
            let trick = random.index(below: 12)
            guard let open = carrier.firstIndex(of: "{"), let close = carrier.firstIndex(of: "}") else {
                return LabelledText(text: text, spans: [])
            }
            let kind = String(carrier[carrier.index(after: open)..<close])
            var (entity, value) = filled(kind, &random)
            var head = String(carrier[..<open])
            let tail = String(carrier[carrier.index(after: close)...])
            if isSmall {
                head = head.lowercased()
                if entity != "IBAN_CODE" { value = value.lowercased() }
            }
            // `@` belongs to the user name.
            if kind == "HANDLE" {
                head.removeLast()
                value = "@" + value
            }
            if trick == 0, value.unicodeScalars.count > 4 {
                value.insert("\u{200B}", at: value.index(value.startIndex, offsetBy: 2))
            } else if trick == 1, entity == "PERSON" || entity == "EMAIL_ADDRESS" {
                value = value.replacing("o", with: "о", maxReplacements: 1).replacing(
                    "a", with: "а", maxReplacements: 1)
            }
            let isBefore = random.index(below: 2) == 0
            let start: Int
            let whole: String
            if isBefore {
                whole = head + value + tail + ". " + text
                start = head.unicodeScalars.count
            } else {
                whole = text + (text.last.map { ".!?".contains($0) } == true ? " " : ". ") + head + value + tail
                start = whole.unicodeScalars.count - tail.unicodeScalars.count - value.unicodeScalars.count
            }
            return LabelledText(
                text: whole, spans: [.init(entity: entity, start: start, end: start + value.unicodeScalars.count)])
        }
    }

    private func filled(_ kind: String, _ random: inout KeyedRandom) -> (String, String) {
        func digits(_ count: Int) -> String {
            (0..<count).map { _ in String(random.index(below: 10)) }.joined()
        }
        func first() -> String { String(1 + random.index(below: 9)) }
        func pick(_ list: [String]) -> String { list[random.index(below: list.count)] }
        let words = ["harbor", "maple", "cloud", "tiger", "quiet", "rocket", "velvet", "lemon", "falcon", "winter"]
        switch kind {
        case "PERSON": return ("PERSON", pick(people))
        case "GIVEN": return ("PERSON", String(pick(people).split(separator: " ").first ?? "Anna"))
        case "EMAIL_ADDRESS":
            return (
                kind,
                pick(words) + pick([".", "_", ""]) + pick(words) + digits(2) + "@"
                    + pick(["mailbox.example.com", "web.de", "gmail.com", "post.org"])
            )
        case "SPOKEN_EMAIL":
            return (
                "EMAIL_ADDRESS",
                pick(words) + " dot " + pick(words)
                    + pick([" at gmail", " at gmail dot com", " (at) yahoo (dot) com", " at post dot org"])
            )
        case "PHONE_NUMBER":
            let (a, b, c) = (
                "\(2 + random.index(below: 8))" + "0" + first(), "\(2 + random.index(below: 8))" + digits(1) + "5",
                digits(4)
            )
            return (
                kind,
                pick([
                    "\(a)-\(b)-\(c)", "(\(a)) \(b)-\(c)", "\(a).\(b).\(c)", "+1 \(a) \(b) \(c)",
                    "+44 20 7\(digits(3)) \(c)",
                ])
            )
        case "SPOKEN_PHONE":
            let names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
            return ("PHONE_NUMBER", (0..<10).map { _ in pick(names) }.joined(separator: " "))
        case "STREET_ADDRESS":
            return (
                kind,
                first() + digits(2) + " " + pick(["Maple", "Harbor", "Elm Tree", "Lindberg", "Quarry"]) + " "
                    + pick(["Street", "Road", "Avenue", "Lane", "Drive"])
            )
        case "US_SSN":
            return (
                kind, "\(1 + random.index(below: 5))\(digits(1))\(first())-\(first())\(first())-\(first())\(digits(3))"
            )
        case "CREDIT_CARD":
            var number = "4" + digits(14)
            for check in 0..<10 {
                let whole = number + String(check)
                if CreditCardRecognizer.luhn(whole.utf8.map { $0 - 0x30 }[...]) {
                    number = whole
                    break
                }
            }
            return (kind, number)
        case "DATE_OF_BIRTH":
            let year = 1950 + random.index(below: 55)
            let (month, day) = (1 + random.index(below: 12), 1 + random.index(below: 28))
            return (
                kind,
                pick([
                    "\(month)/\(day)/\(year)", "\(day) \(pick(["May", "June", "October"])) \(year)",
                    "March \(day), \(year)",
                ])
            )
        case "AGE": return (kind, String(16 + random.index(below: 70)))
        case "USERNAME", "HANDLE": return ("USERNAME", pick(words) + pick(["_", "."]) + pick(words) + digits(2))
        case "URL": return (kind, "https://" + pick(words) + pick(words) + ".example.org/" + pick(words))
        case "IP_ADDRESS":
            return (kind, (0..<4).map { _ in String(1 + random.index(below: 254)) }.joined(separator: "."))
        case "IBAN_CODE":
            // Check digits: 98 less the remainder of the number with DE00 behind, in figures (ISO 13616).
            let account = digits(18)
            let rest = (account + "131400").utf8.reduce(0) { ($0 * 10 + Int($1 - 0x30)) % 97 }
            let check = String(98 - rest)
            return (kind, "DE" + (check.count < 2 ? "0" : "") + check + account)
        case "POSTAL_CODE": return (kind, digits(5))
        case "US_PASSPORT": return (kind, first() + digits(8))
        default: return (kind, pick(["D", "S", "K"]) + digits(7))
        }
    }
}
