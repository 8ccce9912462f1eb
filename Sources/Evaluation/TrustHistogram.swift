/// How many people are trusted how far: twenty bars from 0 to 1.
struct TrustHistogram {
    let trust: [Double]

    /// People per bar; what is not a number is left out, what is outside counts at the nearer end.
    var counts: [Int] {
        var counts = [Int](repeating: 0, count: 20)
        for value in trust where !value.isNaN { counts[Int(min(max(value, 0), 0.9999) * 20)] += 1 }
        return counts
    }

    var svg: Markup {
        let counts = counts
        let axis = ChartAxis(covering: counts.map(Double.init), count: 4, includingZero: true)
        let (left, bottom, height) = (50.0, 180.0, 165.0)
        func y(_ value: Double) -> Double { bottom - height * axis.place(value) }
        var drawing = Markup.empty
        for tick in axis.ticks where tick == tick.rounded() {
            drawing += """
                <line class="grid" x1="\(left)" y1="\(y(tick))" x2="700" y2="\(y(tick))"/>
                <text class="tick" x="\(left - 8)" y="\(y(tick) + 4)" text-anchor="end">\(axis.label(tick))</text>
                """
        }
        for (number, count) in counts.enumerated() where count > 0 {
            let from = Double(number) / 20
            drawing += """
                <rect class="bin\(number < 10 ? " low" : "")" x="\(left + 650 * from + 1)" y="\(y(Double(count)))" \
                width="30.5" height="\(bottom - y(Double(count)))" rx="2"><title>trust \(Figures.number(from, 2)) to \
                \(Figures.number(from + 0.05, 2)): \(count) people</title></rect>
                """
        }
        for tick in [0, 0.25, 0.5, 0.75, 1.0] {
            drawing += """
                <text class="tick" x="\(left + 650 * tick)" y="\(bottom + 16)" text-anchor="middle">\(Figures.number(tick, 2))</text>
                """
        }
        let low = counts.prefix(10).reduce(0, +)
        return """
            <svg class="chart" viewBox="0 0 720 216" role="img" aria-labelledby="trust-title trust-desc">
            <title id="trust-title">People by trust</title>
            <desc id="trust-desc">\(low) people have a trust below one half, \(counts.reduce(0, +) - low) one half or more.</desc>
            \(drawing)<text class="note" x="375" y="212" text-anchor="middle">trust, 0 (votes say nothing) to 1</text></svg>
            """
    }
}
