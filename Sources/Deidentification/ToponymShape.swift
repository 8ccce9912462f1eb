/// What the form of a name says of a place: `San …`, `…ville`.
///
/// Saints and their like make a town's name look like a person's; the head leans on what it has seen of either.
enum ToponymShape {
    private static let openers = Set(
        [
            "san", "santa", "santo", "sao", "saint", "sankt", "sant", "st", "sveti", "fort", "port", "puerto", "porto",
            "mount", "lake", "cite", "villa", "bad", "nova", "novo", "nueva", "stara",
        ].map { FoldedHash($0).value })
    /// Endings of towns that are seldom those of family names.
    private static let endings = [
        "ville", "burg", "borg", "stadt", "heim", "hausen", "kirchen", "furt", "grad", "abad", "pur", "shire", "mouth",
        "haven",
        "havn", "fjord", "polis", "banya", "sund",
    ].map { Array($0.utf8) }

    /// Whether a name reads like a town's.
    static func fits(_ text: ScannedText, _ first: Int, _ last: Int) -> Bool {
        let tokens = text.tokens
        if last > first, openers.contains(tokens[first].folded) { return true }
        return (first...last).contains { i in
            guard tokens[i].kind == .word, tokens[i].classes.isDisjoint(with: [.first, .last]) else { return false }
            return endings.contains { ending in
                tokens[i].end - tokens[i].start >= ending.count + 3
                    && text.bytes[tokens[i].start..<tokens[i].end].suffix(ending.count).elementsEqual(ending) {
                        $0 | 0x20 == $1
                    }
            }
        }
    }
}
