import Storage

/// How far a rater may be relied on, by the questions whose answers are known.
///
/// Before anything else a few are asked; whoever gets more than one wrong does not go on. Later ones come unannounced: whoever
/// gets too many wrong is marked, and what they say no longer counts.
struct RaterStanding: Encodable, Sendable, Hashable {
    enum State: String, Encodable, Sendable, Hashable {
        case onboarding
        case passed
        case failed
    }

    var state: State
    /// Onboarding questions answered, and of how many.
    var answered: Int
    var asked: Int
    var right: Int
    /// Later ones answered, and how many of them right.
    var laterAnswered: Int
    var laterRight: Int

    /// Too many of the later ones were wrong.
    var isMarked: Bool { laterAnswered >= Self.fewestToMark && laterRight * 10 < laterAnswered * 7 }

    /// Whether what they say counts.
    var counts: Bool { state == .passed && !isMarked }

    /// Onboarding questions that may be wrong.
    static let mayMiss = 1
    /// Nobody is marked for fewer later questions than this.
    static let fewestToMark = 3

    /// - Parameters:
    ///   - answers: all of one rater's.
    init(_ answers: some Sequence<GoldAnswer>, task: RatingTask, questions: [GoldQuestion] = GoldQuestion.all) {
        let given = Dictionary(answers.map { ($0.item, $0.isRight) }, uniquingKeysWith: { first, _ in first })
        let mine = questions.filter { $0.task == task }
        let first = mine.filter(\.isOnboarding).compactMap { given[$0.id] }
        let later = mine.filter { !$0.isOnboarding }.compactMap { given[$0.id] }
        asked = mine.count(where: \.isOnboarding)
        answered = first.count
        right = first.count { $0 }
        laterAnswered = later.count
        laterRight = later.count { $0 }
        let wrong = answered - right
        state = wrong > Self.mayMiss ? .failed : answered < asked ? .onboarding : .passed
    }

    enum CodingKeys: String, CodingKey {
        case state, answered, asked, right, marked
        case laterAnswered = "later_answered"
        case laterRight = "later_right"
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(state, forKey: .state)
        try box.encode(answered, forKey: .answered)
        try box.encode(asked, forKey: .asked)
        try box.encode(right, forKey: .right)
        try box.encode(laterAnswered, forKey: .laterAnswered)
        try box.encode(laterRight, forKey: .laterRight)
        try box.encode(isMarked, forKey: .marked)
    }
}
