import Foundation
import Statistics

/// Trust that is kept up as votes come in: the model of `PooledDawidSkene` whose posterior, counts and tables are all at hand,
/// so that a new vote costs a look at the people and items that it touches, and nothing else is gone through again.
///
/// Incremental EM (Neal and Hinton 1998): an item's expected counts are taken out of its voters' tables, its class is worked
/// out again, and the new counts are put back; voters whose chances moved by more than `threshold` since they last spoke bring
/// their items onto the list, until nothing moves. What everybody is drawn towards is learned at full runs and stays as it is
/// between them. With plain Dawid–Skene in its place one vote moved a fifth of a log of ten votes a person: without a common
/// prior the tables of people with few votes are too loosely held.
///
/// EM knows good from bad only by where it starts, which is the majority. So whenever half as many votes have come in as there
/// were, everything is worked out anew from the majority: over a lifetime that costs no more than a few full runs.
public struct TrustLedger: Sendable {
    /// Log-chances of a person's labels that move by less are not followed up.
    public var threshold: Double
    /// Items that one batch may work out again at most, as a multiple of the items there are.
    public var effort: Double

    public let classes: [String]
    private var users = NameTable()
    private var items = NameTable()
    /// Per person their votes, and per item its: the other's number and the label.
    private var votesOfUser: [[Said]] = []
    private var votesOfItem: [[Said]] = []
    /// `[(user * K + label) * K + truth]`.
    private var counts: [Double] = []
    private var logChance: [Double] = []
    /// `[item * K + class]`.
    private var posterior: [Double] = []
    /// Sum of `posterior` over the items, per class.
    private var shareSums: [Double]
    /// Whether an item is waiting to be worked out again.
    private var isWaiting: [Bool] = []
    /// Votes of an ordinary person that are added to everybody's, `[label * K + truth]`.
    private var pseudo: [Double]
    private var waiting: [UInt32] = []

    /// A person's table before it is taken over.
    private var fresh: [Double]

    private struct Said: Sendable {
        var other: UInt32
        var label: UInt8
    }

    /// What a batch cost.
    public struct Update: Sendable, Hashable {
        /// Votes that are new, and votes that replaced one of the same person on the same item.
        public var added: Int
        public var replaced: Int
        /// How many times an item was worked out.
        public var itemsVisited: Int
        /// Whether everything that moved was followed up.
        public var isSettled: Bool
        /// Whether everything was worked out anew.
        public var isRerun = false
    }

    /// Votes at the last full run, and since.
    private var votesAtRerun = 0
    private var votesSince = 0

    /// An empty one.
    public init(classes: [String] = ["0", "1"], threshold: Double = 1e-3, effort: Double = 100) {
        self.classes = classes
        self.threshold = threshold
        self.effort = effort
        let width = classes.count
        shareSums = [Double](repeating: 0, count: width)
        fresh = [Double](repeating: 0, count: width * width)
        // Before anything is known, strangers are right three times in four.
        let strength = PooledErrors().initialStrength
        pseudo = (0..<width * width).map { cell in
            cell / width == cell % width ? 0.75 * strength : 0.25 * strength / Double(max(1, width - 1))
        }
    }

    /// Begins with votes, which are worked out as a whole.
    public init(_ ballots: Ballots, threshold: Double = 1e-3, effort: Double = 100) {
        self.init(classes: ballots.classes, threshold: threshold, effort: effort)
        users = ballots.users
        items = ballots.items
        work(out: ballots)
    }

    /// A full run, and what it found.
    private mutating func work(out ballots: Ballots) {
        var em = ConfusionEM(ballots, model: PooledErrors(), maximumIterations: 500, tolerance: 1e-9)
        let state = em.run(from: em.voteShares())
        pseudo = em.model.pseudo
        take(ballots, state)
    }

    /// Takes over what a full run found.
    private mutating func take(_ ballots: Ballots, _ solution: ConfusionEM<PooledErrors>.State) {
        let width = classes.count
        (votesAtRerun, votesSince) = (ballots.count, 0)
        shareSums = [Double](repeating: 0, count: width)
        votesOfUser = [[Said]](repeating: [], count: users.count)
        votesOfItem = [[Said]](repeating: [], count: items.count)
        posterior = solution.posterior
        logChance = solution.logChance
        counts = [Double](repeating: 0, count: logChance.count)
        isWaiting = [Bool](repeating: false, count: items.count)
        for item in 0..<items.count {
            for k in 0..<width { shareSums[k] += posterior[item * width + k] }
            for vote in Int(ballots.itemStart[item])..<Int(ballots.itemStart[item + 1]) {
                let cell = Int(ballots.cellOfVote[vote])
                let label = UInt8(cell % width)
                votesOfItem[item].append(Said(other: UInt32(cell / width), label: label))
                votesOfUser[cell / width].append(Said(other: UInt32(item), label: label))
                for k in 0..<width { counts[cell * width + k] += posterior[item * width + k] }
            }
        }
    }

    public var userCount: Int { users.count }
    public var itemCount: Int { items.count }

    /// Takes votes in and follows up what they change.
    /// - Throws: `TrustError` for a class that there is not; nothing is taken in then.
    public mutating func add(_ votes: [(user: String, item: String, label: Int)]) throws -> Update {
        if let wrong = votes.first(where: { !classes.indices.contains($0.label) }) {
            throw TrustError(
                .file, "vote of user \(wrong.user) on item \(wrong.item): class \(wrong.label) of \(classes.count)")
        }
        var update = Update(added: 0, replaced: 0, itemsVisited: 0, isSettled: true)
        var touched: Set<Int> = []
        for vote in votes {
            let (user, item) = (number(ofUser: vote.user), number(ofItem: vote.item))
            touched.insert(user)
            if let place = votesOfItem[item].firstIndex(where: { Int($0.other) == user }) {
                update.replaced += 1
                let old = Int(votesOfItem[item][place].label)
                guard old != vote.label else { continue }
                move(item: item, user: user, label: old, by: -1)
                move(item: item, user: user, label: vote.label, by: 1)
                votesOfItem[item][place].label = UInt8(vote.label)
                if let own = votesOfUser[user].firstIndex(where: { Int($0.other) == item }) {
                    votesOfUser[user][own].label = UInt8(vote.label)
                }
            } else {
                update.added += 1
                votesOfItem[item].append(Said(other: UInt32(user), label: UInt8(vote.label)))
                votesOfUser[user].append(Said(other: UInt32(item), label: UInt8(vote.label)))
                // What is known so far of the item is the first guess; a new item's is the vote itself.
                if votesOfItem[item].count == 1 { guess(item, vote.label) }
                move(item: item, user: user, label: vote.label, by: 1)
            }
            wait(for: item)
        }
        votesSince += update.added
        if votesSince * 2 > max(votesAtRerun, 20) {
            try rerun()
            update.isRerun = true
            update.itemsVisited = items.count
            return update
        }
        for user in touched.sorted() { refit(user, always: true) }
        (update.itemsVisited, update.isSettled) = followUp()
        return update
    }

    /// Works everything out anew from the majority.
    public mutating func rerun() throws {
        for item in waiting { isWaiting[Int(item)] = false }
        waiting.removeAll()
        guard votesOfItem.contains(where: { !$0.isEmpty }) else { return }
        var columns = Ballots.Columns()
        for item in 0..<items.count {
            for said in votesOfItem[item] {
                columns.users.append(said.other)
                columns.items.append(UInt32(item))
                columns.labels.append(said.label)
            }
        }
        let ballots = try Ballots(classes: classes, users: users, items: items, columns: columns)
        work(out: ballots)
    }

    /// Trust in a person as `PooledDawidSkene` has it; `nil` for a stranger.
    public func trust(_ user: String) -> Double? {
        guard let number = users.number(of: user) else { return nil }
        let table = classes.count * classes.count
        return counts.withUnsafeBufferPointer { counts in
            logChance.withUnsafeBufferPointer { chances in
                guard let count = counts.baseAddress, let chance = chances.baseAddress else { return nil }
                return PooledErrors().trust(
                    count + number * table, chance + number * table, classes: classes.count)
            }
        }
    }

    /// Probability of each class of an item; `nil` for one that nobody voted on.
    public func probabilities(_ item: String) -> [Double]? {
        guard let number = items.number(of: item) else { return nil }
        return Array(posterior[number * classes.count..<(number + 1) * classes.count])
    }

    // MARK: The pieces

    private mutating func number(ofUser name: String) -> Int {
        let known = users.count
        let number = users.number(adding: name)
        if users.count > known {
            votesOfUser.append([])
            let table = classes.count * classes.count
            counts += [Double](repeating: 0, count: table)
            // A stranger is taken for an ordinary person.
            let width = classes.count
            logChance += (0..<table).map { cell in
                let all = (0..<width).reduce(0.0) { $0 + pseudo[$1 * width + cell % width] }
                return log(max(pseudo[cell] / all, OwnErrors.floor))
            }
        }
        return number
    }

    private mutating func number(ofItem name: String) -> Int {
        let known = items.count
        let number = items.number(adding: name)
        if items.count > known {
            votesOfItem.append([])
            isWaiting.append(false)
            posterior += [Double](repeating: 1 / Double(classes.count), count: classes.count)
            for k in classes.indices { shareSums[k] += 1 / Double(classes.count) }
        }
        return number
    }

    /// A new item's first vote is taken at three parts in four, as a stranger's.
    private mutating func guess(_ item: Int, _ label: Int) {
        let width = classes.count
        for k in 0..<width {
            let value = k == label ? 0.75 : 0.25 / Double(width - 1)
            shareSums[k] += value - posterior[item * width + k]
            posterior[item * width + k] = value
        }
    }

    private mutating func wait(for item: Int) {
        guard !isWaiting[item] else { return }
        isWaiting[item] = true
        waiting.append(UInt32(item))
    }

    /// Puts an item's probabilities into a person's counts, or takes them out.
    private mutating func move(item: Int, user: Int, label: Int, by sign: Double) {
        let width = classes.count
        for k in 0..<width { counts[(user * width + label) * width + k] += sign * posterior[item * width + k] }
    }

    /// Works a person's table out from their counts; what moved brings their items onto the list.
    private mutating func refit(_ user: Int, always: Bool = false) {
        let width = classes.count
        let table = width * width
        var moved = 0.0
        for truth in 0..<width {
            var total = 0.0
            for label in 0..<width {
                total += max(counts[user * table + label * width + truth], 0) + pseudo[label * width + truth]
            }
            for label in 0..<width {
                let place = user * table + label * width + truth
                let value = log(max((max(counts[place], 0) + pseudo[label * width + truth]) / total, OwnErrors.floor))
                moved = max(moved, abs(value - logChance[place]))
                fresh[label * width + truth] = value
            }
        }
        guard moved > threshold || always && moved > 0 else { return }
        for cell in 0..<table { logChance[user * table + cell] = fresh[cell] }
        if moved > threshold { for said in votesOfUser[user] { wait(for: Int(said.other)) } }
    }

    private mutating func followUp() -> (visited: Int, isSettled: Bool) {
        let width = classes.count
        let limit = max(10_000, Int(effort * Double(items.count)))
        var visited = 0
        var row = [Double](repeating: 0, count: width)
        // First come, first served, a round at a time: what a round moves waits for the next.
        while !waiting.isEmpty {
            guard visited < limit else {
                for item in waiting { isWaiting[Int(item)] = false }
                waiting.removeAll()
                return (visited, false)
            }
            let round = waiting
            waiting.removeAll(keepingCapacity: true)
            var touched: Set<UInt32> = []
            for number in round {
                let item = Int(number)
                isWaiting[item] = false
                visited += 1
                let total = shareSums.reduce(0, +)
                for k in 0..<width { row[k] = log(max(shareSums[k] / total, OwnErrors.floor)) }
                for said in votesOfItem[item] {
                    let place = (Int(said.other) * width + Int(said.label)) * width
                    for k in 0..<width { row[k] += logChance[place + k] }
                }
                let top = row.max() ?? 0
                var scale = 0.0
                for k in 0..<width {
                    row[k] = exp(row[k] - top)
                    scale += row[k]
                }
                var moved = 0.0
                for k in 0..<width {
                    row[k] = row[k] / scale - posterior[item * width + k]
                    moved = max(moved, abs(row[k]))
                }
                guard moved > 1e-9 else { continue }
                for k in 0..<width {
                    posterior[item * width + k] += row[k]
                    shareSums[k] += row[k]
                }
                for said in votesOfItem[item] {
                    let place = (Int(said.other) * width + Int(said.label)) * width
                    for k in 0..<width { counts[place + k] += row[k] }
                    touched.insert(said.other)
                }
            }
            for user in touched.sorted() { refit(Int(user)) }
        }
        return (visited, true)
    }
}
