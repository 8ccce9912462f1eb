import Foundation
import Statistics

/// Labels, people and content worked out together: whom to believe, from votes, from what was voted on, and from anchors.
///
/// Ours. Each person behaves in one of a few ways (`VoterKind`: helpers of several abilities, contrary, random, always up,
/// always down) with learnt shares, and may change once in a while (`KindChain`); what the content says is a Bayesian
/// classifier that never saw the person it judges (`ContentPosterior`); all of it is solved together (`JointBeliefs`). Ten
/// equal votes are seen for what they are, the votes of contrary people are read backwards, texts that were voted on at
/// random still help as texts, and where helpers and contrary people explain the votes alike, both readings are tried and
/// the likelier is kept. Kinds of trolls after Ju and others 2022 (arXiv 2208.03295); error model of Dawid and Skene 1979.
///
/// One setting serves all kinds of trolls and all sizes that were measured: see `docs/trust.md`.
public struct JointModel: TrustMethod, Hashable {
    /// What is known beforehand. One item in a hundred is enough where contrary voters are the majority.
    public var anchors: TrustAnchors
    var settings = JointBeliefs.Settings()

    public init(anchors: TrustAnchors = TrustAnchors()) { self.anchors = anchors }

    public var name: String { "joint" }
    public var summary: String {
        "Works out labels, kinds of people and content together; takes trusted anchors; follows people who change."
    }
    public var source: String { "ours; kinds of trolls after Ju and others 2022 (arXiv 2208.03295)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        var notes = table.notes
        let hasContent = table.features != nil && table.rowOfVote.contains { $0 != nil }
        if !hasContent { notes.append("The content was not used: there are no features.") }
        // Groups, copy-cats and floods of new accounts count as one, as in `GuardedVotes`.
        let collusion = Collusion(Ballots(table))
        notes += collusion.notes
        let problem = problem(table, voice: collusion.weights, generator: generator)
        let unknown = anchors.items.keys.count { !table.items.contains($0) }
        if unknown > 0 { notes.append("\(unknown) anchors are about items that nobody voted on.") }
        let beliefs = try solve(problem, hasContent: hasContent, &notes)
        if !beliefs.converged { notes.append("Beliefs had not settled after \(beliefs.iterations) iterations.") }
        let shares = VoterType.allCases.map { String(format: "%@ %.0f %%", $0.rawValue, 100 * beliefs.share($0)) }
        notes.append("Kinds of people: \(shares.joined(separator: ", ")).")
        for group in 1..<max(table.groupCount, 1) {
            let people = table.groupOfUser.count { $0 == group }
            let share = String(format: "%.0f %%", 100 * beliefs.share(.helper, in: group))
            if people > 0 { notes.append("Of the \(people) people of group \(group) \(share) are helpers.") }
        }
        return JointReport(table, beliefs, hasContent: hasContent).report(method: name, notes: notes)
    }

    private func problem(
        _ table: VoteTable, voice: [Double]?, generator: SeededGenerator
    ) -> JointBeliefs.Problem {
        let rows = table.votesOfItem.map { votes in votes.lazy.compactMap { table.rowOfVote[$0] }.first }
        let known = rows.indices.filter { rows[$0] != nil }
        var (values, count) = ([Double](), 0)
        if let features = table.features, !known.isEmpty {
            (values, count) = ContentBasis.coordinates(
                features, rows: known.compactMap { rows[$0] }, rank: settings.rank, generator: generator)
        }
        var placed = values
        if known.count < rows.count {
            placed = [Double](repeating: 0, count: rows.count * count)
            for (place, item) in known.enumerated() {
                for column in 0..<count { placed[item * count + column] = values[place * count + column] }
            }
        }
        let content = ContentPosterior(
            features: placed, rows: rows.count, featureCount: count,
            variance: (coefficient: settings.variance * Self.scale(values, rows: known.count), level: settings.variance)
        )
        return JointBeliefs.Problem(
            table: table, settings: settings, content: content,
            ordered: table.votesOfUser.map { votes in
                let times = votes.compactMap { table.votes[$0].time }
                guard times.count == votes.count else { return votes }
                return zip(times, votes).sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
            },
            known: table.items.map { item in
                anchors.items[item].map { $0 ? JointBeliefs.anchorLogit : -JointBeliefs.anchorLogit } ?? 0
            },
            isTrusted: table.users.map(anchors.users.contains),
            voice: table.users.indices.map { anchors.users.contains(table.users[$0]) ? 1 : voice?[$0] ?? 1 },
            hasLoops: table.votesOfItem.contains { $0.count > 1 })
    }

    /// What makes a prior variance mean the same for features of any length: sentence vectors have length 1.
    private static func scale(_ values: [Double], rows: Int) -> Double {
        let squares = values.reduce(0) { $0 + $1 * $1 }
        return squares > 0 ? Double(rows) / squares : 1
    }

    /// Starts from trust in most people, from its mirror image where that could be as likely, and from anchors; keeps the
    /// solution that foretells the votes best.
    private func solve(
        _ problem: JointBeliefs.Problem, hasContent: Bool, _ notes: inout [String]
    ) throws -> JointBeliefs {
        var best = try JointBeliefs(problem, start: .trust)
        if !anchors.isEmpty {
            let anchored = try JointBeliefs(problem, start: .anchors)
            if anchored.score > best.score { best = anchored }
        }
        // A mirror image of a world with few contrary people is a world with few helpers: no need to look.
        guard best.share(.helper) < 3 * best.share(.inverse) else { return best }
        let mirror = try JointBeliefs(problem, start: .mirror(best.messages))
        if abs(mirror.score - best.score) < 3 {
            notes.append(
                "Helpers and people who vote the contrary explain these votes almost equally well: name some trusted "
                    + "people or known items.")
        }
        // How well a list of behaviours fits decides between mirror images by a hair's breadth a person, which many people add
        // up: it must not make contrary people the many, less so where votes are all there is.
        let most = hasContent ? 2.0 : 1.0
        guard mirror.score > best.score, !anchors.isEmpty || mirror.share(.inverse) <= most * mirror.share(.helper)
        else { return best }
        return mirror
    }
}
