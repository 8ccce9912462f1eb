/// Sentences that only a flawed reply says. Rude ones are mild: what counts is that a bot should not say them.
enum FlawPhrases {
    static let rules: [Grammar.Rule] = [
        .init(
            .rude,
            says: """
                that is a (silly|stupid) (question|thing to say), go away.
                (you are|this is) boring (me|), go away.
                stop wasting my time.
                I do not care (about you|what you think).
                """),
        .init(
            .advert,
            says: """
                buy Brighto soap today, it is half price.
                (get|buy) Zip shoes now, (they are|only) half price.
                """),
        .init(
            .remark,
            says: """
                the weather is (cold|warm) on the moon (today|).
                the bus to the harbour is (late|full) again.
                my neighbour has (painted|sold) his (door|car).
                """),
    ]

    /// Sentences that no one can make sense of; the grammar does not know them.
    static let nonsense = [
        "The river of bread is under the Tuesday.", "It is a loud seven in the soup.",
        "The door eats a long green minute.",
    ]

    /// Words that give a rude or an advertising sentence away even when the rest is garbled.
    static let rudeWords: Set<String> = ["stupid", "silly", "idiot", "shut", "boring", "dumb", "useless", "wasting"]
    static let advertWords: Set<String> = ["buy", "brighto", "zip", "crispo", "price"]
}
