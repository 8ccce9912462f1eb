import Foundation
import Statistics
import Testing

@testable import Trust

@Suite struct JointModelTests {
    let generator = SeededGenerator(seed: 1)

    /// One-sided people are what plain removal gets wrong: it would throw out the helpers.
    @Test(arguments: [VotingWorld.Behaviour.alwaysUp, .alwaysDown])
    func tenEqualVotesAreSeenForWhatTheyAre(kind: VotingWorld.Behaviour) throws {
        let world = try VotingWorld(people: 100, trolls: 0.5, kinds: [kind], seed: 6)
        let report = try JointModel().weigh(world.table(), generator: generator)
        #expect(try world.separation(report) > 0.97)
        let flagged = report.flagged
        #expect(flagged.count { world.behaviour[$0.user] == kind } >= 35)
        #expect(flagged.count { world.behaviour[$0.user] == .helper } <= 2)
        let word = kind == .alwaysUp ? "thumbs up" : "thumbs down"
        let right = flagged.filter { world.behaviour[$0.user] == kind }
        #expect(
            right.allSatisfy { $0.flags[0].reason.contains(word) && $0.flags[0].reason.contains(" of \($0.votes)") })
    }

    @Test func separatesAMixAndCleansTheTraining() throws {
        let world = try VotingWorld(
            people: 200, trolls: 0.5, kinds: [.inverse, .random, .alwaysUp, .alwaysDown], seed: 7)
        let report = try JointModel().weigh(world.table(), generator: generator)
        #expect(try world.separation(report) > 0.87)
        #expect(try world.separation(report, kinds: [.inverse]) > 0.9)
        // The labels found are better than the votes as given, and so is what is learned from them.
        let raw = try ROC.auc(
            scores: world.votes.map { $0.isUp ? 1 : 0 }, labels: world.votes.map { world.isGood[$0.item] ?? false })
        #expect(try world.labelArea(report) > raw + 0.1)
        #expect(try world.testArea(report, .soft) > world.testArea(nil, .raw) + 0.01)
    }

    @Test func costsNothingWithoutTrolls() throws {
        let world = try VotingWorld(people: 100, trolls: 0, seed: 8)
        let report = try JointModel().weigh(world.table(), generator: generator)
        #expect(world.meanTrust(report) > 0.85)
        #expect(report.flagged.count <= 2)
        #expect(try world.testArea(report, .soft) > world.testArea(nil, .raw) - 0.005)
    }

    /// Every vote is foretold by the others alone: what is said holds, and it is no echo of the vote.
    @Test func foretellsVotesThatItHasNotSeen() throws {
        let world = try VotingWorld(people: 200, trolls: 0.3, kinds: [.inverse, .alwaysUp], seed: 17)
        let report = try JointModel().weigh(world.table(), generator: generator)
        let reliability = try #require(try HeldOutReliability.measure(report))
        #expect(reliability.expectedCalibrationError < 0.05)
        let foretold = try #require(report.foretold)
        let area = try ROC.auc(scores: foretold, labels: report.votes.map(\.isUp))
        // The best that can be known: the truth of the item and the kind of the person.
        let bound = try ROC.auc(
            scores: report.votes.map { vote in
                let isGood = world.isGood[vote.item] ?? false
                return switch world.behaviour[vote.user] ?? .helper {
                case .helper: isGood ? 0.8 : 0.2
                case .inverse: isGood ? 0.2 : 0.8
                default: 0.98
                }
            }, labels: report.votes.map(\.isUp))
        #expect(area > 0.65 && area < bound)
        let plain = try PerUserRemoval().weigh(world.table(), generator: generator)
        #expect(try HeldOutReliability.measure(plain) == nil)
    }

    /// A dozen people who push the same items do not outvote five honest ones; each keeps a voice of a twelfth.
    @Test func groupsCountAsOne() throws {
        let world = try VotingWorld(people: 120, votesPerPerson: 15, trolls: 0, votesPerItem: 5, seed: 41)
        let targets = Array(world.isGood.keys.sorted().prefix(25))
        var votes = world.votes.map { Vote(user: $0.user, item: $0.item, isUp: $0.isUp) }
        for member in 0..<12 {
            for item in targets {
                votes.append(Vote(user: "g\(member)", item: item, isUp: world.isGood[item] == false))
            }
        }
        let report = try JointModel().weigh(VoteTable(votes: votes), generator: generator)
        #expect(report.notes.contains { $0.contains("12 people in 1 groups vote as one") })
        let right = report.items.count { targets.contains($0.item) && $0.isGood == (world.isGood[$0.item] ?? false) }
        #expect(right > targets.count * 3 / 5)
        let weights = report.votes.filter { $0.user.hasPrefix("g") }.map(\.weight)
        #expect(weights.allSatisfy { $0 <= 1.0 / 12 + 1e-9 })
    }

    /// Three contrary people in ten, steadier than the helpers: by votes alone the many are right.
    @Test func theManyAreBelievedWhereVotesAreAllThereIs() throws {
        let world = try VotingWorld(people: 210, votesPerPerson: 15, trolls: 0, skill: 0.82, votesPerItem: 4, seed: 43)
        var votes = world.votes.map { Vote(user: $0.user, item: $0.item, isUp: $0.isUp) }
        var stream = SeededGenerator(seed: 43).fork("contrary")
        let items = world.isGood.keys.sorted()
        for person in 0..<90 {
            for item in stream.shuffled(items).prefix(15) {
                let isGood = world.isGood[item] ?? false
                votes.append(Vote(user: "contrary \(person)", item: item, isUp: stream.chance(0.92) != isGood))
            }
        }
        let report = try JointModel().weigh(VoteTable(votes: votes), generator: generator)
        let right = report.items.count { $0.isGood == (world.isGood[$0.item] ?? false) }
        #expect(right * 10 > report.items.count * 9)
        #expect(report.users.filter { $0.user.hasPrefix("contrary") }.allSatisfy { $0.trust < 0.5 })
    }

    @Test func worksFromVotesAlone() throws {
        let world = try VotingWorld(
            people: 60, votesPerPerson: 20, trolls: 0.4, kinds: [.inverse, .alwaysUp], votesPerItem: 5, seed: 9)
        let report = try JointModel().weigh(world.table(withContent: false), generator: generator)
        #expect(try world.separation(report) > 0.95)
        #expect(try world.labelArea(report) > 0.9)
        #expect(report.notes.contains { $0.contains("content was not used") })
    }

    /// Where most votes are contrary nothing but anchors can tell who is right.
    @Test func anchorsDecideWhereTrollsAreTheMajority() throws {
        let world = try VotingWorld(people: 150, trolls: 0.65, skill: 0.9, clarity: 4, seed: 12)
        let alone = try JointModel().weigh(world.table(), generator: generator)
        #expect(try world.separation(alone) < 0.5)
        let items = world.isGood.keys.sorted()
        let known = Dictionary(
            uniqueKeysWithValues: stride(from: 0, to: items.count, by: items.count / 15).map {
                (items[$0], world.isGood[items[$0]] ?? false)
            })
        let anchored = try JointModel(anchors: TrustAnchors(items: known)).weigh(world.table(), generator: generator)
        #expect(try world.separation(anchored) > 0.9)
        #expect(try world.labelArea(anchored) > 0.85)
        // A few members of staff do as well as known items.
        let staff = Set(world.behaviour.filter { $0.value == .helper }.keys.sorted().prefix(8))
        let trusted = try JointModel(anchors: TrustAnchors(users: staff)).weigh(world.table(), generator: generator)
        #expect(try world.separation(trusted) > 0.9)
        #expect(trusted.users.filter { staff.contains($0.user) }.allSatisfy { $0.trust > 0.99 })
    }

    @Test func anchorsComeFromAFile() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "anchors-\(UUID().uuidString).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("item,label\na,good\nb,0\n".utf8).write(to: file)
        let anchors = try TrustAnchors(items: file, users: ["anna"])
        #expect(anchors.items == ["a": true, "b": false])
        #expect(anchors.users == ["anna"])
        try Data("item,label\na,maybe\n".utf8).write(to: file)
        #expect {
            try TrustAnchors(items: file)
        } throws: {
            "\($0)".contains("item a") && "\($0)".contains("maybe")
        }
    }

    /// A world of helpers, and one person more with the votes given, each on an item that five helpers judge too.
    func company(_ own: [(isRight: Bool, minute: Double)]) throws -> VoteTable {
        var votes: [Vote] = []
        for (number, vote) in own.enumerated() {
            let isGood = number % 2 == 0
            for helper in 0..<5 {
                votes.append(
                    Vote(user: "helper \(helper)", item: "\(number)", isUp: helper == number % 7 ? !isGood : isGood))
            }
            votes.append(
                Vote(
                    user: "you", item: "\(number)", isUp: vote.isRight == isGood,
                    time: Date(timeIntervalSince1970: 60 * vote.minute)))
        }
        return try VoteTable(votes: votes)
    }

    @Test func seesWhoTurns() throws {
        // Given out of order: it is the time that counts.
        let own = (0..<30).map { (isRight: $0 < 15, minute: Double($0)) }
        let table = try company(Array(own[15...] + own[..<15]))
        let report = try JointModel().weigh(table, generator: generator)
        let you = try #require(report.users.first { $0.user == "you" })
        #expect(you.trust < 0.1)
        #expect(you.flags.first?.kind == .inverse)
        #expect(you.flags.first?.reason.contains("since vote 16") == true, "\(you.flags)")
        let mine = report.votes.filter { $0.user == "you" }
        // The first fifteen stand after the others in the table.
        #expect(mine[15..<28].allSatisfy { $0.weight > 0.8 })
        #expect(mine[2..<15].allSatisfy { $0.weight < 0.2 })
    }

    @Test func aFlaggedPersonRecovers() throws {
        let bad = (0..<12).map { (isRight: false, minute: Double($0)) }
        let flagged = try JointModel().weigh(company(bad), generator: generator)
        #expect(flagged.users.first { $0.user == "you" }?.flags.isEmpty == false)
        let mended = bad + (12..<30).map { (isRight: true, minute: Double($0)) }
        let after = try JointModel().weigh(company(mended), generator: generator)
        let you = try #require(after.users.first { $0.user == "you" })
        #expect(you.trust > 0.9)
        #expect(you.flags.isEmpty)
        // What was said before stays worth little; what comes now counts.
        let mine = after.votes.filter { $0.user == "you" }
        #expect(mine[..<10].allSatisfy { $0.weight < 0.2 })
        #expect(mine[14...].allSatisfy { $0.weight > 0.8 })
    }

    @Test func gaslightersAreNamed() throws {
        // Helpers judge everything; one person likes what is bad, and votes on nothing else.
        var votes: [Vote] = []
        for item in 0..<40 {
            for helper in 0..<4 { votes.append(Vote(user: "h\(helper)", item: "\(item)", isUp: item % 2 == 0)) }
            if item % 2 == 1, item < 24 { votes.append(Vote(user: "g", item: "\(item)", isUp: true)) }
            if item < 12 { votes.append(Vote(user: "all", item: "\(item)", isUp: true)) }
        }
        let report = try JointModel().weigh(VoteTable(votes: votes), generator: generator)
        #expect(report.users.first { $0.user == "all" }?.flags.first?.kind == .alwaysUp)
        let flag = try #require(report.users.first { $0.user == "g" }?.flags.first)
        // Always contrary and always up are the same here; either way it is plain what is meant.
        #expect([.gaslight, .inverse].contains(flag.kind))
        #expect(flag.reason.contains("12 of 12"))
    }

    @Test func oneVoteAPersonSaysLittleOfThem() throws {
        let world = try VotingWorld(people: 300, votesPerPerson: 1, trolls: 0.2, seed: 3)
        let report = try JointModel().weigh(world.table(), generator: generator)
        #expect(report.flagged.isEmpty)
        #expect(report.users.allSatisfy { $0.trust > 0 && $0.trust < 1 })
    }

    /// How people talk to the bot says whom to expect before their votes do; what a group is like is learnt, not assumed.
    @Test func peopleToldApartHaveSharesOfTheirOwn() throws {
        var (separation, labels) = (0.0, 0.0)
        let seeds: [UInt64] = [23, 24, 25, 26]
        for seed in seeds {
            let world = try VotingWorld(
                people: 240, votesPerPerson: 5, trolls: 0.3, kinds: [.inverse, .random], seed: seed)
            var groups: [String: Int] = [:]
            var generator = SeededGenerator(seed: seed)
            for (user, kind) in world.behaviour.sorted(by: { $0.key < $1.key }) {
                if generator.chance(kind == .helper ? 0.06 : 0.5) { groups[user] = 1 }
            }
            let plain = try JointModel().weigh(world.table(), generator: generator)
            let told = try JointModel().weigh(
                VoteTable(votes: world.votes, features: world.features, groups: groups), generator: generator)
            separation += try world.separation(told) - world.separation(plain)
            labels += try world.labelArea(told) - world.labelArea(plain)
            #expect(told.notes.contains { $0.contains("people of group 1") })
            #expect(!plain.notes.contains { $0.contains("group 1") })
            // A group drawn by lot says nothing, and does little harm.
            let lot = Dictionary(uniqueKeysWithValues: world.behaviour.keys.sorted().enumerated().map { ($1, $0 % 2) })
            let idle = try JointModel().weigh(
                VoteTable(votes: world.votes, features: world.features, groups: lot), generator: generator)
            #expect(try abs(world.separation(idle) - world.separation(plain)) < 0.03)
        }
        #expect(separation / Double(seeds.count) > 0.02)
        #expect(labels > 0)
    }

    @Test func aGroupBelowZeroIsRefused() throws {
        let votes = [Vote(user: "a", item: "x", isUp: true), Vote(user: "b", item: "x", isUp: false)]
        #expect(throws: TrustError.self) { try VoteTable(votes: votes, groups: ["a": -1]) }
        #expect(try VoteTable(votes: votes, groups: ["b": 2]).groupOfUser == [0, 2])
    }
}
