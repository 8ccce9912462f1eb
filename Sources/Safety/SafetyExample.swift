/// One labelled text of a safety data set.
public struct SafetyExample: Sendable, Hashable {
    /// The human turn that the text answers; `nil` where the text stands alone.
    public var turn: String?
    public var text: String
    public var isUnsafe: Bool
    /// How much it counts in training.
    public var weight: Double
    /// The kind of harm that it was judged for, safe or not, where the set says so.
    public var judgedFor: String?

    public init(
        turn: String? = nil, text: String, isUnsafe: Bool, weight: Double = 1, judgedFor: String? = nil
    ) {
        self.turn = turn
        self.text = text
        self.isUnsafe = isUnsafe
        self.weight = weight
        self.judgedFor = judgedFor
    }
}
