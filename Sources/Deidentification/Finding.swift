/// One place where identifying text stood. It never holds the text itself, so it may be logged.
public struct Finding: Sendable, Hashable, Codable {
    public var entity: Entity
    /// UTF-8 offsets into the text as it was before.
    public var start: Int
    public var end: Int
    /// How sure, 0 to 1.
    public var score: Double
    /// Where in the conversation; `nil` for a text of its own.
    public var place: Place?

    /// A field of a message, or of the conversation where there is no message.
    public struct Place: Sendable, Hashable, Codable {
        public var messageID: String?
        /// `text`, `feedback.comment`, `memory.memories[2]`, …
        public var field: String

        public init(messageID: String?, field: String) {
            self.messageID = messageID
            self.field = field
        }
    }

    public init(entity: Entity, start: Int, end: Int, score: Double, place: Place? = nil) {
        self.entity = entity
        self.start = start
        self.end = end
        self.score = score
        self.place = place
    }

    /// UTF-8 offsets into the text as it was before.
    public var range: Range<Int> { start..<max(start, end) }

    /// Whether the two share a byte.
    public func overlaps(_ other: Finding) -> Bool { start < other.end && other.start < end }
}
