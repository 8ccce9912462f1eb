import Foundation
import Testing

@testable import Deidentification

/// Figures on the labelled texts of `LOAM_DATA`, which are no part of the project.
@Suite("Labelled texts")
struct DataTests {
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["LOAM_DATA"] { return URL(filePath: path) }
        return URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "../shared/data").standardizedFileURL
    }()
    static let file = folder.appending(path: "pii/presidio_research/generated_small.json")

    static func table(_ score: DeidentificationScore) -> String {
        func line(_ name: String, _ row: DeidentificationScore.Row) -> String {
            let figures = [row.precision, row.recall, row.f1, row.f2].map { String(format: "%.3f", $0) }
            return
                "\(name): marked \(row.marked), removed \(row.removed), findings \(row.findings), exact \(row.exact),"
                + " P R F1 F2 \(figures.joined(separator: " "))"
        }
        return
            (score.rows.sorted { $0.key < $1.key }.map { line($0.key.rawValue, $0.value) } + [
                line("all", score.overall)
            ])
            .joined(separator: "\n")
    }

    @Test(
        "what is found of the labelled texts",
        .enabled(if: FileManager.default.fileExists(atPath: file.path), "no labelled texts under LOAM_DATA"))
    func labelled() throws {
        let deidentifier = try Samples.deidentifier()
        for name in ["small", "large"] {
            let file = Self.folder.appending(path: "pii/presidio_research/generated_\(name).json")
            let score = DeidentificationScorer().score(try LabelledText.read(file), with: deidentifier)
            print("\(name)\n\(Self.table(score))")
            #expect(score.patterns.recall > 0.93)
            #expect(score.patterns.precision > 0.95)
            #expect((score.rows[.person]?.f2 ?? 0) > 0.75)
            for kind in [Entity.emailAddress, .creditCard, .ipAddress, .url, .socialSecurityNumber] {
                #expect((score.rows[kind]?.recall ?? 0) > 0.97, "\(kind.rawValue)")
            }
        }
    }
}
