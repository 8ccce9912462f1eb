import Foundation
import Statistics
import Testing

@testable import Trust

@Suite struct CollusionTests {
    /// Honest people over many days, each item with about five votes.
    struct Town {
        var builder = BallotBuilder()
        var isGood: [Bool] = []
        var generator: SeededGenerator

        init(people: Int = 300, items: Int = 900, seed: UInt64, withTimes: Bool = true) throws {
            generator = SeededGenerator(seed: seed).fork("town")
            isGood = (0..<items).map { _ in generator.chance(0.6) }
            for person in 0..<people {
                var time = 1e9 + generator.uniform() * 2e6
                for _ in 0..<15 {
                    time += generator.uniform(20, 4000)
                    let item = generator.index(below: items)
                    try vote("p\(person)", item, generator.chance(0.85) == isGood[item], withTimes ? time : nil)
                }
            }
        }

        mutating func vote(_ user: String, _ item: Int, _ isUp: Bool, _ time: Double?) throws {
            try builder.add(user: user, item: "i\(item)", label: isUp ? 1 : 0, time: time)
        }
    }

    let generator = SeededGenerator(seed: 1)

    @Test func honestPeopleAreLeftAlone() throws {
        for seed in 0..<3 as Range<UInt64> {
            let collusion = Collusion(try Town(seed: seed).builder.ballots())
            #expect(collusion.groups.isEmpty)
            #expect(collusion.floods.isEmpty)
            #expect(collusion.flags.isEmpty)
            #expect(collusion.weights == nil)
        }
    }

    /// Perfect people agree on everything, and are no group for it.
    @Test func agreementOfTheRightIsNoCollusion() throws {
        var builder = BallotBuilder()
        for item in 0..<200 {
            for person in 0..<8 { try builder.add(user: "p\(person)", item: "i\(item)", label: item % 2) }
        }
        #expect(Collusion(try builder.ballots()).flags.isEmpty)
    }

    @Test func groupsThatPushTheSameItems() throws {
        var town = try Town(seed: 4, withTimes: false)
        for group in 0..<2 {
            let targets = (0..<25).map { _ in town.generator.index(below: 900) }
            for member in 0..<6 {
                for item in targets { try town.vote("g\(group)-\(member)", item, !town.isGood[item], nil) }
                for _ in 0..<8 {
                    let item = town.generator.index(below: 900)
                    try town.vote("g\(group)-\(member)", item, town.isGood[item], nil)
                }
            }
        }
        let ballots = try town.builder.ballots()
        let collusion = Collusion(ballots)
        #expect(collusion.groups.count == 2)
        #expect(collusion.groups.map(\.members.count) == [6, 6])
        let weights = try #require(collusion.weights)
        for user in 0..<ballots.users.count {
            let isMember = ballots.users[user].hasPrefix("g")
            #expect((collusion.flags[user]?.first?.kind == .group) == isMember)
            #expect(abs(weights[user] - (isMember ? 1.0 / 6 : 1)) < 1e-12)
        }
        // Counted as one, they no longer carry their targets.
        let plain = try MajorityVote().solve(ballots, generator: generator)
        let guarded = try GuardedVotes().solve(ballots, generator: generator)
        func right(_ solution: VoteSolution) -> Int {
            (0..<ballots.items.count).count { item in
                (solution.label(of: item) == 1) == town.isGood[Int(ballots.items[item].dropFirst()) ?? 0]
            }
        }
        #expect(right(guarded) > right(plain) + 10)
    }

    @Test func copyCatsAreTheOnesWhoComeLater() throws {
        var town = try Town(seed: 5)
        for (number, item) in town.generator.shuffled(Array(0..<900)).prefix(40).enumerated() {
            let said = town.generator.chance(0.8) == town.isGood[item]
            let time = 1e9 + Double(number) * 30_000
            try town.vote("trusted", item, said, time)
            for cat in 0..<3 { try town.vote("cat\(cat)", item, said, time + 700 + Double(cat)) }
        }
        let ballots = try town.builder.ballots()
        let collusion = Collusion(ballots)
        let group = try #require(collusion.groups.first)
        #expect(collusion.groups.count == 1)
        #expect(Set(group.members.map { ballots.users[$0] }) == ["trusted", "cat0", "cat1", "cat2"])
        #expect(Set(collusion.flags.keys.map { ballots.users[$0] }) == ["cat0", "cat1", "cat2"])
        let flag = try #require(collusion.flags[ballots.users.number(of: "cat0") ?? 0]?.first)
        #expect(flag.reason.contains("with 3 other people") && flag.reason.contains("comes after them"))
    }

    /// A flood counts when it comes at once and goes against the rest; a busy day of honest newcomers does not.
    @Test(arguments: [true, false])
    func floodsOfNewAccounts(isHostile: Bool) throws {
        var town = try Town(seed: 6)
        for account in 0..<60 {
            let arrival = 1e9 + 1e6 + town.generator.uniform() * 3000
            for number in 0..<8 {
                let item = town.generator.index(below: 900)
                let isRight = town.generator.chance(isHostile ? 0.05 : 0.85)
                try town.vote("new\(account)", item, isRight == town.isGood[item], arrival + Double(number) * 40)
            }
        }
        let ballots = try town.builder.ballots()
        let collusion = Collusion(ballots)
        guard isHostile else {
            #expect(collusion.floods.isEmpty)
            return
        }
        let flood = try #require(collusion.floods.first)
        #expect(flood.members.count { ballots.users[$0].hasPrefix("new") } >= 58)
        #expect(flood.members.count <= 64)
        #expect(flood.against > flood.ordinarilyAgainst + 0.3)
        let weights = try #require(collusion.weights)
        #expect((weights.min() ?? 1) < 0.1)
    }

    @Test func burstsAreFasterThanReading() throws {
        var town = try Town(seed: 7)
        for number in 0..<20 { try town.vote("hasty", number, true, 1e9 + Double(number) * 2) }
        let ballots = try town.builder.ballots()
        let burst = try #require(VoteBurst.all(ballots).first)
        #expect(VoteBurst.all(ballots).count == 1)
        #expect(ballots.users[burst.user] == "hasty")
        #expect(burst.votes == 20 && burst.seconds == 38 && burst.start == 1e9)
        // Where everybody's votes come in batches, that is how the log is.
        var batches = BallotBuilder()
        for person in 0..<40 {
            for item in 0..<20 { try batches.add(user: "p\(person)", item: "i\(item)", label: item % 2, time: 5) }
        }
        #expect(VoteBurst.all(try batches.ballots()).isEmpty)
    }

    @Test func nearlyEqualTexts() throws {
        var town = try Town(seed: 8, withTimes: false)
        for number in 0..<10 { try town.vote("pusher", 900 + number, true, nil) }
        let ballots = try town.builder.ballots()
        let texts = ballots.items.strings.map { name -> String? in
            guard let number = Int(name.dropFirst()) else { return nil }
            return number >= 900
                ? "Buy the very best garden hose in town today, it never leaks and it lasts for years, ask number \(number)"
                : "answer number \(number) about \(["rain", "tea", "maps", "owls"][number % 4]) and \(number &* 7919 % 1009) more"
        }
        let duplicates = DuplicateTexts(texts)
        let pushed = (900..<910).compactMap { ballots.items.number(of: "i\($0)") }
        #expect(Set(pushed.map { duplicates.groupOfItem[$0] }).count == 1)
        let collusion = Collusion(ballots, texts: texts)
        let pusher = try #require(ballots.users.number(of: "pusher"))
        #expect(Set(collusion.flags.keys) == [pusher])
        #expect(collusion.flags[pusher]?.first?.kind == .duplicateTexts)
        #expect(
            collusion.flags[pusher]?.first?.reason.hasPrefix(
                "10 of 10 votes are on nearly the same text, mostly thumbs up") == true)
        #expect(abs((collusion.weights?[pusher] ?? 1) - 0.1) < 1e-12)
    }
}
