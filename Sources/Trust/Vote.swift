import Foundation

/// One person's thumb on one item (a bot's reply, a text).
public struct Vote: Sendable, Hashable {
    /// Who voted, pseudonymous.
    public var user: String
    /// What was voted on.
    public var item: String
    /// True for a thumb up (good, safe), false for a thumb down.
    public var isUp: Bool
    /// When, where the log says so.
    public var time: Date?
    /// The row of the table's features that describes the item, where there is one.
    public var row: Int?

    public init(user: String, item: String, isUp: Bool, time: Date? = nil, row: Int? = nil) {
        self.user = user
        self.item = item
        self.isUp = isUp
        self.time = time
        self.row = row
    }
}
