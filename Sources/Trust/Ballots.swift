import Foundation

/// Votes as numbers, ready for counting: people, items and classes numbered, one current vote for each pair of person and
/// item, grouped both by item and by person. Holds any number of classes; thumbs are the two classes "0" and "1".
///
/// 13 bytes a vote beside the names, so that ten million votes fit anywhere.
public struct Ballots: Sendable {
    /// Names of the classes; their number is called `K` below.
    public let classes: [String]
    /// People in order of appearance.
    public let users: NameTable
    /// Items in order of appearance.
    public let items: NameTable
    /// How many votes were replaced by a later one of the same person on the same item.
    public let replacedCount: Int
    /// Where an item's votes begin in `cellOfVote`; one more than there are items.
    let itemStart: [UInt32]
    /// By item: `user * K + class` of each vote.
    let cellOfVote: [UInt32]
    /// Where the votes of a person for a class begin in `itemOfVote`, by `user * K + class`; one more at the end.
    let cellStart: [UInt32]
    /// By person and class: the item of each vote.
    let itemOfVote: [UInt32]
    /// In the order of `itemOfVote`, seconds since 1970 or not a number; `nil` when no vote has a time.
    let times: [Double]?

    /// Number of classes.
    public var classCount: Int { classes.count }
    /// Number of current votes.
    public var count: Int { itemOfVote.count }

    /// Votes as columns, one place for each vote in the order they came.
    struct Columns {
        var users: [UInt32] = []
        var items: [UInt32] = []
        var labels: [UInt8] = []
        /// Empty when no vote has a time, else seconds since 1970 or not a number.
        var times: [Double] = []
    }

    /// - Parameters:
    ///   - columns: In any order. Of two votes of a person on an item the later one stands: by time where both have one, else
    ///     by position.
    /// - Throws: `TrustError` when there are no votes, fewer than two classes, or more than can be numbered.
    init(classes: [String], users: NameTable, items: NameTable, columns: Columns) throws {
        let total = columns.users.count
        guard total > 0 else { throw TrustError(.noVotes, "there are no votes to weigh") }
        let width = classes.count
        guard width >= 2 else {
            throw TrustError(
                .settings, "votes of two classes at least are needed, there \(width == 1 ? "is one" : "are none")")
        }
        guard total < UInt32.max, users.count * width < UInt32.max, width <= 256 else {
            throw TrustError(
                .file, "\(total) votes of \(users.count) people in \(width) classes are more than can be numbered")
        }
        let (order, userStart) = Self.grouped(columns.users, groups: users.count)
        // A person's votes follow each other now; the last place an item was seen tells a second vote on it.
        var dropped = [Bool](repeating: false, count: total)
        var replaced = 0
        var lastSeen = [UInt32](repeating: .max, count: items.count)
        for user in 0..<users.count {
            let first = Int(userStart[user])
            for place in first..<Int(userStart[user + 1]) {
                let vote = Int(order[place])
                let item = Int(columns.items[vote])
                let seen = lastSeen[item]
                if seen != .max, Int(seen) >= first {
                    let earlier = Int(order[Int(seen)])
                    replaced += 1
                    if !columns.times.isEmpty, columns.times[vote] < columns.times[earlier] {
                        dropped[vote] = true
                        continue
                    }
                    dropped[earlier] = true
                }
                lastSeen[item] = UInt32(place)
            }
        }
        var cellStart = [UInt32](repeating: 0, count: users.count * width + 1)
        var itemStart = [UInt32](repeating: 0, count: items.count + 1)
        for vote in 0..<total where !dropped[vote] {
            cellStart[Int(columns.users[vote]) * width + Int(columns.labels[vote]) + 1] += 1
            itemStart[Int(columns.items[vote]) + 1] += 1
        }
        for cell in 1..<cellStart.count { cellStart[cell] += cellStart[cell - 1] }
        for item in 1..<itemStart.count { itemStart[item] += itemStart[item - 1] }
        let kept = total - replaced
        var itemOfVote = [UInt32](repeating: 0, count: kept)
        var cellOfVote = [UInt32](repeating: 0, count: kept)
        var times = columns.times.isEmpty ? nil : [Double](repeating: .nan, count: kept)
        var nextInCell = cellStart
        var nextInItem = itemStart
        for vote in 0..<total where !dropped[vote] {
            let cell = Int(columns.users[vote]) * width + Int(columns.labels[vote])
            let item = Int(columns.items[vote])
            let place = Int(nextInCell[cell])
            itemOfVote[place] = UInt32(item)
            if !columns.times.isEmpty { times?[place] = columns.times[vote] }
            nextInCell[cell] += 1
            cellOfVote[Int(nextInItem[item])] = UInt32(cell)
            nextInItem[item] += 1
        }
        self.classes = classes
        self.users = users
        self.items = items
        self.times = times
        (self.cellStart, self.itemStart, self.itemOfVote, self.cellOfVote) = (
            cellStart, itemStart, itemOfVote, cellOfVote
        )
        replacedCount = replaced
    }

    /// The votes of a table, whose people and items keep their numbers.
    public init(_ table: VoteTable) {
        var columns = Columns()
        columns.users = table.userOfVote.map(UInt32.init)
        columns.items = table.itemOfVote.map(UInt32.init)
        columns.labels = table.votes.map { $0.isUp ? 1 : 0 }
        if table.votes.contains(where: { $0.time != nil }) {
            columns.times = table.votes.map { $0.time?.timeIntervalSince1970 ?? .nan }
        }
        // A table has votes, and no pair twice; what could be thrown cannot occur.
        guard
            let ballots = try? Ballots(
                classes: ["0", "1"], users: NameTable(table.users), items: NameTable(table.items), columns: columns)
        else { preconditionFailure("a table of votes holds a vote and fits in memory") }
        self = ballots
    }

    /// The number of votes on an item.
    public func votes(onItem item: Int) -> Int { Int(itemStart[item + 1] - itemStart[item]) }
    /// The number of a person's votes.
    public func votes(ofUser user: Int) -> Int {
        Int(cellStart[(user + 1) * classCount] - cellStart[user * classCount])
    }
    /// The number of a person's votes for one class.
    public func votes(ofUser user: Int, for label: Int) -> Int {
        Int(cellStart[user * classCount + label + 1] - cellStart[user * classCount + label])
    }
    /// Votes per class.
    public var classTotals: [Int] {
        var totals = [Int](repeating: 0, count: classCount)
        for user in 0..<users.count { for label in totals.indices { totals[label] += votes(ofUser: user, for: label) } }
        return totals
    }

    /// What a reader must know of the input.
    var notes: [String] {
        var notes: [String] = []
        if replacedCount > 0 {
            notes.append("\(replacedCount) votes were replaced by a later one of the same person on the same item.")
        }
        if users.count == 1 { notes.append("All votes come from one person: there is nobody to compare with.") }
        if let only = classTotals.firstIndex(of: count) {
            let name = classes == ["0", "1"] ? "thumbs \(only == 1 ? "up" : "down")" : "“\(classes[only])”"
            notes.append("All votes are \(name): they say nothing about what is good or bad.")
        }
        if !hasSecondVotes { notes.append(Self.noSecondVotes) }
        return notes
    }

    static let noSecondVotes =
        "No item has a second vote, so nobody can be compared with anybody: take a method that reads content."

    /// Whether any item has more than one vote.
    var hasSecondVotes: Bool { count > items.count }

    /// A stable sort of places by group: places in order, and where each group begins.
    private static func grouped(_ groupOf: [UInt32], groups: Int) -> (order: [UInt32], start: [UInt32]) {
        var start = [UInt32](repeating: 0, count: groups + 1)
        for group in groupOf { start[Int(group) + 1] += 1 }
        for group in 1..<start.count { start[group] += start[group - 1] }
        var next = start
        var order = [UInt32](repeating: 0, count: groupOf.count)
        for (place, group) in groupOf.enumerated() {
            order[Int(next[Int(group)])] = UInt32(place)
            next[Int(group)] += 1
        }
        return (order, start)
    }
}
