/// The tests after `is`.
enum TemplateTests {
    typealias Test = @Sendable (TemplateRenderer, RuntimeValue, CallArguments) throws -> Bool

    private static let simple: [String: @Sendable (RuntimeValue) throws -> Bool] = [
        "defined": { !$0.isUndefined },
        "undefined": { $0.isUndefined },
        "none": { $0.isNone },
        "boolean": { if case .bool = $0 { true } else { false } },
        "true": { if case .bool(true) = $0 { true } else { false } },
        "false": { if case .bool(false) = $0 { true } else { false } },
        "integer": { if case .int = $0 { true } else { false } },
        "float": { if case .double = $0 { true } else { false } },
        "number": { $0.number != nil },
        "string": { $0.text != nil },
        "mapping": { if case .dictionary = $0 { true } else { false } },
        "sequence": {
            switch $0 {
            case .string, .list, .tuple, .dictionary, .range, .undefined: true
            default: false
            }
        },
        "iterable": {
            switch $0 {
            case .string, .list, .tuple, .dictionary, .range, .undefined, .view, .iterator, .loop: true
            default: false
            }
        },
        "callable": {
            switch $0 {
            case .function, .undefined, .loop: true
            default: false
            }
        },
        "odd": { try rest($0, 2) == 1 },
        "even": { try rest($0, 2) == 0 },
        "escaped": { $0.text?.isMarkup == true },
    ]

    private static let comparisons: [String: String] = [
        "==": "==", "eq": "==", "equalto": "==", "!=": "!=", "ne": "!=", ">": ">", "gt": ">", "greaterthan": ">",
        ">=": ">=",
        "ge": ">=", "<": "<", "lt": "<", "lessthan": "<", "<=": "<=", "le": "<=",
    ]

    static func named(_ name: String) -> Test? {
        if let simple = simple[name] {
            return { _, value, arguments in
                _ = try arguments.bound("the test '\(name)'", [])
                return try simple(value)
            }
        }
        if let symbol = comparisons[name] {
            return { renderer, value, arguments in
                let other = try arguments.bound("the test '\(name)'", ["other"], required: 1)[0] ?? .none
                return try value.compares(symbol, to: other, in: renderer)
            }
        }
        switch name {
        case "lower", "upper":
            return { renderer, value, arguments in
                _ = try arguments.bound("the test '\(name)'", [])
                let text = try value.printed()
                try renderer.spend(text.count / 16)
                return text.isAll(upper: name == "upper")
            }
        case "in":
            return { renderer, value, arguments in
                try (arguments.bound("the test 'in'", ["seq"], required: 1)[0] ?? .none).contains(value, in: renderer)
            }
        case "divisibleby":
            return { _, value, arguments in
                let number = try arguments.bound("the test 'divisibleby'", ["num"], required: 1)[0]?.int
                guard let number else { throw TemplateFault.runtime("divisibleby needs a whole number") }
                return try rest(value, number) == 0
            }
        case "sameas":
            return { _, value, arguments in
                let other = try arguments.bound("the test 'sameas'", ["other"], required: 1)[0] ?? .none
                switch (value, other) {
                case (.none, .none): return true
                case (.bool(let left), .bool(let right)): return left == right
                case (.none, _), (.bool, _), (_, .none), (_, .bool): return false
                default: throw TemplateFault.unsupported("the test 'sameas' on other values than true, false and none")
                }
            }
        case "filter", "test":
            return { _, value, _ in
                guard case .string(let text) = value else { return false }
                return name == "filter"
                    ? TemplateFilters.named(text.string) != nil : TemplateTests.named(text.string) != nil
            }
        default: return nil
        }
    }

    private static func rest(_ value: RuntimeValue, _ divisor: Int) throws -> Double {
        if case .undefined(let reason) = value { throw reason.fault }
        guard let number = value.number else {
            throw TemplateFault.runtime("a number is needed, not '\(value.typeName)'")
        }
        guard divisor != 0 else { throw TemplateFault.runtime("integer division or modulo by zero") }
        switch number {
        case .int(let int):
            // The smallest number by −1 has no quotient in 64 bits.
            guard divisor != -1 else { return 0 }
            let rest = int % divisor
            return Double(rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest)
        case .double(let double):
            let rest = double.truncatingRemainder(dividingBy: Double(divisor))
            return rest < 0 ? rest + Double(divisor) : rest
        }
    }
}
