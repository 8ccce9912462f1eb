/// A value that a chat template is given: what JSON can say, with the order of the keys, plus text that the caller
/// vouches for.
public enum TemplateValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    /// Text from a person, a model or a tool. It can never become a special token.
    case string(String)
    /// Text that the program itself chose, such as the tokenizer's own tokens. It is treated as the template's.
    case trusted(String)
    case array([TemplateValue])
    case object(TemplateObject)

    /// A message as chat templates expect it.
    public static func message(role: String, content: String) -> TemplateValue {
        .object(["role": .string(role), "content": .string(content)])
    }

    /// The value of a key, when this is an object that has it.
    public subscript(key: String) -> TemplateValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension TemplateValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    public init(arrayLiteral elements: TemplateValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, TemplateValue)...) { self = .object(TemplateObject(elements)) }
}

/// Keys with values in the order in which they were given: templates write tools as JSON in that order.
public struct TemplateObject: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    public struct Entry: Sendable, Hashable {
        public var key: String
        public var value: TemplateValue
    }

    public private(set) var entries: [Entry] = []

    /// Of a key given twice the last value counts, in the place of the first.
    public init(_ pairs: [(String, TemplateValue)] = []) {
        if pairs.count > 16 {
            var places: [[UInt8]: Int] = [:]
            for (key, value) in pairs {
                if let place = places[Array(key.utf8)] {
                    entries[place].value = value
                } else {
                    places[Array(key.utf8)] = entries.count
                    entries.append(Entry(key: key, value: value))
                }
            }
        } else {
            for (key, value) in pairs { self[key] = value }
        }
    }

    public init(dictionaryLiteral elements: (String, TemplateValue)...) { self.init(elements) }

    // Swift finds a letter equal to the same letter with its accent apart; JSON and Python do not.
    private func place(of key: String) -> Int? { entries.firstIndex { $0.key.utf8.elementsEqual(key.utf8) } }

    /// Setting `nil` removes the key.
    public subscript(key: String) -> TemplateValue? {
        get { place(of: key).map { entries[$0].value } }
        set {
            switch (place(of: key), newValue) {
            case (let place?, let value?): entries[place].value = value
            case (let place?, nil): entries.remove(at: place)
            case (nil, let value?): entries.append(Entry(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}
