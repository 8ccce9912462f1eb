import Conversations
import Evaluation
import Foundation
import Training

/// `report.html` of a training run: its curves, and what its model answered on the way.
public enum TrainingReport {
    /// Curves that are drawn together, where a run has them.
    private static let charts: [(title: String, quantity: String, names: [String])] = [
        ("Loss", "what was minimised, and its parts", ["loss", "ce", "ct"]),
        (
            "Perplexity", "per token, before each step; held-out where it was measured",
            ["ppl_good", "ppl_bad", "eval/ppl"]
        ),
        ("Log-probabilities of replies", "nats", ["logps/chosen", "logps/rejected"]),
        ("Margin", "chosen over rejected", ["margin"]), ("Gradient", "norm before clipping", ["grad_norm"]),
        ("Learning rate", "per step", ["lr"]), ("Speed", "tokens per second", ["tokens_per_second"]),
        ("Share of the measured peak", "from 0 to 1", ["share_of_peak"]),
    ]

    /// Writes the page from what the run's folder holds.
    /// - Parameters:
    ///   - run: The folder with `metrics.jsonl`.
    ///   - settings: What made the run, by name.
    /// - Throws: `ImprovementError` for a log that cannot be read.
    public static func write(of run: URL, title: String, settings: [(name: String, value: String)], to file: URL) throws
    {
        let steps = try RunFolder.readLines(StepMetrics.self, from: run.appending(path: "metrics.jsonl"))
        let lines = steps.map { step in Dictionary(uniqueKeysWithValues: step.figures.map { ($0.name, $0.value) }) }
        let curves = charts.compactMap { chart -> TrainingCurve? in
            let series = chart.names.compactMap { name -> TrainingCurve.Series? in
                let points = zip(steps, lines).compactMap { step, line in line[name].map { (Double(step.step), $0) } }
                guard points.contains(where: { $0.1 != 0 }) else { return nil }
                return .init(name: name, steps: points.map(\.0), values: points.map(\.1))
            }
            return series.isEmpty ? nil : TrainingCurve(title: chart.title, quantity: chart.quantity, series: series)
        }
        var data = ReportData(title: title, subtitle: "\(steps.count) steps", curves: curves)
        data.provenance = settings.map { NamedValue($0.name, $0.value) }
        let samples = run.appending(path: "samples.jsonl")
        if FileManager.default.fileExists(atPath: samples.path) {
            let found = try RunFolder.readLines(SampleLog.Line.self, from: samples)
            let last = Dictionary(grouping: found, by: \.context)
            data.samples = last.values.compactMap { lines in
                guard let first = lines.min(by: { $0.step < $1.step }), let end = lines.max(by: { $0.step < $1.step }),
                    first.step < end.step
                else { return nil }
                return ChangedReply(context: first.context, before: first.reply, after: end.reply)
            }.sorted { $0.context.map(\.text).joined() < $1.context.map(\.text).joined() }
        }
        try Data(HTMLReport(data, sections: ["training", "samples", "provenance"]).html.utf8)
            .write(to: file, options: .atomic)
    }
}
