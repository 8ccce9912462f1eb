import Foundation

/// Seconds against votes, both by powers of ten, with the line of strict proportion through the last point.
struct GrowthPlot {
    let svg: String

    init(_ points: [(votes: Double, seconds: Double)]) {
        let (width, height, margin) = (560.0, 360.0, 56.0)
        let x = points.map { log10($0.votes) }
        let y = points.map { log10(max($0.seconds, 1e-3)) }
        let (left, right) = ((x.min() ?? 0).rounded(.down), (x.max() ?? 1).rounded(.up))
        let (low, high) = ((y.min() ?? 0).rounded(.down), (y.max() ?? 1).rounded(.up))
        func across(_ value: Double) -> Double {
            margin + (value - left) / max(right - left, 1) * (width - 1.5 * margin)
        }
        func up(_ value: Double) -> Double {
            height - margin - (value - low) / max(high - low, 1) * (height - 1.5 * margin)
        }
        func place(_ value: Double) -> String { String(format: "%.1f", value) }
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" "
                + "font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        func line(_ a: (Double, Double), _ b: (Double, Double), _ style: String) {
            parts.append(
                "<line x1=\"\(place(a.0))\" y1=\"\(place(a.1))\" x2=\"\(place(b.0))\" y2=\"\(place(b.1))\" \(style)/>")
        }
        func text(_ words: String, _ x: Double, _ y: Double, _ anchor: String) {
            parts.append("<text x=\"\(place(x))\" y=\"\(place(y))\" text-anchor=\"\(anchor)\">\(words)</text>")
        }
        for power in stride(from: left, through: right, by: 1) {
            line((across(power), up(low)), (across(power), up(high)), "stroke=\"#ddd\"")
            text("\(Int(pow(10, power)))", across(power), up(low) + 18, "middle")
        }
        for power in stride(from: low, through: high, by: 1) {
            line((across(left), up(power)), (across(right), up(power)), "stroke=\"#ddd\"")
            text(String(format: "%g s", pow(10, power)), across(left) - 8, up(power) + 4, "end")
        }
        text("votes; the dashed line is strict proportion", (across(left) + across(right)) / 2, height - 16, "middle")
        if let (lastX, lastY) = zip(x, y).max(by: { $0.0 < $1.0 }), let firstX = x.min() {
            // Strict proportion has slope 1; it is cut where it leaves the frame.
            let start = max(firstX, lastX - (lastY - low))
            line(
                (across(start), up(lastY - (lastX - start))), (across(lastX), up(lastY)),
                "stroke=\"#888\" stroke-dasharray=\"5 4\"")
        }
        let path = zip(x, y).map { "\(place(across($0))),\(place(up($1)))" }.joined(separator: " ")
        parts.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"#2a6f4e\" stroke-width=\"2\"/>")
        for (a, b) in zip(x, y) {
            parts.append("<circle cx=\"\(place(across(a)))\" cy=\"\(place(up(b)))\" r=\"3.5\" fill=\"#2a6f4e\"/>")
        }
        svg = parts.joined(separator: "\n") + "\n</svg>\n"
    }
}
