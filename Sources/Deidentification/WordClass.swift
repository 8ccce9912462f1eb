/// What the word lists say of a word.
struct WordClass: OptionSet, Sendable {
    let rawValue: UInt64

    static let first = WordClass(rawValue: 1 << 0)
    static let last = WordClass(rawValue: 1 << 1)
    /// A name that is also an everyday word.
    static let ambiguous = WordClass(rawValue: 1 << 2)
    /// `van`, `de`, …: part of a name between capitals.
    static let particle = WordClass(rawValue: 1 << 3)
    /// `jr`, `phd`, …
    static let suffix = WordClass(rawValue: 1 << 4)
    /// `mr`, `dr`, …
    static let title = WordClass(rawValue: 1 << 5)
    /// A place, nationality, brand or month: capitalised, yet no person.
    static let neverName = WordClass(rawValue: 1 << 6)
    /// An everyday word, which a capital at the start of a sentence does not make a name.
    static let common = WordClass(rawValue: 1 << 7)
    static let kin = WordClass(rawValue: 1 << 8)
    static let speech = WordClass(rawValue: 1 << 9)
    static let greeting = WordClass(rawValue: 1 << 10)
    /// `is`, `was`, …: what a person may be the subject of.
    static let keepVerb = WordClass(rawValue: 1 << 11)
    static let phone = WordClass(rawValue: 1 << 12)
    static let card = WordClass(rawValue: 1 << 13)
    static let ssn = WordClass(rawValue: 1 << 14)
    static let iban = WordClass(rawValue: 1 << 15)
    static let birth = WordClass(rawValue: 1 << 16)
    static let address = WordClass(rawValue: 1 << 17)
    static let account = WordClass(rawValue: 1 << 18)
    static let license = WordClass(rawValue: 1 << 19)
    static let passport = WordClass(rawValue: 1 << 20)
    static let version = WordClass(rawValue: 1 << 21)
    static let street = WordClass(rawValue: 1 << 22)
    static let unit = WordClass(rawValue: 1 << 23)
    static let military = WordClass(rawValue: 1 << 24)
    /// The first word of an entry of several words in the list of kept names.
    static let keptStart = WordClass(rawValue: 1 << 25)

    static let postcode = WordClass(rawValue: 1 << 26)
    static let bank = WordClass(rawValue: 1 << 27)
    static let routing = WordClass(rawValue: 1 << 28)
    static let medical = WordClass(rawValue: 1 << 29)
    /// `old`, `age`: a number beside them is one.
    static let age = WordClass(rawValue: 1 << 30)
    /// A country or a large city: well known, and no secret. Those of section `land` may name a person too.
    static let place = WordClass(rawValue: 1 << 31)
    /// `work`, `employed`: a name behind is a company's.
    static let work = WordClass(rawValue: 1 << 32)
    /// `Ltd`, `University`: ends the name of an organisation.
    static let companyEnd = WordClass(rawValue: 1 << 33)
    /// `live`, `born`, `moved`: a name behind is a place's.
    static let residence = WordClass(rawValue: 1 << 34)
    /// `one`, `oh`, `double`: digits as they are spoken.
    static let digit = WordClass(rawValue: 1 << 35)
    static let feminine = WordClass(rawValue: 1 << 36)
    static let masculine = WordClass(rawValue: 1 << 37)

    /// `republic`, `islands`: a form of state or land, part of a country's name.
    static let polity = WordClass(rawValue: 1 << 38)
    /// `north`, `new`, `saint`: before a place, part of its name.
    static let compass = WordClass(rawValue: 1 << 39)
    /// `city`, `village`: a name behind is a place's.
    static let settlement = WordClass(rawValue: 1 << 40)
    /// `technologies`, `airlines`: at the end of a name, it is rather a company's. Alone it finds none.
    static let companyWord = WordClass(rawValue: 1 << 41)
    /// `singer`, `movie`: a name beside them is a public figure's, or a work's.
    static let fame = WordClass(rawValue: 1 << 42)

    /// Section names of the word lists.
    static let sections: [String: WordClass] = [
        "first": .first, "last": .last, "ambiguous": .ambiguous, "particle": .particle, "suffix": .suffix,
        "title": .title, "nevername": .neverName, "common": .common, "kin": .kin, "speech": .speech,
        "greeting": .greeting, "keepverb": .keepVerb, "phone": .phone, "card": .card, "ssn": .ssn, "iban": .iban,
        "birth": .birth, "address": .address, "account": .account, "license": .license, "passport": .passport,
        "version": .version, "street": .street, "unit": .unit, "military": .military,
        "postcode": .postcode, "bank": .bank, "routing": .routing, "medical": .medical, "age": .age,
        "place": [.place, .neverName], "land": .place, "polity": .polity, "compass": .compass,
        "settlement": .settlement, "work": .work, "companyend": .companyEnd, "companyword": .companyWord,
        "residence": .residence, "digit": .digit, "feminine": .feminine, "masculine": .masculine,
        "fame": .fame,
    ]
}
