import ArgumentParser
import Evaluation
import Foundation
import Improvement
import Torch

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Two models side by side on the held-out histories of a run, or one model on SafetyBench's tests.",
        discussion: """
            --suite heldout compares --model with --against by the judge and the rule of --run. --suite safety lets a model, local or
            behind an endpoint, answer contexts of four kinds and offensive statements, and counts what the safety layers object to.

            Example: loam evaluate --run runs/first --model models/new --against models/base
            Example: loam evaluate --suite safety --model models/new --data data
            """)

    enum Suite: String, ExpressibleByArgument, CaseIterable {
        case heldout, safety
    }

    @Option(name: .long, help: "What to look at: heldout or safety.")
    var suite: Suite = .heldout

    @Option(name: .long, help: "heldout: a finished run of `loam improve`: its prompts, judge and rule are used.")
    var run: String?

    @Option(name: .long, help: "heldout: folder of the model to compare with.")
    var against: String?

    @OptionGroup var safety: SafetySuiteOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var table: ComparisonTable
        var verdict: GateVerdict
    }

    func validate() throws {
        guard suite == .safety || (run != nil && against != nil && model.model != nil) else {
            throw ValidationError("--suite heldout needs --run, --model and --against")
        }
        guard suite == .safety || (model.draw.isSilent && model.bits == nil && model.guidance == nil) else {
            throw ValidationError(
                "--suite heldout draws replies as the run did: it takes no sampling option, --bits or --guidance")
        }
    }

    func run() async throws {
        let console = common.console
        guard let run, let against, let own = model.model, suite == .heldout else {
            let report = try await safety.report(model: model, encoder: places.encoderFolder) { console.say($0) }
            try console.result(report)
            console.show(report.text)
            return
        }
        try Engine.setThreadCount(model.threads)
        let result = try await ModelComparison(
            run: URL(filePath: run), model: URL(filePath: own), against: URL(filePath: against)
        ).compare { console.say($0) }
        try console.result(Answer(table: result.table, verdict: result.verdict))
        console.show(result.table.text)
        console.show(result.verdict.text)
    }
}
