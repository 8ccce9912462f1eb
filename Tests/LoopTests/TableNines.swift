import Foundation
import Testing

/// `loam evaluate --suite table9` with the bundled model of the simulation's world.
@Suite("Table 9")
struct TableNines {
    private struct Table: Decodable {
        struct Row: Decodable {
            var model: String
            var decoding: String
            var prompts: String
            var verdicts: [String: Int]
        }
        var rows: [Row]
    }

    @Test("a row for each model, decoding and kind of prompts; the world's own model is mostly good, another is not")
    func table() throws {
        let result = try LoamProcess.run([
            "evaluate", "--suite", "table9", "--model", "Models/loam-sample", "--against", "Models/loam-base",
            "--prompts", "24", "--json",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let rows = try JSONDecoder().decode(Table.self, from: Data(result.output.utf8)).rows
        #expect(rows.count == 8)
        #expect(rows.allSatisfy { $0.verdicts.values.reduce(0, +) == 24 })
        func good(_ model: String) -> Int {
            rows.filter { $0.model.hasSuffix(model) }.reduce(0) { $0 + ($1.verdicts["good"] ?? 0) }
        }
        #expect(good("loam-sample") > 60 && good("loam-base") < 48, "\(good("loam-sample")), \(good("loam-base"))")
        #expect(Set(rows.map(\.decoding)) == ["drawn", "greedy"])
        #expect(Set(rows.map(\.prompts)) == ["test", "held-out topics"])
    }

    @Test("what it cannot do without is said")
    func usage() throws {
        let none = try LoamProcess.run(["evaluate", "--suite", "table9", "--prompts", "0"])
        #expect(none.status == 2 && none.errors.contains("--prompts"), "\(none.errors)")
    }
}
