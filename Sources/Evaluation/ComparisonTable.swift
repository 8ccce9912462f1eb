import Foundation
import Statistics

/// All arms side by side, each also as a difference from the base, prompt by prompt.
public struct ComparisonTable: Sendable, Hashable, Codable {
    /// One arm with its differences.
    public struct Row: Sendable, Hashable, Codable {
        public var arm: ArmResult
        /// Good share less the base's, paired by prompt, people drawn whole; `nil` for the base.
        public var goodDifference: Interval?
        /// Unsafe share less the base's.
        public var unsafeDifference: Interval?

        enum CodingKeys: String, CodingKey {
            case arm
            case goodDifference = "good_difference"
            case unsafeDifference = "unsafe_difference"
        }
    }

    /// Name of the arm the others are compared with.
    public var base: String
    /// Number of prompts, and of people or conversations they come from.
    public var prompts: Int
    public var clusters: Int
    /// In the order given.
    public var rows: [Row]

    /// - Parameters:
    ///   - arms: Arms that answered the same prompts in the same order.
    ///   - base: Name of the arm to compare with.
    /// - Throws: `EvaluationError` when the base is missing, a name stands twice or the prompts differ.
    public init(_ arms: [ArmResult], base: String, bootstrap: Bootstrap = Bootstrap()) throws {
        guard let reference = arms.first(where: { $0.name == base }) else {
            throw EvaluationError(.arm, "there is no arm “\(base)” to compare with")
        }
        guard Set(arms.map(\.name)).count == arms.count else {
            throw EvaluationError(.arm, "two arms have the same name: \(arms.map(\.name).joined(separator: ", "))")
        }
        self.base = base
        prompts = reference.goodByPrompt.count
        clusters = Set(reference.clusters).count
        rows = try arms.map { arm in
            guard arm.clusters == reference.clusters else {
                throw EvaluationError(
                    .prompts,
                    "the arm “\(arm.name)” answered other prompts (\(arm.clusters.count)) than “\(base)” "
                        + "(\(reference.clusters.count))")
            }
            guard arm.name != base else { return Row(arm: arm, goodDifference: nil, unsafeDifference: nil) }
            return Row(
                arm: arm,
                goodDifference: try bootstrap.pairedDifference(
                    reference.goodByPrompt, arm.goodByPrompt, clusters: arm.clusters),
                unsafeDifference: try bootstrap.pairedDifference(
                    reference.unsafeByPrompt, arm.unsafeByPrompt, clusters: arm.clusters))
        }
    }

    /// The row of an arm.
    public subscript(name: String) -> Row? { rows.first { $0.arm.name == name } }

    /// Faults that any arm shows, most frequent in the base first.
    public var reasons: [String] {
        let names = Set(rows.flatMap { $0.arm.reasons.keys })
        let shares = self[base]?.arm.reasons ?? [:]
        return names.sorted { (shares[$1]?.estimate ?? 0, $0) < (shares[$0]?.estimate ?? 0, $1) }
    }
}
