/// Divides people, never messages, among the parts of a data set: a person is in exactly one part, in this run and in every
/// other with the same salt, however many people come or go.
public struct UserSplit: Sendable, Hashable {
    /// Names and shares, in order. The shares add up to 1; what rounding leaves over belongs to the last part.
    public let parts: [(name: String, share: Double)]
    /// Splits under different salts are independent of each other.
    public let salt: String

    /// Why shares make no split.
    public struct Invalid: InputFault, Sendable, Hashable, CustomStringConvertible {
        public var description: String
    }

    /// At least one part; shares above 0 that add up to 1, or to what rounding to three digits makes of it.
    public init(_ parts: [(name: String, share: Double)], salt: String = "loam") throws(Invalid) {
        guard !parts.isEmpty else { throw Invalid(description: "a split needs at least one part") }
        if let bad = parts.first(where: { !($0.share > 0 && $0.share <= 1) }) {
            throw Invalid(description: "split part '\(bad.name)': expected a share above 0 and at most 1")
        }
        guard Set(parts.map(\.name)).count == parts.count else {
            throw Invalid(description: "two parts of a split have the same name")
        }
        let sum = parts.reduce(0) { $0 + $1.share }
        guard sum <= 1 + 1e-9 else { throw Invalid(description: "the shares of a split add up to \(sum), above 1") }
        // Else the last part would quietly get the rest: `train=.5` alone would be everybody.
        guard sum >= 0.999 - 1e-9 else {
            throw Invalid(description: "the shares of a split add up to \(sum), below 1: name the rest too")
        }
        self.parts = parts
        self.salt = salt
    }

    /// Reads `train=.9,valid=.05,test=.05`.
    public init(parsing text: String, salt: String = "loam") throws(Invalid) {
        var parts: [(name: String, share: Double)] = []
        for piece in text.split(separator: ",") {
            let sides = piece.split(separator: "=")
            let name = sides.first.map { $0.filter { !$0.isWhitespace } } ?? ""
            let isPlain =
                !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
            guard sides.count == 2, isPlain, let share = Double(sides[1].filter { !$0.isWhitespace }) else {
                throw Invalid(description: "split '\(text)': expected parts such as train=.9,valid=.05,test=.05")
            }
            parts.append((name, share))
        }
        try self.init(parts, salt: salt)
    }

    /// Index of the part that a person belongs to.
    public func index(of userID: String) -> Int {
        var hash = StableHash(salt: salt)
        hash.add(userID)
        // The upper 53 bits as a number in [0, 1).
        let place = Double(hash.value >> 11) / 9_007_199_254_740_992
        var edge = 0.0
        for (index, part) in parts.enumerated().dropLast() {
            edge += part.share
            if place < edge { return index }
        }
        return parts.count - 1
    }

    /// Name of the part that a person belongs to.
    public func part(of userID: String) -> String { parts[index(of: userID)].name }

    /// Items by part, in the order of the parts; items keep their order.
    public func split<Item>(_ items: some Sequence<Item>, by userID: (Item) -> String) -> [[Item]] {
        var result = [[Item]](repeating: [], count: parts.count)
        for item in items { result[index(of: userID(item))].append(item) }
        return result
    }

    public static func == (a: UserSplit, b: UserSplit) -> Bool {
        a.salt == b.salt && a.parts.elementsEqual(b.parts, by: ==)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(salt)
        for part in parts {
            hasher.combine(part.name)
            hasher.combine(part.share)
        }
    }
}
