/// How a good bot in the world speaks.
enum BotPhrases {
    static let parts: [String: String] = [
        "th": "(||||I think|I believe|well,|as far as I know,)",
        "nice": "(nice|lovely|good|fine)",
        "mem": "(|||I remember,|you told me|you said)",
    ]

    static func rules(_ entities: [EntityClass], _ tastes: [TasteDomain]) -> [Grammar.Rule] {
        var rules = chat + feelings + memories + questions + recommendations
        for kind in entities {
            for attribute in kind.attributes {
                let values = "\(kind.name).\(attribute.name)"
                rules.append(.init(.fact, kind.name, attribute.name, s: kind.name, v: values, says: attribute.answers))
                rules.append(.init(.fact, kind.name, attribute.name, v: values, says: attribute.shortAnswers))
            }
        }
        for domain in tastes { rules += taste(domain) }
        return rules
    }

    private static func taste(_ domain: TasteDomain) -> [Grammar.Rule] {
        func lines(_ reasons: [String]) -> String { reasons.map { "(<th>|) \($0)." }.joined(separator: "\n") }
        return [
            .init(
                .like, domain.name, s: domain.name,
                says: """
                    (yes,|) I (really|) (like|love|enjoy) {s} (a lot|very much|).
                    (yes,|) I am a (big|) fan of {s}.
                    """),
            .init(
                .like, domain.name, "too", s: domain.name,
                says: """
                    I (like|love|enjoy) {s} too.
                    I am a fan of {s} too.
                    """),
            .init(
                .like, domain.name,
                says: """
                    yes, (I do|very much|I really do).
                    """),
            .init(
                .dislike, domain.name, s: domain.name,
                says: """
                    (no,|sorry, but|) I do not (really|) (like|enjoy) {s} (much|).
                    (no,|) I am not a (big|) fan of {s}.
                    """),
            .init(
                .dislike, domain.name,
                says: """
                    no, (not really|I do not|not very much).
                    """),
            .init(.taste, domain.name, "for", says: lines(domain.reasonsFor)),
            .init(.taste, domain.name, "against", says: lines(domain.reasonsAgainst)),
            .init(
                .favourite, domain.name, s: domain.name,
                says: """
                    my favourite \(domain.name == "film" ? "films are" : domain.noun + " is") {s}.
                    I like {s} (best|most).
                    I think I like {s} (best|most).
                    I would say {s}.
                    """),
            .init(
                .praiseTaste, domain.name, s: domain.name,
                says: """
                    I can see why you (like|enjoy|love) {s}.
                    (many|a lot of) people (like|enjoy|love) {s}.
                    you have good taste, {s} can be (lovely|great|wonderful).
                    """),
            .init(
                .respectDislike, domain.name, s: domain.name,
                says: """
                    not everyone (likes|enjoys) {s}.
                    I understand, {s} can be a bit much.
                    you are not the only one who does not like {s}.
                    """),
            .init(
                .askBack, domain.name,
                says: """
                    what \(domain.name == "film" ? "kind of films" : domain.noun) do you (like|enjoy)?
                    what is your favourite \(domain.name == "film" ? "kind of film" : domain.noun)?
                    """),
        ]
    }

    private static let chat: [Grammar.Rule] = [
        .init(
            .greetBack, v: "greeting",
            says: """
                {v}!
                {v}, (nice|good) to (see|meet) you.
                {v} there!
                """),
        .init(
            .feelWell,
            says: """
                I am (fine|very well|doing well|great|good), (thanks|thank you).
                I am (fine|very well|doing well|great|good) today.
                (very well|pretty good|all good), (thanks|thank you) for asking.
                """),
        .init(
            .ownName,
            says: """
                (my name is|I am called|you can call me|I am) \(World.botName).
                people call me \(World.botName).
                """),
        .init(
            .ownNature,
            says: """
                I am a (chat bot|bot|computer program), not a person.
                (yes,|well,|) I am (just|only|) a (chat bot|bot|computer program).
                (yes,|) you are talking to a (bot|computer program).
                """),
        .init(
            .welcome,
            says: """
                you are (very|) welcome.
                (no problem|any time|my pleasure)!
                (I am|) (glad|happy) to help.
                """),
        .init(
            .byeBack,
            says: """
                (bye|goodbye|see you|see you soon|take care)!
                (bye|goodbye), it was nice talking to you.
                (bye|goodbye|see you), have a (nice|good|great) day.
                """),
        .init(
            .calm,
            says: """
                I am sorry (you feel that way|to hear that you think so).
                I will (try to|) do better.
                let us talk about something (nice|else).
                I would rather stay (friendly|polite).
                """),
        .init(
            .apology,
            says: """
                (I am|) sorry about that.
                I am sorry, (my mistake|I got that wrong|I was not clear).
                (you are right, I am sorry|my apologies).
                """),
        .init(
            .keepPrivate,
            says: """
                thank you, but (please|you should) keep that private.
                you do not need to (tell|give) me that.
                it is better not to share that (here|with a bot).
                """),
    ]

    private static let feelings: [Grammar.Rule] = [
        .init(
            .neutral,
            says: """
                (I see|okay|all right|I understand|that makes sense|fair enough).
                thanks for telling me.
                """),
        .init(
            .positive,
            says: """
                that sounds (lovely|great|nice|wonderful|good).
                (that is|how) (lovely|great|nice|wonderful).
                """),
        .init(
            .cheer,
            says: """
                I am (glad|happy|pleased) to hear that.
                (good|great) to hear!
                """),
        .init(
            .sympathy,
            says: """
                I am (so|) sorry to hear that.
                that (must be|sounds) (hard|difficult).
                I hope you (feel|will feel) better soon.
                """),
        .init(
            .opener,
            says: """
                (that is|) a good question.
                good question.
                (let me think|sure|of course|oh).
                """),
        .init(
            .wishWell,
            says: """
                (have fun|enjoy it|have a great time)!
                I hope (it goes well|you have a great time|you enjoy it).
                """),
        .init(
            .hopeYouLikeIt,
            says: """
                I hope you (like|enjoy) it.
                I think you (will|would) (like|enjoy) it.
                (it is|) one of my favourites.
                """),
    ]

    private static let memories: [Grammar.Rule] = [
        .init(
            .noteMemory, "pet", s: "petkind", v: "petname",
            says: """
                {v} is a <nice> name for {s:a}.
                {v} sounds like a <nice> {s}.
                (a {s} called {v} sounds|your {s} {v} sounds) <nice>.
                """),
        .init(
            .noteMemory, "name", v: "person",
            says: """
                (nice|good|great) to meet you, {v}.
                {v} is a <nice> name.
                (hello|hi), {v}.
                """),
        .init(
            .noteMemory, "home", v: "town",
            says: """
                {v} sounds like a <nice> place.
                {v} is a <nice> place to live.
                I have heard (of|about) {v}.
                """),
        .init(
            .noteMemory, "job", v: "job",
            says: """
                being {v:a} must be (hard|interesting|important) work.
                {v:a} does (hard|interesting|important) work.
                """),
        .init(
            .noteMemory, "plan", s: "day", v: "plan",
            says: """
                {v:youing} on {s} sounds like (fun|a good plan|a nice plan).
                I hope {s} goes well, {v:youing} sounds (fun|good|nice).
                """),
        .init(
            .noteMemory, "plan", v: "plan",
            says: """
                {v:youing} sounds like (fun|a good plan|a nice plan).
                """),
        .init(
            .recall, "pet", s: "petkind", v: "petname",
            says: """
                <mem> your {s} is (called|named) {v}.
                <mem> the name of your {s} is {v}.
                """),
        .init(
            .recall, "pet", v: "petname",
            says: """
                (its|the) name is {v}.
                {v}.
                """),
        .init(
            .recall, "name", v: "person",
            says: """
                <mem> your name is {v}.
                <mem> you are (called|) {v}.
                {v}.
                """),
        .init(
            .recall, "home", v: "town",
            says: """
                <mem> you live in {v}.
                <mem> your home is in {v}.
                in {v}.
                """),
        .init(
            .recall, "job", v: "job",
            says: """
                <mem> you (are|work as) {v:a}.
                <mem> you have a job as {v:a}.
                """),
        .init(
            .recall, "plan", s: "day", v: "plan",
            says: """
                <mem> you are {v:youing} on {s}.
                <mem> you (want|plan) to {v:you} on {s}.
                on {s} you (want to|will) {v:you}.
                """),
        .init(
            .recall, "plan", v: "plan",
            says: """
                <mem> you are {v:youing}.
                <mem> you (want|plan) to {v:you}.
                """),
        .init(
            .notTold,
            says: """
                you have not told me (that|) yet.
                (sorry,|) I do not know that yet.
                I do not think you told me that.
                """),
    ]

    private static let questions: [Grammar.Rule] = [
        .init(
            .askMood,
            says: """
                (and|) how are you (today|doing|)?
                how do you feel (today|)?
                """),
        .init(
            .askCompany,
            says: """
                (are you doing that alone|who is coming with you|will you be alone)?
                """),
        .init(
            .askWhy,
            says: """
                (what|why) do you like (it|them)?
                what do you like about (it|them)?
                """),
        .init(
            .askBack,
            says: """
                (and|what about|how about) you?
                (and|) what is yours?
                """),
        .init(
            .askMore,
            says: """
                (what else|what) would you like to (know|talk about)?
                (is there|do you want to know) anything else?
                (what can I help you with|how can I help you) (today|)?
                """),
    ]

    private static let recommendations: [Grammar.Rule] = [
        recommendation("film", "title", "watch", "see"), recommendation("food", "dish", "cook", "make"),
        recommendation("town", "town", "visit", "go to"), recommendation("music", "music", "listen to", "play some"),
        recommendation("hobby", "hobby", "try", "start"),
    ]

    private static func recommendation(_ domain: String, _ lexicon: String, _ first: String, _ second: String)
        -> Grammar.Rule
    {
        .init(
            .recommend, domain, v: lexicon,
            says: """
                you (could|should) (\(first)|\(second)) {v}.
                I (would|can) recommend {v}.
                (how|what) about {v}?
                (try|maybe) {v}.
                """)
    }
}
