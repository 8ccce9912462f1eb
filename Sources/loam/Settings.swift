import Conversations
import Foundation
import Yams

/// What commands find set when no flag says otherwise: the environment (`LOAM_…`), then `loam.yaml` in the working folder
/// (or where `LOAM_CONFIG` says), then each option's default.
///
/// In the file a key is an option's name with underscores. At the top it holds for every command that has the option, under a
/// command's name for that one and those below it (`train:`, and in it `sft:`); the nearest wins. A key that no command knows
/// is an error that names its line.
struct Settings {
    /// Where a value comes from.
    enum Origin: Hashable {
        case flag
        case environment(String)
        case file(String)
        case usual

        var text: String {
            switch self {
            case .flag: "flag"
            case .environment(let name): name
            case .file(let place): place
            case .usual: "default"
            }
        }
    }

    /// A value; several for an option that repeats.
    struct Value {
        var texts: [String]
        var origin: Origin
    }

    struct Fault: InputFault, CustomStringConvertible {
        var description: String
    }

    let table: CommandTable
    private let environment: [String: String]
    /// Values under each command's path; under the empty one those at the top of the file.
    private var kept: [String: [String: Value]] = [:]

    /// - Parameter file: read where it is there.
    /// - Throws: `Fault` that names file, line and key.
    init(table: CommandTable, environment: [String: String], file: String) throws {
        self.table = table
        self.environment = environment
        guard let data = FileManager.default.contents(atPath: file) else {
            if environment["LOAM_CONFIG"] != nil { throw Fault(description: "\(file): cannot be read") }
            return
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: String(decoding: data, as: UTF8.self))
        } catch {
            throw Fault(description: "\(file): \(error)")
        }
        guard let root else { return }
        guard case .mapping(let mapping) = root else {
            throw Fault(description: "\(file):1: should be keys with values")
        }
        try keep(mapping, of: table.command, path: "", file: file)
    }

    /// Takes the keys of one command: its options' and those of commands below it, whose names hold keys of their own.
    private mutating func keep(
        _ mapping: Node.Mapping, of command: CommandTable.Command, path: String, file: String
    ) throws {
        for (key, node) in mapping {
            let (name, place) = try Self.name(key, file)
            let isSetting = command.family.contains { $0.settings.contains { $0.key == name } }
            // `store` is a command and an option of others: keys below it are the command's, a value is the option's.
            if let inner = command.subcommand(name), !(isSetting && node.mapping == nil) {
                guard case .mapping(let own) = node else {
                    throw Fault(description: "\(place): \(name) should hold keys with values")
                }
                try keep(own, of: inner, path: inner.path, file: file)
            } else {
                guard isSetting else {
                    throw Fault(
                        description: path.isEmpty
                            ? "\(place): no command has a setting \(name)"
                            : "\(place): loam \(path) has no setting \(name)")
                }
                kept[path, default: [:]][name] = try Self.value(node, name, place)
            }
        }
    }

    private static func name(_ key: Node, _ file: String) throws -> (name: String, place: String) {
        let place = "\(file):\(key.mark?.line ?? 1)"
        guard let name = key.scalar?.string else { throw Fault(description: "\(place): a key should be a word") }
        return (name, place)
    }

    private static func value(_ node: Node, _ name: String, _ place: String) throws -> Value {
        switch node {
        case .scalar(let scalar): return Value(texts: [scalar.string], origin: .file(place))
        case .sequence(let items):
            return Value(
                texts: try items.map { item in
                    guard let text = item.scalar?.string else {
                        throw Fault(description: "\(place): \(name) should be a list of words or numbers")
                    }
                    return text
                }, origin: .file(place))
        default: throw Fault(description: "\(place): \(name) should be a word, a number or a list of them")
        }
    }

    /// What a command finds set for an option, flags aside.
    func value(of argument: CommandTable.Argument, in command: CommandTable.Command) -> Value {
        if let variable = argument.variable, let text = environment[variable], !text.isEmpty {
            return Value(texts: [text], origin: .environment(variable))
        }
        var words = command.path.split(separator: " ")
        while true {
            if let found = kept[words.joined(separator: " ")]?[argument.key] { return found }
            if words.popLast() == nil { break }
        }
        return Value(texts: argument.usual, origin: .usual)
    }

    /// The arguments of a command line with what is set elsewhere added as flags; a flag that is given wins.
    func completed(_ arguments: [String]) throws -> [String] {
        guard let command = table.command(of: arguments) else { return arguments }
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        let given = arguments[..<end]
        var added: [String] = []
        for argument in command.settings {
            guard let flag = argument.name else { continue }
            let isGiven = given.contains {
                $0 == "--\(flag)" || $0.hasPrefix("--\(flag)=") || $0 == "--no-\(flag)"
            }
            let value = value(of: argument, in: command)
            if isGiven || value.origin == .usual { continue }
            switch argument.kind {
            case .positional: break
            case .option: added += value.texts.map { "--\(flag)=\($0)" }
            case .flag:
                switch value.texts.first?.lowercased() {
                case "true", "yes", "on", "1": added.append("--\(flag)")
                case "false", "no", "off", "0": if command.hasInverse(argument) { added.append("--no-\(flag)") }
                default:
                    throw Fault(
                        description: "\(value.origin.text): \(argument.key) should be true or false")
                }
            }
        }
        return given + added + arguments[end...]
    }
}

extension Settings {
    /// Those of this process. The table is only made where there is something to look up in it.
    static func ofProcess() throws -> Settings {
        let environment = ProcessInfo.processInfo.environment
        return try Settings(
            table: CommandTable.read(), environment: environment, file: environment["LOAM_CONFIG"] ?? "loam.yaml")
    }

    /// Whether an option stands on the command line itself. Only then is it wrong usage where it is not heard: what a settings file
    /// has for every command is passed over by those that have no use for it.
    static func isTyped(_ flag: String) -> Bool {
        CommandLine.arguments.contains { $0 == flag || $0.hasPrefix(flag + "=") }
    }

    static var isAnythingSet: Bool {
        let environment = ProcessInfo.processInfo.environment
        return environment.keys.contains { $0.hasPrefix("LOAM_") }
            || FileManager.default.fileExists(atPath: "loam.yaml")
    }
}
