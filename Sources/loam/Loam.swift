import ArgumentParser
import Foundation

/// The command line: one binary, verbs for the arrows of the loop. Thin: each command reads its options, calls one room
/// and prints what it says.
@main
struct Loam: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loam",
        abstract: "A conversational system that gets better, and safer, from the people who talk to it.",
        discussion: """
            The loop: talk, collect, de-identify, weigh trust, learn, judge, promote, talk.

              loam quickstart                     the whole loop on the bundled sample log, then the improved bot
              loam improve --log FILE …           the loop on your own logs

            Exit status: 0 done, 1 failed, 2 wrong usage or bad input.
            """,
        version: Version.text,
        subcommands: [
            QuickstartCommand.self, ImproveCommand.self, ImportCommand.self, ExportCommand.self,
            DeidentifyCommand.self, TrustCommand.self, TrainCommand.self, EvaluateCommand.self, CompareCommand.self,
            GenerateCommand.self,
            ScoreCommand.self, TokenizeCommand.self, DetokenizeCommand.self, EmbedCommand.self, PackCommand.self,
            BenchCommand.self, BenchTrainingCommand.self, ChatCommand.self, IndexCommand.self, ServeCommand.self,
            SimulateCommand.self, ModelsCommand.self, PromoteCommand.self, RollbackCommand.self, TrialCommand.self,
            DoctorCommand.self, StoreCommand.self, AccountsCommand.self, KeysCommand.self, AnnotateCommand.self,
            ConfigCommand.self,
        ])

    static func main() async {
        Threads.waitWithoutSpinning()
        // A reader of a pipe that has gone is no reason to die mid-write with a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            let given = Array(CommandLine.arguments.dropFirst())
            let arguments = try Settings.isAnythingSet ? Settings.ofProcess().completed(given) : given
            var command = try parseAsRoot(arguments)
            if let resumable = command as? any ResumableCommand, resumable.goesOn {
                try await Interruption.ending(resumable)
            } else if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            ErrorReport(error).exit()
        }
    }
}

/// What `--version` says and what lineage records.
enum Version {
    static let number = "0.1.0"
    static let text = "loam \(number)"
}
