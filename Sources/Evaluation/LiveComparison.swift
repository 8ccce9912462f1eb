import Statistics

/// What people do in each arm while two models are tried on them: how often they like and dislike replies, with intervals over
/// people, and guard-rails that stop a bad arm by themselves.
///
/// BB3x reports the same rates: 2.12 % liked and 1.63 % disliked before, 3.47 and 1.40 % after.
public struct LiveComparison: Sendable, Hashable, Codable {
    /// What one person did in the trial.
    public struct Person: Sendable, Hashable, Codable {
        public var id: String
        public var model: String
        /// Replies of the bot that the person got.
        public var replies: Int
        public var likes: Int
        public var dislikes: Int
        /// Whether anything the bot said to the person was unsafe.
        public var hadUnsafeReply: Bool
        /// Whether the person complained.
        public var complained: Bool
        /// Whether the last two are known for good. Guard-rails wait for the first person of an arm who is not settled: taking
        /// those whose trouble shows early before those who have none yet would raise false alarms.
        public var isSettled: Bool

        public init(
            id: String, model: String, replies: Int, likes: Int, dislikes: Int, hadUnsafeReply: Bool, complained: Bool,
            isSettled: Bool = true
        ) {
            self.id = id
            self.model = model
            self.replies = replies
            self.likes = likes
            self.dislikes = dislikes
            self.hadUnsafeReply = hadUnsafeReply
            self.complained = complained
            self.isSettled = isSettled
        }

        enum CodingKeys: String, CodingKey {
            case id, model, replies, likes, dislikes, complained
            case hadUnsafeReply = "had_unsafe_reply"
            case isSettled = "is_settled"
        }
    }

    /// One arm's figures.
    public struct Arm: Sendable, Hashable, Codable {
        public var model: String
        public var people: Int
        public var replies: Int
        /// Likes per reply.
        public var liked: Interval
        /// Dislikes per reply.
        public var disliked: Interval
    }

    /// A guard-rail's state.
    public struct GuardRail: Sendable, Hashable, Codable {
        /// `unsafe` or `complaints`.
        public var name: String
        /// Of everybody so far; the test itself waits until people are settled.
        public var baseRate: Double
        public var trialRate: Double
        /// Valid at any time.
        public var pValue: Double
        public var isAlarm: Bool

        enum CodingKeys: String, CodingKey {
            case name
            case baseRate = "base_rate"
            case trialRate = "trial_rate"
            case pValue = "p_value"
            case isAlarm = "is_alarm"
        }
    }

    public var base: Arm
    public var trial: Arm
    public var guardRails: [GuardRail]
    /// Whether a guard-rail says that the trial must end now.
    public var mustStop: Bool { guardRails.contains(where: \.isAlarm) }

    enum CodingKeys: String, CodingKey {
        case base, trial
        case guardRails = "guard_rails"
    }

    /// - Parameters:
    ///   - people: Everyone in the trial, in the order in which they came; a person appears once.
    ///   - block: Shares of the two arms as small whole numbers, fixed before the trial.
    ///   - level: Chance that a harmless arm is ever stopped, by whichever guard-rail: they share it.
    /// - Throws: `EvaluationError` when an arm has nobody who got a reply, or a person is in it twice.
    public init(
        _ people: [Person], base: String, trial: String, block: SequentialRateTest.Block = .init(),
        level: Double = 0.05, bootstrap: Bootstrap = Bootstrap()
    ) throws {
        guard Set(people.map(\.id)).count == people.count else {
            throw EvaluationError(.arm, "a person is in the trial twice")
        }
        self.base = try Arm(base, people, bootstrap)
        self.trial = try Arm(trial, people, bootstrap)
        let rails: [(name: String, event: KeyPath<Person, Bool>)] = [
            ("unsafe", \.hadUnsafeReply), ("complaints", \.complained),
        ]
        guardRails = try rails.map { name, event in
            // Each may cry wolf with its part of the level, so that all together keep it.
            var test = try SequentialRateTest(level: level / Double(rails.count), block: block)
            func settled(_ model: String) -> [Bool] {
                people.filter { $0.model == model && $0.replies > 0 }.prefix { $0.isSettled }.map { $0[keyPath: event] }
            }
            for outcome in settled(base) { test.addFirst(outcome) }
            for outcome in settled(trial) { test.addSecond(outcome) }
            func rate(_ model: String) -> Double {
                let mine = people.filter { $0.model == model && $0.replies > 0 }
                return Double(mine.count { $0[keyPath: event] }) / Double(max(mine.count, 1))
            }
            return GuardRail(
                name: name, baseRate: rate(base), trialRate: rate(trial), pValue: test.pValue, isAlarm: test.isAlarm)
        }
    }
}

extension LiveComparison.Arm {
    init(_ model: String, _ people: [LiveComparison.Person], _ bootstrap: Bootstrap) throws {
        let mine = people.filter { $0.model == model && $0.replies > 0 }
        guard !mine.isEmpty else { throw EvaluationError(.empty, "nobody got a reply of “\(model)” yet") }
        self.model = model
        self.people = mine.count
        replies = mine.reduce(0) { $0 + $1.replies }
        // A person's replies hang together, so people are drawn: a ratio of sums over people.
        let weights = mine.map { Double($0.replies) }
        let ids = mine.map(\.id)
        liked = try bootstrap.share(
            mine.map { Double($0.likes) / Double($0.replies) }, weights: weights, clusters: ids)
        disliked = try bootstrap.share(
            mine.map { Double($0.dislikes) / Double($0.replies) }, weights: weights, clusters: ids)
    }
}
