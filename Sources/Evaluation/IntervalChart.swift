import Statistics

/// Dots with whiskers, one row each, on a common axis.
struct IntervalChart {
    struct Row {
        var name: String
        var interval: Interval
        /// Drawn hollow: another decoding, a baseline.
        var isMinor = false
        /// The row everything is compared with.
        var isReference = false
    }

    let id: String
    let title: String
    let rows: [Row]
    var asPercent = true
    /// A line at this value, chance for instance.
    var line: (value: Double, name: String)?

    private static let left = 190.0
    private static let right = 565.0

    var svg: Markup {
        let axis = ChartAxis(
            covering: rows.flatMap { [$0.interval.lower, $0.interval.upper, $0.interval.estimate] }
                + (line.map { [$0.value] } ?? []))
        func x(_ value: Double) -> Double { Self.left + (Self.right - Self.left) * min(max(axis.place(value), 0), 1) }
        let bottom = 14 + 26 * Double(rows.count)
        var drawing = Markup.empty
        for tick in axis.ticks {
            drawing += """
                <line class="grid" x1="\(x(tick))" y1="6" x2="\(x(tick))" y2="\(bottom)"/>
                <text class="tick" x="\(x(tick))" y="\(bottom + 15)" text-anchor="middle">\(axis.label(tick, asPercent: asPercent))</text>
                """
        }
        if let line {
            drawing += """
                <line class="reference" x1="\(x(line.value))" y1="6" x2="\(x(line.value))" y2="\(bottom)"/>
                <text class="note" x="\(x(line.value) + 4)" y="\(bottom - 2)">\(line.name)</text>
                """
        }
        if let reference = rows.first(where: \.isReference) {
            let place = x(reference.interval.estimate)
            drawing += "<line class=\"reference\" x1=\"\(place)\" y1=\"6\" x2=\"\(place)\" y2=\"\(bottom)\"/>"
        }
        for (number, row) in rows.enumerated() {
            let y = 20 + 26 * Double(number)
            let (low, mid, high) = (x(row.interval.lower), x(row.interval.estimate), x(row.interval.upper))
            let kind = (row.isReference ? " base" : "") + (row.isMinor ? " minor" : "")
            drawing += """
                <g class="dot\(kind)"><title>\(row.name): \(value(row.interval))</title>
                <text class="label" x="\(Self.left - 12)" y="\(y + 4)" text-anchor="end">\(row.name.shortened(to: 26))</text>
                <line x1="\(low)" y1="\(y)" x2="\(high)" y2="\(y)"/>
                <line x1="\(low)" y1="\(y - 4)" x2="\(low)" y2="\(y + 4)"/><line x1="\(high)" y1="\(y - 4)" x2="\(high)" y2="\(y + 4)"/>
                <circle cx="\(mid)" cy="\(y)" r="5"/>
                <text class="value" x="\(Self.right + 14)" y="\(y + 4)">\(value(row.interval))</text></g>
                """
        }
        let summary = rows.map { "\($0.name) \(value($0.interval))" }.joined(separator: "; ")
        return """
            <svg class="chart" viewBox="0 0 720 \(bottom + 24)" role="img" aria-labelledby="\(id)-title \(id)-desc">
            <title id="\(id)-title">\(title)</title><desc id="\(id)-desc">\(summary)</desc>
            \(drawing)</svg>
            """
    }

    private func value(_ interval: Interval) -> String {
        asPercent
            ? "\(Figures.number(100 * interval.estimate, 1)) (\(Figures.number(100 * interval.lower, 1))–\(Figures.number(100 * interval.upper, 1)))"
            : "\(Figures.number(interval.estimate, 3)) (\(Figures.number(interval.lower, 3))–\(Figures.number(interval.upper, 3)))"
    }
}
