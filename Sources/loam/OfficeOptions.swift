import ArgumentParser
import Foundation

/// What the operator's and the raters' pages may be told.
struct OfficeOptions: ParsableArguments {
    @Option(name: .long, help: "Folder of the runs that operators begin and read on their page.")
    var runsFolder = "runs"

    @Option(name: .long, help: "Raters that each reply and each pair goes to.")
    var raters = 3

    @Flag(
        name: .long,
        help: "People reach the server by TLS alone: the cookies of operators and raters never travel in the clear.")
    var secureCookies = false

    var choices: OfficeChoices { OfficeChoices(runs: runsFolder, raters: raters, secureCookies: secureCookies) }

    func validate() throws {
        guard (1...100).contains(raters) else {
            throw ValidationError("--raters must be from 1 to 100, it is \(raters)")
        }
    }
}

/// The same as plain values, for commands that do not ask.
struct OfficeChoices: Sendable {
    var runs = "runs"
    var raters = 3
    var secureCookies = false
}
