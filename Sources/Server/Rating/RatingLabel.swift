/// What a rater may hold of a reply: the categories of the paper's crowdworkers. One of them, the first that fits.
enum RatingLabel: String, Sendable, Hashable, Codable, CaseIterable {
    /// None of the faults below.
    case good
    case inappropriate
    case offTopic = "off_topic"
    case nonsensical
    case ignoring = "ignoring_last_turn"
    case repeating
    /// Another fault.
    case other
}

/// What a rater is asked to do.
enum RatingTask: String, Sendable, Hashable, Codable, CaseIterable {
    /// One reply: which category.
    case category
    /// Two conversations or two replies: which one.
    case pair
}

/// What is asked of a pair.
enum PairQuestion: String, Sendable, Hashable, Codable {
    /// Of two conversations.
    case talkLonger = "talk_longer"
    /// Of two replies to the same words.
    case betterReply = "better_reply"
}

/// A line as a rater reads it.
struct RatedLine: Encodable, Sendable, Hashable {
    /// `human` or `bot`.
    var sender: String
    var text: String
}
