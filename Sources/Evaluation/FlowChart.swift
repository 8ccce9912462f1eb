/// Where the data went: one bar a stage, what was kept and what was dropped for each reason, with a band down to the next
/// stage that counts the same.
struct FlowChart {
    let stages: [FlowStage]

    private static let left = 170.0
    private static let width = 540.0
    private static let bar = 20.0

    var svg: Markup {
        var drawing = Markup.empty
        var top = 8.0
        var previous: (stage: FlowStage, bottom: Double, kept: Double)?
        for stage in stages {
            let most = stages.filter { $0.unit == stage.unit }.map { max($0.cameIn, $0.wentOut) }.max() ?? 1
            let scale = Self.width / Double(max(most, 1))
            let kept = Double(max(stage.wentOut, 0)) * scale
            if let previous, previous.stage.unit == stage.unit, previous.stage.wentOut == stage.cameIn {
                drawing += """
                    <polygon class="band" points="\(Self.left),\(previous.bottom) \(Self.left + previous.kept),\(previous.bottom) \
                    \(Self.left + Double(stage.cameIn) * scale),\(top) \(Self.left),\(top)"/>
                    """
            }
            drawing += bars(stage, top: top, scale: scale, kept: kept)
            let notes = stage.dropped.filter { $0.count > 0 }.count
            previous = (stage, top + Self.bar, kept)
            top += Self.bar + 20 + 14 * Double(notes)
        }
        return """
            <svg class="chart" viewBox="0 0 720 \(top)" role="img" aria-labelledby="flow-title flow-desc">
            <title id="flow-title">What each stage kept and dropped</title><desc id="flow-desc">\(summary)</desc>
            \(drawing)</svg>
            """
    }

    private func bars(_ stage: FlowStage, top: Double, scale: Double, kept: Double) -> Markup {
        var drawing: Markup = """
            <text class="label" x="0" y="\(top + 14)">\(stage.name.shortened(to: 24))</text>
            <rect class="kept" x="\(Self.left)" y="\(top)" width="\(max(kept, 1))" height="\(Self.bar)" rx="2"><title>\
            \(stage.name): \(Figures.count(stage.wentOut)) \(stage.unit) went on</title></rect>
            """
        let text = "\(Figures.count(stage.cameIn)) → \(Figures.count(stage.wentOut)) \(stage.unit)"
        drawing += """
            <text class="note" x="\(Self.left)" y="\(top + Self.bar + 13)">\(text.shortened(to: 70))</text>
            """
        var x = Self.left + kept
        var y = top + Self.bar + 27
        for (number, drop) in stage.dropped.filter({ $0.count > 0 }).enumerated() {
            let width = Double(drop.count) * scale
            // Never beyond the stage's own bar: counts of a careless caller must not leave the drawing.
            let room = max(0, Self.left + Self.width - x)
            drawing += """
                <rect class="dropped d\(number % 4)" x="\(x)" y="\(top)" width="\(min(max(width, 1), room))" \
                height="\(Self.bar)"><title>\(drop.reason): \(Figures.count(drop.count))</title></rect>
                <rect class="dropped d\(number % 4)" x="\(Self.left)" y="\(y - 8)" width="8" height="8"/>
                <text class="note" x="\(Self.left + 13)" y="\(y)">\(Figures.count(drop.count)) left out: \
                \(drop.reason.shortened(to: 66))</text>
                """
            x = min(x + width, Self.left + Self.width)
            y += 14
        }
        return drawing
    }

    private var summary: String {
        stages.map { stage in
            let drops = stage.dropped.map { "\($0.count) \($0.reason)" }.joined(separator: ", ")
            return "\(stage.name): \(stage.cameIn) \(stage.unit) came in, \(stage.wentOut) went on"
                + (drops.isEmpty ? "." : "; left out: \(drops).")
        }.joined(separator: " ")
    }
}
