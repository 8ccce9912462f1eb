import Foundation

/// The figures of `Trust`, each measurement by its name: `trust-bench NAME [OPTIONS]`. `Benchmarks/trust` runs them beside
/// their peers.
@main struct TrustBench {
    /// A measurement. Options come as `--name value`.
    typealias Measurement = @Sendable (Options) async throws -> Void

    static let measurements: [(name: String, about: String, run: Measurement)] = [
        ("world", "writes made-up votes: --votes N --users N --items N --out FILE", { try Scale.writeWorld($0) }),
        ("speed", "Dawid–Skene, 100 iterations: --votes FILE [--peer FILE]", { try Scale.speed($0) }),
        (
            "scale", "from a CSV to users.csv and items.csv as votes grow: [--largest N] --out DIR",
            { try Scale.growth($0) }
        ),
        ("ledger", "what a vote costs when it comes in: [--votes N] [--new N]", { try LedgerCost.run($0) }),
        ("real", "accuracy on votes with gold: --data DIR [--peer FILE]", { try RealVotes.gold($0) }),
        ("agreement", "md_agreement with replaced annotators: --data DIR", { try RealVotes.replaced($0) }),
        ("attacks", "where each method breaks: [--seeds N] [--only flood]", { try Attacks.run($0) }),
        (
            "safety-texts", "writes what the encoder must read: --set NAME --data DIR --out FILE",
            { try SafetyMixRun.texts($0) }
        ),
        (
            "safety-mix",
            "SafetyMix on real texts: --set NAME --data DIR --vectors FILE [--scale 1] [--shares 0,0.3,0.5] [--seeds 10] "
                + "[--methods A,B]",
            { try SafetyMixRun.run($0) }
        ),
        (
            "anchors", "contrary votes in the majority, with and without anchors: --set NAME --data DIR --vectors FILE",
            { try SafetyMixRun.anchors($0) }
        ),
        (
            "thumbs-texts", "writes what the encoder must read of ConvAI2: --data DIR --out FILE",
            { try OrganicThumbs.texts($0) }
        ),
        (
            "thumbs", "people replaced by trolls in ConvAI2's thumbs: --data DIR --vectors FILE [--seeds 10]",
            { try OrganicThumbs.run($0) }
        ),
        ("writers", "known bad writers by their texts alone: --data DIR", { try Writers.run($0) }),
    ]

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let name = arguments.first, let measurement = measurements.first(where: { $0.name == name }) else {
            for measurement in measurements { print("trust-bench \(measurement.name): \(measurement.about)") }
            exit(arguments.isEmpty ? 0 : 2)
        }
        do {
            try await measurement.run(try Options(Array(arguments.dropFirst())))
        } catch {
            FileHandle.standardError.write(Data("trust-bench \(name): \(error)\n".utf8))
            exit(1)
        }
    }
}

/// `--name value` pairs.
struct Options {
    struct Fault: Error, CustomStringConvertible { var description: String }

    private var values: [String: String] = [:]

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else {
                throw Fault(description: "expected --name value, found \(name)")
            }
            values[String(name.dropFirst(2))] = value
        }
    }

    func text(_ name: String) throws -> String {
        guard let value = values[name] else { throw Fault(description: "--\(name) is needed") }
        return value
    }
    func optional(_ name: String) -> String? { values[name] }
    func number(_ name: String, default fallback: Int) throws -> Int {
        guard let value = values[name] else { return fallback }
        guard let number = Int(value) else { throw Fault(description: "--\(name) is “\(value)”, not a whole number") }
        return number
    }
}

/// Rows of text under each other.
func printTable(_ rows: [[String]]) {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column -> Int in
        rows.map { row -> Int in row.count > column ? row[column].count : 0 }.max() ?? 0
    }
    for row in rows {
        let cells = row.enumerated().map { column, text -> String in
            let space = String(repeating: " ", count: widths[column] - text.count)
            return column == 0 ? text + space : space + text
        }
        print(cells.joined(separator: "  "))
    }
}

/// A figure with so many digits after the point.
func figure(_ value: Double, _ digits: Int = 3) -> String { String(format: "%.\(digits)f", value) }
