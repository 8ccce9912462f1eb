import Foundation
import Testing
import Tokenizers

@Suite struct ChatTemplateGoldenTests {
    private func templates(_ folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "jinja" }
    }

    /// Every row of a golden file, with the rows that differ.
    private func compare(_ golden: TemplateGolden, in folder: URL) throws -> (agreed: Int, differing: [String]) {
        var compiled: [String: Result<ChatTemplate, any Error>] = [:]
        for url in try templates(folder) {
            compiled[url.lastPathComponent] = Result {
                try ChatTemplate(
                    source: String(contentsOf: url, encoding: .utf8), name: url.lastPathComponent,
                    specialTokens: golden.special)
            }
        }
        var agreed = 0
        var differing: [String] = []
        for row in golden.rows {
            let conversation = try #require(golden.conversations[row.conversation])
            let outcome: (TemplateGolden.Outcome, String) =
                switch compiled[row.template] {
                case .success(let template)?: golden.outcome(of: template, conversation)
                case .failure(let error)?: (.failed, "\(error)")
                case nil: (.failed, "no such template")
                }
            if outcome.0 == row.outcome {
                agreed += 1
            } else {
                differing.append("\(row.template) / \(row.conversation): \(outcome) instead of \(row.outcome)")
            }
        }
        return (agreed, differing)
    }

    @Test func `eleven formats are rendered as transformers renders them`() throws {
        let golden = try TemplateGolden(TemplateGolden.folder.appendingPathComponent("formats.json"))
        let (agreed, differing) = try compare(golden, in: TemplateGolden.folder)
        #expect(differing == [])
        #expect(agreed == golden.rows.count)
        #expect(Set(golden.rows.map(\.template)).count == 11)
        #expect(golden.rows.filter { if case .text = $0.outcome { true } else { false } }.count > 300)
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["LOAM_TEMPLATES"] != nil))
    func `published templates are rendered as transformers renders them`() throws {
        let path = try #require(ProcessInfo.processInfo.environment["LOAM_TEMPLATES"])
        let folder = URL(fileURLWithPath: path, isDirectory: true)
        let golden = try TemplateGolden(folder.appendingPathComponent("golden.json"))
        let (agreed, differing) = try compare(golden, in: folder)
        print(
            "published templates: \(agreed) of \(golden.rows.count) renders agree, \(Set(golden.rows.map(\.template)).count) templates"
        )
        let texts = golden.rows.filter { if case .text = $0.outcome { true } else { false } }.count
        print("of them \(texts) give a text, the others are refused")
        for line in differing { print(line.prefix(1500)) }
        #expect(differing.isEmpty)
    }

    @Test func `random templates give what Jinja gives`() throws {
        let other = ProcessInfo.processInfo.environment["LOAM_RANDOM_TEMPLATES"].map { URL(fileURLWithPath: $0) }
        let url = other ?? TemplateGolden.folder.appendingPathComponent("random.json")
        let file = try TemplateValue(json: Data(contentsOf: url), name: url.lastPathComponent)
        guard case .object(let context)? = file["context"], let rows = file["rows"]?.array else {
            throw CocoaError(.coderReadCorrupt)
        }
        #expect(rows.count > 2000)
        var differing: [String] = []
        for row in rows {
            let source = try #require(row["template"]?.string)
            let expected = TemplateGolden.Outcome(row)
            let outcome: (TemplateGolden.Outcome, String)
            do {
                outcome = (.text(try ChatTemplate(source: source).render(variables: context).text), "")
            } catch {
                outcome = (.failed, "\(error)")
            }
            if outcome.0 != expected { differing.append("\(source)\n  gives    \(outcome)\n  expected \(expected)") }
        }
        for line in differing.prefix(60) { print(line) }
        #expect(differing.count == 0)
    }

    @Test func `what the model says is found as transformers finds it`() throws {
        let golden = try TemplateGolden(TemplateGolden.folder.appendingPathComponent("formats.json"))
        let source = try String(
            contentsOf: TemplateGolden.folder.appendingPathComponent("qwen3.jinja"), encoding: .utf8)
        let template = try ChatTemplate(source: source, specialTokens: golden.special)
        let url = TemplateGolden.folder.appendingPathComponent("generations.json")
        let rows = try #require(try TemplateValue(json: Data(contentsOf: url)).array)
        #expect(rows.count == 3)
        for row in rows {
            let name = try #require(row["case"]?.string)
            let messages = try #require(golden.conversations[name]?["messages"]?.array)
            let prompt = try template.render(messages: messages)
            let bytes = Array(prompt.text.utf8)
            let texts = prompt.generationRanges.map { String(decoding: bytes[$0], as: UTF8.self) }
            #expect(texts == row["texts"]?.array?.compactMap(\.string))
        }
    }
}
