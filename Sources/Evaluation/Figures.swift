import Foundation
import Statistics

/// How numbers are written in sentences, tables and charts.
enum Figures {
    /// `71.2 %`
    static func percent(_ share: Double, digits: Int = 1) -> String {
        String(format: "%.\(digits)f", 100 * share) + " %"
    }

    /// `71.2 % (68.0–74.1)`
    static func percent(_ interval: Interval) -> String {
        "\(percent(interval.estimate)) (\(number(100 * interval.lower, 1))–\(number(100 * interval.upper, 1)))"
    }

    /// A difference of shares in points with its sign: `+9.2`.
    static func points(_ difference: Double) -> String { signed(100 * difference, 1) }

    static func signed(_ value: Double, _ digits: Int) -> String {
        let text = number(abs(value), digits)
        // A true minus sign, and no sign for what rounds to nothing.
        let isZero = !text.contains { $0 != "0" && $0 != "." }
        return isZero ? text : (value < 0 ? "−" : "+") + text
    }

    static func number(_ value: Double, _ digits: Int) -> String {
        value.isFinite ? String(format: "%.\(digits)f", value) : "–"
    }

    /// `12,345`
    static func count(_ value: Int) -> String {
        var text = String(abs(value))
        var at = text.count - 3
        while at > 0 {
            text.insert(",", at: text.index(text.startIndex, offsetBy: at))
            at -= 3
        }
        return value < 0 ? "−" + text : text
    }
}
