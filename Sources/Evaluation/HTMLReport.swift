import Conversations
import Foundation
import Statistics

/// The report as one page that stands alone: no scripts, nothing loaded, charts drawn in place, every text escaped.
public struct HTMLReport: Sendable, Hashable {
    public var data: ReportData
    /// The sections to show, by id; `nil` shows all and the verdict.
    public var sections: Set<String>?

    public init(_ data: ReportData, sections: Set<String>? = nil) {
        self.data = data
        self.sections = sections
    }

    /// The page.
    public var html: String { page.text }

    private var page: Markup {
        let all: [(id: String, name: String, body: Markup)] = [
            ("data", "Where the data went", flow), ("trust", "Trust of users", trust),
            ("before-after", "Before and after", beforeAfter), ("arms", "All arms", arms),
            ("reward-model", "Reward model", rewardModel), ("training", "Training", training),
            ("samples", "Changed replies", samples), ("provenance", "What made it", provenance),
        ]
        let parts = all.filter { sections?.contains($0.id) ?? true }
        let links = Markup.lines(
            (sections == nil ? [link("verdict", "Verdict")] : []) + parts.map { link($0.id, $0.name) })
        let bodies = Markup.lines(
            parts.map { part in
                """
                <section id="\(part.id)" aria-labelledby="\(part.id)-heading"><h2 id="\(part.id)-heading">\(part.name)</h2>
                \(part.body.isEmpty ? "<p class=\"muted\">This run has nothing to show here.</p>" : part.body)
                </section>
                """
            })
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="referrer" content="no-referrer"><title>\(data.title)</title><style>\(Self.style)</style></head>
            <body><a class="skip" href="#\(sections == nil ? "verdict" : parts.first?.id ?? "")">Skip to the content</a>
            <header><h1>\(data.title)</h1><p class="muted">\(data.subtitle)</p>
            <nav aria-label="Sections"><ul>\(links)</ul></nav></header>
            <main>
            \(sections == nil ? verdict : .empty)
            \(bodies)
            </main>
            <footer><p>Made by Loam\(data.madeAt.map { " on " + $0 } ?? ""). The same figures are in report.json beside this page.</p></footer>
            </body></html>

            """
    }

    private static var style: Markup { Markup(stringLiteral: ReportStyle.css) }

    private func link(_ id: String, _ name: String) -> Markup { "<li><a href=\"#\(id)\">\(name)</a></li>" }

    private var verdict: Markup {
        guard let verdict = data.verdict else {
            return """
                <section id="verdict" class="verdict" aria-labelledby="verdict-heading"><h2 id="verdict-heading">Verdict</h2>
                <p class="muted">This run made no decision.</p>\(notes(data.notes))</section>
                """
        }
        let criteria = Markup.lines(
            verdict.criteria.map { criterion in
                """
                <li><span class="mark\(criterion.passed ? " passed" : "")">\(criterion.passed ? "✓" : "✗") \(criterion.name)</span>
                <span>\(criterion.sentence)</span></li>
                """
            })
        return """
            <section id="verdict" class="verdict\(verdict.passed ? " passed" : "")" aria-labelledby="verdict-heading">
            <h2 id="verdict-heading">\(verdict.passed ? "Verdict: promote" : "Verdict: keep the base")</h2>
            <p class="lead">\(verdict.summary)</p>
            <p class="muted">The rule was fixed before the figures were seen; every criterion must be met.</p>
            <ul class="criteria">\(criteria)</ul>\(notes(data.notes))</section>
            """
    }

    private var flow: Markup {
        guard !data.flow.isEmpty else { return .empty }
        let rows = data.flow.map { stage in
            [
                stage.name, stage.unit, Figures.count(stage.cameIn), Figures.count(stage.wentOut),
                stage.dropped.map { "\(Figures.count($0.count)) \($0.reason)" }.joined(separator: "; "),
                stage.figures.map { "\($0.name) \($0.value)" }.joined(separator: "; "),
            ]
        }
        return figure(
            FlowChart(stages: data.flow).svg,
            "Green went on; the other colours were left out, each for the reason beside it. Bars of one unit share a scale."
        )
            + """
            <details><summary>The same as a table, with every stage's figures</summary>\
            \(table("Stages", ["stage", "unit", "came in", "went on", "left out", "figures"], rows, text: [1, 4, 5]))</details>
            """
    }

    private var trust: Markup {
        guard let trust = data.trust else { return .empty }
        let share = trust.trust.isEmpty ? 0 : Double(trust.flagged.count) / Double(trust.trust.count)
        var body: Markup = """
            <p>\(Figures.count(trust.trust.count)) people voted; \(Figures.count(trust.flagged.count)) \
            (\(Figures.percent(share, digits: 0))) carry a flag. Method: \(trust.method). Trust is a weight, never a ban.</p>
            """
        body += figure(TrustHistogram(trust: trust.trust).svg, "Number of people by trust.")
        if !trust.flagged.isEmpty {
            let shown = trust.flagged.prefix(50)
            let rows = shown.map { person in
                [
                    person.name, Figures.number(person.trust, 2), Figures.count(person.votes),
                    person.agreement.map { Figures.percent($0, digits: 0) } ?? "–",
                    person.reasons.joined(separator: " "),
                ]
            }
            let more = trust.flagged.count - shown.count
            let caption =
                "Flagged people, under pseudonyms" + (more > 0 ? " (\(Figures.count(more)) more in report.json)" : "")
            body += table(caption, ["person", "trust", "votes", "agreement", "why"], Array(rows), text: [4])
        }
        return body + notes(trust.notes)
    }

    private var beforeAfter: Markup {
        guard let comparison = data.comparison else { return .empty }
        func chart(_ id: String, _ title: String, _ value: (ArmResult) -> Interval?) -> Markup {
            let rows = comparison.rows.compactMap { row in
                value(row.arm).map {
                    IntervalChart.Row(
                        name: row.arm.name, interval: $0, isMinor: !row.arm.isModel,
                        isReference: row.arm.name == comparison.base)
                }
            }
            return rows.isEmpty
                ? .empty : "<h3>\(title)</h3>" + figure(IntervalChart(id: id, title: title, rows: rows).svg, "")
        }
        let people =
            comparison.clusters == comparison.prompts
            ? "" : " from \(Figures.count(comparison.clusters)) people or conversations"
        var body: Markup = """
            <p>Every arm answered the same \(Figures.count(comparison.prompts)) prompts\(people). Dots are shares in percent, whiskers \
            95 % intervals; hollow dots are other ways of decoding, the dashed line is the base.</p>
            """
        body += chart("good", "Replies the judge calls good", \.good)
        body += chart("unsafe", "Unsafe replies", \.unsafe)
        body += chart("truth", "Good by the world’s exact judge", \.truth)
        let reasons = comparison.reasons
        if !reasons.isEmpty {
            // A fault that an arm never showed could have been missed all the same.
            let never = Figures.percent(Proportion.wilson(0, of: comparison.clusters))
            let rows = comparison.rows.map { row in
                [row.arm.name] + reasons.map { row.arm.reasons[$0].map { Figures.percent($0) } ?? never }
            }
            body += table(
                "Share of replies with each fault, with 95 % intervals", ["arm"] + reasons, rows,
                marks: marks(comparison))
        }
        return body
    }

    private var arms: Markup {
        guard let comparison = data.comparison else { return .empty }
        var header = [
            "arm", "good", "against \(comparison.base), points", "unsafe", "liked perplexity", "margin, nats",
        ]
        header += ["distinct-1", "distinct-2", "repeating", "coherence perplexity", "odd", "words", "cut off", "empty"]
        let rows = comparison.rows.map { row -> [String] in
            let (arm, metrics) = (row.arm, row.arm.metrics)
            func optional(_ value: Double?, _ digits: Int) -> String { value.map { Figures.number($0, digits) } ?? "–" }
            return [
                arm.name, Figures.percent(arm.good),
                row.goodDifference.map {
                    "\(Figures.points($0.estimate)) (\(Figures.points($0.lower)) … \(Figures.points($0.upper)))"
                } ?? "–",
                Figures.percent(arm.unsafe), optional(arm.likedPerplexity, 2),
                arm.margin.map { Figures.signed($0, 3) } ?? "–",
                optional(metrics.distinct1, 3), optional(metrics.distinct2, 3), Figures.percent(metrics.repeating),
                optional(arm.coherencePerplexity, 2), arm.odd.map { Figures.percent($0) } ?? "–",
                Figures.number(metrics.meanLength, 1),
                Figures.percent(metrics.unfinished),
                Figures.percent(metrics.empty),
            ]
        }
        return table("All arms; differences are paired by prompt", header, rows, marks: marks(comparison)) + """
            <p class="muted">Liked perplexity: how surprised the model is by replies that held-out people liked. Margin: how much \
            likelier it finds liked than disliked replies. Coherence perplexity: how surprised the base is by the arm’s replies; far \
            above its own means nonsense. Odd: replies that the base finds less likely, per token, than 19 in 20 that \
            held-out people liked, and empty ones. Repeating: replies that repeat themselves or an earlier turn of the \
            bot. Distinct-1 and -2: different words and word pairs among all. The base at lower temperatures stands \
            here so that sharpening is not taken for learning.</p>
            """
    }

    private func marks(_ comparison: ComparisonTable) -> [String: String] {
        var marks = [comparison.base: "base"]
        if let verdict = data.verdict, verdict.passed { marks[verdict.candidate] = "candidate" }
        return marks
    }

    private var rewardModel: Markup {
        guard let section = data.rewardModel, !section.rankers.isEmpty else { return .empty }
        let rows = section.rankers.map { IntervalChart.Row(name: $0.name, interval: $0.auc, isMinor: $0.isBaseline) }
        return """
            <p>Chance that a liked reply is ranked above a disliked one (ROC AUC), on \(Figures.count(section.heldOutVotes)) votes of \
            \(Figures.count(section.heldOutPeople)) people of whom nothing was seen in training. Hollow dots are baselines.</p>
            """
                + figure(
                    IntervalChart(
                        id: "auc", title: "Area under the curve with 95 % intervals", rows: rows, asPercent: false,
                        line: (0.5, "chance")
                    ).svg, "") + notes(section.notes)
    }

    private var training: Markup {
        Markup.lines(
            data.curves.enumerated().map { number, curve in
                "<h3>\(curve.title)</h3>" + figure(LineChart(id: "curve-\(number)", curve: curve).svg, curve.quantity)
            })
    }

    private var samples: Markup {
        Markup.lines(
            data.samples.map { sample in
                let turns = Markup.lines(
                    sample.context.map { turn in
                        """
                        <li class="\(turn.sender == .human ? "human" : "bot")"><span class="who">\
                        \(turn.sender == .human ? "person" : "bot")</span><bdi>\(turn.text)</bdi></li>
                        """
                    })
                return """
                    <article class="sample"><ol class="turns">\(turns)</ol><div class="pair">
                    <div class="before"><span class="who">before\(score(sample.beforeGood))</span><bdi>\(sample.before)</bdi></div>
                    <div class="after"><span class="who">after\(score(sample.afterGood))</span><bdi>\(sample.after)</bdi></div></div></article>
                    """
            })
    }

    private func score(_ good: Double?) -> String {
        good.map { " · judged \(Figures.percent($0, digits: 0)) good" } ?? ""
    }

    private var provenance: Markup {
        guard !data.provenance.isEmpty else { return .empty }
        return "<dl>\(Markup.lines(data.provenance.map { "<dt>\($0.name)</dt><dd>\($0.value)</dd>" }))</dl>"
    }

    private func notes(_ notes: [String]) -> Markup {
        notes.isEmpty ? .empty : "<ul class=\"muted\">\(Markup.lines(notes.map { "<li>\($0)</li>" }))</ul>"
    }

    /// A chart that can be scrolled, by keyboard too, where it is wider than the page.
    private func figure(_ chart: Markup, _ caption: String) -> Markup {
        let note: Markup = caption.isEmpty ? .empty : "<figcaption>\(caption)</figcaption>"
        return "<figure><div class=\"scroll\" tabindex=\"0\">\(chart)</div>\(note)</figure>"
    }

    /// - Parameters:
    ///   - text: Columns that hold sentences, which may wrap.
    ///   - marks: Class of a row by its first cell.
    private func table(
        _ caption: String, _ header: [String], _ rows: [[String]], text: Set<Int> = [], marks: [String: String] = [:]
    ) -> Markup {
        let head = Markup.lines(
            header.enumerated().map { "<th scope=\"col\" class=\"\(text.contains($0) ? "text" : "")\">\($1)</th>" })
        let body = Markup.lines(
            rows.map { row in
                let cells = row.enumerated().map { column, cell -> Markup in
                    column == 0
                        ? "<th scope=\"row\">\(cell)</th>"
                        : "<td class=\"\(text.contains(column) ? "text" : "")\">\(cell)</td>"
                }
                let mark = row.first.flatMap { marks[$0] } ?? ""
                return "<tr class=\"\(mark)\">\(Markup.lines(cells))</tr>"
            })
        return """
            <div class="scroll" tabindex="0"><table><caption>\(caption)</caption><thead><tr>\(head)</tr></thead>
            <tbody>\(body)</tbody></table></div>
            """
    }
}
