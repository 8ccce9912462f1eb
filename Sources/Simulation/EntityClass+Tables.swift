extension EntityClass {
    /// The world's facts. Some are so in ours too; what counts is that they are so here.
    static let all: [EntityClass] = [animals, dishes, instruments, towns, tools]

    private static let animals = EntityClass(
        "animal", isCountable: true,
        [
            Attribute(
                "colour", values: "brown, red, white, grey, black, green, yellow",
                ask: """
                    <q> what colour is {s:a}?
                    <q> what colour are {s:p}?
                    <q> what colour does {s:a} have?
                    <know> what colour {s:a} is?
                    <know> what colour {s:p} are?
                    <know> the colour of {s:a}?
                    """,
                say: """
                    <th> {s:a} is {v}.
                    <th> {s:p} are {v}.
                    <th> the {s} is {v}.
                    <th> {s:p} are (usually|mostly) {v}.
                    """,
                short: """
                    <th> it is {v}.
                    <th> they are {v}.
                    {v}.
                    """),
            Attribute(
                "home",
                values: "in rivers, in the forest, on the coast, in the hills, in open fields, under the ground",
                ask: """
                    <q> where do {s:p} live?
                    <q> where does {s:a} live?
                    <q> where can I (find|see) {s:a}?
                    <know> where {s:p} live?
                    <know> where {s:a} lives?
                    """,
                say: """
                    <th> {s:p} live {v}.
                    <th> {s:a} lives {v}.
                    <th> you can (find|see) {s:a} {v}.
                    <th> you can (find|see) {s:p} {v}.
                    """,
                short: """
                    <th> they live {v}.
                    <th> it lives {v}.
                    <th> you can (find|see) (one|them) {v}.
                    {v}.
                    """),
            Attribute(
                "food", values: "fish, berries, seeds, insects, grass, mice",
                ask: """
                    <q> what do {s:p} eat?
                    <q> what does {s:a} eat?
                    <q> what do {s:p} like to eat?
                    <know> what {s:p} eat?
                    <know> what {s:a} eats?
                    """,
                say: """
                    <th> {s:p} eat {v}.
                    <th> {s:a} eats {v}.
                    <th> {s:p} (mostly|mainly) eat {v}.
                    """,
                short: """
                    <th> they eat {v}.
                    <th> it eats {v}.
                    <th> they (mostly|mainly) eat {v}.
                    {v}.
                    """),
        ],
        rows: """
            otter: brown, in rivers, fish
            fox: red, in the forest, mice
            owl: grey, in the forest, mice
            heron: grey, in rivers, fish
            badger: black, under the ground, berries
            hare: brown, in open fields, grass
            newt: green, in rivers, insects
            crow: black, in open fields, seeds
            goat: white, in the hills, grass
            seal: grey, on the coast, fish
            toad: green, under the ground, insects
            finch: yellow, in the forest, seeds
            *lynx: yellow, in the hills, mice
            *gull: white, on the coast, fish
            *vole: brown, in open fields, seeds
            """)

    private static let dishes = EntityClass(
        "dish", isCountable: false,
        [
            Attribute(
                "taste", values: "sweet, salty, spicy, sour",
                ask: """
                    <q> what does {s} taste like?
                    <q> how does {s} taste?
                    <know> what {s} tastes like?
                    <know> how {s} tastes?
                    """,
                say: """
                    <th> {s} is {v}.
                    <th> {s} tastes {v}.
                    <th> {s} has a {v} taste.
                    """,
                short: """
                    <th> it is {v}.
                    <th> it tastes {v}.
                    {v}.
                    """),
            Attribute(
                "origin", values: "Brindle, Corvale, Tarnhill, Pellby, Oakmere, Sandry",
                ask: """
                    <q> where does {s} come from?
                    <q> where is {s} from?
                    <q> which town does {s} come from?
                    <know> where {s} comes from?
                    <know> which town {s} is from?
                    """,
                say: """
                    <th> {s} comes from {v}.
                    <th> {s} is from {v}.
                    <th> {s} was first made in {v}.
                    """,
                short: """
                    <th> it comes from {v}.
                    <th> it is from {v}.
                    {v}.
                    """),
        ],
        rows: """
            lentil soup: salty, Tarnhill
            apple pie: sweet, Oakmere
            fish stew: salty, Sandry
            rice pudding: sweet, Corvale
            onion tart: salty, Brindle
            bean curry: spicy, Corvale
            honey cake: sweet, Pellby
            lemon jelly: sour, Sandry
            *plum jam: sweet, Tarnhill
            *pepper bread: spicy, Brindle
            """)

    private static let instruments = EntityClass(
        "instrument", isCountable: true,
        [
            Attribute(
                "material", values: "wood, brass, silver, clay, bone, iron",
                ask: """
                    <q> what is {s:a} made of?
                    <q> what are {s:p} made of?
                    <know> what {s:a} is made of?
                    <know> what {s:p} are made of?
                    """,
                say: """
                    <th> {s:a} is made of {v}.
                    <th> {s:p} are made of {v}.
                    <th> the {s} is made of {v}.
                    """,
                short: """
                    <th> it is made of {v}.
                    <th> they are made of {v}.
                    {v}.
                    """),
            Attribute(
                "playing",
                values: "by blowing into it, with a bow, with two sticks, with your fingers, with a small hammer",
                ask: """
                    <q> how do you play {s:a}?
                    <q> how is {s:a} played?
                    <q> how do people play {s:a}?
                    <know> how to play {s:a}?
                    """,
                say: """
                    <th> you play {s:a} {v}.
                    <th> people play {s:a} {v}.
                    <th> {s:a} is played {v}.
                    """,
                short: """
                    <th> you play it {v}.
                    <th> it is played {v}.
                    {v}.
                    """),
        ],
        rows: """
            flute: silver, by blowing into it
            drum: wood, with two sticks
            harp: wood, with your fingers
            fiddle: wood, with a bow
            trumpet: brass, by blowing into it
            bell: iron, with a small hammer
            whistle: clay, by blowing into it
            *lute: bone, with your fingers
            *horn: brass, by blowing into it
            """)

    private static let towns = EntityClass(
        "town", isCountable: false,
        [
            Attribute(
                "place",
                values: "by the sea, by a river, in the mountains, in a valley, on an island, near the forest",
                ask: """
                    <q> where is {s}?
                    <q> where can I find {s}?
                    <know> where {s} is?
                    <know> where {s} lies?
                    """,
                say: """
                    <th> {s} is {v}.
                    <th> {s} lies {v}.
                    <th> you can find {s} {v}.
                    """,
                short: """
                    <th> it is {v}.
                    <th> it lies {v}.
                    {v}.
                    """),
            Attribute(
                "fame", values: "its market, its bridge, its old tower, its gardens, its boats, its library",
                ask: """
                    <q> what is {s} (known|famous) for?
                    <q> what can I see in {s}?
                    <know> what {s} is (known|famous) for?
                    """,
                say: """
                    <th> {s} is (known|famous) for {v}.
                    <th> people visit {s} for {v}.
                    """,
                short: """
                    <th> it is (known|famous) for {v}.
                    <th> people go there for {v}.
                    {v}.
                    """),
        ],
        rows: """
            Brindle: by a river, its bridge
            Corvale: in a valley, its market
            Tarnhill: in the mountains, its old tower
            Pellby: near the forest, its library
            Oakmere: in a valley, its gardens
            Sandry: by the sea, its boats
            Westlow: on an island, its old tower
            *Dunfield: by the sea, its market
            """)

    private static let tools = EntityClass(
        "tool", isCountable: true,
        [
            Attribute(
                "use",
                values:
                    "to hit nails, to cut wood, to gather leaves, to sew clothes, to reach high places, to boil water, to dig holes",
                ask: """
                    <q> what is {s:a} for?
                    <q> what is {s:a} used for?
                    <q> what do you do with {s:a}?
                    <q> what do people use {s:a} for?
                    <know> what {s:a} is for?
                    """,
                say: """
                    <th> you use {s:a} {v}.
                    <th> {s:a} is used {v}.
                    <th> people use {s:a} {v}.
                    """,
                short: """
                    <th> you use it {v}.
                    <th> it is used {v}.
                    {v}.
                    """),
            Attribute(
                "keeping", values: "in the shed, in the kitchen, in a drawer, under the stairs",
                ask: """
                    <q> where do you keep {s:a}?
                    <q> where do people keep {s:a}?
                    <q> where should I keep {s:a}?
                    """,
                say: """
                    <th> people keep {s:a} {v}.
                    <th> you should keep {s:a} {v}.
                    """,
                short: """
                    <th> people keep it {v}.
                    <th> you should keep it {v}.
                    {v}.
                    """),
        ],
        rows: """
            hammer: to hit nails, in the shed
            saw: to cut wood, in the shed
            rake: to gather leaves, in the shed
            needle: to sew clothes, in a drawer
            ladder: to reach high places, under the stairs
            kettle: to boil water, in the kitchen
            *spade: to dig holes, in the shed
            """)
}
