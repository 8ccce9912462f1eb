import ArgumentParser
import Foundation

/// All commands with their options, as ArgumentParser describes them: what `loam.yaml` and the environment may set.
struct CommandTable: Decodable {
    struct Command: Decodable {
        var commandName: String
        var superCommands: [String]?
        var subcommands: [Command]?
        var arguments: [Argument]?

        /// As it is typed after `loam`: `trial start`.
        var path: String { ((superCommands ?? []).dropFirst() + [commandName]).joined(separator: " ") }

        /// This command and those below it.
        var family: [Command] { [self] + (subcommands ?? []).flatMap(\.family) }

        func subcommand(_ name: String) -> Command? { subcommands?.first { $0.commandName == name } }

        /// Options and flags that have a long name, but for help and version.
        var settings: [Argument] {
            (arguments ?? []).filter { argument in
                guard let name = argument.name, argument.kind != .positional, name != "help", name != "version" else {
                    return false
                }
                return !isInverse(name)
            }
        }

        /// Whether a name is what turns another flag off: `no-serve` beside `serve`.
        func isInverse(_ name: String) -> Bool {
            name.hasPrefix("no-") && arguments?.contains { $0.kind == .flag && "no-" + ($0.name ?? "") == name } == true
        }

        func hasInverse(_ argument: Argument) -> Bool {
            arguments?.contains { $0.name == "no-" + (argument.name ?? "") } == true
        }
    }

    struct Argument: Decodable {
        enum Kind: String, Decodable {
            case positional, option, flag
        }

        struct Name: Decodable {
            var kind: String
            var name: String
        }

        var kind: Kind
        var names: [Name]?
        var isRepeating: Bool
        var defaultValue: String?

        /// As it stands after `--`.
        var name: String? { names?.first { $0.kind == "long" }?.name }

        /// As it stands in `loam.yaml`.
        var key: String { (name ?? "").replacingOccurrences(of: "-", with: "_") }
        /// As it stands in the environment; a list has no place there.
        var variable: String? { isRepeating ? nil : "LOAM_" + key.uppercased() }
        /// What it is when nobody says anything.
        var usual: [String] {
            guard kind == .flag else { return defaultValue.map { [$0] } ?? [] }
            return [defaultValue == "--" + (name ?? "") ? "true" : "false"]
        }
        /// What nobody should read over a shoulder or in a log.
        var isSecret: Bool {
            let words = Set(key.split(separator: "_"))
            return !words.isDisjoint(with: ["key", "token", "secret", "password"])
        }

        /// A value as it may be shown: an address without its password.
        static func shown(_ text: String) -> String {
            guard let scheme = text.range(of: "://") else { return text }
            var shown = text
            let options = text[scheme.upperBound...].firstIndex(of: "?") ?? text.endIndex
            // The last one, wherever it stands: a password may hold an unquoted "/", "?" or "@".
            if let at = text[..<options].lastIndex(of: "@") ?? text.lastIndex(of: "@"), at > scheme.upperBound,
                let colon = text[scheme.upperBound..<at].firstIndex(of: ":")
            {
                shown.replaceSubrange(text.index(after: colon)..<at, with: "(hidden)")
            }
            guard let start = shown.firstIndex(of: "?") else { return shown }
            let parts = shown[shown.index(after: start)...].split(separator: "&", omittingEmptySubsequences: false)
            let masked = parts.map { part -> String in
                let name = part.prefix { $0 != "=" }
                return name.lowercased().contains("password") ? "\(name)=(hidden)" : String(part)
            }
            return String(shown[...start]) + masked.joined(separator: "&")
        }
    }

    var command: Command

    static func read() throws -> CommandTable {
        try JSONDecoder().decode(Self.self, from: Data(Loam._dumpHelp().utf8))
    }

    /// Every command that can be run, at whatever depth.
    var commands: [Command] { (command.subcommands ?? []).flatMap(\.family) }

    /// The command that a command line names.
    func command(of arguments: [String]) -> Command? {
        var found: Command?
        for argument in arguments {
            guard let next = (found ?? command).subcommand(argument) else { break }
            found = next
        }
        return found
    }
}
