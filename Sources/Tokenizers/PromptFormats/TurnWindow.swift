import Conversations

/// Where a history begins for a model whose context is full.
///
/// Dropping only what must go would give each turn another beginning, and a model that keeps what it has read of a
/// beginning (a prefix cache) would read all of it again every time. So when a history overflows, turns go until three
/// quarters of the room are left, and the beginning then stays as it is until the room is full once more: most turns only
/// read what is new. Nothing is remembered between calls. Whether and where a history overflowed earlier is worked out
/// from its turns, so a longer history begins where a shorter one did.
enum TurnWindow {
    /// What is left of the room after turns went.
    static let kept = 0.75

    /// The place of the first turn that stays: 0 for a history that fits. Otherwise it is a person's, unless only the last turn is
    /// left; that one always stays.
    /// - Parameters:
    ///   - costs: tokens of each turn.
    ///   - room: tokens that all turns together may have.
    static func start(of turns: [Turn], costs: [Int], room: Int) -> Int {
        let low = Int(Double(room) * kept)
        var (start, total) = (0, 0)
        for index in costs.indices {
            total += costs[index]
            guard total > room else { continue }
            while start < index, total > low || turns[start].sender == .bot {
                total -= costs[start]
                start += 1
            }
        }
        return start == 0 ? 0 : next(from: start, in: turns)
    }

    /// The place from which on as many turns as possible fit, however much the beginning moves: for learning, where
    /// nothing is read twice. It is a person's turn, unless only the last is left.
    static func longest(of turns: [Turn], costs: [Int], room: Int) -> Int {
        var start = costs.count
        var total = 0
        while start > 0, total + costs[start - 1] <= room {
            start -= 1
            total += costs[start]
        }
        return start == 0 ? 0 : next(from: min(start, costs.count - 1), in: turns)
    }

    /// The first turn of a person from a place on, or the last turn.
    static func next(from place: Int, in turns: [Turn]) -> Int {
        var place = max(place, 0)
        while place < turns.count - 1, turns[place].sender == .bot { place += 1 }
        return place
    }
}
