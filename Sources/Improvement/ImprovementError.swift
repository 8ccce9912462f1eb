/// What can go wrong in the loop; each message names the file or setting at fault and what to do.
public struct ImprovementError: Error, Sendable, CustomStringConvertible {
    /// A short name of bounded variety, for logs and metrics.
    public enum Code: String, Sendable {
        case folder, unreadable, busy, otherSettings, nothingShared
        case noVotes, oneSided, tooFewUsers, noData, registry, model
    }

    public let code: Code
    public let description: String

    /// True when the input or the settings are at fault (exit status 2), false when the machine is (exit status 1).
    public var isInputAtFault: Bool {
        switch code {
        case .folder, .busy: false
        default: true
        }
    }

    static func folder(_ path: String, _ reason: String) -> Self {
        Self(code: .folder, description: "\(path): cannot be used as a run folder: \(reason)")
    }
    static func unreadable(_ path: String, _ reason: String) -> Self {
        Self(code: .unreadable, description: "\(path): not what this version writes: \(reason)")
    }
    static func busy(_ path: String) -> Self {
        Self(code: .busy, description: "\(path): another run is at work in this folder")
    }
    static func otherSettings(_ path: String, _ fields: [String]) -> Self {
        Self(
            code: .otherSettings,
            description: "\(path): this folder holds a run with another \(fields.joined(separator: ", ")); "
                + "choose another --out, or the same settings to go on with it")
    }
    static func otherInputs(_ path: String, _ names: [String]) -> Self {
        Self(
            code: .otherSettings,
            description:
                "\(path): the \(names.joined(separator: ", ")) changed since this run began, and what it did no longer "
                + "holds; choose another --out")
    }
    static func nothingShared(_ path: String) -> Self {
        Self(
            code: .nothingShared,
            description:
                "\(path): this run has other logs, another model, seed or version; there is nothing to begin with")
    }
    static func noVotes(_ source: String) -> Self {
        Self(
            code: .noVotes,
            description:
                "\(source): no votes (0 likes and dislikes on bot replies that may be used): nothing to learn from")
    }
    static func oneSided(_ source: String, _ side: String, _ count: Int) -> Self {
        Self(
            code: .oneSided,
            description: "\(source): all \(count) votes are \(side): good cannot be told from bad without both kinds")
    }
    static func tooFewUsers(_ source: String, _ users: Int, _ needed: Int, _ detail: String) -> Self {
        Self(
            code: .tooFewUsers,
            description:
                "\(source): votes of \(users) user\(users == 1 ? "" : "s"), at least \(needed) are needed: \(detail)")
    }
    static func noData(_ source: String, _ what: String) -> Self {
        Self(code: .noData, description: "\(source): \(what)")
    }
    static func registry(_ path: String, _ reason: String) -> Self {
        Self(code: .registry, description: "\(path): \(reason)")
    }
    static func model(_ path: String, _ reason: String) -> Self {
        Self(code: .model, description: "\(path): \(reason)")
    }
}
