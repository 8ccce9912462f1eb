import Foundation
import Statistics
import Trust

/// A made-up deployment under attack, of which the truth is known: honest people over thirty days, then an attack.
struct AttackWorld: Sendable {
    /// A troll's way, or honesty.
    enum Role { case helper, attacker }

    var votes: [Vote] = []
    /// Truth per item.
    var isGood: [Bool] = []
    var role: [String: Role] = [:]
    /// Items that the attack is about; all where it is about none in particular.
    var targets: Set<Int> = []
    private var generator: SeededGenerator
    /// Seconds since 1970 of the first day.
    static let start = 1_700_000_000.0
    static let day = 86_400.0

    /// 600 honest people, right 75 to 95 % of the time, about 15 votes each on 1,800 items, 62 % of which are good.
    init(seed: UInt64, people: Int = 600, items: Int = 1800, attackers: Double = 0, allNew: Bool = false) {
        generator = SeededGenerator(seed: seed).fork("attack world")
        isGood = (0..<items).map { _ in generator.chance(0.62) }
        var queue: [Int] = []
        let hostile = Int((Double(people) * attackers).rounded())
        for person in 0..<people {
            let name = "p\(person)"
            role[name] = person < hostile ? .attacker : .helper
            let skill = generator.uniform(0.75, 0.95)
            let arrival = Self.start + (allNew ? generator.uniform() * 3600 : generator.uniform() * 28 * Self.day)
            let count = max(1, Int(generator.normal(mean: 15, deviation: 4).rounded()))
            for number in 0..<count {
                if queue.isEmpty { queue = generator.shuffled(Array(0..<items)) }
                let item = queue.removeLast()
                let time = arrival + Double(number) * generator.uniform(30, 6000)
                let isRight = generator.chance(person < hostile ? 0.1 : skill)
                add(name, item, isRight == isGood[item], time)
            }
        }
    }

    /// The truth about a share of the items, drawn at random: the same ones each time.
    func anchors(share: Double) -> [String: Bool] {
        var stream = SeededGenerator(seed: 1).fork("anchors")
        let known = stream.shuffled(Array(isGood.indices)).prefix(Int(Double(isGood.count) * share))
        return Dictionary(uniqueKeysWithValues: known.map { ("i\($0)", isGood[$0]) })
    }

    private mutating func add(_ user: String, _ item: Int, _ isUp: Bool, _ time: Double) {
        votes.append(Vote(user: user, item: "i\(item)", isUp: isUp, time: Date(timeIntervalSince1970: time)))
    }

    /// New accounts with ten contrary votes each until they hold this share of all votes, within two hours or slowly.
    mutating func flood(share: Double, isSlow: Bool) {
        let wanted = Int(Double(votes.count) * share / (1 - share))
        var added = 0
        var account = 0
        while added < wanted {
            let name = "sybil\(account)"
            role[name] = .attacker
            account += 1
            let arrival =
                Self.start + (isSlow ? generator.uniform() * 28 * Self.day : 20 * Self.day + generator.uniform() * 7200)
            for number in 0..<min(10, wanted - added) {
                let item = generator.index(below: isGood.count)
                add(
                    name, item, generator.chance(0.95) != isGood[item],
                    arrival + Double(number) * generator.uniform(5, 300))
                added += 1
            }
        }
    }

    /// Groups of twelve who push 30 items of their choice (bad ones up, good ones down) and vote honestly ten times besides.
    mutating func collude(groups: Int) {
        for group in 0..<groups {
            let chosen = (0..<30).map { _ in generator.index(below: isGood.count) }
            targets.formUnion(chosen)
            for member in 0..<12 {
                let name = "g\(group)-\(member)"
                role[name] = .attacker
                let arrival = Self.start + generator.uniform() * 28 * Self.day
                var time = arrival
                for item in chosen where generator.chance(0.8) {
                    time += generator.uniform(30, 3000)
                    add(name, item, !isGood[item], time)
                }
                for _ in 0..<10 {
                    time += generator.uniform(30, 3000)
                    let item = generator.index(below: isGood.count)
                    add(name, item, generator.chance(0.85) == isGood[item], time)
                }
            }
        }
    }

    /// One in five people more, honest for ten votes and contrary for the next twenty.
    mutating func sleepers(_ count: Int) {
        for person in 0..<count {
            let name = "sleeper\(person)"
            role[name] = .attacker
            var time = Self.start + generator.uniform() * 20 * Self.day
            for number in 0..<30 {
                time += generator.uniform(30, 6000)
                let item = generator.index(below: isGood.count)
                add(name, item, (number < 10 ? generator.chance(0.9) : generator.chance(0.05)) == isGood[item], time)
            }
        }
    }

    /// Accounts that repeat, an hour later, what a trusted user says on the 60 items they vote on; the user errs on one in five.
    mutating func copyCats(_ count: Int) {
        let trusted = "trusted"
        role[trusted] = .helper
        let items = Array(generator.shuffled(Array(isGood.indices)).prefix(60))
        targets.formUnion(items)
        var said: [(Int, Bool, Double)] = []
        for item in items {
            let time = Self.start + generator.uniform() * 28 * Self.day
            said.append((item, generator.chance(0.8) == isGood[item], time))
        }
        for (item, isUp, time) in said { add(trusted, item, isUp, time) }
        for account in 0..<count {
            let name = "cat\(account)"
            role[name] = .attacker
            for (item, isUp, time) in said where generator.chance(0.7) {
                add(name, item, isUp, time + generator.uniform(600, 7200))
            }
        }
    }
}
