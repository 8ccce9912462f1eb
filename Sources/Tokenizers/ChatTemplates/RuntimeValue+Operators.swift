import Foundation

/// Comparison and arithmetic as Python does them.
extension RuntimeValue {
    /// Compared in small steps, which count: a value may hold another many times over, and be compared as often as a loop turns.
    func equals(_ other: RuntimeValue, in renderer: TemplateRenderer) throws -> Bool {
        switch (self, other) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let left), .string(let right)):
            guard left.count == right.count else { return false }
            try renderer.spend(left.count / 16)
            return left == right
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            guard left.count == right.count else { return false }
            try renderer.spend(left.count / 4)
            for (a, b) in zip(left, right) {
                guard try a.equals(b, in: renderer) else { return false }
            }
            return true
        case (.dictionary(let left), .dictionary(let right)):
            guard left.entries.count == right.entries.count else { return false }
            for entry in left.entries {
                try renderer.spend(1)
                guard let value = try? right[entry.key], try value.equals(entry.value, in: renderer) else {
                    return false
                }
            }
            return true
        case (.range(let left), .range(let right)):
            return try RuntimeValue.list(left.items).equals(.list(right.items), in: renderer)
        case (.namespace(let left), .namespace(let right)): return left === right
        case (.iterator(let left), .iterator(let right)): return left === right
        case (.loop(let left), .loop(let right)): return left === right
        case (.view(let left), .view(let right)):
            guard left.kind == right.kind, left.kind != .values else { return false }
            return try RuntimeValue.dictionary(left.dictionary).equals(.dictionary(right.dictionary), in: renderer)
        default:
            switch (number, other.number) {
            case (.int(let left)?, .int(let right)?): return left == right
            case (let left?, let right?): return left.double == right.double
            default: return false
            }
        }
    }

    /// Whether this one comes first.
    func isLess(_ other: RuntimeValue, _ symbol: String = "<", in renderer: TemplateRenderer) throws -> Bool {
        switch (self, other) {
        case (.undefined(let reason), _), (_, .undefined(let reason)): throw reason.fault
        case (.string(let left), .string(let right)):
            try renderer.spend(min(left.count, right.count) / 16)
            return left.scalars.lexicographicallyPrecedes(right.scalars)
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            for (a, b) in zip(left, right) {
                if try !a.equals(b, in: renderer) { return try a.isLess(b, symbol, in: renderer) }
            }
            return left.count < right.count
        default:
            switch (number, other.number) {
            case (.int(let left)?, .int(let right)?): return left < right
            case (let left?, let right?): return left.double < right.double
            default:
                throw TemplateFault.runtime(
                    "'\(symbol)' not supported between instances of '\(typeName)' and '\(other.typeName)'")
            }
        }
    }

    /// `==`, `<`, `in` and the others.
    func compares(_ symbol: String, to other: RuntimeValue, in renderer: TemplateRenderer) throws -> Bool {
        switch symbol {
        case "==": try equals(other, in: renderer)
        case "!=": !(try equals(other, in: renderer))
        case "<": try isLess(other, in: renderer)
        case ">": try other.isLess(self, symbol, in: renderer)
        case "<=": try isOrdered(other, symbol) && !(try other.isLess(self, symbol, in: renderer))
        case ">=": try isOrdered(other, symbol) && !(try isLess(other, symbol, in: renderer))
        case "in": try other.contains(self, in: renderer)
        default: !(try other.contains(self, in: renderer))
        }
    }

    /// NaN is in no order with anything.
    private func isOrdered(_ other: RuntimeValue, _ symbol: String) throws -> Bool {
        if case .double(let value) = self, value.isNaN { return false }
        if case .double(let value) = other, value.isNaN { return false }
        return true
    }

    func contains(_ item: RuntimeValue, in renderer: TemplateRenderer) throws -> Bool {
        if case .string(let text) = item { try renderer.spend(text.count / 16) }
        switch self {
        case .string(let text):
            guard case .string(let needle) = item else {
                throw TemplateFault.runtime("'in <string>' requires string as left operand, not \(item.typeName)")
            }
            try renderer.spend(text.count / 16)
            return text.find(needle) != nil
        case .dictionary(let dictionary): return try dictionary[item] != nil
        case .view(let view) where view.kind == .keys: return try view.dictionary[item] != nil
        default:
            let iterator = try renderer.iterate(self)
            while let next = try iterator.next() {
                try renderer.spend(1)
                if try next.equals(item, in: renderer) { return true }
            }
            return false
        }
    }

    private func operandFault(_ symbol: String, _ other: RuntimeValue) -> TemplateFault {
        if case .undefined(let reason) = self { return reason.fault }
        if case .undefined(let reason) = other { return reason.fault }
        return .runtime("unsupported operand type(s) for \(symbol): '\(typeName)' and '\(other.typeName)'")
    }

    func arithmetic(_ symbol: String, _ other: RuntimeValue, in renderer: TemplateRenderer) throws -> RuntimeValue {
        switch (symbol, self, other) {
        case ("+", .string(let left), .string(let right)): return .string(try renderer.added(left, right))
        case ("+", .list(let left), .list(let right)):
            return .list(try renderer.checked(left + right))
        case ("+", .tuple(let left), .tuple(let right)): return .tuple(try renderer.checked(left + right))
        case ("%", .string(let format), _):
            guard !format.isMarkup else { throw TemplateFault.unsupported("'%' on a text marked as safe") }
            return .string(try PercentFormat(renderer).format(format, other))
        case ("*", .string(let text), _) where other.int != nil:
            return .string(try renderer.repeated(text, other.int ?? 0))
        case ("*", _, .string(let text)) where int != nil: return .string(try renderer.repeated(text, int ?? 0))
        case ("*", .list(let items), _) where other.int != nil:
            return .list(try renderer.repeated(items, other.int ?? 0))
        case ("*", _, .list(let items)) where int != nil: return .list(try renderer.repeated(items, int ?? 0))
        case ("*", .tuple(let items), _) where other.int != nil:
            return .tuple(try renderer.repeated(items, other.int ?? 0))
        case ("*", _, .tuple(let items)) where int != nil: return .tuple(try renderer.repeated(items, int ?? 0))
        default: break
        }
        guard let left = number, let right = other.number else { throw operandFault(symbol, other) }
        if case (.int(let a), .int(let b)) = (left, right) { return try Self.whole(symbol, a, b) }
        return .double(try Self.real(symbol, left.double, right.double))
    }

    private static func whole(_ symbol: String, _ a: Int, _ b: Int) throws -> RuntimeValue {
        let result: (partialValue: Int, overflow: Bool)
        switch symbol {
        case "+": result = a.addingReportingOverflow(b)
        case "-": result = a.subtractingReportingOverflow(b)
        case "*": result = a.multipliedReportingOverflow(by: b)
        case "/":
            guard b != 0 else { throw TemplateFault.runtime("division by zero") }
            return .double(Double(a) / Double(b))
        case "//", "%":
            guard b != 0 else { throw TemplateFault.runtime("integer division or modulo by zero") }
            guard a != .min || b != -1 else { throw TemplateFault.unsupported("a whole number past 64 bits") }
            let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
            let isBelow = rest != 0 && (rest < 0) != (b < 0)
            return .int(symbol == "//" ? (isBelow ? quotient - 1 : quotient) : (isBelow ? rest + b : rest))
        default:
            guard b >= 0 else {
                guard a != 0 else { throw TemplateFault.runtime("0.0 cannot be raised to a negative power") }
                return .double(pow(Double(a), Double(b)))
            }
            var power = (partialValue: 1, overflow: false)
            for _ in 0..<(abs(a) == 1 || a == 0 ? min(b, 2 - b % 2) : b) {
                power = power.partialValue.multipliedReportingOverflow(by: a)
                if power.overflow { break }
            }
            result = power
        }
        guard !result.overflow else { throw TemplateFault.unsupported("a whole number past 64 bits") }
        return .int(result.partialValue)
    }

    private static func real(_ symbol: String, _ a: Double, _ b: Double) throws -> Double {
        switch symbol {
        case "+": return a + b
        case "-": return a - b
        case "*": return a * b
        case "**":
            let power = pow(a, b)
            guard !power.isNaN || a.isNaN || b.isNaN else { throw TemplateFault.unsupported("a complex number") }
            guard power.isFinite || a.isInfinite || b.isInfinite || power.isNaN else {
                throw TemplateFault.runtime(a == 0 ? "0.0 cannot be raised to a negative power" : "Result too large")
            }
            return power
        default: break
        }
        guard b != 0 else { throw TemplateFault.runtime("float division by zero") }
        if symbol == "/" { return a / b }
        var rest = fmod(a, b)
        if rest != 0, (rest < 0) != (b < 0) { rest += b }
        if symbol == "%" { return rest == 0 ? (b < 0 ? -0.0 : 0.0) : rest }
        let quotient = (a - rest) / b
        if quotient == 0 { return Double(signOf: a / b, magnitudeOf: 0) }
        let floor = quotient.rounded(.down)
        return quotient - floor > 0.5 ? floor + 1 : floor
    }

    func negated() throws -> RuntimeValue {
        switch number {
        case .int(let value)?:
            guard value != .min else { throw TemplateFault.unsupported("a whole number past 64 bits") }
            return .int(-value)
        case .double(let value)?: return .double(-value)
        case nil:
            if case .undefined(let reason) = self { throw reason.fault }
            throw TemplateFault.runtime("bad operand type for unary -: '\(typeName)'")
        }
    }

    func affirmed() throws -> RuntimeValue {
        switch number {
        case .int(let value)?: return .int(value)
        case .double(let value)?: return .double(value)
        case nil:
            if case .undefined(let reason) = self { throw reason.fault }
            throw TemplateFault.runtime("bad operand type for unary +: '\(typeName)'")
        }
    }
}
