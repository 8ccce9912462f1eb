import ArgumentParser
import Foundation

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "What every command would find set, and where that comes from.",
        discussion: """
            A flag wins over the environment (LOAM_THREADS for --threads; not for options that repeat), that over loam.yaml in the
            working folder (or where LOAM_CONFIG says), that over the default. In loam.yaml a key at the top holds for every
            command that has it, one under a command's name for that command and those below it:

              threads: 4
              improve:
                iterations: 2
                keep: [Loam, Ada]

            Example: loam config improve
            """)

    @Argument(help: "Only of this command, as it is typed: improve, or trial start.")
    var command: [String] = []

    @Flag(name: .long, help: "Also what is as it always is.")
    var all = false

    @OptionGroup var common: CommonOptions

    struct Setting: Encodable {
        var value: [String]
        var from: String
    }

    func run() throws {
        let settings = try Settings.ofProcess()
        let wanted = command.joined(separator: " ")
        if !wanted.isEmpty, settings.table.command(of: command)?.path != wanted {
            throw ValidationError("there is no command \(wanted)")
        }
        var found: [String: [String: Setting]] = [:]
        for one in settings.table.commands where wanted.isEmpty || one.path == wanted {
            for argument in one.settings {
                let value = settings.value(of: argument, in: one)
                guard all || !wanted.isEmpty || value.origin != .usual else { continue }
                let isHidden = argument.isSecret && value.origin != .usual
                let texts = isHidden ? ["(hidden)"] : value.texts.map(CommandTable.Argument.shown)
                found[one.path, default: [:]][argument.key] = Setting(value: texts, from: value.origin.text)
            }
        }
        try common.console.result(found)
        if found.isEmpty { common.console.show("everything is as it always is; `loam config --all` shows it") }
        for (name, values) in found.sorted(by: { $0.key < $1.key }) {
            common.console.show(name)
            for (key, setting) in values.sorted(by: { $0.key < $1.key }) {
                let text = setting.value.isEmpty ? "–" : setting.value.joined(separator: ", ")
                common.console.show(
                    "  \(key.padding(toLength: 24, withPad: " ", startingAt: 0)) \(text)   (\(setting.from))")
            }
        }
    }
}
