import ArgumentParser
import Evaluation
import Foundation
import Improvement
import Torch

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract:
            "Two models side by side: on the held-out histories of a run, on SafetyBench's tests, in the simulated world.",
        discussion: """
            --suite heldout compares --model with --against by the judge and the rule of --run. --suite safety lets a model, local or
            behind an endpoint, answer contexts of four kinds and offensive statements, and counts what the safety layers object to.
            --suite table9 lets models of the simulated world (those of `loam simulate`) answer its prompts, and counts what an exact
            judge says: good, or which of the six faults of the paper's Table 9. --suite all is each that there is enough for.

            Example: loam evaluate --run runs/first --model models/new --against models/base
            Example: loam evaluate --suite safety --model models/new --data data
            Example: loam evaluate --suite table9 --model models/new --against Models/loam-sample
            """)

    enum Suite: String, ExpressibleByArgument, CaseIterable {
        case heldout, safety, table9, all
    }

    @Option(name: .long, help: "What to look at: \(Suite.allCases.map(\.rawValue).joined(separator: ", ")).")
    var suite: Suite = .heldout

    @Option(name: .long, help: "heldout: a finished run of `loam improve`: its prompts, judge and rule are used.")
    var run: String?

    @Option(name: .long, help: "heldout, table9: folder of the model to compare with.")
    var against: String?

    @Option(name: .long, help: "table9: prompts of each kind, those of docs/proof.md.")
    var prompts = 500

    @OptionGroup var safety: SafetySuiteOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var table: ComparisonTable
        var verdict: GateVerdict
    }

    /// What every suite came to; `nil` for one that there was not enough for.
    struct Everything: Encodable {
        var heldout: Answer?
        var safety: SafetySuiteOptions.Report?
        var table9: TableNine?
    }

    /// Whether there is all that the held-out comparison needs.
    private var hasRun: Bool { run != nil && against != nil && model.model != nil }

    func validate() throws {
        guard suite != .heldout || hasRun else {
            throw ValidationError("--suite heldout needs --run, --model and --against")
        }
        let unheard: [String] =
            switch suite {
            case .heldout: SamplingOptions.names + ["--bits", "--guidance", "--endpoint", "--prompts"]
            case .safety: ["--run", "--against", "--prompts"]
            case .table9: ["--run"]
            case .all: []
            }
        if let first = unheard.first(where: Settings.isTyped) {
            throw ValidationError("--suite \(suite.rawValue) has no use for \(first)")
        }
        guard (1...100_000).contains(prompts) else { throw ValidationError("--prompts is from 1 to 100000") }
    }

    func run() async throws {
        let console = common.console
        try Engine.setThreadCount(model.threads)
        switch suite {
        case .heldout:
            let answer = try await heldout(console)
            try console.result(answer)
            show(answer, console)
        case .safety:
            let report = try await safety.report(model: model, encoder: places.encoderFolder) { console.say($0) }
            try console.result(report)
            console.show(report.text)
        case .table9:
            let table = try await tableNine(console)
            try console.result(table)
            console.show(table.text)
        case .all:
            var everything = Everything()
            if hasRun { everything.heldout = try await heldout(console) }
            if safety.hasData {
                everything.safety = try await safety.report(model: model, encoder: places.encoderFolder) {
                    console.say($0)
                }
            }
            everything.table9 = try await tableNine(console)
            try console.result(everything)
            if let answer = everything.heldout { show(answer, console) }
            if let report = everything.safety { console.show(report.text) }
            if let table = everything.table9 { console.show(table.text) }
            if !hasRun { console.say("heldout is left out: it needs --run, --model and --against") }
            if !safety.hasData { console.say("safety is left out: there is no folder \(safety.data)") }
        }
    }

    private func heldout(_ console: Console) async throws -> Answer {
        guard let run, let against, let own = model.model else { throw ValidationError("--run is needed") }
        let result = try await ModelComparison(
            run: URL(filePath: run), model: URL(filePath: own), against: URL(filePath: against)
        ).compare { console.say($0) }
        return Answer(table: result.table, verdict: result.verdict)
    }

    private func show(_ answer: Answer, _ console: Console) {
        console.show(answer.table.text)
        console.show(answer.verdict.text)
    }

    private func tableNine(_ console: Console) async throws -> TableNine {
        var arms = [
            try safety.endpoint.map { endpoint in
                let generator = NamedEndpoint.open(endpoint, model: safety.endpointModel)
                return TableNine.Arm(
                    name: safety.endpointModel, generator: generator, sampling: try model.sampling(of: nil))
            } ?? arm(model)
        ]
        if let against {
            var other = model
            other.model = against
            arms.append(try arm(other))
        }
        return try await TableNine(arms, count: prompts) { console.say($0) }
    }

    private func arm(_ model: ModelOptions) throws -> TableNine.Arm {
        let folder = try model.folder()
        return TableNine.Arm(
            name: folder.lastPathComponent, generator: try model.open(), sampling: try model.sampling(of: folder))
    }
}
