/// One rater's choice between the answers of two arms, shown side by side without their names (ACUTE-Eval, 1909.03087).
public struct PairVote: Sendable, Hashable, Codable {
    /// Which of the two the rater took.
    public enum Choice: String, Sendable, Hashable, Codable {
        case first, second, tie
    }

    /// What the two answered: votes on one conversation hang together.
    public var conversation: String
    public var rater: String
    /// The arm that stood first (left, or above).
    public var first: String
    public var second: String
    public var choice: Choice
    /// Words of the two answers, where length is to be told apart from quality.
    public var firstLength: Int?
    public var secondLength: Int?

    public init(
        conversation: String, rater: String, first: String, second: String, choice: Choice, firstLength: Int? = nil,
        secondLength: Int? = nil
    ) {
        self.conversation = conversation
        self.rater = rater
        self.first = first
        self.second = second
        self.choice = choice
        self.firstLength = firstLength
        self.secondLength = secondLength
    }

    enum CodingKeys: String, CodingKey {
        case conversation, rater, first, second, choice
        case firstLength = "first_length"
        case secondLength = "second_length"
    }

    /// 1, 0 or ½: what the first arm got of the vote.
    var result: Double {
        switch choice {
        case .first: 1
        case .second: 0
        case .tie: 0.5
        }
    }
}
