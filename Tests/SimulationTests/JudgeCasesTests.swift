import Conversations
import Foundation
import Testing

@testable import Simulation

/// Cases labelled by hand, against the judge: a check that does not come from the grammar that the judge reads by.
@Suite("The judge against hand-made labels")
struct JudgeCasesTests {
    struct Case {
        var line: Int
        var verdict: Verdict
        var history: [Turn]
        var reply: String
    }

    static func cases() throws -> [Case] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/judge-cases.txt")
        var cases: [Case] = []
        let lines = try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        for (at, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let colon = try #require(line.range(of: " : "))
            let arrow = try #require(line.range(of: "=>"))
            let verdict = try #require(Verdict(name: String(line[..<colon.lowerBound])))
            let turns = line[colon.upperBound..<arrow.lowerBound].split(separator: "|").enumerated().map { at, text in
                Turn(at % 2 == 0 ? .human : .bot, text.trimmingCharacters(in: .whitespaces))
            }
            let reply = line[arrow.upperBound...].trimmingCharacters(in: .whitespaces)
            cases.append(Case(line: at + 1, verdict: verdict, history: turns, reply: reply))
        }
        return cases
    }

    @Test("at least 98 % agree")
    func agreement() throws {
        let judge = WorldJudge(try World())
        let cases = try Self.cases()
        #expect(cases.count >= 100)
        var wrong: [String] = []
        for one in cases {
            let said = judge.verdict(on: one.reply, after: one.history)
            if said != one.verdict {
                wrong.append("line \(one.line): \(said.name), not \(one.verdict.name): \(one.reply)")
            }
        }
        #expect(Double(wrong.count) <= 0.02 * Double(cases.count), "\(wrong.joined(separator: "\n"))")
        for verdict in [Verdict.good] + Flaw.allCases.map(Verdict.bad) {
            #expect(cases.contains { $0.verdict == verdict })
        }
    }
}
