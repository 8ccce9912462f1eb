import Foundation
import Statistics
import Synchronization
import Trust

/// Where each method that looks at votes alone breaks.
enum Attacks {
    struct Attack: Sendable {
        var name: String
        var make: @Sendable (UInt64) -> AttackWorld
    }

    /// Shares of the votes that floods hold.
    static let shares = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]

    private static func flood(_ share: Double, isSlow: Bool) -> String {
        "flood \(Int(share * 100)) %\(isSlow ? ", slow" : ", 2 h")"
    }

    static var all: [Attack] {
        var attacks = [Attack(name: "no attack") { AttackWorld(seed: $0) }]
        for isSlow in [false, true] {
            for share in shares {
                attacks.append(
                    Attack(name: flood(share, isSlow: isSlow)) { seed in
                        var world = AttackWorld(seed: seed)
                        world.flood(share: share, isSlow: isSlow)
                        return world
                    })
            }
        }
        attacks.append(
            Attack(name: "5 groups of 12") { seed in
                var world = AttackWorld(seed: seed)
                world.collude(groups: 5)
                return world
            })
        attacks.append(
            Attack(name: "120 sleepers") { seed in
                var world = AttackWorld(seed: seed)
                world.sleepers(120)
                return world
            })
        attacks.append(
            Attack(name: "20 copy-cats") { seed in
                var world = AttackWorld(seed: seed)
                world.copyCats(20)
                return world
            })
        for share in [0.0, 0.3] {
            attacks.append(
                Attack(name: "all new, \(Int(share * 100)) % inverse") { seed in
                    AttackWorld(seed: seed, attackers: share, allNew: true)
                })
        }
        return attacks
    }

    /// A method as it is set up in one world: anchors are the world's.
    struct Arm: Sendable {
        var name: String
        var method: @Sendable (AttackWorld) -> any TrustMethod
    }

    static var arms: [Arm] {
        let methods: [any TrustMethod] = TrustMethods.withoutContent.filter { $0.name != "mace-em" } + [JointModel()]
        return methods.map { method in Arm(name: method.name) { _ in method } }
            + [Arm(name: "joint, anchors") { JointModel(anchors: TrustAnchors(items: $0.anchors(share: 0.01))) }]
    }

    /// A method has broken where it is right about so much fewer items than without an attack.
    static let breakage = 0.1

    static func run(_ options: Options) throws {
        let seeds = try options.number("seeds", default: 5)
        // The world without an attack is what the others are held against.
        let part = options.optional("only") ?? ""
        let attacks = all.enumerated().filter { $0.offset == 0 || $0.element.name.hasPrefix(part) }.map(\.element)
        let arms = arms
        let jobs = attacks.indices.flatMap { attack in (0..<seeds).map { (attack, UInt64($0)) } }
        let found = Mutex<[Int: Result<[Measured], any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: jobs.count) { number in
            let result = Result {
                let world = attacks[jobs[number].0].make(jobs[number].1)
                let table = try VoteTable(votes: world.votes)
                return try arms.map {
                    measure(try $0.method(world).weigh(table, generator: SeededGenerator(seed: 1)), world)
                }
            }
            found.withLock { $0[number] = result }
        }
        let results = found.withLock { $0 }
        var means = attacks.map { _ in arms.map { _ in Measured(accuracy: 0, area: 0, caught: 0, wronged: 0) } }
        for (number, job) in jobs.enumerated() {
            for (arm, one) in (try results[number]?.get() ?? []).enumerated() {
                means[job.0][arm].accuracy += one.accuracy / Double(seeds)
                means[job.0][arm].area += one.area / Double(seeds)
                means[job.0][arm].caught += one.caught / Double(seeds)
                means[job.0][arm].wronged += one.wronged / Double(seeds)
            }
        }
        let names = arms.map(\.name)
        table("accuracy, % of items (targets where there are any)", attacks, names, means) {
            figure($0.accuracy * 100, 1)
        }
        table("AUC of trust, honest against attackers", attacks, names, means) {
            $0.area.isNaN ? "–" : figure($0.area, 2)
        }
        table("attackers flagged % / honest flagged %", attacks, names, means) {
            ($0.caught.isNaN ? "–" : figure($0.caught * 100, 0)) + " / " + figure($0.wronged * 100, 1)
        }
        printTable(
            [["breaks (\(Int(100 * breakage)) points fewer items right) at a flood of"] + names]
                + [false, true].map { isSlow in
                    ["\(isSlow ? "over four weeks" : "within two hours")"]
                        + arms.indices.map { arm in
                            let worst = shares.first { share in
                                guard let row = attacks.firstIndex(where: { $0.name == flood(share, isSlow: isSlow) })
                                else { return false }
                                return means[row][arm].accuracy < means[0][arm].accuracy - breakage
                            }
                            return worst.map { "\(Int($0 * 100)) %" } ?? "never"
                        }
                })
    }

    private static func table(
        _ title: String, _ attacks: [Attack], _ names: [String], _ means: [[Measured]], _ cell: (Measured) -> String
    ) {
        printTable([[title] + names] + zip(attacks, means).map { [$0.name] + $1.map(cell) })
        print()
    }

    /// What one method did in one world; shares are not numbers where there is nobody to count.
    struct Measured: Sendable {
        var accuracy: Double
        var area: Double
        var caught: Double
        var wronged: Double
    }

    private static func measure(_ report: TrustReport, _ world: AttackWorld) -> Measured {
        var (right, all) = (0, 0)
        for item in report.items {
            guard let number = Int(item.item.dropFirst()), world.targets.isEmpty || world.targets.contains(number)
            else {
                continue
            }
            all += 1
            if item.isGood == world.isGood[number] { right += 1 }
        }
        let isHonest = report.users.map { world.role[$0.user] == .helper }
        let area = (try? ROC.auc(scores: report.users.map(\.trust), labels: isHonest)) ?? .nan
        func flagged(_ honest: Bool) -> Double {
            let group = report.users.indices.filter { isHonest[$0] == honest }
            return Double(group.count { !report.users[$0].flags.isEmpty }) / Double(group.count)
        }
        return Measured(
            accuracy: Double(right) / Double(all), area: area, caught: flagged(false), wronged: flagged(true))
    }
}
