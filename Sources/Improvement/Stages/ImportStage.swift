import Conversations
import Foundation
import Storage

/// Logs into the store. Nothing is left out silently: each skipped record is a line of `skipped.jsonl`.
struct ImportStage: Stage {
    let name = "import"
    let configuration: ImproveConfiguration

    var settings: [String: String] {
        ["format": configuration.format, "consent": configuration.consent?.rawValue ?? "as the log says"]
    }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let store = try await StoreLocation(configuration.store).open(for: .bulk)
        let importer = LogImporter(
            format: try LogFormat(parsing: configuration.format), consent: configuration.consent, isStrict: false)
        var total = LogImporter.Counts()
        var skipped: [LogImporter.Skipped] = []
        for log in try configuration.logs.flatMap({ try LogFormat.files(at: URL(filePath: $0)) }) {
            let counts = try await importer.importing(log, into: store) { reason in
                if skipped.count < 10_000 { skipped.append(reason) }
            }
            total.add(counts)
        }
        try RunFolder.write(lines: skipped, to: work.own("skipped.jsonl"))
        if configuration.logs.isEmpty {
            let count = try await store.counts().conversations
            guard count > 0 else {
                throw ImprovementError.noData(configuration.storeName, "the store has no conversations")
            }
            return StageOutcome(unit: "conversations", cameIn: count, wentOut: count)
        }
        guard total.kept > 0 else {
            let first = skipped.first.map { "; the first fault: \($0.text)" } ?? ""
            throw ImprovementError.noData(
                configuration.logs.joined(separator: ", "),
                "no conversation could be read (\(total.skipped) skipped\(first))")
        }
        return StageOutcome(
            unit: "conversations", cameIn: total.kept + total.skipped, wentOut: total.kept, dropped: total.reasons,
            figures: [
                .init("messages", StageOutcome.grouped(total.messages)),
                .init("people", StageOutcome.grouped(total.people.count)),
                .init("likes", StageOutcome.grouped(total.likes)),
                .init("dislikes", StageOutcome.grouped(total.dislikes)),
            ])
    }
}
