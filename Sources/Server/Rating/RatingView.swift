import Foundation
import Hashing

/// What a rater's page is told: how they stand, and the item to rate, if there is one.
struct RatingView: Encodable, Sendable {
    struct Progress: Encodable, Sendable {
        var answered: Int
        var asked: Int
    }

    /// Something to rate. Of a reply `context` and `reply` are there, of a pair `question`, `left` and `right`. Nothing tells who
    /// wrote it or what anybody thinks of it.
    struct Item: Encodable, Sendable {
        var item: String
        var context: [RatedLine]?
        var reply: String?
        var question: PairQuestion?
        var left: [RatedLine]?
        var right: [RatedLine]?
    }

    var task: RatingTask
    /// `onboarding`, `passed` or `failed`.
    var state: String
    /// Items this rater has rated, and how many are left for them.
    var rated: Int
    var left: Int
    var onboarding: Progress?
    var item: Item?
}

/// A byte that a name decides.
enum SHA256Byte {
    static func of(_ text: String) -> UInt8 {
        UInt8(SHA256.hex("loam byte " + text).prefix(2), radix: 16) ?? 0
    }
}
