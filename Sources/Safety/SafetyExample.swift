/// One labelled text of a safety data set.
public struct SafetyExample: Sendable, Hashable {
    /// The human turn that the text answers; `nil` where the text stands alone.
    public var turn: String?
    public var text: String
    public var isUnsafe: Bool
    /// How much it counts in training.
    public var weight: Double

    public init(turn: String? = nil, text: String, isUnsafe: Bool, weight: Double = 1) {
        self.turn = turn
        self.text = text
        self.isUnsafe = isUnsafe
        self.weight = weight
    }
}
