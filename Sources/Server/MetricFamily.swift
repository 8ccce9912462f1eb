import Foundation

/// One metric with its samples, as Prometheus' text format 0.0.4 has it.
struct MetricFamily: Sendable {
    enum Kind: String, Sendable { case counter, gauge, histogram }

    struct Sample: Sendable {
        /// What follows the family's name: `_bucket`, `_sum`, `_count`, or nothing.
        var suffix = ""
        var labels: [(name: String, value: String)] = []
        var value: Double
    }

    var name: String
    var help: String
    var kind: Kind
    var samples: [Sample]

    init(_ name: String, _ help: String, _ kind: Kind, _ samples: [Sample]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }

    init(_ name: String, _ help: String, _ kind: Kind, _ value: Double) {
        self.init(name, help, kind, [Sample(value: value)])
    }

    /// A counter for each value of one label.
    init(_ name: String, _ help: String, _ label: String, _ counts: [String: Int]) {
        self.init(
            name, help, .counter,
            counts.sorted { $0.key < $1.key }.map { Sample(labels: [(label, $0.key)], value: Double($0.value)) })
    }

    /// - Parameters:
    ///   - bounds: upper ends of the buckets, rising.
    ///   - counts: of each bucket alone, the one beyond the last bound at the end.
    init(_ name: String, _ help: String, bounds: [Double], counts: [Int], sum: Double) {
        var total = 0
        var samples: [Sample] = []
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? Self.text(bounds[index]) : "+Inf"
            samples.append(Sample(suffix: "_bucket", labels: [("le", bound)], value: Double(total)))
        }
        samples.append(Sample(suffix: "_sum", value: sum))
        samples.append(Sample(suffix: "_count", value: Double(total)))
        self.init(name, help, .histogram, samples)
    }

    /// The page that a scraper reads. A counter or gauge without samples is left out.
    static func page(_ families: [MetricFamily]) -> String {
        families.filter { !$0.samples.isEmpty }.map(\.text).joined()
    }

    private var text: String {
        var lines = ["# HELP \(name) \(Self.escaped(help, quotes: false))", "# TYPE \(name) \(kind.rawValue)"]
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
            lines.append(
                name + sample.suffix + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}") + " "
                    + Self.text(sample.value))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\n", with: "\\n")
        if quotes { result = result.replacingOccurrences(of: "\"", with: "\\\"") }
        return result
    }
}
