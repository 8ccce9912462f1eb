import Evaluation
import Testing
import Trust

@testable import Improvement

@Suite("Improvement: the report")
struct ReportStageTests {
    @Test("everybody with a flag is counted, least trusted first, however many the page names")
    func flagged() {
        let flag = TrustFlag(kind: .inverse, reason: "Mostly votes the contrary.")
        let people = (0..<60).map { number in
            UserTrust(
                user: "person \(number)", trust: number < 50 ? 0.1 : 0.9, votes: 9, agreement: nil,
                flags: number < 50 ? [flag] : [])
        }
        let flagged = ReportStage.flagged(people.reversed())
        #expect(flagged.count == 50 && flagged.first?.name == "person 0")
        let section = TrustSection(method: "joint", trust: people.map(\.trust), flagged: flagged)
        let page = HTMLReport(ReportData(title: "A run", trust: section)).html
        #expect(page.contains("60 people voted; 50 (83 %) carry a flag."))
    }
}
