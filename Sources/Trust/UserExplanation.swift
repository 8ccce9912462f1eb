import Foundation

/// Why somebody is believed as far as they are, with the figures behind it, in plain words.
public struct UserExplanation: Sendable, CustomStringConvertible {
    public let user: String
    /// One sentence each.
    public let sentences: [String]

    /// - Parameter collusion: What was found of people who vote together; worked out here when it is not at hand.
    /// - Throws: `TrustError` when nobody has this name.
    public init(_ user: String, in findings: VoteFindings, collusion: Collusion? = nil) throws {
        let ballots = findings.ballots
        guard let number = ballots.users.number(of: user) else {
            throw TrustError(.file, "nobody called “\(user)” has voted; \(ballots.users.count) people have")
        }
        self.user = user
        let found = findings.users[number]
        let collusion = collusion ?? Collusion(ballots)
        var sentences = [Self.votes(ballots, number)]
        let reading = findings.reading(number)
        sentences += Self.agreement(ballots, reading, found)
        sentences.append(Self.kind(findings, reading))
        if let burst = VoteBurst.busiest(ballots, number) {
            let seconds = Int(burst.seconds.rounded())
            sentences.append(
                "At the busiest, \(Self.count(Double(burst.votes), "vote")) within \(Self.count(Double(seconds), "second")), from "
                    + "\(Collusion.date(burst.start)).")
        }
        if let group = collusion.groups.first(where: { $0.members.contains(number) }) {
            let others = group.members.filter { $0 != number }.prefix(10).map { ballots.users[$0] }
            let more = group.members.count - 1 - others.count
            sentences.append(
                "Votes like \(others.joined(separator: ", "))\(more > 0 ? " and \(more) more" : "") where others do not: "
                    + "\(group.agreed) of \(group.common) votes that pairs of them have in common are the same.")
        }
        let flags = found.flags + (collusion.flags[number] ?? []).filter { !found.flags.contains($0) }
        if flags.isEmpty {
            sentences.append("No flag.")
        } else {
            sentences += flags.map { "Flag \($0.kind.rawValue): \($0.reason)" }
        }
        let share = findings.solution.weights?[number] ?? 1
        sentences.append(
            "Their votes weigh \(Self.figure(findings.weight(ofUser: number))): trust \(Self.figure(found.trust))"
                + (share < 1 ? ", counted for a share of \(Self.figure(share)) because they do not vote alone" : "")
                + ". Trust is worked out anew at every run: votes that make sense bring it back.")
        self.sentences = sentences
    }

    public var description: String { "\(user)\n" + sentences.map { "  \($0)\n" }.joined() }

    private static func votes(_ ballots: Ballots, _ user: Int) -> String {
        let counts = ballots.classes.indices.filter { ballots.votes(ofUser: user, for: $0) > 0 }.reversed().map {
            label in
            "\(ballots.votes(ofUser: user, for: label)) \(name(ballots, label))"
        }
        return "\(count(Double(ballots.votes(ofUser: user)), "vote")): \(counts.joined(separator: ", "))."
    }

    private static func agreement(_ ballots: Ballots, _ reading: VoterReading, _ found: UserTrust) -> [String] {
        guard reading.compared > 0 else {
            return ["Nobody else voted on the same items, so there is nothing to compare with."]
        }
        let classes = ballots.classCount
        var sentences: [String] = []
        if let agreement = found.agreement {
            sentences.append(
                "\(reading.compared) of the votes are on items that others judged too; "
                    + "\(Int((agreement * 100).rounded())) % of what they say agrees with what is learnt from others.")
        }
        for truth in (0..<classes).reversed() {
            var total = 0.0
            for label in 0..<classes { total += reading.counts[label * classes + truth] }
            guard total >= 0.5 else { continue }
            let kind =
                classes == 2 && ballots.classes == ["0", "1"]
                ? (truth == 1 ? "good" : "bad") : "“\(ballots.classes[truth])”"
            let right = reading.counts[truth * classes + truth]
            sentences.append(
                "Of \(count(total, "item")) that the others make \(kind), about \(count(right, "vote")) \(Int(right.rounded()) == 1 ? "says" : "say") so."
            )
        }
        return sentences
    }

    private static func kind(_ findings: VoteFindings, _ reading: VoterReading) -> String {
        let (kind, probability) = reading.likeliest
        let words: String
        switch findings.kinds.names[kind] {
        case nil: words = "somebody who looks before they vote"
        case .inverse: words = "somebody who says the contrary"
        case .random: words = "somebody who votes without looking"
        case .alwaysUp: words = "somebody who is for everything"
        case .alwaysDown: words = "somebody who is against everything"
        default: words = "somebody who always says “\(findings.ballots.classes[max(0, kind - 3)])”"
        }
        return
            "Reads like \(words) (\(Int((probability * 100).rounded())) %)\(reading.compared < 4 ? ", from few votes" : "")."
    }

    private static func name(_ ballots: Ballots, _ label: Int) -> String {
        ballots.classes == ["0", "1"] ? (label == 1 ? "up" : "down") : "“\(ballots.classes[label])”"
    }

    private static func count(_ value: Double, _ noun: String) -> String {
        let number = Int(value.rounded())
        return "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    private static func figure(_ value: Double) -> String { String(format: "%.2f", value) }
}
