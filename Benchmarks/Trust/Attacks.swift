import Foundation
import Statistics
import Trust

/// Where each method that looks at votes alone breaks.
enum Attacks {
    struct Attack {
        var name: String
        var make: (UInt64) -> AttackWorld
    }

    static var all: [Attack] {
        var attacks = [Attack(name: "no attack") { AttackWorld(seed: $0) }]
        for share in [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6] {
            for isSlow in [false, true] {
                attacks.append(
                    Attack(name: "flood \(Int(share * 100)) %\(isSlow ? ", slow" : ", 2 h")") { seed in
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

    static func run(_ options: Options) throws {
        let seeds = try options.number("seeds", default: 5)
        let methods: [any TrustMethod] = TrustMethods.withoutContent.filter { $0.name != "mace-em" } + [UserTypes()]
        var labels = [["accuracy, % of items (targets where there are any)"] + methods.map(\.name)]
        var people = [["AUC of trust, honest against attackers"] + methods.map(\.name)]
        var flags = [["attackers flagged % / honest flagged %"] + methods.map(\.name)]
        for attack in all {
            var accuracy = methods.map { _ in 0.0 }
            var area = accuracy
            var caught = accuracy
            var wronged = accuracy
            for seed in 0..<seeds {
                let world = attack.make(UInt64(seed))
                let table = try VoteTable(votes: world.votes)
                for (number, method) in methods.enumerated() {
                    let report = try method.weigh(table, generator: SeededGenerator(seed: 1))
                    let measured = Self.measure(report, world)
                    accuracy[number] += measured.accuracy / Double(seeds)
                    area[number] += measured.area / Double(seeds)
                    caught[number] += measured.caught / Double(seeds)
                    wronged[number] += measured.wronged / Double(seeds)
                }
            }
            labels.append([attack.name] + accuracy.map { figure($0 * 100, 1) })
            people.append([attack.name] + area.map { $0.isNaN ? "–" : figure($0, 2) })
            flags.append(
                [attack.name]
                    + methods.indices.map {
                        (caught[$0].isNaN ? "–" : figure(caught[$0] * 100, 0)) + " / " + figure(wronged[$0] * 100, 1)
                    })
        }
        for table in [labels, people, flags] {
            printTable(table)
            print()
        }
    }

    private static func measure(
        _ report: TrustReport, _ world: AttackWorld
    ) -> (accuracy: Double, area: Double, caught: Double, wronged: Double) {
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
        return (Double(right) / Double(all), area, flagged(false), flagged(true))
    }
}
