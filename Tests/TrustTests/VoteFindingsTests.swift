import Foundation
import Statistics
import Testing

@testable import Trust

@Suite struct VoteFindingsTests {
    let generator = SeededGenerator(seed: 1)

    func world(_ kinds: [VotingWorld.Behaviour], seed: UInt64) throws -> (VotingWorld, VoteFindings) {
        let world = try VotingWorld(
            people: 150, votesPerPerson: 40, trolls: 0.3, kinds: kinds, votesPerItem: 5, seed: seed)
        let ballots = Ballots(try world.table(withContent: false))
        let model = PooledDawidSkene()
        return (world, VoteFindings(ballots, try model.solve(ballots, generator: generator), method: model.name))
    }

    /// Each kind of troll is named as what it is.
    @Test(arguments: [VotingWorld.Behaviour.inverse, .random, .alwaysUp, .alwaysDown])
    func kindsAreNamed(kind: VotingWorld.Behaviour) throws {
        let (world, findings) = try world([kind], seed: 41)
        let trolls = findings.users.filter { world.behaviour[$0.user] == kind }
        let expected: FlagKind =
            switch kind {
            case .inverse: .inverse
            case .random: .random
            case .alwaysUp: .alwaysUp
            default: .alwaysDown
            }
        let named = trolls.count { $0.flags.first?.kind == expected }
        // Forty votes tell a one-sided person at once; a random one, half right, stays hard to tell.
        #expect(named * 100 >= trolls.count * (kind == .random ? 20 : 80), "\(named) of \(trolls.count)")
        let wronged = findings.users.count { world.behaviour[$0.user] == .helper && !$0.flags.isEmpty }
        #expect(wronged <= 3)
    }

    @Test func gaslightersAreNamed() throws {
        var builder = BallotBuilder()
        var stream = SeededGenerator(seed: 42)
        for person in 0..<80 {
            for _ in 0..<20 {
                let item = stream.index(below: 300)
                try builder.add(
                    user: "p\(person)", item: "i\(item)", label: stream.chance(0.9) == (item % 2 == 0) ? 1 : 0)
            }
        }
        for number in 0..<12 { try builder.add(user: "gas", item: "i\(2 * number * 11 % 300 + 1)", label: 1) }
        let ballots = try builder.ballots()
        let findings = VoteFindings(
            ballots, try PooledDawidSkene().solve(ballots, generator: generator), method: "test")
        let user = try #require(findings.users.first { $0.user == "gas" })
        #expect(user.flags.map(\.kind) == [.gaslight])
        #expect(user.flags.first?.reason.hasPrefix("Calls bad things good: 12 of 12 votes are thumbs up") == true)
        #expect(user.trust < 0.4)
    }

    /// A wrongly flagged person, or one who betters themselves, comes back.
    @Test func peopleRecover() throws {
        var (world, _) = try world([.inverse], seed: 43)
        func trust(_ votes: [Vote]) throws -> UserTrust {
            let ballots = Ballots(try VoteTable(votes: votes.map { Vote(user: $0.user, item: $0.item, isUp: $0.isUp) }))
            let findings = VoteFindings(
                ballots, try PooledDawidSkene().solve(ballots, generator: generator), method: "test")
            return try #require(findings.users.first { $0.user == "person 0" })
        }
        let before = try trust(world.votes)
        #expect(before.trust < 0.2 && !before.flags.isEmpty)
        for item in 0..<80 {
            world.votes.append(
                Vote(user: "person 0", item: "item \(item)", isUp: world.isGood["item \(item)"] ?? false))
        }
        let after = try trust(world.votes)
        #expect(after.trust > 0.5 && after.flags.isEmpty)
    }

    @Test func writesWhatReadsBack() throws {
        let (_, findings) = try world([.alwaysUp], seed: 44)
        let folder = FileManager.default.temporaryDirectory.appending(path: "findings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try findings.write(to: folder)
        func records(_ name: String) throws -> [[String]] {
            try CSV.records(Data(contentsOf: folder.appending(path: name)), file: name).map(\.fields)
        }
        let users = try records("users.csv")
        #expect(users.count == findings.users.count + 1)
        #expect(users[0] == ["user", "trust", "votes", "agreement", "flags", "reasons"])
        for (row, user) in zip(users.dropFirst(), findings.users) {
            #expect(row[0] == user.user && abs((Double(row[1]) ?? 9) - user.trust) < 1e-6)
            #expect(row[4] == user.flags.map(\.kind.rawValue).joined(separator: ";"))
        }
        let items = try records("items.csv")
        #expect(items.count == findings.ballots.items.count + 1)
        for (number, row) in items.dropFirst().enumerated() {
            #expect(row[1] == String(findings.solution.label(of: number)))
            #expect(abs((Double(row[2]) ?? 9) - findings.solution.posterior[number * 2 + 1]) < 1e-6)
            #expect(abs((Double(row[3]) ?? 9) - abs(2 * findings.solution.posterior[number * 2 + 1] - 1)) < 1e-5)
        }
        #expect(try records("votes_weighted.csv").count == findings.ballots.count + 1)
        // What was written is a file of votes again.
        let again = try BallotFile(folder.appending(path: "votes_weighted.csv"))
        #expect(again.ballots.count == findings.ballots.count)
        let nowhere = folder.appending(path: "missing")
        #expect(throws: TrustError.self) { try findings.write(to: nowhere) }
    }

    @Test func moreClassesHaveAColumnEach() throws {
        var builder = BallotBuilder(classes: ["a", "b", "c"])
        for (user, label) in [("x", 0), ("y", 0), ("z", 2)] {
            try builder.add(user: user, item: "one, two", label: label)
        }
        let ballots = try builder.ballots()
        let findings = VoteFindings(
            ballots, try MajorityVote().solve(ballots, generator: generator), method: "majority")
        let folder = FileManager.default.temporaryDirectory.appending(path: "findings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try findings.write(to: folder)
        let text = try String(contentsOf: folder.appending(path: "items.csv"), encoding: .utf8)
        #expect(
            text == "item,label,probability,weight,probability_a,probability_b,probability_c\r\n"
                + "\"one, two\",a,0.500000,0.250000,0.500000,0.166667,0.333333\r\n")
    }

    @Test func explainsInPlainWords() throws {
        let (world, findings) = try world([.alwaysUp], seed: 45)
        let troll = try #require(findings.users.first { world.behaviour[$0.user] == .alwaysUp && !$0.flags.isEmpty })
        let text = try UserExplanation(troll.user, in: findings).description
        #expect(text.contains("up"))
        #expect(text.contains("Reads like somebody who is for everything"))
        #expect(text.contains("Flag always_up"))
        #expect(text.contains("that the others make bad, about 0 votes say so."))
        let helper = try #require(findings.users.last { world.behaviour[$0.user] == .helper && $0.flags.isEmpty })
        let plain = try UserExplanation(helper.user, in: findings).description
        #expect(plain.contains("Reads like somebody who looks before they vote") && plain.contains("No flag."))
        #expect {
            try UserExplanation("nobody at all", in: findings)
        } throws: {
            "\($0)".contains("nobody called “nobody at all” has voted")
        }
    }

    /// The page shows hostile names as text, and its curve comes from votes that were hidden.
    @Test func pageStandsAlone() throws {
        var builder = BallotBuilder()
        for item in 0..<40 {
            for person in 0..<6 {
                try builder.add(user: "p\(person)", item: "i\(item)", label: (item + person / 5) % 2)
            }
            try builder.add(user: "<script>alert('&')</script>", item: "i\(item)", label: 1)
        }
        let ballots = try builder.ballots()
        let model = DawidSkene()
        let findings = VoteFindings(ballots, try model.solve(ballots, generator: generator), method: model.name)
        let heldOut = try #require(try HeldOutReliability.measure(model, on: ballots, generator: generator))
        #expect(heldOut.expectedCalibrationError < 0.2)
        let gold = Dictionary(uniqueKeysWithValues: (0..<40).map { ("i\($0)", $0 % 2 == 0 ? "down" : "up") })
        let known = try #require(try HeldOutReliability.measure(findings, gold: gold))
        #expect(known.known == 40 && known.right == 40)
        let html = TrustPage(findings, heldOut: heldOut, gold: known).html
        #expect(!html.contains("<script") && html.contains("&lt;script&gt;alert(&#39;&amp;&#39;)"))
        #expect(html.contains("Reliability curve") && html.contains("40 of them labelled right"))
        #expect(!html.contains("http:") && !html.contains("https:") && !html.contains("src="))
    }

    /// Votes whose times tell who gave them on what; it looks whether they came along.
    private struct ReadsTimes: VoteModel {
        let name = "reads-times"
        let summary = "Looks at times."
        let source = "A test."

        func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution {
            let times = try #require(ballots.times)
            for user in 0..<ballots.users.count {
                for place in Int(ballots.cellStart[user * 2])..<Int(ballots.cellStart[user * 2 + 2]) {
                    let item = Int(ballots.itemOfVote[place])
                    let expected = 100 * (Int(ballots.users[user]) ?? -1) + (Int(ballots.items[item]) ?? -1)
                    #expect(times[place] == Double(expected))
                }
            }
            return try MajorityVote().solve(ballots, generator: generator)
        }
    }

    /// Whoever goes by times, as `guarded` does by floods, is measured with them.
    @Test func hiddenVotesLeaveTheOthersTheirTimes() throws {
        var builder = BallotBuilder()
        for person in 0..<20 {
            for item in 0..<30 where (person + item) % 3 > 0 {
                let time = Double(100 * person + item)
                try builder.add(user: "\(person)", item: "\(item)", label: item % 2, time: time)
            }
        }
        let reliability = try HeldOutReliability.measure(
            ReadsTimes(), on: builder.ballots(), generator: generator)
        #expect(reliability != nil)
    }
}
