import Foundation

/// Finds people who vote like each other where everybody else does not: colluding groups, sock puppets, copy-cats.
///
/// Two people who are both right agree as well, so agreement alone says nothing. Each common item counts by how surprising
/// the agreement is: the log-ratio of its chance if one copies the other (with one slip in twenty) to its chance if both look
/// for themselves, which is how often the *other* voters of that item, or these two people on the whole, give that label; those
/// who agree with the first of the two on nearly everything are left out of the others, or a large group would vouch for itself.
/// Pairs whose evidence outweighs the number of pairs looked at are joined into candidates.
///
/// A candidate may still be a few careful people among careless ones. It counts as a group only if its members agree with each
/// other *against* a clear majority of the people outside it more often than two people do by chance. Where nobody outside
/// votes on the same items there is nothing to hold against them.
public struct VotingGroups: Sendable {
    /// People who vote as one.
    public struct Group: Sendable, Hashable {
        /// Numbers of its members, ascending.
        public var members: [Int]
        /// Items that its pairs have in common, summed over the pairs that gave it away, and on how many of them they agree.
        public var common: Int
        public var agreed: Int
        /// Members who vote after the others nearly always, where times are known: they copy.
        public var followers: [Int]
    }

    public let groups: [Group]
    /// How many pairs of people have enough items in common to be looked at.
    public let pairsCompared: Int

    /// The fewest common items that say anything.
    public static let leastCommon = 4
    /// Voters of one item that are paired with each other; of more, an even sample is taken.
    static let votersPerItem = 48
    /// Pairs are looked for on so many common votes at most: beyond it items are left out evenly.
    static let pairLimit = 24_000_000
    /// A copy-cat's slips.
    static let slip = 0.05

    public init(_ ballots: Ballots) {
        let pairs = Self.candidates(ballots)
        pairsCompared = pairs.count
        let classes = ballots.classCount
        let counts = MajorityVote.labelCounts(ballots)
        let totals = ballots.classTotals.map { (Double($0) + 1) / Double(ballots.count + classes) }
        let threshold = log(Double(max(pairs.count, 1))) + 2
        let partners = Self.partners(ballots, pairs)
        var isPartner = [Bool](repeating: false, count: ballots.users.count)
        var joined = UnionFind(ballots.users.count)
        var edges: [(first: Int, second: Int, common: Int, agreed: Int, later: Int)] = []
        // The votes of the pair's first person, by item.
        var labelOf = [Int32](repeating: -1, count: ballots.items.count)
        var timeOf = [Double](repeating: .nan, count: ballots.times == nil ? 0 : ballots.items.count)
        var current = -1
        func forEachVote(of user: Int, _ body: (_ item: Int, _ label: Int, _ place: Int) -> Void) {
            for label in 0..<classes {
                let cell = user * classes + label
                for place in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    body(Int(ballots.itemOfVote[place]), label, place)
                }
            }
        }
        func habit(_ user: Int, _ label: Int) -> Double {
            (Double(ballots.votes(ofUser: user, for: label)) + totals[label])
                / (Double(ballots.votes(ofUser: user)) + 1)
        }
        for pair in pairs {
            let (first, second) = (Int(pair >> 32), Int(pair & 0xffff_ffff))
            if first != current {
                if current >= 0 {
                    forEachVote(of: current) { item, _, _ in labelOf[item] = -1 }
                    for partner in partners[current] ?? [] { isPartner[Int(partner)] = false }
                }
                for partner in partners[first] ?? [] { isPartner[Int(partner)] = true }
                forEachVote(of: first) { item, label, place in
                    labelOf[item] = Int32(label)
                    if let times = ballots.times { timeOf[item] = times[place] }
                }
                current = first
            }
            var (evidence, common, agreed, later, timed) = (0.0, 0, 0, 0, 0)
            forEachVote(of: second) { item, label, place in
                guard labelOf[item] >= 0 else { return }
                common += 1
                if let times = ballots.times, !times[place].isNaN, !timeOf[item].isNaN {
                    timed += 1
                    later += times[place] > timeOf[item] ? 1 : times[place] < timeOf[item] ? -1 : 0
                }
                guard Int(labelOf[item]) == label else {
                    evidence += log(Self.slip)
                    return
                }
                agreed += 1
                var (same, others) = (
                    Double(counts[item * classes + label]) - 2, Double(ballots.votes(onItem: item) - 2)
                )
                if others <= Double(Self.votersPerItem) * 2 {
                    for vote in Int(ballots.itemStart[item])..<Int(ballots.itemStart[item + 1]) {
                        let (user, said) = Int(ballots.cellOfVote[vote]).quotientAndRemainder(dividingBy: classes)
                        guard isPartner[user], user != second else { continue }
                        others -= 1
                        if said == label { same -= 1 }
                    }
                }
                let share = (same + 2 * totals[label]) / (others + 2)
                let alone = min(max(share, habit(first, label), habit(second, label)), 1)
                evidence += log((1 - Self.slip + Self.slip * alone) / alone)
            }
            guard common >= Self.leastCommon, evidence > threshold else { continue }
            joined.join(first, second)
            let always = timed >= Self.leastCommon && abs(later) * 10 >= timed * 9
            edges.append((first, second, common, agreed, always ? later.signum() : 0))
        }
        var members: [Int: Group] = [:]
        var follows: Set<Int> = []
        for edge in edges {
            let root = joined.root(edge.first)
            members[root, default: Group(members: [], common: 0, agreed: 0, followers: [])].common += edge.common
            members[root]?.agreed += edge.agreed
            if edge.later != 0 { follows.insert(edge.later > 0 ? edge.second : edge.first) }
        }
        for person in Set(edges.flatMap { [$0.first, $0.second] }).sorted() {
            members[joined.root(person)]?.members.append(person)
            if follows.contains(person) { members[joined.root(person)]?.followers.append(person) }
        }
        let chance = Self.jointDissent(ballots, counts)
        groups = members.values.filter { Self.isAgainstTheRest($0, ballots, counts, chance: chance) }
            .sorted { $0.members[0] < $1.members[0] }
    }

    /// Per person those who agree with them on nine common items of ten.
    private static func partners(_ ballots: Ballots, _ pairs: [UInt64]) -> [Int: [UInt32]] {
        let classes = ballots.classCount
        var partners: [Int: [UInt32]] = [:]
        var labelOf = [Int32](repeating: -1, count: ballots.items.count)
        func forEachVote(of user: Int, _ body: (_ item: Int, _ label: Int32) -> Void) {
            for label in 0..<classes {
                let cell = user * classes + label
                for place in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    body(Int(ballots.itemOfVote[place]), Int32(label))
                }
            }
        }
        var current = -1
        for pair in pairs {
            let (first, second) = (Int(pair >> 32), Int(pair & 0xffff_ffff))
            if first != current {
                if current >= 0 { forEachVote(of: current) { item, _ in labelOf[item] = -1 } }
                forEachVote(of: first) { item, label in labelOf[item] = label }
                current = first
            }
            var (common, agreed) = (0, 0)
            forEachVote(of: second) { item, label in
                guard labelOf[item] >= 0 else { return }
                common += 1
                if labelOf[item] == label { agreed += 1 }
            }
            guard agreed * 10 >= common * 9 else { continue }
            partners[first, default: []].append(UInt32(second))
            partners[second, default: []].append(UInt32(first))
        }
        return partners
    }

    /// How often two people who voted on the same item agree with each other against a clear majority of the item's other
    /// voters, of the pairs for which there is such a majority.
    private static func jointDissent(_ ballots: Ballots, _ counts: [UInt32]) -> Double {
        let classes = ballots.classCount
        var (against, all) = (0.0, 0.0)
        var own = [Int](repeating: 0, count: classes)
        for item in 0..<ballots.items.count where ballots.votes(onItem: item) >= 4 {
            for k in 0..<classes { own[k] = Int(counts[item * classes + k]) }
            for first in 0..<classes where own[first] > 0 {
                for second in first..<classes where own[second] > (first == second ? 1 : 0) {
                    let pairs = Double(own[first] * (first == second ? own[first] - 1 : 2 * own[second]))
                    own[first] -= 1
                    own[second] -= 1
                    if let top = clearMajority(own) {
                        all += pairs
                        if first == second, top != first { against += pairs }
                    }
                    own[first] += 1
                    own[second] += 1
                }
            }
        }
        return min(max(against / max(all, 1), 0.02), 0.5)
    }

    /// The class that leads by two votes at least.
    private static func clearMajority(_ counts: [Int]) -> Int? {
        var (top, first, second) = (0, -1, -1)
        for (k, count) in counts.enumerated() {
            if count > first {
                (top, first, second) = (k, count, first)
            } else if count > second {
                second = count
            }
        }
        return first - max(second, 0) >= 2 ? top : nil
    }

    /// Each item counts once, whatever the number of members on it.
    private static func isAgainstTheRest(
        _ group: Group, _ ballots: Ballots, _ counts: [UInt32], chance: Double
    ) -> Bool {
        let classes = ballots.classCount
        var inside: [Int: [Int]] = [:]
        for member in group.members {
            for label in 0..<classes {
                let cell = member * classes + label
                for place in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    inside[Int(ballots.itemOfVote[place]), default: [Int](repeating: 0, count: classes)][label] += 1
                }
            }
        }
        var (against, all) = (0.0, 0.0)
        for (item, own) in inside {
            let most = own.max() ?? 0
            guard own.reduce(0, +) >= 2,
                let top = clearMajority((0..<classes).map { Int(counts[item * classes + $0]) - own[$0] })
            else { continue }
            all += 1
            if most >= 2, own[top] < most { against += 1 }
        }
        guard all > 0, against / all > chance else { return false }
        let rate = min(against / all, 1 - 1e-9)
        return against * log(rate / chance) + (all - against) * log((1 - rate) / (1 - chance)) > 5
    }

    /// Pairs with enough items in common: `first << 32 | second`, ascending.
    private static func candidates(_ ballots: Ballots) -> [UInt64] {
        let classes = ballots.classCount
        var expected = 0
        for item in 0..<ballots.items.count {
            let voters = min(ballots.votes(onItem: item), votersPerItem)
            expected += voters * (voters - 1) / 2
        }
        let stride = max(1, (expected + pairLimit - 1) / pairLimit)
        var keys: [UInt64] = []
        keys.reserveCapacity(min(expected, pairLimit))
        var voters: [UInt32] = []
        for item in Swift.stride(from: 0, to: ballots.items.count, by: stride) {
            let start = Int(ballots.itemStart[item])
            let count = ballots.votes(onItem: item)
            voters.removeAll(keepingCapacity: true)
            let taken = min(count, votersPerItem)
            for number in 0..<taken {
                let user = Int(ballots.cellOfVote[start + number * count / taken]) / classes
                if ballots.votes(ofUser: user) >= leastCommon { voters.append(UInt32(user)) }
            }
            voters.sort()
            for first in voters.indices {
                for second in voters.indices[(first + 1)...] where voters[first] != voters[second] {
                    keys.append(UInt64(voters[first]) << 32 | UInt64(voters[second]))
                }
            }
        }
        keys.sort()
        var pairs: [UInt64] = []
        var start = 0
        while start < keys.count {
            var end = start + 1
            while end < keys.count, keys[end] == keys[start] { end += 1 }
            if end - start >= leastCommon { pairs.append(keys[start]) }
            start = end
        }
        return pairs
    }
}

/// Disjoint sets.
struct UnionFind {
    private var parent: [Int32]

    init(_ count: Int) { parent = (0..<count).map(Int32.init) }

    mutating func root(_ member: Int) -> Int {
        var place = member
        while Int(parent[place]) != place {
            parent[place] = parent[Int(parent[place])]
            place = Int(parent[place])
        }
        return place
    }

    mutating func join(_ first: Int, _ second: Int) {
        let (one, two) = (root(first), root(second))
        if one != two { parent[max(one, two)] = Int32(min(one, two)) }
    }
}
