/// HTML or SVG that is safe to put on a page: what is written in the source stands as it is, every string put into it is
/// escaped. The report is built of nothing else, so text from a log cannot become markup.
struct Markup: Sendable, Hashable, ExpressibleByStringInterpolation {
    private(set) var text: String

    init(stringLiteral value: String) { text = value }
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    static let empty: Markup = ""

    var isEmpty: Bool { text.isEmpty }

    static func + (a: Markup, b: Markup) -> Markup {
        var joined = a
        joined.text += b.text
        return joined
    }

    static func += (a: inout Markup, b: Markup) { a.text += b.text }

    /// One after the other, a line each.
    static func lines(_ parts: some Sequence<Markup>) -> Markup {
        var joined = Markup.empty
        joined.text = parts.map(\.text).joined(separator: "\n")
        return joined
    }

    struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ string: String) { text += Markup.escaped(string) }
        mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
        mutating func appendInterpolation(_ number: Int) { text += String(number) }
        /// A length or place in a drawing, in hundredths; what is not finite becomes 0.
        mutating func appendInterpolation(_ number: Double) {
            guard number.isFinite else {
                text += "0"
                return
            }
            let hundredths = (number * 100).rounded()
            text += hundredths.remainder(dividingBy: 100) == 0 ? "\(Int(hundredths / 100))" : "\(hundredths / 100)"
        }
    }

    /// The five characters that mean something to HTML, and control characters, which XML forbids.
    static func escaped(_ string: String) -> String {
        var result = ""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value): result += "\u{fffd}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension String {
    /// At most so many characters, an ellipsis where it was cut.
    func shortened(to limit: Int) -> String { count <= limit ? self : prefix(limit - 1) + "…" }
}
