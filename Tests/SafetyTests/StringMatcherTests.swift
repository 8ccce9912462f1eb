import Foundation
import Safety
import Testing

@Suite struct StringMatcherTests {
    let matcher = StringMatcher(["idiot", "stupid", "shut up", "hate you", "daft*"], allowing: ["stupid question"])

    @Test(arguments: [
        "You idiot!", "IDIOT", "1d10t", "!diot? an 1diot", "you are a i d i o t", "i.d.i.o.t", "i-d-i-o-t",
        "idi\u{200B}ot",
        "stuuupid", "stu-pid", "$tup1d", "ｓｔｕｐｉｄ", "stúpid", "shut    up", "Shut, up", "shutup", "sh*t s h u t u p",
        "𝐒𝐓𝐔𝐏𝐈𝐃", "🅂🅃🅄🄿🄸🄳", "ᴵᴰᴵᴼᵀ", "ＳＴＵＰＩＤ",
        "daftest",
        "I HATE YOU", "h@te y0u", "1 d 1 0 t",
    ])
    func finds(_ text: String) {
        #expect(matcher(text))
    }

    @Test(arguments: [
        "", " ", "studio", "stupidity is not a word here", "the stupendous idiom", "shut the door, up we go",
        "hate your hat",
        "that is no stupid question", "5 1 0 7 times", "a b c d e f", "we met at 10 to 7!", "!!! ??? $$$", "ad aft",
    ])
    func passes(_ text: String) {
        #expect(!matcher(text))
    }

    @Test func saysWhichEntryAndWhere() {
        let found = matcher.matches(in: "well, you 1d10t, shut up")
        #expect(found.map(\.entry) == ["idiot", "shut up"])
        #expect(found.map(\.words) == [2..<3, 3..<5])
    }

    @Test func doubledLettersMakeOtherShortWords() {
        let matcher = StringMatcher(["god", "good bye"])
        #expect(!matcher("good"))
        #expect(matcher("goood"))
        #expect(!matcher("god bye") || matcher.firstMatch(in: "god bye") == "god")
        #expect(matcher.matches(in: "good bye").map(\.entry) == ["good bye"])
    }

    @Test func allowListExcusesOnlyInsideItsPhrase() {
        #expect(matcher.firstMatch(in: "stupid question, stupid") == "stupid")
        #expect(matcher.matches(in: "a stupid question, stupid").count == 1)
    }

    @Test func readsAnOperatorsList() throws {
        let list = "# ours\nblockhead  # with a comment\n\nallow: blockhead club\nsilly goose\n"
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("list-\(UUID().uuidString).txt")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(list.utf8).write(to: url)
        let matcher = try StringMatcher(contentsOf: url)
        #expect(matcher.count == 2)
        #expect(matcher("you BL0CKHEAD"))
        #expect(!matcher("the blockhead club"))
        #expect(matcher("silly  goose"))
        #expect(throws: SafetyError.self) { try StringMatcher(contentsOf: url.appendingPathExtension("none")) }
    }

    /// Counted by growth, not by seconds: sixteen times the text takes nowhere near 256 times as long.
    @Test(arguments: ["i ", "stu-", "shut ", "i d i o ", "stupid question ", "aaaaaaaa"])
    func workGrowsLinearly(_ unit: String) {
        let clock = ContinuousClock()
        func seconds(_ count: Int) -> Double {
            let text = String(repeating: unit, count: count)
            let shortest = (0..<3).map { _ in clock.measure { _ = matcher.matches(in: text) } }.min() ?? .zero
            return shortest / .seconds(1)
        }
        #expect(seconds(8_000) < 100 * seconds(500))
    }
}
