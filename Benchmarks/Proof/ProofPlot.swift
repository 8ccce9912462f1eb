import Foundation
import Simulation
import Statistics

/// Good replies over rounds, a thin line per seed and a thick one for their mean; the base's other temperatures beside it.
struct ProofPlot {
    let svg: String

    init(_ table: ProofTable, prompts: WorldPrompts = .test) {
        let stops = [ProofArm.base] + table.rounds
        let perSeed = table.seeds.map { seed in
            stops.compactMap { stop in
                seed.cells.first { $0.arm == stop && $0.decoding == .sampled && $0.prompts == prompts }?.share(.good)
            }
        }.filter { $0.count == stops.count }
        let mean = stops.map { table.figure($0, .sampled, prompts)?.interval.estimate ?? 0 }
        let sharpened = [ProofArm.Decoding.temperature07, .temperature05, .greedy].compactMap {
            table.figure(ProofArm.base, $0, prompts)?.interval.estimate
        }.max()
        let only = table.figure(ProofArm.onlyGood, .sampled, prompts)?.interval.estimate
        let (width, height, left, right, top, bottom) = (600.0, 340.0, 56.0, 430.0, 20.0, 290.0)
        let low = ((perSeed.joined() + [mean.min() ?? 0.8]).min() ?? 0.8) - 0.01
        let high = min(1, ((perSeed.joined() + [0.944]).max() ?? 1) + 0.01)
        func x(_ stop: Int) -> Double { left + (right - left) * Double(stop) / Double(max(stops.count - 1, 1)) }
        func y(_ share: Double) -> Double { bottom - (bottom - top) * (share - low) / max(high - low, 0.01) }
        func place(_ value: Double) -> String { String(format: "%.1f", value) }
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" "
                + "font-family=\"sans-serif\" font-size=\"12\" role=\"img\">",
            "<title>Good replies over rounds</title>", "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        for percent in stride(from: (100 * low / 2).rounded(.up) * 2, through: 100 * high, by: 2) {
            let at = place(y(percent / 100))
            parts.append("<line x1=\"\(left)\" y1=\"\(at)\" x2=\"\(right)\" y2=\"\(at)\" stroke=\"#ddd\"/>")
            parts.append("<text x=\"\(left - 8)\" y=\"\(at)\" text-anchor=\"end\" dy=\"4\">\(Int(percent)) %</text>")
        }
        for (number, stop) in stops.enumerated() {
            parts.append(
                "<text x=\"\(place(x(number)))\" y=\"\(bottom + 22)\" text-anchor=\"middle\">\(stop)</text>")
        }
        func across(_ share: Double, _ name: String, _ colour: String) {
            let at = place(y(share))
            parts.append(
                "<line x1=\"\(left)\" y1=\"\(at)\" x2=\"\(right)\" y2=\"\(at)\" stroke=\"\(colour)\" stroke-dasharray=\"5 4\"/>"
            )
            parts.append("<text x=\"\(right + 8)\" y=\"\(at)\" dy=\"4\" fill=\"\(colour)\">\(name)</text>")
        }
        across(0.944, "BB3x's last round, 94.4 %", "#777")
        if let sharpened { across(sharpened, "base, best other decoding", "#a05a2c") }
        if let only { across(only, "SFT on good replies alone", "#3a6ea5") }
        func polyline(_ shares: [Double], _ style: String) {
            let points = shares.enumerated().map { "\(place(x($0))),\(place(y($1)))" }.joined(separator: " ")
            parts.append("<polyline points=\"\(points)\" fill=\"none\" \(style)/>")
        }
        for shares in perSeed { polyline(shares, "stroke=\"#9cc5ad\" stroke-width=\"1\"") }
        polyline(mean, "stroke=\"#2a6f4e\" stroke-width=\"3\"")
        svg = parts.joined(separator: "\n") + "\n</svg>\n"
    }
}
