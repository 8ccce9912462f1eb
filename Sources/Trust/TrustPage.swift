import Foundation
import Statistics

/// What was found, as one page that stands alone: no scripts, nothing loaded, charts drawn in place, every name escaped.
public struct TrustPage: Sendable {
    public var findings: VoteFindings
    /// Against votes that were not seen, where that could be measured.
    public var heldOut: Reliability?
    /// Which votes those are.
    public var heldOutVotes = "hidden votes, one in ten"
    /// Against known labels, where there are any: also how many are known and how many are right.
    public var gold: (reliability: Reliability, known: Int, right: Int)?
    /// Lines of the input that are not votes.
    public var skipped: Int
    /// Flagged people that are named, at most.
    public var namedPeople = 200

    public init(
        _ findings: VoteFindings, heldOut: Reliability? = nil,
        gold: (reliability: Reliability, known: Int, right: Int)? = nil, skipped: Int = 0
    ) {
        self.findings = findings
        self.heldOut = heldOut
        self.gold = gold
        self.skipped = skipped
    }

    /// The page.
    public var html: String {
        let ballots = findings.ballots
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="referrer" content="no-referrer"><title>Whom to believe</title><style>\(Self.style)</style></head><body>
            <header><h1>Whom to believe</h1>
            <p class="muted">Method \(Self.escaped(findings.method)): \(ballots.count) votes of \(ballots.users.count) people on \
            \(ballots.items.count) items\(skipped > 0 ? "; \(skipped) lines left out" : "").</p></header><main>
            \(section("What a reader must know", notes))
            \(section("Trust of people", histogram + flagCounts))
            \(section("How far the probabilities hold", reliability))
            \(section("People with a flag", people))
            \(section("Classes", shares))
            </main><footer><p class="muted">Weights, never bans: trust is worked out anew at every run. The same figures are in users.csv,
            items.csv and votes_weighted.csv.</p></footer></body></html>

            """
    }

    private func section(_ title: String, _ body: String) -> String {
        body.isEmpty ? "" : "<section><h2>\(title)</h2>\n\(body)\n</section>"
    }

    private var notes: String {
        findings.notes.isEmpty
            ? "" : "<ul>\(findings.notes.map { "<li>\(Self.escaped($0))</li>" }.joined(separator: "\n"))</ul>"
    }

    private var histogram: String {
        var bins = [Int](repeating: 0, count: 20)
        for user in findings.users { bins[min(Int(user.trust * 20), 19)] += 1 }
        let top = Double(max(bins.max() ?? 1, 1))
        let bars = bins.enumerated().map { number, count in
            let height = 150 * Double(count) / top
            return """
                <rect x="\(50 + number * 30)" y="\(Self.number(160 - height))" width="26" height="\(Self.number(height))"><title>\
                trust \(Self.number(Double(number) / 20)) to \(Self.number(Double(number + 1) / 20)): \(count)</title></rect>
                """
        }
        let ticks = [0.0, 0.25, 0.5, 0.75, 1].map {
            "<text x=\"\(Self.number(50 + $0 * 600))\" y=\"178\" text-anchor=\"middle\">\($0)</text>"
        }
        return """
            <svg viewBox="0 0 680 190" role="img" aria-label="Number of people by trust">\(bars.joined())\(ticks.joined())
            <text x="44" y="16" text-anchor="end">\(Int(top))</text></svg>
            <p class="muted">Number of people by trust: 0 says nothing, or the contrary; 1 is always right.</p>
            """
    }

    private var flagCounts: String {
        var counts: [FlagKind: Int] = [:]
        for user in findings.users { for kind in Set(user.flags.map(\.kind)) { counts[kind, default: 0] += 1 } }
        guard !counts.isEmpty else { return "<p>Nobody is flagged.</p>" }
        let rows = FlagKind.allCases.compactMap { kind in
            counts[kind].map { "<tr><th scope=\"row\">\(kind.rawValue)</th><td>\($0)</td></tr>" }
        }
        return "<table><thead><tr><th>flag</th><th>people</th></tr></thead><tbody>\(rows.joined())</tbody></table>"
    }

    private var reliability: String {
        var body = ""
        if let gold {
            body += curve(
                gold.reliability,
                "Against \(gold.known) items whose class is known, \(gold.right) of them labelled right "
                    + "(\(Self.number(Double(gold.right) / Double(gold.known) * 100)) %)")
        }
        if let heldOut {
            body += curve(
                heldOut, "Against \(heldOutVotes): stated chance of a label, and how often it was given")
        }
        return body
    }

    private func curve(_ reliability: Reliability, _ caption: String) -> String {
        func x(_ value: Double) -> String { Self.number(50 + 240 * value) }
        func y(_ value: Double) -> String { Self.number(260 - 240 * value) }
        let points = reliability.bins.map { "\(x($0.stated)),\(y($0.observed))" }.joined(separator: " ")
        let dots = reliability.bins.map { bin in
            let interval = Proportion.wilson(Int((bin.observed * Double(bin.count)).rounded()), of: bin.count)
            return """
                <line class="bar" x1="\(x(bin.stated))" x2="\(x(bin.stated))" y1="\(y(interval.lower))" y2="\(y(interval.upper))"/>
                <circle cx="\(x(bin.stated))" cy="\(y(bin.observed))" r="4"><title>stated \(Self.number(bin.stated)), observed \
                \(Self.number(bin.observed)), \(bin.count) cases</title></circle>
                """
        }
        let ticks = [0.0, 0.5, 1].map {
            """
            <text x="\(x($0))" y="278" text-anchor="middle">\($0)</text><text x="44" y="\(y($0))" text-anchor="end">\($0)</text>
            """
        }
        let rows = reliability.bins.map { bin in
            """
            <tr><td>\(Self.number(bin.lower)) – \(Self.number(bin.upper))</td><td>\(bin.count)</td><td>\(Self.number(bin.stated))</td>\
            <td>\(Self.number(bin.observed))</td></tr>
            """
        }
        return """
            <figure><svg class="square" viewBox="0 0 320 300" role="img" aria-label="Reliability curve"><line class="even" x1="\(x(0))" \
            y1="\(y(0))" x2="\(x(1))" y2="\(y(1))"/><polyline points="\(points)"/>\(dots.joined())\(ticks.joined())
            <text x="170" y="296" text-anchor="middle">stated</text></svg><figcaption>\(caption). Expected calibration error
            \(Self.number(reliability.expectedCalibrationError)), Brier score \(Self.number(reliability.brier)).</figcaption></figure>
            <table><thead><tr><th>stated</th><th>cases</th><th>mean stated</th><th>observed</th></tr></thead><tbody>\
            \(rows.joined())</tbody></table>
            """
    }

    private var people: String {
        let flagged = findings.users.filter { !$0.flags.isEmpty }.sorted { ($1.votes, $0.user) < ($0.votes, $1.user) }
        guard !flagged.isEmpty else { return "" }
        let rows = flagged.prefix(namedPeople).map { user in
            """
            <tr><th scope="row">\(Self.escaped(user.user))</th><td>\(Self.number(user.trust))</td><td>\(user.votes)</td>\
            <td>\(user.agreement.map(Self.number) ?? "–")</td><td class="text">\
            \(user.flags.map { Self.escaped($0.reason) }.joined(separator: "<br>"))</td></tr>
            """
        }
        let more =
            flagged.count > namedPeople
            ? "<p class=\"muted\">\(flagged.count - namedPeople) more are in users.csv.</p>" : ""
        return """
            <div class="scroll"><table><thead><tr><th>person</th><th>trust</th><th>votes</th><th>agreement</th><th>why</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>\(more)
            """
    }

    private var shares: String {
        let ballots = findings.ballots
        let totals = ballots.classTotals
        var labels = [Int](repeating: 0, count: ballots.classCount)
        for item in 0..<ballots.items.count { labels[findings.solution.label(of: item)] += 1 }
        let rows = ballots.classes.indices.map { k in
            """
            <tr><th scope="row">\(Self.escaped(ballots.classes[k]))</th><td>\(totals[k])</td><td>\(labels[k])</td>\
            <td>\(Self.number(findings.solution.shares[k]))</td></tr>
            """
        }
        return """
            <table><thead><tr><th>class</th><th>votes</th><th>items</th><th>share beforehand</th></tr></thead><tbody>\
            \(rows.joined())</tbody></table>
            """
    }

    private static func number(_ value: Double) -> String {
        let text = String(format: "%.3f", value)
        return text.hasSuffix(".000") ? String(text.dropLast(4)) : text
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private static let style = """
        :root{color-scheme:light dark;--paper:#f6f5f1;--card:#fff;--ink:#22261f;--muted:#5d6459;--line:#dcdbd2;--mark:#2f6f9f;--bar:#3d7a4e}
        @media(prefers-color-scheme:dark){:root{--paper:#181a17;--card:#21241f;--ink:#e6e7e0;--muted:#a7ada0;--line:#3a3f37;--mark:#7db8e4;--bar:#6bb07d}}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
        header,main,footer{max-width:56rem;margin:0 auto;padding:0 1.25rem}header{padding-top:2rem}h1{margin:0}h2{font-size:1.25rem;margin:0 0 .75rem}
        section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.2rem 1.4rem;margin:0 0 1.25rem}
        .muted,figcaption{color:var(--muted);font-size:.92rem}svg{display:block;width:100%;height:auto}svg.square{max-width:24rem}
        svg text{fill:var(--muted);font-size:12px}rect{fill:var(--bar)}polyline{fill:none;stroke:var(--mark);stroke-width:2}
        circle{fill:var(--mark)}.bar{stroke:var(--mark)}.even{stroke:var(--muted);stroke-dasharray:4 4}figure{margin:0 0 1rem}
        table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums;font-size:.92rem}
        th,td{text-align:right;padding:.3rem .7rem;border-bottom:1px solid var(--line);vertical-align:top}
        th:first-child,.text{text-align:left}th[scope=row]{overflow-wrap:anywhere}.scroll{overflow-x:auto}
        """
}
