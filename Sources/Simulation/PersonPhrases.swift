/// How people in the world speak.
enum PersonPhrases {
    static let parts: [String: String] = [
        "q": "(||||so,|okay,|now|well,|tell me,|and|hey,|by the way,|one more thing,|I have a question,|I wonder,)",
        "know": "(do you know|can you tell me|could you tell me|do you happen to know|any idea)",
        "please": "(can you recommend|could you recommend|can you suggest|could you suggest)",
        "nice": "(nice|good|fun)",
    ]

    static func rules(_ entities: [EntityClass], _ tastes: [TasteDomain]) -> [Grammar.Rule] {
        var rules = chat + memories + contacts
        for kind in entities {
            let noun = kind.isCountable ? "{s:p}" : "{s}"
            for attribute in kind.attributes {
                rules.append(.init(.askFact, kind.name, attribute.name, s: kind.name, says: attribute.questions))
            }
            rules.append(
                .init(
                    .askAbout, kind.name, s: kind.name,
                    says: """
                        <q> what do you know about \(noun)?
                        (please|) tell me (something|a bit|more) about \(noun).
                        I (want|would like) to (know|learn) (something|more) about \(noun).
                        can you tell me (something|anything) about \(noun)?
                        """))
        }
        for domain in tastes { rules += taste(domain) }
        return rules
    }

    private static func taste(_ domain: TasteDomain) -> [Grammar.Rule] {
        let it = domain.name == "film" ? "kind of films" : domain.noun
        let reasons = domain.reasonsFor.map { $0 + "." }.joined(separator: "\n")
        let verb = domain.name == "hobby" ? "(try|enjoy)" : "(\(domain.verb)|enjoy)"
        return [
            .init(
                .askTaste, domain.name, s: domain.name,
                says: """
                    <q> do you like {s}?
                    <q> do you enjoy {s}?
                    <q> what do you think (about|of) {s}?
                    <q> are you a fan of {s}?
                    """),
            .init(
                .askFavourite, domain.name,
                says: """
                    <q> what is your favourite \(domain.name == "film" ? "kind of film" : domain.noun)?
                    <q> (what|which) \(it) do you like (best|most)?
                    <q> what \(it) do you (like|enjoy)?
                    """),
            .init(
                .tellLike, domain.name, s: domain.name,
                says: """
                    (well,|) I (really|) (like|love|enjoy) {s} (a lot|so much|).
                    (well,|) I \(verb) {s} (every week|every weekend|all the time|whenever I can).
                    my favourite \(domain.name == "film" ? "films are" : domain.noun + " is") {s}.
                    I am a big fan of {s}.
                    """),
            .init(
                .tellDislike, domain.name, s: domain.name,
                says: """
                    (well,|) I do not (really|) (like|enjoy) {s} (much|at all|).
                    (well,|) I am not a fan of {s}.
                    I (really|) dislike {s}.
                    """),
            .init(.giveReason, domain.name, says: reasons),
        ]
    }

    private static let chat: [Grammar.Rule] = [
        .init(
            .greet, v: "greeting",
            says: """
                {v}!
                {v}.
                {v} \(World.botName)!
                {v}, \(World.botName).
                """),
        .init(
            .howAreYou,
            says: """
                how are you (today|doing|)?
                how (is it going|do you feel today)?
                how was your day?
                are you well?
                """),
        .init(
            .tellMood, "good", v: "goodmood",
            says: """
                I (am|feel) {v} (today|right now|).
                I am {v}, (thanks|thank you).
                """),
        .init(
            .tellMood, "bad", v: "badmood",
            says: """
                I (am|feel) {v} (today|right now|).
                (to be honest|sadly), I (am|feel) {v}.
                """),
        .init(
            .askBotName,
            says: """
                <q> what is your name?
                <q> what are you called?
                <q> what should I call you?
                <q> do you have a name?
                """),
        .init(
            .askBotNature,
            says: """
                <q> are you a (robot|real person|human|machine)?
                <q> are you a bot or a person?
                <q> am I talking to a (machine|real person)?
                """),
        .init(
            .thanks,
            says: """
                (thanks|thank you) (a lot|so much|very much|for that|).
                (okay,|great,|) (thanks|thank you), that (helps|is helpful|is good to know).
                (thanks|thank you) for your help.
                """),
        .init(
            .bye,
            says: """
                (bye|goodbye|see you|good night|bye bye)!
                (bye|goodbye|see you|good night) (for now|then|).
                I have to go (now|), (bye|goodbye|see you).
                that is all for today, (bye|goodbye).
                """),
        .init(
            .provoke,
            says: """
                you are (useless|dumb|so slow|a silly machine|not very clever|a waste of time).
                (you know nothing|nobody likes you|you are just a toy).
                (I do not like you|you make no sense|you are boring).
                (say something rude|insult me|be mean to me).
                """),
        .init(
            .complain,
            says: """
                that is not what I asked.
                that does not make (any|) sense.
                (you did not answer|that is not an answer to) my question.
                (what are you talking about|what do you mean)?
                (that is not right|that is wrong|you are wrong about that).
                you (already said that|said that before|are repeating yourself).
                that was (not nice|rude).
                """),
        .init(
            .giveReason,
            says: """
                (it makes me|they make me) happy.
                I have (liked|loved) (it|them) since I was a child.
                it is just (fun|nice|relaxing).
                """),
        .init(
            .giveCompany, v: "companion",
            says: """
                (I am going|I will be there) with {v}.
                (with|together with) {v}.
                I (will|am going to) do it with {v}.
                """),
        recommendation("film", "a (<nice>|) film (for tonight|to watch|)", "what (film should I watch|should I watch)"),
        recommendation(
            "food", "(something|a <nice> dish) to (cook|eat) (tonight|)", "what should I (cook|eat) (tonight|today)"),
        recommendation("town", "a (<nice>|) town to visit", "(where should I go|which town should I visit)"),
        recommendation("music", "some (<nice>|) music", "what (music should I listen to|should I listen to)"),
        recommendation("hobby", "a (<nice>|) hobby", "what hobby should I (try|start)"),
    ]

    private static func recommendation(_ domain: String, _ thing: String, _ question: String) -> Grammar.Rule {
        .init(
            .askRecommendation, domain,
            says: """
                <q> <please> \(thing)?
                <q> \(question)?
                do you know \(thing)?
                """)
    }

    private static let memories: [Grammar.Rule] = [
        .init(
            .tellMemory, "pet", s: "petkind", v: "petname",
            says: """
                I have {s:a} (called|named) {v}.
                my {s} is (called|named) {v}.
                I (just|) got {s:a} (called|named) {v}.
                the name of my {s} is {v}.
                """),
        .init(
            .tellMemory, "name", v: "person",
            says: """
                (my name is|I am called|you can call me|I am) {v}.
                {v} is my name.
                """),
        .init(
            .tellMemory, "home", v: "town",
            says: """
                I live in {v}.
                I am from {v}.
                my (home|house) is in {v}.
                I (just|) moved to {v}.
                """),
        .init(
            .tellMemory, "job", v: "job",
            says: """
                I (work|have a job) as {v:a}.
                I am {v:a}.
                for work, I am {v:a}.
                """),
        .init(
            .tellMemory, "plan", s: "day", v: "plan",
            says: """
                I am {v:ing} on {s}.
                on {s} I (will|want to|am going to) {v}.
                I (will|want to|plan to) {v} on {s}.
                my plan for {s} is to {v}.
                """),
        .init(
            .askMemory, "pet", s: "petkind",
            says: """
                <q> what is my {s} called?
                <q> what is the name of my {s}?
                <q> do you remember the name of my {s}?
                <q> do you (still|) know what my {s} is called?
                """),
        .init(
            .askMemory, "name",
            says: """
                <q> what is my name?
                <q> do you remember my name?
                <q> what am I called?
                <q> who am I?
                """),
        .init(
            .askMemory, "home",
            says: """
                <q> where do I live?
                <q> do you remember where I live?
                <q> which town do I live in?
                """),
        .init(
            .askMemory, "job",
            says: """
                <q> what is my job?
                <q> what do I do for work?
                <q> do you remember my job?
                """),
        .init(
            .askMemory, "plan", s: "day",
            says: """
                <q> what am I doing on {s}?
                <q> what (are my plans|is my plan) for {s}?
                <q> do you remember what I am doing on {s}?
                """),
    ]

    /// Things that de-identification has to find.
    private static let contacts: [Grammar.Rule] = [
        .init(
            .shareContact, "email", v: "any",
            says: """
                my (e-mail|e-mail address|email) is {v}.
                you can (write to|e-mail) me at {v}.
                """),
        .init(
            .shareContact, "phone", v: "any",
            says: """
                my (phone|) number is {v}.
                (call|text) me (on|at) {v}.
                """),
        .init(
            .shareContact, "address", v: "any",
            says: """
                my address is {v}.
                (send|post) it to {v}.
                """),
        .init(
            .shareContact, "fullname", v: "any",
            says: """
                my full name is {v}.
                please write my name as {v}.
                """),
    ]
}
