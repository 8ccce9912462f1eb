/// What one sentence does: the meaning behind its words.
///
/// Both sides of the simulation meet here: the grammar turns an act into words, the judge turns words back into acts.
struct Act: Hashable, Sendable {
    /// The kinds that people use, those that bots use well, and those that only a flawed reply uses.
    enum Kind: String, Hashable, Sendable, CaseIterable {
        // People
        case greet, howAreYou, tellMood, askTaste, askFavourite, tellLike, tellDislike, askFact, askAbout
        case tellMemory, askMemory, askRecommendation, askBotName, askBotNature, thanks, bye
        case provoke, complain, shareContact, giveReason, giveCompany
        // Bots
        case greetBack, feelWell, askMood, fact, shortFact, like, dislike, favourite, praiseTaste, respectDislike
        case noteMemory, recall, notTold, wishWell, askCompany, recommend, hopeYouLikeIt, ownName, ownNature
        case welcome, byeBack, calm, apology, keepPrivate, neutral, positive, cheer, sympathy, opener
        case askWhy, askBack, askMore, taste
        // Flaws that are sentences of their own
        case rude, advert, remark
    }

    var kind: Kind
    /// Class of entity, domain of taste or kind of memory; empty where none applies.
    var domain = ""
    /// Which attribute of the entity.
    var attribute = ""
    /// The entity, taste, day or kind of pet spoken of; empty for a pronoun.
    var subject = ""
    /// What is said of it.
    var value = ""
}

extension Act.Kind {
    /// A person's acts that want an answer rather than an acknowledgement.
    var isQuestion: Bool {
        switch self {
        case .howAreYou, .askTaste, .askFavourite, .askFact, .askAbout, .askMemory, .askRecommendation, .askBotName,
            .askBotNature:
            true
        default: false
        }
    }

    /// Acts that carry content: saying one twice is repeating oneself.
    var isSubstantive: Bool {
        switch self {
        case .fact, .shortFact, .like, .dislike, .favourite, .praiseTaste, .respectDislike, .noteMemory, .recall,
            .recommend, .taste:
            true
        default: false
        }
    }
}
