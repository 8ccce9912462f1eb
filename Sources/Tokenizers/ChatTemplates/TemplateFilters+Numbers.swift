import Foundation

/// Filters on numbers, and `default`.
extension TemplateFilters {
    static let numbers: [String: Filter] = [
        "default": fallback, "d": fallback,
        "abs": { renderer, value, arguments in
            switch try only(value, arguments, "abs").number {
            case .int(let int)?:
                guard int != .min else { throw TemplateFault.unsupported("a whole number past 64 bits") }
                return .int(Swift.abs(int))
            case .double(let double)?: return .double(Swift.abs(double))
            case nil: throw TemplateFault.runtime("bad operand type for abs(): '\(value.typeName)'")
            }
        },
        "int": { renderer, value, arguments in
            let bound = try arguments.bound("int", ["default", "base"])
            if case .undefined(let reason) = value { throw reason.fault }
            guard let base = bound[1].map(\.int) ?? 10, base == 0 || (2...36).contains(base) else {
                throw TemplateFault.runtime("int's base is 0 or from 2 to 36")
            }
            return whole(value, base: base).map { .int($0) } ?? bound[0] ?? .int(0)
        },
        "float": { renderer, value, arguments in
            let bound = try arguments.bound("float", ["default"])
            if case .undefined(let reason) = value { throw reason.fault }
            return real(value).map { .double($0) } ?? bound[0] ?? .double(0)
        },
        "round": { renderer, value, arguments in
            let bound = try arguments.bound("round", ["precision", "method"])
            let method = try bound[1].map { try string($0).string } ?? "common"
            guard ["common", "ceil", "floor"].contains(method) else {
                throw TemplateFault.runtime("method must be common, ceil or floor")
            }
            if case .undefined(let reason) = value { throw reason.fault }
            guard let number = value.number, let precision = bound[0].map(\.int) ?? 0, (-300...300).contains(precision)
            else {
                throw TemplateFault.runtime("round needs a number and a whole precision")
            }
            if method != "common" {
                if case .int(let int) = number, precision == 0 { return .double(Double(int)) }
                let scale = pow(10, Double(precision))
                let scaled = number.double * scale
                return .double((method == "ceil" ? scaled.rounded(.up) : scaled.rounded(.down)) / scale)
            }
            switch number {
            case .int(let int):
                guard precision < 0 else { return .int(int) }
                // Past 18 digits half a unit is more than most whole numbers have.
                guard precision >= -18 else {
                    guard precision < -19 || int.magnitude <= 5_000_000_000_000_000_000 else {
                        throw TemplateFault.unsupported("a whole number past 64 bits")
                    }
                    return .int(0)
                }
                let unit = (0..<(-precision)).reduce(1) { power, _ in power * 10 }
                let (quotient, rest) = int.quotientAndRemainder(dividingBy: unit)
                let isUp = Swift.abs(rest) > unit / 2 || Swift.abs(rest) == unit / 2 && quotient % 2 != 0
                let nearest = quotient + (isUp ? (int < 0 ? -1 : 1) : 0)
                let (rounded, overflows) = nearest.multipliedReportingOverflow(by: unit)
                guard !overflows else { throw TemplateFault.unsupported("a whole number past 64 bits") }
                return .int(rounded)
            case .double(let double):
                guard double.isFinite, precision <= 22 else { return .double(double) }
                if precision < 0 {
                    let unit = pow(10, Double(-precision))
                    return .double((double / unit).rounded(.toNearestOrEven) * unit)
                }
                return .double(Double(String(format: "%.\(precision)f", double)) ?? double)
            }
        },
    ]

    private static let fallback: Filter = { renderer, value, arguments in
        let bound = try arguments.bound("default", ["default_value", "boolean"])
        guard value.isUndefined || bound[1]?.isTrue == true && !value.isTrue else { return value }
        return bound[0] ?? .own("")
    }

    /// Python's `float` of a number or a text.
    private static func real(_ value: RuntimeValue) -> Double? {
        guard case .string(let text) = value else { return value.number?.double }
        let digits = text.trimmed { $0.isPythonSpace }.string
        switch digits.lowercased() {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        case "nan", "+nan", "-nan": return .nan
        default: break
        }
        guard let first = digits.first, let last = digits.last, first != "_", last != "_", !digits.contains("__"),
            digits.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE_".contains($0)) })
        else { return nil }
        return Double(digits.replacing("_", with: ""))
    }

    private static func whole(_ value: RuntimeValue, base: Int) -> Int? {
        guard case .string(let text) = value else {
            guard let number = value.number else { return nil }
            if case .int(let int) = number { return int }
            return Int(exactly: number.double.rounded(.towardZero))
        }
        let trimmed = text.trimmed { $0.isPythonSpace }.string
        var digits = Substring(trimmed.lowercased())
        var sign = ""
        if let first = digits.first, first == "-" || first == "+" { sign = String(digits.removeFirst()) }
        var radix = base
        for (mark, markBase) in [("0x", 16), ("0o", 8), ("0b", 2)]
        where digits.hasPrefix(mark) && (base == 0 || base == markBase) {
            digits.removeFirst(2)
            radix = markBase
        }
        if radix == 0 { radix = 10 }
        let isPlain =
            digits.first != "_" && digits.last != "_" && !digits.contains("__") && digits.first != "+"
            && digits.first != "-"
        if isPlain, let number = Int(sign + digits.replacing("_", with: ""), radix: radix) { return number }
        // "42.9" gives 42.
        return real(value).flatMap { Int(exactly: $0.rounded(.towardZero)) }
    }
}
