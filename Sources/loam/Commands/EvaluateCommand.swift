import ArgumentParser
import Evaluation
import Foundation
import Improvement

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Two models side by side on the held-out histories of a run, by its judge and rule.",
        discussion: "Example: loam evaluate --run runs/first --model models/new --against models/base")

    @Option(name: .long, help: "A finished run of `loam improve`: its prompts, judge and rule are used.")
    var run: String

    @Option(name: .long, help: "Folder of the model that is asked about.")
    var model: String

    @Option(name: .long, help: "Folder of the model to compare it with.")
    var against: String

    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var table: ComparisonTable
        var verdict: GateVerdict
    }

    func run() async throws {
        let console = common.console
        let result = try await ModelComparison(
            run: URL(filePath: run), model: URL(filePath: model), against: URL(filePath: against)
        ).compare { console.say($0) }
        try console.result(Answer(table: result.table, verdict: result.verdict))
        console.show(result.table.text)
        console.show(result.verdict.text)
    }
}
