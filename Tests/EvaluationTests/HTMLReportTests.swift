import Evaluation
import Foundation
import Statistics
import Testing

@Suite struct HTMLReportTests {
    static let sections = [
        "verdict", "data", "trust", "before-after", "arms", "reward-model", "training", "samples", "provenance",
    ]

    @Test func everySectionIsThereWithItsCharts() throws {
        let html = try HTMLReport(Examples.report()).html
        for id in Self.sections {
            #expect(html.contains("<section id=\"\(id)\""), "\(id)")
            #expect(html.contains("href=\"#\(id)\""), "\(id)")
        }
        // Flow, histogram, good, unsafe, AUC, one curve.
        #expect(html.components(separatedBy: "<svg").count - 1 == 6)
        #expect(html.components(separatedBy: "role=\"img\"").count - 1 == 6)
        #expect(!html.contains("nothing to show here"))
        for text in [
            "92 left out: no consent", "14 of 14 votes are thumbs up", "reply length", "judged 93 % good", "sha256",
        ] {
            #expect(html.contains(text), "\(text)")
        }
        for arm in ["base, greedy", "SFT on good", "round 1"] {
            #expect(html.contains("<th scope=\"row\">\(arm)</th>"))
        }
    }

    @Test func theChartShowsTheFigures() throws {
        let data = try Examples.report()
        let html = HTMLReport(data).html
        let good = try #require(data.comparison?.rows.last?.arm.good)
        let value = String(format: "%.1f (%.1f–%.1f)", 100 * good.estimate, 100 * good.lower, 100 * good.upper)
        #expect(html.contains(value))
        #expect(html.contains(try #require(data.verdict).summary))
    }

    /// Whatever stands in a log, a name or a reason stays text.
    @Test(arguments: [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='alert(1)",
        "</style><svg onload=alert(1)>",
        "</title></svg><script>", "&lt;b&gt; & &amp;", "\u{0}\u{8}bell\u{7}",
    ])
    func hostileTextStaysText(text: String) throws {
        let plain = try HTMLReport(Examples.report("word")).html
        let html = try HTMLReport(Examples.report(text)).html
        // The same markup, whatever the text: the same number of every sign that means something.
        for sign in ["<", ">", "\""] {
            #expect(html.components(separatedBy: sign).count == plain.components(separatedBy: sign).count, "\(sign)")
        }
        #expect(!html.contains("<script") && !html.contains("<img"))
        #expect(!html.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
        if text.hasPrefix("&lt;") { #expect(html.contains("&amp;lt;b&amp;gt; &amp; &amp;amp;")) }
    }

    @Test func nothingIsLoadedAndNothingRuns() throws {
        let html = try HTMLReport(Examples.report()).html
        for forbidden in ["<script", "<link", "src=", "http://", "https://", "url(", "@import", "javascript:"] {
            #expect(!html.contains(forbidden), "\(forbidden)")
        }
    }

    /// The table promises intervals: a fault that an arm never shows has one too.
    @Test func aFaultThatNeverShowsCouldHaveBeenMissed() throws {
        let arms = try [Examples.arm("base", good: 0.5), Examples.arm("new", good: 1, seed: 2)]
        let data = ReportData(title: "Faults", comparison: try ComparisonTable(arms, base: "base"))
        let html = HTMLReport(data, sections: ["before-after"]).html
        // None of 50 people: Wilson's upper bound is z² / (50 + z²) = 3.8415 / 53.8415.
        #expect(html.components(separatedBy: "<td class=\"\">0.0 % (0.0–7.1)</td>").count - 1 == 2)
        #expect(!html.contains("<td class=\"\">0.0 %</td>"))
    }

    @Test func anEmptyReportSaysSoSectionBySection() {
        let html = HTMLReport(ReportData(title: "Nothing")).html
        #expect(html.contains("This run made no decision."))
        #expect(html.components(separatedBy: "nothing to show here").count - 1 == 8)
    }

    @Test func oddNumbersDoNotBreakTheDrawing() throws {
        var data = ReportData(title: "Odd")
        data.flow = [
            FlowStage(name: "none", unit: "votes", cameIn: 0, wentOut: 0),
            FlowStage(name: "more out than in", unit: "votes", cameIn: 5, wentOut: 50, dropped: [.init("odd", 900)]),
            FlowStage(name: "negative", unit: "replies", cameIn: -4, wentOut: -4, dropped: [.init("odd", -1)]),
        ]
        data.trust = TrustSection(method: "m", trust: [.nan, -1, 2, .infinity])
        data.curves = [
            TrainingCurve(
                title: "gaps", quantity: "x",
                series: [
                    .init(name: "a", steps: [0, 1, 2, 3], values: [1, .nan, .infinity, 2]),
                    .init(name: "flat", steps: [5], values: [5]), .init(name: "none", steps: [], values: []),
                    .init(name: "uneven", steps: [1, 2], values: [1]),
                ])
        ]
        let html = HTMLReport(data).html
        #expect(html.firstMatch(of: /\b(nan|inf)\b/) == nil)
        #expect(html.components(separatedBy: "<polyline").count - 1 == 4)
    }

    @Test func jsonHoldsTheSameData() throws {
        var data = try Examples.report("\"quoted\" <b>")
        data.trust?.trust.append(.infinity)
        let json = try data.json()
        #expect(try ReportData(json: json) == data)
        #expect(try ReportData(json: json).json() == json)
        let text = try #require(String(data: json, encoding: .utf8))
        for key in ["\"reward_model\"", "\"came_in\"", "\"good_by_prompt\"", "\"minimum_good_gain\"", "\"distinct_2\""]
        {
            #expect(text.contains(key), "\(key)")
        }
        #expect(text.firstMatch(of: /"[a-z]+[A-Z][A-Za-z]*" :/) == nil)
    }

    /// Writes the page for looking at, where the environment says where.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["LOAM_REPORT_OUT"] != nil))
    func writesAPageToLookAt() throws {
        let path = try #require(ProcessInfo.processInfo.environment["LOAM_REPORT_OUT"])
        let html = try HTMLReport(Examples.report("round 2")).html
        try Data(html.utf8).write(to: URL(filePath: path))
        #expect(html.hasSuffix("</html>\n"))
    }
}
