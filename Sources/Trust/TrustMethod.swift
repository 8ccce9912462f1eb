import Foundation
import Statistics

/// A way to tell whom to believe.
public protocol TrustMethod: Sendable {
    /// The name on the command line and in reports.
    var name: String { get }
    /// One sentence: what it does and when to take it.
    var summary: String { get }
    /// Where it comes from.
    var source: String { get }
    /// Whether it looks at what the items say.
    var usesContent: Bool { get }
    /// Weighs the votes.
    /// - Parameter generator: The only source of randomness; forked, never advanced.
    /// - Throws: `TrustError` or `StatisticsError` for input that cannot be weighed.
    func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport
}

/// The methods by name.
public enum TrustMethods {
    /// All of them with their default settings; the first is the one to take.
    public static var all: [any TrustMethod] { withContent + withoutContent }

    /// Those that read what was voted on.
    public static var withContent: [any TrustMethod] {
        [
            JointModel(), UserTypes(), PerUserRemoval(), SoftPURR(), UserAndExampleRemoval(), UserAndBootstrap(),
            ExampleRemoval(), ExampleFlipping(), SoftBootstrapping(), ConfidentLearning(),
        ]
    }

    /// Those that look at votes alone.
    public static var withoutContent: [any VoteModel] {
        [
            PooledDawidSkene(), GuardedVotes(), DawidSkene(), OneCoin(), Mace(), Mace(isVariational: false), Glad(),
            MajorityVote(),
        ]
    }

    /// - Throws: `TrustError` that names the choices.
    public static func named(_ name: String) throws -> any TrustMethod {
        guard let method = all.first(where: { $0.name == name }) else {
            let choices = all.map(\.name).joined(separator: ", ")
            throw TrustError(.method, "no method is called “\(name)”; choose one of \(choices)")
        }
        return method
    }
}

/// Common arithmetic of the methods.
enum Odds {
    /// `ln(p / (1 − p))`, with `p` kept away from 0 and 1.
    static func logit(_ p: Double, margin: Double = 1e-6) -> Double {
        let q = min(max(p, margin), 1 - margin)
        return log(q / (1 - q))
    }
}

extension VoteTable {
    /// Notes on the input that every report carries.
    var notes: [String] {
        var notes: [String] = []
        if replacedCount > 0 {
            notes.append("\(replacedCount) votes were replaced by a later one of the same person on the same item.")
        }
        if brokenRowCount > 0 {
            notes.append("\(brokenRowCount) votes have features that are not finite and were weighed without content.")
        }
        if users.count == 1 { notes.append("All votes come from one person: there is nobody to compare with.") }
        if upShare == 0 || upShare == 1 {
            notes.append(
                "All votes are thumbs \(upShare == 1 ? "up" : "down"): they say nothing about what is good or bad.")
        }
        return notes
    }
}
