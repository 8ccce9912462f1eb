/// A figure over training steps, a line per series; told apart by colour, dash and a name at its end.
struct LineChart {
    let id: String
    let curve: TrainingCurve

    private static let left = 62.0
    private static let right = 575.0
    private static let bottom = 190.0

    var svg: Markup {
        let series = curve.series.map { line in (line.name, Self.thinned(Array(zip(line.steps, line.values)))) }
        let points = series.flatMap { $0.1 }.filter { $0.0.isFinite && $0.1.isFinite }
        let across = ChartAxis(covering: points.map(\.0))
        let up = ChartAxis(covering: points.map(\.1))
        func x(_ step: Double) -> Double { Self.left + (Self.right - Self.left) * across.place(step) }
        func y(_ value: Double) -> Double { Self.bottom - 172 * up.place(value) }
        var drawing = Markup.empty
        for tick in up.ticks {
            drawing += """
                <line class="grid" x1="\(Self.left)" y1="\(y(tick))" x2="\(Self.right)" y2="\(y(tick))"/>
                <text class="tick" x="\(Self.left - 8)" y="\(y(tick) + 4)" text-anchor="end">\(up.label(tick))</text>
                """
        }
        for tick in across.ticks {
            drawing += """
                <text class="tick" x="\(x(tick))" y="\(Self.bottom + 17)" text-anchor="middle">\(across.label(tick))</text>
                """
        }
        var labels: [(y: Double, name: String, number: Int)] = []
        for (number, (name, line)) in series.enumerated() {
            for run in Self.runs(line) {
                let path = run.map { Figures.number(x($0.0), 1) + "," + Figures.number(y($0.1), 1) }
                drawing += """
                    <polyline class="line s\(number % 6)" points="\(path.joined(separator: " "))"><title>\(name)</title></polyline>
                    """
            }
            if let last = line.last(where: { $0.0.isFinite && $0.1.isFinite }) {
                labels.append((y(last.1), name, number))
            }
        }
        // Names at the lines' ends, pushed apart where they would touch.
        var lowest = -Double.infinity
        for label in labels.sorted(by: { ($0.y, $0.number) < ($1.y, $1.number) }) {
            let place = max(label.y + 4, lowest + 14)
            lowest = place
            drawing += """
                <text class="series s\(label.number % 6)" x="\(Self.right + 8)" y="\(place)">\(label.name.shortened(to: 20))</text>
                """
        }
        let ends = series.compactMap { name, line in
            line.last.map { "\(name) ends at \(Figures.number($0.1, 3))" }
        }
        let height = max(Self.bottom + 40, lowest + 10)
        return """
            <svg class="chart" viewBox="0 0 720 \(height)" role="img" aria-labelledby="\(id)-title \(id)-desc">
            <title id="\(id)-title">\(curve.title): \(curve.quantity)</title><desc id="\(id)-desc">\(ends.joined(separator: "; "))</desc>
            \(drawing)<text class="note" x="\((Self.left + Self.right) / 2)" y="\(Self.bottom + 34)" text-anchor="middle">step</text></svg>
            """
    }

    /// At most 400 points: the eye sees no more, and a page stays small. Each is the mean of its stretch.
    private static func thinned(_ points: [(Double, Double)]) -> [(Double, Double)] {
        guard points.count > 400 else { return points }
        return (0..<400).map { bin in
            let part = points[bin * points.count / 400..<(bin + 1) * points.count / 400]
            let count = Double(part.count)
            return (part.reduce(0) { $0 + $1.0 } / count, part.reduce(0) { $0 + $1.1 } / count)
        }
    }

    /// Stretches without a gap.
    private static func runs(_ points: [(Double, Double)]) -> [[(Double, Double)]] {
        points.split { !($0.0.isFinite && $0.1.isFinite) }.map(Array.init)
    }
}
