/// Another date in the same form: the year moved by up to three, day and month drawn anew.
enum DatePseudonym {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    static func date(_ text: String, random: KeyedRandom) -> String {
        var random = random
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var i = 0
        while i < bytes.count {
            let start = i
            if ScannedText.isDigit(bytes[i]) {
                while i < bytes.count, ScannedText.isDigit(bytes[i]) { i += 1 }
                let value = bytes[start..<i].prefix(6).reduce(0) { $0 * 10 + Int($1 - 0x30) }
                let new = String(number(value, length: i - start, &random))
                result.append(
                    contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, padding(bytes[start], i - start, new))))
                result.append(contentsOf: new.utf8)
            } else if ScannedText.isLetter(bytes[i]) {
                while i < bytes.count, ScannedText.isLetter(bytes[i]) { i += 1 }
                let word = String(decoding: bytes[start..<i], as: UTF8.self)
                let isMonth =
                    word.utf8.count >= 3
                    && months.contains {
                        $0.lowercased().hasPrefix(word.lowercased().prefix(3)) && word.lowercased() != "of"
                    }
                result.append(contentsOf: (isMonth ? month(like: word, &random) : word).utf8)
            } else {
                result.append(bytes[i])
                i += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Days and months up to 12 may be either, so they stay below 13; other days up to 28 fit every month.
    private static func number(_ value: Int, length: Int, _ random: inout KeyedRandom) -> Int {
        if length >= 3 {
            let step = 1 + random.index(below: 3)
            return value + (random.index(below: 2) == 0 ? step : -step)
        }
        if length == 2, value > 31 { return max(32, min(99, value + 1 + random.index(below: 3))) }
        let low = value > 12 ? 13 : 1
        let span = value > 12 ? 16 : 12
        let new = low + random.index(below: span)
        return new == value ? low + (new - low + 1) % span : new
    }

    /// `05` stays two digits wide.
    private static func padding(_ first: UInt8, _ length: Int, _ new: String) -> Int {
        first == UInt8(ascii: "0") ? length - new.utf8.count : 0
    }

    private static func month(like word: String, _ random: inout KeyedRandom) -> String {
        let old = months.firstIndex { $0.lowercased().hasPrefix(word.lowercased().prefix(3)) } ?? 0
        var name = months[(old + 1 + random.index(below: 11)) % 12]
        if word.utf8.count <= 4, word.lowercased() != "may" { name = String(name.prefix(3)) }
        if word == word.uppercased() { return name.uppercased() }
        return word == word.lowercased() ? name.lowercased() : name
    }
}
