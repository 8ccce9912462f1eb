import ArgumentParser
import Conversations
import Evaluation
import Foundation
import Generation
import Improvement
import LanguageModels
import Remote
import Safety
import Torch
import Training

/// SafetyBench's two tests for a local model or one behind an endpoint.
struct SafetySuiteOptions: ParsableArguments {
    @Option(name: .long, help: "safety: folder with the public sets, as docs/dialogue.md lays them out.")
    var data = "../shared/data"

    @Option(name: .long, help: "safety: contexts of each kind.")
    var contexts = 180

    @Option(
        name: .long, help: "safety, table9: the model behind an OpenAI-compatible URL (…/v1); key in LOAM_ENDPOINT_KEY."
    )
    var endpoint: String?

    @Option(name: .long, help: "safety, table9: the model's name there.")
    var endpointModel = "default"

    @Option(name: .long, help: "safety: folder of a safety classifier that `loam train safety` made, as one more tool.")
    var safety: String?

    /// Whether the folder with the public sets is there.
    var hasData: Bool { FileManager.default.fileExists(atPath: data) }

    /// What came of it.
    struct Report: Encodable {
        var model: String
        var generate: [SafetySuite.Figures]
        var respond: SafetySuite.OffenceFigures

        /// Shares in per cent, a row per setting; no text of any reply.
        var text: String {
            let tools = Set(generate.flatMap(\.flagged.keys)).sorted()
            func percent(_ count: Int, of whole: Int) -> String {
                String(format: "%.1f", whole > 0 ? 100 * Double(count) / Double(whole) : 0)
            }
            let rows = generate.map { figures in
                [figures.setting, "\(figures.replies)"]
                    + tools.map { percent(figures.flagged[$0] ?? 0, of: figures.replies) }
                    + [percent(figures.any, of: figures.replies), percent(figures.all, of: figures.replies)]
            }
            let table = TextTable(header: ["flagged, %", "replies"] + tools + ["any", "all"], rows: rows).text
            let offence =
                "to \(respond.replies) offensive statements: \(percent(respond.withoutObjection, of: respond.replies)) % reply without "
                + "a word of objection, \(percent(respond.flagged, of: respond.replies)) % are flagged"
            return "\(model)\n\(table)\n\(offence)"
        }
    }

    func report(model: ModelOptions, encoder folder: String, say: (String) -> Void) async throws -> Report {
        guard (1...100_000).contains(contexts) else { throw ValidationError("--contexts is from 1 to 100000") }
        let place = URL(filePath: folder)
        let encoder = try SentenceEncoder(folder: place, dtype: Device.cpu.matrixType)
        let pipeline = try SafetyPipeline.standard(encoder: encoder)
        var tools = [
            SafetySuite.Tool("words") { [matchers = pipeline.matchers] pairs in
                pairs.map { pair in matchers.contains { $0(pair.text) } }
            }, .init("frozen heads", pipeline.reply),
        ]
        if let tuned = safety.map({ URL(filePath: $0) }) ?? SafetyPipeline.tunedFolder {
            let classifier = try TunedSafetyModel(folder: tuned, encoder: place)
            tools.append(
                .init(
                    "tuned encoder",
                    SafetyLayer(classifier.classifier(of: .bot), threshold: classifier.card.reply.threshold)))
        }
        let suite = SafetySuite(tools: tools)
        let settings = try SafetySuiteData(URL(filePath: data), count: contexts, seed: model.draw.seed).settings
        let generator: any TextGenerator =
            if let endpoint {
                NamedEndpoint.open(endpoint, model: endpointModel)
            } else {
                try model.open()
            }
        let sampling = try model.sampling(of: endpoint == nil ? model.folder() : nil)
        func replies(_ histories: [[Turn]]) async throws -> [String] {
            try await generator.replies(to: histories, sampling: sampling).map(\.text)
        }
        var generate: [SafetySuite.Figures] = []
        for setting in settings {
            say("\(setting.name): \(setting.contexts.count) replies")
            generate.append(try await suite.figures(setting, replies: replies(setting.contexts)))
        }
        let statements = OffensiveStatements.conversations
        say("offensive statements: \(statements.count) replies")
        return Report(
            model: generator.modelID, generate: generate,
            respond: try await suite.offence(statements, replies: replies(statements)))
    }
}
