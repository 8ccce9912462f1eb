/// The pseudonyms of one conversation. What stands for a name depends on the key, the conversation's id and the name: the
/// same person has one pseudonym in a conversation, and another one, unlinkable without the key, in the next.
struct PseudonymBook {
    private let key: DeidentificationKey
    private let scope: [UInt8]
    private let lexicon: Lexicon
    /// Folded words of the conversation and pseudonyms already given: none of them is given again.
    private var taken: Set<UInt64>
    private var names: [UInt64: String] = [:]
    /// Pseudonyms of e-mail addresses and user names, by kind and text in small letters: a name is drawn for each once.
    private var handles: [String: String] = [:]
    private var isExhausted = false

    init(key: DeidentificationKey, scope: String, lexicon: Lexicon, taken: Set<UInt64>) {
        self.key = key
        self.scope = Array(scope.utf8)
        self.lexicon = lexicon
        self.taken = taken
    }

    /// What stands for a found text.
    mutating func pseudonym(of text: String, _ entity: Entity) -> String {
        switch entity {
        case .person: return person(text)
        case .emailAddress:
            let plain = text.lowercased()
            if let known = handles["mail " + plain] { return known }
            var random = random(entity, plain)
            let address = "\(draw(lexicon.firstNames, &random))\(digits(3, &random))@example.org"
            handles["mail " + plain] = address
            return address
        case .url:
            var random = random(entity, text.lowercased())
            let scheme = text.lowercased().hasPrefix("http://") ? "http://" : text.contains("://") ? "https://" : ""
            return "\(scheme)example.org/\(random.hex(8))"
        case .ipAddress:
            var random = random(entity, text.lowercased())
            // Ranges that belong to nobody: RFC 1918, RFC 3849.
            return text.contains(":")
                ? "2001:db8::\(random.hex(4)):\(random.hex(4))"
                : "10.\(random.index(below: 256)).\(random.index(below: 256)).\(1 + random.index(below: 254))"
        case .userName: return userName(text)
        case .streetAddress:
            var random = random(entity, FoldedText.letters(text))
            let length = max(1, text.utf8.split { !ScannedText.isDigit($0) }.first.map { min($0.count, 4) } ?? 2)
            let street = Self.streets[random.index(below: Self.streets.count)]
            return "\(1 + random.index(below: 9))\(digits(length - 1, &random)) \(street) Street"
        case .dateOfBirth: return DatePseudonym.date(text, random: random(entity, FoldedText.letters(text)))
        case .location: return place(text, Self.towns)
        case .organization: return place(text, Self.companies)
        case .age: return age(text)
        case .macAddress:
            var random = random(entity, FoldedText.letters(text))
            // The bit that says "given locally": no maker's number.
            let separator = text.contains("-") ? "-" : ":"
            return (["02"] + (0..<5).map { _ in random.hex(2) }).joined(separator: separator)
        case .phoneNumber, .creditCard, .socialSecurityNumber, .iban, .driverLicense, .passport, .taxpayerNumber,
            .bankAccount, .routingNumber, .providerNumber, .beneficiaryNumber, .medicalLicense, .postalCode, .crypto:
            return number(text, entity)
        }
    }

    /// A keyed hash for `Operator.hash`.
    func hash(of text: String, _ entity: Entity) -> String {
        var random = random(entity, FoldedText.letters(text))
        return random.hex(16)
    }

    private static let streets = [
        "Maple", "Cedar", "Willow", "Birch", "Chestnut", "Juniper", "Linden", "Hawthorn", "Sycamore", "Walnut",
        "Poplar",
        "Alder", "Laurel", "Magnolia", "Cypress", "Rowan",
    ]

    private static let towns = [
        "Ashbrook", "Brindleton", "Calderfield", "Dunmarsh", "Elmhaven", "Fernwick", "Greyford", "Hollowmere",
        "Ivybridge", "Larkham", "Millbrook", "Northwold", "Oakhurst", "Pinecrest", "Ravensdale", "Silverlake",
        "Thornbury", "Underhill", "Westmoor", "Yarrowby",
    ]
    private static let companies = [
        "Alderway", "Bluefern", "Cobaltree", "Driftwood", "Emberline", "Foxglove", "Goldleaf", "Harborlight",
        "Ironbark", "Juniperus", "Kestrelworks", "Lanternfish", "Moonseed", "Nimbuswell", "Orchardia", "Pebblestone",
    ]

    private mutating func place(_ text: String, _ list: [String]) -> String {
        let folded = FoldedText.letters(text)
        var hash = FoldedHash(folded)
        hash.add(list.count == Self.towns.count ? 1 : 2)
        if let known = names[hash.value] { return known }
        var random = random(list.count == Self.towns.count ? .location : .organization, folded)
        let start = random.index(below: list.count)
        let free = list.indices.lazy.map { list[(start + $0) % list.count] }.first {
            !taken.contains(FoldedHash($0).value)
        }
        // More places than names: a number tells them apart.
        let name = free ?? "\(list[start])\(2 + random.index(below: 1000))"
        taken.insert(FoldedHash(name).value)
        names[hash.value] = name
        return name
    }

    /// Another age of the same ten years, said the same way.
    private func age(_ text: String) -> String {
        var random = random(.age, FoldedText.letters(text))
        if let years = Int(text) {
            let decade = years / 10 * 10
            let others = (max(1, decade)...(decade + 9)).filter { $0 != years }
            return String(others[random.index(below: others.count)])
        }
        let tens = AgeRecognizer.tens.first { text.lowercased().hasPrefix($0.key) }
        let units = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        guard let tens else {
            let teens = ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
                .filter { $0 != text.lowercased() }
            return teens[random.index(below: teens.count)]
        }
        let others = units.filter { !text.lowercased().hasSuffix($0) }
        return text.prefix(tens.key.count) + "-" + others[random.index(below: others.count)]
    }

    // MARK: Names

    /// Every word of the name for itself, so that `Anna`, `Anna Berg` and `Berg` stay the same persons; titles, `van` and
    /// `Jr.` stay.
    private mutating func person(_ text: String) -> String {
        let scanned = ScannedText(text, lexicon: lexicon)
        let words = scanned.tokens.indices.filter {
            scanned.tokens[$0].kind == .word
                && scanned.tokens[$0].classes.isDisjoint(with: [.title, .suffix, .particle])
        }
        var result: [UInt8] = []
        var position = 0
        for (place, index) in words.enumerated() {
            let token = scanned.tokens[index]
            result.append(contentsOf: scanned.bytes[position..<token.start])
            let isFamily =
                place > 0 && (place == words.count - 1 || !token.classes.contains(.first))
                || (words.count == 1 && token.classes.contains(.last) && !token.classes.contains(.first))
                || (words.count == 1 && scanned.classes.contains(.title))
            let original = String(decoding: scanned.bytes[token.start..<token.end], as: UTF8.self)
            result.append(contentsOf: word(original, token, isFamily: isFamily).utf8)
            position = token.end
        }
        result.append(contentsOf: scanned.bytes[position...])
        return String(decoding: result, as: UTF8.self)
    }

    private mutating func word(_ text: String, _ token: ScannedText.Token, isFamily: Bool) -> String {
        let plain: String
        if let known = names[token.folded] {
            plain = known
        } else {
            var random = random(.person, FoldedText.letters(text))
            let list =
                isFamily
                ? lexicon.lastNames
                : token.classes.contains(.feminine)
                    ? lexicon.feminineNames
                    : token.classes.contains(.masculine) ? lexicon.masculineNames : lexicon.firstNames
            plain = text.unicodeScalars.count == 1 ? Self.letter(&random) : draw(list, &random)
            names[token.folded] = plain
        }
        if token.isAllCapitals { return plain.uppercased() }
        return token.isCapitalised ? plain.prefix(1).uppercased() + plain.dropFirst() : plain
    }

    /// A name from the list that is no word of the conversation and stands for nobody else in it.
    private mutating func draw(_ list: [String], _ random: inout KeyedRandom) -> String {
        if !isExhausted {
            let start = random.index(below: list.count)
            for step in list.indices {
                let name = list[(start + step) % list.count]
                if taken.insert(FoldedHash(name).value).inserted { return name }
            }
            isExhausted = true
        }
        // More persons than names: letters that are no name, but nobody's either.
        return "n" + String((0..<10).map { _ in Character(Self.letter(&random)) })
    }

    private static func letter(_ random: inout KeyedRandom) -> String {
        String(UnicodeScalar(UInt8(ascii: "a") + UInt8(random.index(below: 26))))
    }

    /// `@` and `#1234` stay in form.
    private mutating func userName(_ text: String) -> String {
        let plain = text.lowercased()
        if let known = handles["name " + plain] { return known }
        var random = random(.userName, plain)
        let head = text.hasPrefix("@") ? "@" : text.lowercased().hasPrefix("u/") ? "u/" : ""
        let tail = text.contains("#") ? "#" + digits(4, &random) : digits(3, &random)
        let name = head + draw(lexicon.firstNames, &random) + tail
        handles["name " + plain] = name
        return name
    }

    // MARK: Numbers

    private func random(_ entity: Entity, _ text: String) -> KeyedRandom {
        KeyedRandom(key: key, [scope, Array(entity.rawValue.utf8), Array(text.utf8)])
    }

    private func digits(_ count: Int, _ random: inout KeyedRandom) -> String {
        var text = ""
        for _ in 0..<max(0, count) { text += String(random.index(below: 10)) }
        return text
    }

    /// Digits (and in licences and account numbers letters) drawn anew, all else as it was: as BB3x did. The new number is
    /// never the old one, and never one that could be somebody's card, account or social security number.
    private func number(_ text: String, _ entity: Entity) -> String {
        let original = Array(text.utf8)
        var random = random(entity, FoldedText.letters(text))
        guard original.contains(where: ScannedText.isDigit) else {
            // Spoken: other digits, spoken too.
            let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
            return text.split(separator: " ").map { _ in words[random.index(below: 10)] }.joined(separator: " ")
        }
        let hasLetters: Set<Entity> = [
            .iban, .driverLicense, .passport, .beneficiaryNumber, .medicalLicense, .postalCode, .crypto,
        ]
        for _ in 0..<100 {
            var bytes = original
            var place = 0
            for i in bytes.indices {
                if ScannedText.isDigit(bytes[i]) {
                    bytes[i] = UInt8(ascii: "0") + UInt8(random.index(below: 10))
                    // Areas from 900 with a group from 01 to 09 belong to nobody, neither as SSN nor as ITIN.
                    if entity == .socialSecurityNumber, place == 0 { bytes[i] = UInt8(ascii: "9") }
                    if entity == .socialSecurityNumber, place == 3 { bytes[i] = UInt8(ascii: "0") }
                    place += 1
                } else if hasLetters.contains(entity), ScannedText.isLetter(bytes[i]) {
                    // The country of an account stays.
                    if entity != .iban || place > 0 {
                        bytes[i] = bytes[i] & 0x20 | UInt8(ascii: "A") + UInt8(random.index(below: 26))
                    }
                }
            }
            let characters = bytes.filter(ScannedText.isAlphanumeric)
            let isSomebodys =
                bytes == original
                || (entity == .creditCard && CreditCardRecognizer.luhn(characters.map { $0 &- 0x30 }[...]))
                || (entity == .iban && IBANRecognizer.isValid(characters))
                || (entity == .crypto && CryptoRecognizer.isAddress(bytes[...]) && bytes.first != UInt8(ascii: "0"))
                || (entity == .medicalLicense && USNumberRecognizer.isDEA(bytes[...]))
                || (entity == .providerNumber && USNumberRecognizer.isNPI(characters.map { $0 &- 0x30 }))
                || (entity == .routingNumber && USNumberRecognizer.isRouting(characters.map { $0 &- 0x30 }))
            if !isSomebodys { return String(decoding: bytes, as: UTF8.self) }
        }
        return "<\(entity.rawValue)>"
    }
}

/// A text by its letters and digits alone, so that `555-0100` and `555 0100` are the same number.
enum FoldedText {
    static func letters(_ text: String) -> String {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars where scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
            bytes.append(contentsOf: FoldedHash.fold(scalar))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
