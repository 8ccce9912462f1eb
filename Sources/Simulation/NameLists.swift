/// Names and small lists of the world that have no facts of their own.
struct NameLists: Sendable {
    let people = Self.list(
        """
        Mira Tom Anna Ben Clara David Ella Finn Grace Hugo Ida Jack Kate Leo Maya Nora Oscar Paula Rosa Sam Tess Victor
        Wendy Alan Bella Carl Dora Eric Fiona George Helen Ivan Julia Karl Lena Mark Nina Owen Peter Ruth
        """)
    let heldOutPeople = Self.list("Selma Rufus Hanna Milo Tilda Conrad")
    let pets = Self.list(
        """
        Biscuit Pepper Coco Daisy Luna Max Ruby Teddy Willow Bramble Clover Dusty Fudge Ginger Honey Jasper Misty
        Nutmeg Olive Patch Rusty Shadow Smoky Sunny Toffee Waffle Ziggy Maple Poppy
        """)
    let heldOutPets = Self.list("Pickle Marble Domino Truffle Rocket")
    let petKinds = ["dog", "cat", "rabbit", "parrot", "pony", "hamster"]
    let jobs = ["nurse", "teacher", "baker", "driver", "farmer", "gardener", "plumber", "cook"]
    let days = Self.list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
    let titles = [
        "The Silver Lake", "Midnight Train", "The Last Garden", "Blue Harbour", "A Winter Song", "The Paper Boat",
        "Red Hill",
    ]
    let heldOutTitles = ["Quiet Rain"]
    /// Plans as `plain|ing`.
    let plans = [
        "go to the beach|going to the beach", "visit my aunt|visiting my aunt", "paint the fence|painting the fence",
        "bake a cake|baking a cake", "see a film|seeing a film", "clean the house|cleaning the house",
        "play tennis|playing tennis", "plant some trees|planting some trees",
    ]
    let greetings = ["hi", "hello", "hey", "good morning", "good evening", "howdy", "yo"]
    let goodMoods = ["happy", "fine", "great", "very well", "full of energy"]
    let badMoods = ["sad", "tired", "lonely", "ill", "a bit low"]
    let companions = ["my sister", "my brother", "a friend", "my neighbour", "my dad", "nobody else"]
    /// Things that only ads and remarks name.
    let goods = ["Brighto soap", "Zip shoes", "Crispo snacks"]

    func titles(_ vocabulary: World.Vocabulary) -> [String] {
        switch vocabulary {
        case .seen: titles
        case .facts: titles + heldOutTitles
        case .heldOut: heldOutTitles
        }
    }

    var lexicons: [Lexicon] {
        [
            names("person"), names("petname"),
            Lexicon("petkind", nouns: petKinds), Lexicon("job", nouns: jobs), Lexicon("day", plain: days),
            Lexicon("title", plain: titles + heldOutTitles), Lexicon("greeting", plain: greetings),
            Lexicon("goodmood", plain: goodMoods), Lexicon("badmood", plain: badMoods),
            Lexicon("companion", plain: companions), Lexicon("goods", plain: goods),
            Lexicon("plan", entries: plans.map(Self.plan)),
        ]
    }

    /// People and pets may bear each other's names, and after de-identification any name.
    private func names(_ name: String) -> Lexicon {
        var lexicon = Lexicon(name, plain: people + heldOutPeople + pets + heldOutPets)
        lexicon.isOpen = true
        return lexicon
    }

    /// A plan as the person says it (`visit my aunt`) and as it comes back (`visit your aunt`).
    private static func plan(_ text: String) -> Lexicon.Entry {
        let sides = text.split(separator: "|").map(String.init)
        let plain = sides.first ?? text
        let ing = sides.last ?? text
        func toYou(_ text: String) -> String {
            text.split(separator: " ").map { $0 == "my" ? "your" : String($0) }.joined(separator: " ")
        }
        return Lexicon.Entry(
            value: plain, forms: ["": plain, "ing": ing, "you": toYou(plain), "youing": toYou(ing)])
    }

    private static func list(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
